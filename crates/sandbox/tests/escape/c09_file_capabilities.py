# id: C09
# title: File capabilities can be neither set nor gained
# expect: contained
# guards: capabilities namespace.user no-new-privileges
# control: none, setting them in one's own namespace helps in that namespace only

import errno
import os
import struct

with open("capable", "wb") as file:
    file.write(b"#!")
# Version 2, effective, every capability permitted.
value = struct.pack("<IIIII", 0x02000001, 0xFFFFFFFF, 0, 0xFFFFFFFF, 0)
try:
    os.setxattr("capable", "security.capability", value)
    print("ESCAPED: file capabilities were set")
except OSError as refusal:
    print(f"CONTAINED: setxattr answered {errno.errorcode[refusal.errno]}")
