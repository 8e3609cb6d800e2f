# label: hostile
# expect: V501 V504
# note: Profilers and debuggers take source as a string; here it is unhexed first.
# obfuscated: yes
# allow: V201
import cProfile
import pdb
import trace

w = bytes.fromhex("696d706f7274206f733b206f732e73797374656d282769642729").decode()
cProfile.run(w)
trace.Trace(count=False, trace=False).run(w)
pdb.run(w[::1])
