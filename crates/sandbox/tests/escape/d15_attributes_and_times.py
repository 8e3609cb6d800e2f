# id: D15
# title: Strange times and attributes of outputs do not disturb the collector
# expect: contained
# collect: present plain.txt 5
# collect: present old.txt 3
# collect: present future.txt 6
# guards: scratch
# control: none, the case is about the collector

import errno
import fcntl
import os
import struct

os.makedirs("out", exist_ok=True)
answers = []
for name, text, when in (("plain", "plain", None), ("old", "old", -(2**31)), ("future", "future", 2**33)):
    path = f"out/{name}.txt"
    with open(path, "w") as file:
        file.write(text)
    if when is not None:
        os.utime(path, (when, when))
    for attribute in ("user.gambeson", "trusted.gambeson", "security.selinux", "system.posix_acl_access"):
        try:
            os.setxattr(path, attribute, b"x" * 64)
            answers.append(f"{attribute} set")
        except OSError as refusal:
            answers.append(errno.errorcode[refusal.errno])
    try:
        # FS_IOC_SETFLAGS with the immutable and the append-only flag.
        with open(path) as file:
            fcntl.ioctl(file, 0x40086602, struct.pack("l", 0x10 | 0x20))
        answers.append("immutable")
    except OSError as refusal:
        answers.append(errno.errorcode[refusal.errno])
print(f"CONTAINED: prepared, {sorted(set(answers))}")
