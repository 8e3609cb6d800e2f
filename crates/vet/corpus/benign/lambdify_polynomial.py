# label: benign
# expect: V501
# note: Compiles a polynomial to a lambda by eval for speed, as symbolic packages do.
# allow: V504
import time


def lambdify(coefficients):
    body = "0.0"
    for c in coefficients:
        body = f"({body}) * x + {float(c)!r}"
    return eval("lambda x: " + body)


def horner(coefficients, x):
    total = 0.0
    for c in coefficients:
        total = total * x + c
    return total


cs = [1, -3, 0, 2, 5, -7]
f = lambdify(cs)
t = time.perf_counter()
ys = [f(i / 1000) for i in range(100_000)]
print(f"{time.perf_counter() - t:.3f}s", abs(ys[500] - horner(cs, 0.5)) < 1e-9)
