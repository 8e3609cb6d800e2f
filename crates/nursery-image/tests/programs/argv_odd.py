# args: ["-x", "", "two words", " ", "\u00ff\u00fe", "--", "-c", "a=b", "\u00c3\u00a4", "'\"$`\\", "*"]
import os, sys
print(ascii(sys.argv), ascii(sys.orig_argv if hasattr(sys, "orig_argv") else None))
print([os.fsencode(arg) for arg in sys.argv])
print(open("/proc/self/cmdline", "rb").read())
