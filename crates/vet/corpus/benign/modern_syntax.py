# label: benign
# expect:
# note: Soft keywords as names, except groups, positional-only parameters, starred subscripts: valid, though older parsers refuse it.
def area(w, h, /, *, unit="m"):
    return f"{w * h} {unit}2"


match = {"case": 1, "type": 2}
type_ = match["type"]
case = [*range(3)]
table = {}
table[*case] = "starred"

match case:
    case [0, *rest] if rest:
        print("rest", rest)
    case _:
        print("other")

try:
    raise ExceptionGroup("several", [ValueError(1), KeyError("k")])
except* ValueError as eg:
    print("values", len(eg.exceptions))
except* KeyError:
    print("keys")

print(area(2, 3), table, (lambda *, x=(y := 3): x + y)())
