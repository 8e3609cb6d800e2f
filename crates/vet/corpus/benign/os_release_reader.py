# label: benign
# expect: V101
# note: Reads /etc/os-release to print the distribution; a literal path outside the work directory, world-readable.
def os_release():
    info = {}
    try:
        with open("/etc/os-release", encoding="utf-8") as f:
            for line in f:
                k, sep, v = line.rstrip().partition("=")
                if sep:
                    info[k] = v.strip('"')
    except FileNotFoundError:
        pass
    return info


print(os_release().get("PRETTY_NAME", "unknown"))
