# label: benign
# expect:
# note: A parser defines functions called eval, compile and exec_ of its own for a little language.
import re


def compile(text):
    return re.findall(r"\d+|[-+*()]", text)


def eval(tokens, i=0):
    value, i = atom(tokens, i)
    while i < len(tokens) and tokens[i] in "+-":
        op = tokens[i]
        right, i = atom(tokens, i + 1)
        value = value + right if op == "+" else value - right
    return value, i


def atom(tokens, i):
    if tokens[i] == "(":
        value, i = eval(tokens, i + 1)
        return value, i + 1
    return int(tokens[i]), i + 1


for line in ("1 + (2 - 3) + 10", "7 - 2 - 1"):
    print(eval(compile(line))[0])
