# label: hostile
# expect: V503
# note: str.format walks attributes from a harmless object to a module's globals and prints a secret.
# obfuscated: yes
class Event:
    def __init__(self, level, text):
        self.level, self.text = level, text


CONFIG = {"KEY": "not for guests"}
template = input()  # {e.__init__.__globals__[CONFIG][KEY]}
print(template.format(e=Event(1, "hello")))
print("{0.__class__.__init__.__globals__[CONFIG]}".format(Event(2, "x")))
