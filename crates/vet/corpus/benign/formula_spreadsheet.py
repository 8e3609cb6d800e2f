# label: benign
# expect: V501
# note: A toy spreadsheet whose cells hold formulas, evaluated with builtins taken away.
import re


class Sheet:
    def __init__(self):
        self.cells = {}

    def __setitem__(self, name, formula):
        self.cells[name] = formula

    def __getitem__(self, name):
        formula = self.cells.get(name, 0)
        if isinstance(formula, str) and formula.startswith("="):
            body = re.sub(r"\b([A-Z]\d+)\b", r"self['\1']", formula[1:])
            return eval(body, {"__builtins__": {}, "sum": sum, "max": max}, {"self": self})
        return formula


s = Sheet()
s["A1"], s["A2"] = 10, 32
s["A3"] = "=A1 + A2"
s["B1"] = "=max(A1, A2) * 2 - A3"
print(s["A3"], s["B1"])
