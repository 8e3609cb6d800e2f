# label: hostile
# expect: V501
# note: A code object made by types.CodeType from bytecode in a bytes literal.
# obfuscated: yes
import types

template = (lambda: None).__code__
CodeType = type(template)
raw = bytes([151, 0, 100, 1, 83, 0])
made = CodeType(0, 0, 0, 0, 1, 3, raw, (None, 42), (), (), "f", "f", "f", 1, b"", b"", (), ())
print(types.FunctionType(made, {})())
