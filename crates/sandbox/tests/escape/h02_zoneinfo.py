# id: H02
# title: Time zones work
# expect: contained
# guards: root
# control: none, positive case
# works: needs the host's time zones, or the tzdata package

import datetime
import zoneinfo

zone = zoneinfo.ZoneInfo("Europe/Berlin")
summer = datetime.datetime(2026, 7, 1, tzinfo=zone)
assert summer.utcoffset() == datetime.timedelta(hours=2)
print("CONTAINED: works, summer in Berlin")
