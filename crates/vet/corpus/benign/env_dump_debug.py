# label: benign
# expect: V801
# note: Prints the environment sorted, hiding what looks secret, for a bug report.
import os
import platform
import sys

HIDE = ("KEY", "TOKEN", "SECRET", "PASS")

print(platform.platform())
print(sys.version)
for name, value in sorted(os.environ.items()):
    if any(h in name.upper() for h in HIDE):
        value = "*" * 8
    print(f"{name}={value}")
