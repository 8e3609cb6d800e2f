# label: benign
# expect:
# note: A while True around a fixed-point iteration that breaks on convergence or after a limit.
# allow: V502
def sqrt(a, eps=1e-12, limit=100):
    x = a or 1.0
    n = 0
    while True:
        y = 0.5 * (x + a / x)
        n += 1
        if abs(y - x) <= eps * y or n == limit:
            return y, n
        x = y


def kepler(mean, ecc):
    e = mean
    while True:
        step = (e - ecc * __import__("math").sin(e) - mean) / (1 - ecc * __import__("math").cos(e))
        e -= step
        if abs(step) < 1e-12:
            break
    return e


print(sqrt(2.0), kepler(1.0, 0.3))
