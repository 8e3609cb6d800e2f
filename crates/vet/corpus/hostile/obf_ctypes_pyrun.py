# label: hostile
# expect: V401 V501
# note: Runs source through PyRun_SimpleString, so that neither exec nor eval appears.
# obfuscated: yes
# allow: V201 V504
import ctypes

words = [b"import os", b"os.system('id')"]
ctypes.pythonapi.PyRun_SimpleString(b";".join(words))
