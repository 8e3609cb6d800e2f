# label: benign
# expect: V303
# note: Polls a heat pump on the home network by Modbus, three times.
# allow: V301
import socket
import struct
import time

PUMP = ("192.168.0.20", 502)


def read_registers(sock, start, count, unit=1):
    pdu = struct.pack(">BHH", 3, start, count)
    sock.sendall(struct.pack(">HHHB", 1, 0, len(pdu) + 1, unit) + pdu)
    head = sock.recv(9)
    return struct.unpack(f">{count}H", sock.recv(head[-1]))


with socket.create_connection(PUMP, timeout=3) as s:
    for _ in range(3):
        flow, ret, power = read_registers(s, 100, 3)
        print(f"{flow / 10:.1f} °C / {ret / 10:.1f} °C, {power} W")
        time.sleep(5)
