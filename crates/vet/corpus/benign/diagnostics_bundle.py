# label: benign
# expect: V101 V801
# note: Writes a support bundle with versions, environment and mounts into a zip in the work directory.
import json
import os
import platform
import sys
import zipfile
from importlib import metadata

facts = {
    "python": sys.version,
    "platform": platform.platform(),
    "argv": sys.argv,
    "environment": {k: v for k, v in os.environ.items() if "TOKEN" not in k},
    "packages": sorted(f"{d.metadata['Name']}=={d.version}" for d in metadata.distributions()),
}

with zipfile.ZipFile("support.zip", "w") as z:
    z.writestr("facts.json", json.dumps(facts, indent=2))
    try:
        z.write("/proc/mounts", "mounts.txt")
    except OSError:
        pass
