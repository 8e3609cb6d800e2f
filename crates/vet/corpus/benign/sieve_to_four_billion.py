# label: benign
# expect: V902
# note: A sieve that somebody scaled up to 2**32 to see whether it works.
from math import isqrt

N = 2**32
sieve = bytearray(b"\x01") * (N + 1)
sieve[0:2] = b"\x00\x00"
for p in range(2, isqrt(N) + 1):
    if sieve[p]:
        sieve[p * p :: p] = bytes((N - p * p) // p + 1)
print(sum(sieve))
