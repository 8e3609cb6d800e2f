"""Prints, of every code object of some modules of the standard library, its table of lines and what the interpreter itself reads in it.

One a line: first line, table in hexadecimal, and runs `END:LINE`, of bytes and with no line as `-`.
"""

import ctypes
import glob
import os
import types

LINE = ctypes.pythonapi.PyCode_Addr2Line
LINE.argtypes = [ctypes.py_object, ctypes.c_int]


def runs(code):
    """From the front, without a gap."""
    if hasattr(code, "co_lines"):
        return [(end, line) for _, end, line in code.co_lines()]
    return [(at + 2, LINE(code, at)) for at in range(0, len(code.co_code), 2)]


def tell(code):
    """One and what is in it."""
    table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    told = " ".join(f"{end}:{'-' if line is None else line}" for end, line in runs(code))
    print(code.co_firstlineno, table.hex() or "-", told)
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            tell(each)


# Of several lines where the interpreter likes one, and of one where it likes several.
ODD = [
    "x = 1",
    "\n" * 300 + "def f(\n a=1,\n):\n" + "\n" * 200 + " return (a\n" + "\n" * 150 + " .b)\n" + " " * 5000 + "# end",
    "if a:\n" + " b(c,\n  d)\n" * 300,
    "try:\n a()\nfinally:\n with b() as c, d as e:\n  await_ = [x\n   for x in y\n    if x]\n",
    "async def f():\n async with a:\n  async for b in c:\n   yield b\n",
    "x = " + "(" * 80 + "1" + ")" * 80,
    "x = [" + "a,\n" * 1000 + "]",
    "match = f'''{a\n}{b\n}'''",
]

for number, source in enumerate(ODD):
    tell(compile(source, f"odd{number}", "exec"))
for path in sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py")))[::5]:
    with open(path, "rb") as file:
        tell(compile(file.read(), path, "exec"))
