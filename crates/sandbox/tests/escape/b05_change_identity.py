# id: B05
# title: No other user or group can be taken on
# expect: contained
# guards: namespace.user capabilities
# control: capabilities => held namespace.user

import errno
import json
import os
import sys

FACTS = json.loads(sys.argv[1])
answers = set()
taken = []
for call, wanted in ((os.setuid, 0), (os.setgid, 0), (os.setuid, FACTS["bystander_uid"]), (os.seteuid, 0)):
    try:
        call(wanted)
        taken.append(f"{call.__name__}({wanted})")
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
try:
    os.setgroups([0])
    taken.append("setgroups([0])")
except OSError as refusal:
    answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {taken}" if taken else f"CONTAINED: {sorted(answers)}")
