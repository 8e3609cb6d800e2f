# label: benign
# expect: V001
# note: Somebody committed the markers of a merge conflict.
import csv


def total(path):
    with open(path) as f:
        rows = csv.DictReader(f)
<<<<<<< HEAD
        return sum(float(r["amount"]) for r in rows)
=======
        return sum(float(r["amount"]) for r in rows if r["paid"] == "yes")
>>>>>>> only-paid


print(total("invoices.csv"))
