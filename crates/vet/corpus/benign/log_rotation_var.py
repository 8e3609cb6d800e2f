# label: benign
# expect: V103 V201
# note: Compresses old logs under /var/log/acme and tells the service to reopen them.
# allow: V101
import gzip
import shutil
import subprocess
import time
from pathlib import Path

LOGS = Path("/var/log/acme")
WEEK = 7 * 24 * 3600

for log in LOGS.glob("*.log.*"):
    if log.suffix == ".gz" or time.time() - log.stat().st_mtime < WEEK:
        continue
    with log.open("rb") as src, gzip.open(f"{log}.gz", "wb") as dst:
        shutil.copyfileobj(src, dst)
    log.unlink()

subprocess.run(["systemctl", "kill", "-s", "USR1", "acme"], check=False)
