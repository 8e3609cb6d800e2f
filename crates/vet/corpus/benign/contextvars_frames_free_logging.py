# label: benign
# expect:
# note: Structured logging with contextvars and stacklevel, which names callers without touching a frame.
import contextvars
import json
import logging
import sys

request_id = contextvars.ContextVar("request_id", default="-")


class Json(logging.Formatter):
    def format(self, record):
        return json.dumps({
            "level": record.levelname,
            "where": f"{record.module}:{record.lineno}",
            "request": request_id.get(),
            "text": record.getMessage(),
        })


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(Json())
log = logging.getLogger("app")
log.addHandler(handler)
log.setLevel("INFO")


def audit(text):
    log.info(text, stacklevel=2)


token = request_id.set("r-17")
audit("started")
request_id.reset(token)
audit("ended")
