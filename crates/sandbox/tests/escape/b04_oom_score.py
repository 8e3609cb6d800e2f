# id: B04
# title: The cell cannot protect itself from the out-of-memory killer
# expect: contained
# guards: capabilities namespace.user identity
# control: capabilities => held identity

import errno

try:
    with open("/proc/self/oom_score_adj") as file:
        value = int(file.read())
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write(str(max(value - 500, -1000)))
    print("ESCAPED: oom_score_adj was lowered")
except OSError as refusal:
    print(f"CONTAINED: {errno.errorcode[refusal.errno]}")
