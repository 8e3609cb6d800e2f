import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.getpid(), libc.getppid(), os.getpid(), os.gettid() if hasattr(os, "gettid") else libc.gettid(), libc.getauxval and True)
libc.getauxval.restype = ctypes.c_ulong
for number in (6, 11, 12, 13, 14, 16, 17, 23, 26):
    print(number, libc.getauxval(number))
libc.getauxval.restype = ctypes.c_char_p
print(libc.getauxval(31), libc.getauxval(15))
name = ctypes.create_string_buffer(16)
print(libc.prctl(16, name), name.value)
print(ctypes.c_char_p.in_dll(libc, "program_invocation_name").value, ctypes.c_char_p.in_dll(libc, "program_invocation_short_name").value)
print(ctypes.pythonapi.Py_IsInitialized(), hasattr(libc, "gambeson"), hasattr(libc, "__libc_start_main"))
