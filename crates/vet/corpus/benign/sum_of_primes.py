# label: benign
# expect:
# note: A grader's submission that reads numbers and prints a sum; nothing should fire, and sys.exit is not a process act.
import sys


def sieve(n):
    is_prime = bytearray([1]) * (n + 1)
    is_prime[0:2] = b"\0\0"
    for i in range(2, int(n ** 0.5) + 1):
        if is_prime[i]:
            is_prime[i * i :: i] = bytes(len(range(i * i, n + 1, i)))
    return [i for i, p in enumerate(is_prime) if p]


def main():
    data = sys.stdin.read().split()
    if not data:
        sys.exit("no input")
    t = int(data[0])
    primes = sieve(100_000)
    for q in data[1 : t + 1]:
        q = int(q)
        print(sum(p for p in primes if p <= q))


if __name__ == "__main__":
    main()
