# id: C17
# title: Every number through the i386 entry ends the process
# expect: contained
# limits: pids=64 memory=256M wall=60s cpu=30s
# guards: seccomp
# control: none, without the filter a sweep with useless arguments proves nothing

import ctypes
import mmap
import os
import signal

# mov eax, number; xor ebx, ebx; ...; int 0x80; ret; rbx is kept for the caller.
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
# exit (1), fork (2), pause (29), kill (37), vfork (190) and exit_group (252) would prove nothing.
numbers = [number for number in range(461) if number not in (1, 2, 29, 37, 190, 252)]
passed = []
for number in numbers:
    child = os.fork()
    if child == 0:
        signal.alarm(1)
        page.seek(0)
        page.write(b"\x53\x31\xdb\x31\xc9\x31\xd2\xb8" + number.to_bytes(4, "little") + b"\xcd\x80\x5b\xc3")
        call()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS):
        passed.append(number)
print(f"ESCAPED: numbers {passed[:8]} passed" if passed else f"CONTAINED: SIGSYS for all {len(numbers)} numbers")
