# label: hostile
# expect: V201 V502 V503
# note: f-strings build the names from variables and call inside of a replacement field.
# obfuscated: yes
# allow: V504
a, b, c = "s", "y", "tem"
mod = f"{'o'}{a}"
print(f"{getattr(__import__(mod), f'{a}{b}{a}{c}')('id')!r:>4}")
