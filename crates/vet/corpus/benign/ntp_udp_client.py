# label: benign
# expect: V301
# note: A minimal SNTP client over UDP; sendto, no connect.
import socket
import struct
import time

NTP_DELTA = 2_208_988_800

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(3)
    s.sendto(b"\x1b" + 47 * b"\0", ("ntp.example.org", 123))
    data, _ = s.recvfrom(1024)

seconds = struct.unpack("!12I", data)[10] - NTP_DELTA
print(time.ctime(seconds), f"offset {seconds - time.time():+.3f}s")
