# label: benign
# expect: V302
# note: An asyncio chat room whose read loop ends with the peer; the loop has its break.
import asyncio
from typing import Dict

peers: Dict[str, asyncio.StreamWriter] = {}


async def broadcast(line: str, but: str = "") -> None:
    for name, w in list(peers.items()):
        if name != but:
            w.write(line.encode() + b"\n")
            await w.drain()


async def handle(r: asyncio.StreamReader, w: asyncio.StreamWriter) -> None:
    w.write(b"name? ")
    name = (await r.readline()).decode().strip()
    peers[name] = w
    try:
        while True:
            line = await r.readline()
            if not line:
                break
            await broadcast(f"{name}: {line.decode().rstrip()}", but=name)
    finally:
        del peers[name]
        w.close()


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 8765)
    async with server:
        await server.serve_forever()


asyncio.run(main())
