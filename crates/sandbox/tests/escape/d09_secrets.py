# id: D09
# title: The usual places of secrets are empty
# expect: contained
# guards: root landlock identity
# control: root landlock => held identity
# control: root landlock identity => escaped

import glob
import os

PLACES = """/etc/shadow /etc/gshadow /etc/sudoers /root/.ssh/* /root/.bash_history /home/*/.ssh/id_* /etc/ssh/ssh_host_*_key
/var/run/secrets/* /run/secrets/* /root/.aws/credentials /root/.config/* /root/.kube/config /var/lib/docker /proc/1/environ""".split()
read = []
for place in PLACES:
    for name in glob.glob(place):
        try:
            if os.path.isdir(name) and os.listdir(name) or os.path.isfile(name) and open(name, "rb").read(1):
                read.append(name)
        except OSError:
            pass
print(f"ESCAPED: read {read}" if read else "CONTAINED: none could be read")
