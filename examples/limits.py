"""Allocates memory until the limit stops it.

Where there is no limit it gives up by itself, so that it cannot take down a host.
"""

import sys

MEBIBYTE = 1024 * 1024
STEP = 16
GIVE_UP = 2048

held = []
for size in range(STEP, GIVE_UP + STEP, STEP):
    # Written, not only reserved: pages that nobody touched take no memory.
    held.append(b"x" * (STEP * MEBIBYTE))
    print(f"{size:4} MiB", flush=True)

sys.exit(f"No limit stopped this program at {GIVE_UP} MiB.")
