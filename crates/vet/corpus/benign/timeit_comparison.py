# label: benign
# expect:
# note: Compares two ways of joining strings with timeit on constant statements.
# allow: V501
import timeit

SETUP = "words = ['spam'] * 1000"
CASES = {
    "join": "''.join(words)",
    "plus": "s = ''\nfor w in words: s += w",
}

for name, stmt in CASES.items():
    best = min(timeit.repeat(stmt, SETUP, number=200, repeat=3))
    print(f"{name:5} {best * 1e3:7.2f} ms")
print(timeit.timeit(lambda: sorted(range(1000), reverse=True), number=100))
