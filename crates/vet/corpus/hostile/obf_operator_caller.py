# label: hostile
# expect: V201 V503
# note: operator.methodcaller and attrgetter hold names that were sliced out of one string.
# obfuscated: yes
import operator
import shutil

s = "os.system.popen.read"
get = operator.attrgetter(s[:2])
call = operator.methodcaller(s[10:15], "id")
print(operator.methodcaller(s[-4:])(call(get(shutil))))
