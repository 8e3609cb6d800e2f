# id: A04
# title: buffers of TCP connections over the cell's own lo count as memory
# expect: contained
# limits: memory=48M wall=20s open_files=1024
# network: loopback
# guards: cgroup.memory
# control: cgroup.memory => escaped
import json
import socket
import sys

limit = json.loads(sys.argv[1])["limits"]["memory"]
server = socket.create_server(("127.0.0.1", 0))
kept, queued, block = [], 0, bytes(1 << 20)
while queued < 2 * limit and len(kept) < 300:
    try:
        client = socket.create_connection(server.getsockname(), timeout=1)
        kept += [client, server.accept()[0]]
        client.setblocking(False)
        while queued < 2 * limit:
            queued += client.send(block)
    except BlockingIOError:
        continue
    except OSError as error:
        print(f"CONTAINED: {error}, {queued >> 20} MiB queued")
        break
else:
    verdict = "ESCAPED" if queued > limit else "CONTAINED"
    print(f"{verdict}: {queued >> 20} MiB queued in {len(kept)} sockets, limit {limit >> 20} MiB")
