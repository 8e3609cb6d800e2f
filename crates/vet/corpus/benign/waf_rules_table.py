# label: benign
# expect:
# note: A table of regular expressions that recognise attacks; the payloads are only patterns in strings.
import re
import sys

RULES = [
    ("sql-union", re.compile(r"\bunion\b.+\bselect\b", re.I)),
    ("path-traversal", re.compile(r"(?:\.\./){2,}etc/(?:passwd|shadow)")),
    ("reverse-shell", re.compile(r"bash\s+-i\s+>&\s*/dev/tcp/[\w.]+/\d+")),
    ("py-exec", re.compile(r"\b(?:exec|eval)\s*\(\s*base64\.b64decode\(")),
    ("py-subclasses", re.compile(r"__class__\.__(?:mro|bases?)__.*__subclasses__\(\)")),
    ("log4shell", re.compile(r"\$\{jndi:(?:ldap|rmi|dns):", re.I)),
    ("metadata", re.compile(r"169\.254\.169\.254")),
    ("shell-subst", re.compile(r"[`$]\(?(?:curl|wget)\s")),
]


def classify(line):
    return [name for name, rx in RULES if rx.search(line)]


for number, line in enumerate(sys.stdin, 1):
    hits = classify(line)
    if hits:
        print(f"{number}: {', '.join(hits)}")
