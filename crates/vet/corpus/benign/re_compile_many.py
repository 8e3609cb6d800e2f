# label: benign
# expect:
# note: Compiles many regular expressions, joins them and splits text; compile here is re's.
import re

SPEC = [
    ("NUMBER", r"\d+(?:\.\d*)?"),
    ("STRING", r'"(?:\\.|[^"\\])*"'),
    ("NAME", r"[A-Za-z_]\w*"),
    ("OP", r"[-+*/=<>!]=?|[(){}\[\],;]"),
    ("SPACE", r"\s+"),
    ("BAD", r"."),
]
compile = re.compile
LEXER = compile("|".join(f"(?P<{n}>{rx})" for n, rx in SPEC))


def lex(text):
    for m in LEXER.finditer(text):
        kind = m.lastgroup
        if kind == "BAD":
            raise SyntaxError(f"{m.group()!r} at {m.start()}")
        if kind != "SPACE":
            yield kind, m.group()


print(*lex('total = price * 1.19; print("eval(exec)")'), sep="\n")
