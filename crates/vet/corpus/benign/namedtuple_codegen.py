# label: benign
# expect: V501
# note: Generates a fast record class from source text, as collections.namedtuple once did.
# allow: V503 V504
def record(name, fields):
    args = ", ".join(fields)
    body = "\n".join(f"        self.{f} = {f}" for f in fields)
    src = (
        f"class {name}:\n"
        f"    __slots__ = {tuple(fields)!r}\n"
        f"    def __init__(self, {args}):\n{body}\n"
        f"    def __repr__(self):\n"
        f"        return '{name}(' + ', '.join(f'{{s}}={{getattr(self, s)!r}}' for s in self.__slots__) + ')'\n"
    )
    scope = {}
    exec(src, scope)
    return scope[name]


Pixel = record("Pixel", ["x", "y", "colour"])
print(Pixel(1, 2, "red"))
