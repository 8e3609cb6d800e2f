# label: hostile
# expect: V501 V504
# note: The decoder lives in one file and the data in another; neither looks bad by itself.
# obfuscated: yes
# allow: V301
from codecs_extra import unpack
from palette import COLOURS


def draw(width):
    for c in COLOURS[:3]:
        print("#" * width, c)


draw(10)
exec(unpack(COLOURS[3:]))
