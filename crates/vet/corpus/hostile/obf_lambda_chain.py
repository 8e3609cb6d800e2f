# label: hostile
# expect: V201 V502 V503
# note: One expression of nested lambdas that carries import, name and argument from hand to hand.
# obfuscated: yes
# allow: V504
(
    lambda imp: (
        lambda mod: (lambda fn: fn("".join(reversed("imaohw"))))(
            getattr(mod, "".join(map(lambda n: chr(n), [112, 111, 112, 101, 110])))
        )
    )(imp("".join(map(chr, (111, 115)))))
)(__import__)
