# label: hostile
# expect: V102
# note: Reads the password hashes and falls back to their backups.
# allow: V101
for f in ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/master.passwd"]:
    try:
        with open(f) as h:
            for row in h:
                user, digest = row.split(":")[:2]
                if digest not in ("*", "!", ""):
                    print(user, digest)
    except PermissionError:
        print("no:", f)
    except FileNotFoundError:
        pass
