# label: benign
# expect: V301
# note: Fetches a forecast over HTTPS with a timeout; ordinary network use with a literal host.
import requests

URL = "https://api.example.org/v2/forecast"


def forecast(lat, lon, session=None):
    s = session or requests.Session()
    r = s.get(URL, params={"lat": lat, "lon": lon}, timeout=10)
    r.raise_for_status()
    return r.json()["hourly"]


if __name__ == "__main__":
    hours = forecast(52.52, 13.40)
    warmest = max(hours, key=lambda h: h["temperature"])
    print(f"warmest at {warmest['time']}: {warmest['temperature']} C")
