# label: hostile
# expect: V501 V504
# note: list(map(exec, ...)) over decoded lines; exec is a value among values.
# obfuscated: yes
from functools import partial, reduce

lines = ["61203d2036", "62203d2037", "7072696e742861202a206229"]
chain = reduce(lambda f, g: lambda x: g(f(x)), [bytes.fromhex, bytes.decode, partial(exec)])
list(map(chain, lines))
