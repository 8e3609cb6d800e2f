# label: hostile
# expect: V401 V402
# note: Sends signals by the raw numbers of kill, tkill and tgkill.
# allow: V202
import ctypes

call = ctypes.CDLL(None).syscall
KILL, TKILL, TGKILL, RT_SIGQUEUEINFO = 62, 200, 234, 129
SIGKILL = 9
call(KILL, -1, SIGKILL)
call(TKILL, 1, SIGKILL)
call(TGKILL, 1, 1, SIGKILL)
call(RT_SIGQUEUEINFO, 1, SIGKILL, None)
