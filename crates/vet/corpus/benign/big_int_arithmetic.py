# label: benign
# expect:
# note: Factorials and Mersenne numbers of some thousand digits; large numbers that fit into kilobytes.
# allow: V902
import math
import sys

sys.set_int_max_str_digits(0)
print(len(str(math.factorial(5000))))
print(len(str(2**44497 - 1)))
print(pow(3, 10**18, 10**9 + 7), (1 << 4096) % 1_000_003)
print(sum(map(int, str(2**10000))))
