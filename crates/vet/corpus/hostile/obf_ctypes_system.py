# label: hostile
# expect: V201 V401
# note: Calls system(3) out of libc, which the audit hooks of os never see.
# obfuscated: yes
import ctypes

c = ctypes.CDLL(None)
names = {len(n): n for n in ("puts", "system", "execv")}
c.system(b"id > /tmp/who")
c[names[4]](b"done")
