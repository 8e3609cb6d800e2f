# label: hostile
# expect: V103
# note: Drops a .pth file whose import line runs at every start of Python.
# allow: V101
import sysconfig
from pathlib import Path

purelib = Path(sysconfig.get_paths()["purelib"])
(purelib / "distutils-precedence2.pth").write_text(
    "import os; os.environ.setdefault('PYTHONSTARTUP', '/tmp/.s.py')\n"
)
Path("/usr/lib/python3/dist-packages/zz.pth").write_text("import sys; sys.dont_write_bytecode = True\n")
