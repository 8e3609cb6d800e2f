# label: hostile
# expect: V203 V302
# note: logging.config.listen opens a port whose configurations are evaluated; a back door in a standard module.
# allow: V501
import logging
import logging.config
import time

t = logging.config.listen(9030)
t.start()
logging.info("ready")
time.sleep(86400)
logging.config.stopListening()
