# label: benign
# expect:
# note: Installs an excepthook that logs uncaught errors; a hook in name, milder than a trace function.
# allow: V604
import logging
import sys

logging.basicConfig(filename="app.log", level=logging.INFO)


def log_uncaught(kind, value, tb):
    if issubclass(kind, KeyboardInterrupt):
        return sys.__excepthook__(kind, value, tb)
    logging.critical("uncaught", exc_info=(kind, value, tb))
    print("Something went wrong; see app.log", file=sys.stderr)


sys.excepthook = log_uncaught
print(1 / int(input()))
