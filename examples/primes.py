"""Prints the prime numbers below N as it finds them: python3 primes.py [N]"""

import math
import sys

PER_ROW = 12


def is_prime(number):
    divisors = range(2, math.isqrt(number) + 1)
    return number > 1 and all(number % divisor for divisor in divisors)


def main():
    below = int(sys.argv[1]) if len(sys.argv) > 1 else 250_000
    count = 0
    for number in range(below):
        if is_prime(number):
            count += 1
            row_is_full = count % PER_ROW == 0
            # Flushed, so that each row can be seen as soon as it is full.
            print(f"{number:7}", end="\n" if row_is_full else "", flush=row_is_full)
    if count % PER_ROW != 0:
        print()
    print(f"There are {count:,} primes below {below:,}.")


if __name__ == "__main__":
    main()
