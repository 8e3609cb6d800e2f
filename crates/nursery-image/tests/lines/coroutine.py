# function: waits
import asyncio
import os
import threading


async def waits():
    await asyncio.sleep(0)
    print("waits", threading.get_native_id(), flush=True)
    os.read(0, 1)  # here


async def main():
    await asyncio.gather(waits(), asyncio.sleep(0))


asyncio.run(main())
