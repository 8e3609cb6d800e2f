import os, time, datetime
print(time.tzname, time.timezone, time.daylight)
os.environ["TZ"] = "America/New_York"
time.tzset()
print(time.tzname, time.strftime("%H:%M %Z", time.localtime(1700000000)), datetime.datetime.fromtimestamp(0).astimezone())
import zoneinfo
print(datetime.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")))
