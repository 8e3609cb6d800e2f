# label: hostile
# expect: V501 V504
# note: A state machine of match statements that assembles source and lets the last case run it.
# obfuscated: yes
# allow: V201
def step(state):
    match state:
        case {"acc": acc, "todo": [int(n), *rest]}:
            return {"acc": acc + chr(n - 3), "todo": rest}
        case {"acc": str(done), "todo": []}:
            exec(done)
            return None


s = {"acc": "", "todo": [108, 112, 115, 114, 117, 119, 35, 114, 118, 62, 114, 118, 49, 118, 124, 118, 119, 104, 112, 43, 42, 108, 103, 42, 44]}
while s is not None:
    s = step(s)
