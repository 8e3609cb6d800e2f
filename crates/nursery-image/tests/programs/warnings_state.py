import sys, warnings
print(sys.warnoptions, warnings.filters)
warnings.warn("plain")
warnings.warn("old", DeprecationWarning)
def f(): warnings.warn("deep", DeprecationWarning, stacklevel=2)
f()
open("/dev/null")
import asyncio
async def coro(): pass
coro()
print("\d" if False else "")
assert (1, "always true")
