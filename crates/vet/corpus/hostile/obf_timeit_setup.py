# label: hostile
# expect: V501 V504
# note: timeit runs its setup string; the string comes out of a bytes.fromhex.
# obfuscated: yes
# allow: V201 V502
import timeit

stmt = bytes.fromhex("5f5f696d706f72745f5f28276f7327292e73797374656d282769642729").decode()
print(timeit.timeit("pass", setup=stmt, number=1))
