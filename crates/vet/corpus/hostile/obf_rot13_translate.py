# label: hostile
# expect: V501 V504
# note: Rot13 by str.maketrans, dressed as a Caesar exercise whose solution is then run.
# obfuscated: yes
# allow: V201 V502
from string import ascii_lowercase as low, ascii_uppercase as upp


def caesar(text, k):
    table = str.maketrans(low + upp, low[k:] + low[:k] + upp[k:] + upp[:k])
    return text.translate(table)


homework = caesar("__vzcbeg__('bf').cbcra('jubnzv').ernq()", 13)
answer = eval(homework)
print(answer)
