// Programs that jobs of the tests run.

/** Writes a numbered line a few times a second, for as long as it is let. */
export const TICKS = `
import time, sys
for number in range(100000):
    print(f"\\x1b[32mtick\\x1b[0m {number}", flush=True)
    time.sleep(0.1)
`;

/** Uses memory and a CPU for a while, so that there are samples to draw. */
export const BUSY = `
import time
kept = []
end = time.monotonic() + 60
while time.monotonic() < end:
    kept.append(bytearray(2 << 20))
    if len(kept) > 40: kept.clear()
    sum(range(200000))
    time.sleep(0.01)
`;

/** Is refused a connection at its line 5. */
export const REFUSED = `import socket

print("before")
try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
except OSError as error:
    print("refused:", error)
`;
export const REFUSED_AT = 5;

/** Asks for more memory than it may have. */
export const GREEDY = `
kept = []
while True:
    kept.append(bytearray(8 << 20))
    print(len(kept) * 8, "MiB", flush=True)
`;

/** Waits. */
export const SLEEPS = `import time
time.sleep(3600)
`;

/** Leaves a picture, a table, a drawing and a page. */
export const LEAVES = `
import os, struct, zlib, math
os.makedirs("out/deep", exist_ok=True)
W, H = 320, 180
rows = b""
for y in range(H):
    rows += b"\\0" + b"".join(bytes((x * 255 // W, y * 255 // H, int(127 + 120 * math.sin(x / 17) * math.cos(y / 13)))) for x in range(W))
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
open("out/plot.png", "wb").write(png)
open("out/table.csv", "w").write("name,count,share\\n" + "".join(f"row {n},{n * n},{n / 40:.3f}\\n" for n in range(40)))
open("out/drawing.svg", "w").write('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4" cx="4" cy="4"/></svg>')
open("out/deep/page.html", "w").write("<h1>A page</h1>")
open("out/notes.txt", "w").write("what was found\\n")
print("left five files")
`;

/** Says how it gets on, in colours, and now and then on its error output. */
export const TALKS = `
import math, sys, time
kept = bytearray(24 << 20)
for epoch in range(100000):
    loss = 2.3 * math.exp(-epoch / 40) + 0.02 * math.sin(epoch)
    print(f"\\x1b[1mepoch {epoch}\\x1b[0m  loss \\x1b[33m{loss:.4f}\\x1b[0m  accuracy \\x1b[32m{1 - loss / 2.5:.3f}\\x1b[0m", flush=True)
    if epoch % 7 == 6:
        print(f"warning: the learning rate was halved after epoch {epoch}", file=sys.stderr, flush=True)
    sum(range(400000))
    time.sleep(0.3)
`;
