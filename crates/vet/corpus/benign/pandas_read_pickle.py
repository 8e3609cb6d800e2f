# label: benign
# expect: V701
# note: Reads yesterday's frame by pd.read_pickle and merges today's rows.
import pandas as pd

try:
    old = pd.read_pickle("store/daily.pkl")
except FileNotFoundError:
    old = pd.DataFrame(columns=["day", "item", "n"])

new = pd.read_csv("incoming/today.csv")
merged = pd.concat([old, new]).drop_duplicates(["day", "item"], keep="last").sort_values(["day", "item"])
merged.to_pickle("store/daily.pkl")
print(f"{len(old)} + {len(new)} -> {len(merged)}")
