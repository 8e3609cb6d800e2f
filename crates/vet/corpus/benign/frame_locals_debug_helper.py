# label: benign
# expect: V602
# note: A print helper for debugging that shows the expression it was called with, out of the caller's frame.
import inspect
import linecache
import re


def dbg(*values):
    frame = inspect.stack()[1]
    line = linecache.getline(frame.filename, frame.lineno).strip()
    m = re.search(r"dbg\((.*)\)", line)
    text = m.group(1) if m else "?"
    print(f"[{frame.function}:{frame.lineno}] {text} = {', '.join(map(repr, values))}")
    return values[0] if len(values) == 1 else values


def area(r):
    return dbg(3.14159 * r * r)


area(2)
dbg([x * x for x in range(4)])
