# label: benign
# expect:
# note: Bounded concurrency by a semaphore in asyncio; tasks are neither threads nor processes.
import asyncio
import random


async def fetch(i, gate):
    async with gate:
        await asyncio.sleep(random.random() / 100)
        return i * i


async def main():
    gate = asyncio.Semaphore(10)
    async with asyncio.TaskGroup() as tg:
        tasks = [tg.create_task(fetch(i, gate)) for i in range(200)]
    print(sum(t.result() for t in tasks))


asyncio.run(main())
