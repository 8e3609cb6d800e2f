# id: H02
# title: asyncio works
# expect: contained
# limits: pids=64 memory=256M wall=20s
# guards: seccomp
# control: none, positive case

import asyncio
import sys

async def main():
    async def echo(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(echo, "echo.socket")
    reader, writer = await asyncio.open_unix_connection("echo.socket")
    writer.write(b"hello\n")
    assert await reader.readline() == b"HELLO\n"
    server.close()
    command = (sys.executable, "-c", "print(6 * 7)")
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert (await child.communicate())[0] == b"42\n"
    assert await asyncio.gather(asyncio.sleep(0.01, 1), asyncio.to_thread(lambda: 2)) == [1, 2]


asyncio.run(main())
print("CONTAINED: works, server, subprocess and threads")
