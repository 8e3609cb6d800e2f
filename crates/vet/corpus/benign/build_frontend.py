# label: benign
# expect: V201
# note: A build script that starts npm and git with argument lists; honest subprocess use without a shell.
#!/usr/bin/env python3
"""Build the front end and stamp it with the current revision."""
from pathlib import Path
import subprocess as sp

ROOT = Path(__file__).resolve().parent
OUT = ROOT / "dist"


def revision() -> str:
    done = sp.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def build(release: bool) -> None:
    command = ["npm", "run", "build"]
    if release:
        command += ["--", "--mode", "production"]
    sp.check_call(command, cwd=ROOT / "web")


if __name__ == "__main__":
    build(release=True)
    OUT.mkdir(exist_ok=True)
    (OUT / "REVISION").write_text(revision() + "\n")
