# label: hostile
# expect: V005 V201 V503
# note: A zero-width joiner inside of a string key makes two keys that look alike; the second holds the payload.
# obfuscated: yes
import os

table = {
    "print": print,
    "pr‍int": os.system,
}
name = "pr‍int"
table[name]("id")
f = globals()["ta" + "ble"]
