# label: hostile
# expect: V501 V504
# note: A program encoded as one long integer.
# obfuscated: yes
# allow: V201
n = 800041869407980074934190933845324365866961222390577024669490590880578025328374392617
exec(n.to_bytes((n.bit_length() + 7) // 8, "big"))
