# label: benign
# expect:
# note: getattr with constant names and defaults is only a polite attribute access.
import platform
import sys

version = getattr(sys, "version_info")
frozen = getattr(sys, "frozen", False)
meipass = getattr(sys, "_MEIPASS", None)
machine = getattr(platform, "machine")()

print("python", ".".join(map(str, version[:3])))
print("frozen" if frozen else "not frozen", meipass or "-")
print(machine)

if hasattr(sys, "getandroidapilevel"):
    print("android")
