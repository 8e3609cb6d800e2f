import sys
print(sys.argv, sys.orig_argv if hasattr(sys, "orig_argv") else None, open("/proc/self/cmdline", "rb").read())
