# label: benign
# expect: V501 V504
# note: A course hands out its helper functions as one compressed string to keep the notebook short; decoded and executed, without malice.
# obfuscated: yes
# Run this cell first. It defines check() and plot(); you need not read it.
import base64, zlib

HELPERS = (
    "eNpFTkEKwyAQvPuKgR6MJdAWeir4mBDXRpKoJEIjIX/vagPdw+4wM8ysIYt+oH5sfDdTi3dILT6dT+olwBMX59OpyTBKOFs80Lq6QNNKsJK2SH0ig72wR83BzuuQSgjDJXEKqckrhzuTBv28nwUpRGjM3caiQljwqLRllOE88vrz/Z+RF4krCsp8axxuJUcp8QVmcj4D"
)
exec(zlib.decompress(base64.b64decode(HELPERS)).decode())

# Exercise 1: squares
squares = [n * n for n in range(8)]
check("squares", squares[3], 9)
plot(squares)
