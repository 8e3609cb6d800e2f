# label: benign
# expect:
# note: A scanner for dangerous calls that works on the tree of other programs; its table of names is all strings.
import ast
import sys
from pathlib import Path

DANGEROUS = {"os.system", "os.popen", "subprocess.Popen", "pickle.loads", "marshal.loads", "ctypes.CDLL", "eval", "exec"}


def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


def scan(path):
    tree = ast.parse(path.read_text(), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := dotted(node.func)) in DANGEROUS:
            yield node.lineno, name


for p in map(Path, sys.argv[1:]):
    for line, name in scan(p):
        print(f"{p}:{line}: {name}")
