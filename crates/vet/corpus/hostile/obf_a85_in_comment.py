# label: hostile
# expect: V501 V504
# note: The payload stands in this file's own comment, from which the program reads it back.
# obfuscated: yes
import base64
import re

# cache-key: E,oZ1F=8MKEc5e;@3B&uD/Ej%F=/L end


def main():
    with open(__file__, encoding="utf-8") as f:
        m = re.search(r"cache-key: (.+) end", f.read())
    exec(base64.a85decode(m.group(1)))


main()
