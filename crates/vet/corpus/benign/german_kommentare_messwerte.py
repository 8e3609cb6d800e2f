# label: benign
# expect:
# note: Messwerte auswerten, mit deutschen Namen und Kommentaren; nothing should fire.
# Liest Messwerte ein und gibt Mittelwert, Streuung und Ausreisser aus.
import csv
from statistics import mean, stdev

GRENZE = 2.5


def lies(pfad):
    with open(pfad, newline="", encoding="utf-8") as datei:
        for zeile in csv.reader(datei, delimiter=";"):
            yield float(zeile[1].replace(",", "."))


def ausreisser(werte):
    m, s = mean(werte), stdev(werte)
    return [w for w in werte if abs(w - m) > GRENZE * s]


werte = list(lies("messung.csv"))
print(f"Mittel {mean(werte):.3f}, Streuung {stdev(werte):.3f}")
for w in ausreisser(werte):
    print("verdächtig:", w)
