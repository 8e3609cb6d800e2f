"""Writes an artifact: savings with compound interest, as ./out/report.csv."""

import csv
from pathlib import Path

DEPOSIT = 1000.00
INTEREST = 0.04
YEARS = 20


def main():
    report = Path("out", "report.csv")
    report.parent.mkdir(exist_ok=True)
    with report.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["year", "balance"])
        for year in range(YEARS + 1):
            rows.writerow([year, f"{DEPOSIT * (1 + INTEREST) ** year:.2f}"])
    print(f"wrote {report}, {report.stat().st_size} bytes")


if __name__ == "__main__":
    main()
