# label: hostile
# expect:
# note: Burns the processor by backtracking in one call; there is no loop in the source.
import re

mail = re.compile(r"^([a-zA-Z0-9]+)+@([a-z]+\.?)*$")
print(mail.match("a" * 40 + "!"))
print(re.fullmatch(r"(x+x+)+y", "x" * 64))
