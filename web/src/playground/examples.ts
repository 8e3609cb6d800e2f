// Small programs to begin with. Each runs with what every Python has.

export type Example = { name: string; files: Record<string, string> };

export const EXAMPLES: readonly Example[] = [
  {
    name: "A greeting",
    files: {
      "main.py": `import sys

name = sys.argv[1] if len(sys.argv) > 1 else "world"
print(f"Hello, {name}, from Python {sys.version.split()[0]}!")
`,
    },
  },
  {
    name: "A picture",
    files: {
      "main.py": `"""Draws the Mandelbrot set into a PNG. What is written below out/ is kept and shown."""

import struct
import time
import zlib
from pathlib import Path

WIDTH, HEIGHT, DEPTH = 480, 320, 60


def steps(c):
    z = 0j
    for step in range(DEPTH):
        z = z * z + c
        if abs(z) > 2:
            return step
    return DEPTH


def row(y):
    pixels = bytearray([0])
    for x in range(WIDTH):
        part = steps(complex(3.0 * x / WIDTH - 2.2, 2.0 * y / HEIGHT - 1.0)) / DEPTH
        pixels += bytes((int(255 * part**0.5), int(180 * part), int(90 + 120 * part) if part < 1 else 20))
    return bytes(pixels)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


began = time.perf_counter()
rows = []
for y in range(HEIGHT):
    rows.append(row(y))
    if y % 40 == 39:
        print(f"{(y + 1) * 100 // HEIGHT:3} % after {time.perf_counter() - began:.1f} s", flush=True)

head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
out = Path("out")
out.mkdir(exist_ok=True)
(out / "mandelbrot.png").write_bytes(png)
`,
    },
  },
  {
    name: "What a cell refuses",
    files: {
      "main.py": `"""Tries what a cell without a network refuses, and shows how that is told."""

import socket

try:
    with open("/etc/shadow") as file:
        print(file.readline())
except OSError as error:
    print("open:", error)

socket.create_connection(("example.org", 443), timeout=3)
`,
    },
  },
];
