# label: benign
# expect: V501
# note: Runs the Python blocks of a README, so that the documentation stays true.
# allow: V504
import re
import sys
import textwrap

BLOCK = re.compile(r"^```python\n(.*?)^```", re.S | re.M)


def blocks(path):
    text = open(path, encoding="utf-8").read()
    for m in BLOCK.finditer(text):
        yield text.count("\n", 0, m.start()) + 2, textwrap.dedent(m.group(1))


failures = 0
scope = {}
for line, source in blocks("README.md"):
    padded = "\n" * (line - 1) + source
    try:
        exec(compile(padded, "README.md", "exec"), scope)
    except Exception as e:
        failures += 1
        print(f"README.md:{line}: {e!r}")
sys.exit(failures)
