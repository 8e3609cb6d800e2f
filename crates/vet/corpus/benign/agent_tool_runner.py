# label: benign
# expect: V201
# note: An agent's generated tool that runs a linter and a test command and reports back as JSON.
import json
import shlex
import subprocess
from typing import Any


def run_command(command: str, timeout: int = 120) -> dict[str, Any]:
    """Run a shell command and capture its result."""
    try:
        result = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=timeout)
        return {
            "command": command,
            "returncode": result.returncode,
            "stdout": result.stdout[-4000:],
            "stderr": result.stderr[-4000:],
        }
    except subprocess.TimeoutExpired:
        return {"command": command, "returncode": None, "error": f"timed out after {timeout}s"}


steps = ["ruff check .", "python -m pytest -q", "git diff --stat"]
print(json.dumps([run_command(s) for s in steps], indent=2))
