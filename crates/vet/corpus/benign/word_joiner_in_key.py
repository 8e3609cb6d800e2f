# label: benign
# expect: V005
# note: A word joiner came along when a column's name was copied from a PDF.
ROWS = [
    {"station": "North", "PM⁠10": 23, "temp": 4.5},
    {"station": "South", "PM⁠10": 31, "temp": 5.0},
]

total = 0
for row in ROWS:
    total += row.get("PM10", 0)
print("mean PM10:", total / len(ROWS))
