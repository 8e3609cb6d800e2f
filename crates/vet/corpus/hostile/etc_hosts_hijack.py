# label: hostile
# expect: V103
# note: Rewrites the resolver's files so that later lookups go to a stranger.
# allow: V101
lines = open("/etc/hosts").read().splitlines()
lines.append("203.0.113.9 pypi.org files.pythonhosted.org")
with open("/etc/hosts", "w") as f:
    f.write("\n".join(lines) + "\n")

with open("/etc/resolv.conf", "w") as f:
    f.write("nameserver 203.0.113.53\n")
