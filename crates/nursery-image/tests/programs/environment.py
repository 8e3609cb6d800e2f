# env: {"PLAIN": "1", "EMPTY": "", "ODD": "a=b=\u00e4 \n"}
import os, subprocess, sys, ctypes
print(sorted(os.environ.items()), list(os.environ))
os.environ["NEW"] = "x"
del os.environ["PLAIN"]
os.putenv("RAW", "y")
code = "import os; print(sorted(os.environ.items()))"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True))
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
print([libc.getenv(name) for name in (b"NEW", b"RAW", b"PLAIN", b"ODD", b"LD_PRELOAD", b"GAMBESON_NURSERY", b"HOME")])
print(os.environb[b"ODD"], os.getenv("EMPTY"))
print(list(os.environ._data), os.get_exec_path(), os.path.expanduser("~"))
