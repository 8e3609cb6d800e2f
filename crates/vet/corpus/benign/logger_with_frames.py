# label: benign
# expect: V602
# note: A logger that names its caller through sys._getframe, as logging itself does.
import sys, os, time

LEVELS = ("debug", "info", "warn", "error")

def _where(depth):
    f = sys._getframe(depth + 1)
    return "%s:%d %s" % (os.path.basename(f.f_code.co_filename), f.f_lineno, f.f_code.co_name)

class Log:
    def __init__(self, level="info", stream=sys.stderr):
        self.min = LEVELS.index(level)
        self.stream = stream

    def _emit(self, level, msg, *args):
        if LEVELS.index(level) < self.min:
            return
        stamp = time.strftime("%H:%M:%S")
        self.stream.write("%s %-5s %s  %s\n" % (stamp, level, _where(2), msg % args if args else msg))

    def debug(self, m, *a): self._emit("debug", m, *a)
    def info(self, m, *a): self._emit("info", m, *a)
    def warn(self, m, *a): self._emit("warn", m, *a)
    def error(self, m, *a): self._emit("error", m, *a)

log = Log("debug")

def work(n):
    log.info("working on %d items", n)
    for i in range(n):
        log.debug("item %d", i)

work(3)
