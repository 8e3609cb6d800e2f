# label: benign
# expect: V101 V201
# note: A setup script for a container image that runs apt-get and reads the distribution's file.
import shutil
import subprocess
import sys

PACKAGES = ["build-essential", "libpq-dev", "graphviz"]


def sh(*cmd):
    print("+", *cmd)
    subprocess.run(cmd, check=True)


with open("/etc/debian_version") as f:
    print("Debian", f.read().strip())
if not shutil.which("apt-get"):
    sys.exit("this needs apt-get")
sh("apt-get", "update", "-qq")
sh("apt-get", "install", "-y", "--no-install-recommends", *PACKAGES)
