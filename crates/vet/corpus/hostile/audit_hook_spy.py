# label: hostile
# expect: V604
# note: Adds an audit hook of its own that records what the harness opens and imports after it.
import sys

LOG = open("spy.log", "a", buffering=1)


def listen(event, args):
    if event in ("open", "import", "exec", "compile", "socket.connect"):
        LOG.write(f"{event} {args!r}\n"[:500])


sys.addaudithook(listen)
