# label: benign
# expect:
# note: Writes a rotating log of a few megabytes; many writes in a loop, all of it bounded.
import logging
import logging.handlers

handler = logging.handlers.RotatingFileHandler("run.log", maxBytes=1_000_000, backupCount=3)
handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
log = logging.getLogger("sim")
log.addHandler(handler)
log.setLevel(logging.INFO)

state = 17
for step in range(50_000):
    state = (state * 1103515245 + 12345) % 2**31
    if step % 5 == 0:
        log.info("step %d state %d", step, state)
print("done", state)
