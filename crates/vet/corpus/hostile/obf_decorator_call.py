# label: hostile
# expect: V201 V501
# note: Decorators do the calling: exec and system are applied to what a class body returns.
# obfuscated: yes
import os


def run(f):
    return os.system(f.__doc__)


@run
def build():
    """id"""


@exec
@lambda f: f.__doc__
def setup():
    "import sys; sys.stderr.write('decorated')"
