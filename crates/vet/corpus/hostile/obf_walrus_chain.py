# label: hostile
# expect: V201 V502 V503
# note: A single expression of walrus assignments inside a list that assembles and calls.
# obfuscated: yes
# allow: V504
[
    (a := "sub"),
    (b := "process"),
    (m := __import__(a + b)),
    (n := "".join(["check", "_", "output"])),
    (f := getattr(m, n)),
    print(f(["id"])),
]
