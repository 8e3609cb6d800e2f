# label: benign
# expect: V401 V402
# note: Measures how often the scheduler moves it, by getcpu through syscall(2), since Python has no function for it.
import collections
import ctypes
import time

SYS_GETCPU = 309
libc = ctypes.CDLL(None)
cpu, node = ctypes.c_uint(), ctypes.c_uint()

seen = collections.Counter()
end = time.monotonic() + 0.5
while time.monotonic() < end:
    libc.syscall(SYS_GETCPU, ctypes.byref(cpu), ctypes.byref(node), None)
    seen[cpu.value] += 1

for n, times in seen.most_common():
    print(f"cpu {n}: {times}")
