# label: benign
# expect:
# note: A puzzle book's rot13 and xor ciphers; decoded texts are printed, never run.
# obfuscated: yes
import base64
import codecs

PUZZLES = {
    1: ("rot13", "gur nafjre yvrf haqre gur byq bnx gerr"),
    2: ("xor", [126, 118, 118, 103, 51, 126, 118, 51, 114, 103, 51, 103, 123, 118, 51, 123, 114, 97, 113, 124, 102, 97, 51, 114, 103, 51, 125, 122, 125, 118]),
    3: ("b64", "aW1wb3J0IHRoaXM6IHRoZXJlIHNob3VsZCBiZSBvbmUgb2J2aW91cyB3YXk="),
}


def solve(kind, text):
    if kind == "rot13":
        return codecs.decode(text, "rot13")
    if kind == "xor":
        return "".join(chr(c ^ 19) for c in text)
    return base64.b64decode(text).decode()


for n, p in PUZZLES.items():
    print(n, solve(*p))
