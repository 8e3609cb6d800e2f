# label: benign
# expect: V501
# note: A teacher's grader that execs the student's file in a namespace and calls its function.
import io
import sys
from contextlib import redirect_stdout

CASES = [((2, 3), 5), ((-1, 1), 0), ((10, 32), 42)]


def load(path):
    with open(path, encoding="utf-8") as f:
        source = f.read()
    ns = {"__name__": "submission"}
    exec(compile(source, path, "exec"), ns)
    return ns


def grade(path):
    out = io.StringIO()
    with redirect_stdout(out):
        ns = load(path)
    add = ns.get("add")
    if not callable(add):
        return 0, "there is no function called add"
    good = sum(add(*args) == want for args, want in CASES)
    return good, f"{good} of {len(CASES)} cases"


print(grade(sys.argv[1] if len(sys.argv) > 1 else "submission.py"))
