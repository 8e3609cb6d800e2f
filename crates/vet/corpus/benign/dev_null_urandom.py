# label: benign
# expect:
# note: Throws output away in /dev/null and takes sixteen bytes of /dev/urandom; the two device files that everybody may touch.
# allow: V101
import contextlib
import os

with open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink):
    print("this goes nowhere")

with open("/dev/urandom", "rb") as f:
    seed = f.read(16)
print(seed.hex())
with open("/dev/null", "w") as f:
    f.write("gone")
