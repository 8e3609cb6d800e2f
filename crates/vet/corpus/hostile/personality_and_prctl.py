# label: hostile
# expect: V401 V402
# note: Turns address randomisation off and asks for speculation again, by number, to make another attack easier.
import ctypes

libc = ctypes.CDLL("libc.so.6", use_errno=True)
PERSONALITY, PRCTL, ARCH_PRCTL, MODIFY_LDT = 135, 157, 158, 154
print(libc.syscall(PERSONALITY, 0x0040000))
print(libc.syscall(PRCTL, 53, 0, 2, 0, 0))
print(libc.syscall(PRCTL, 22, 0, 0, 0, 0))
print(libc.syscall(MODIFY_LDT, 1, None, 0))
