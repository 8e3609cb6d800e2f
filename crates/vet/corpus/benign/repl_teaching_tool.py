# label: benign
# expect: V501
# note: A read-eval-print loop for a workshop, with its own namespace and history.
import code
import sys


class Workshop(code.InteractiveConsole):
    def __init__(self):
        super().__init__(locals={"__name__": "workshop", "answers": []})
        self.history = []

    def push(self, line):
        self.history.append(line)
        return super().push(line)


w = Workshop()
try:
    w.interact(banner="Type Python; Ctrl-D ends.", exitmsg="")
finally:
    print(len(w.history), "lines", file=sys.stderr)
