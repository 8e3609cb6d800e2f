# label: benign
# expect: V903
# note: Makes forty gigabytes of random rows for a load test, with a progress line.
import csv
import random

ROWS = 500_000_000
COUNTRIES = ["de", "fr", "se", "pt", "jp", "br"]

with open("events.csv", "w", newline="") as f:
    w = csv.writer(f)
    w.writerow(["id", "country", "amount", "comment"])
    for i in range(ROWS):
        w.writerow([i, random.choice(COUNTRIES), random.random() * 1000, "x" * 50])
        if i % 1_000_000 == 0:
            print(f"{i / ROWS:.0%}")
