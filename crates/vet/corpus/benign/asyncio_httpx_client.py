# label: benign
# expect: V301
# note: Asks three mirrors at once and takes the first answer.
import asyncio

import httpx

MIRRORS = ["https://a.mirror.example.org", "https://b.mirror.example.org", "https://c.mirror.example.net"]


async def first(path):
    async with httpx.AsyncClient(timeout=5) as client:
        tasks = [asyncio.create_task(client.get(m + path)) for m in MIRRORS]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for t in pending:
            t.cancel()
        return done.pop().result()


print(asyncio.run(first("/index.json")).json()["serial"])
