# label: hostile
# expect:
# note: Every coroutine makes two more; neither threads nor processes, yet no end.
# allow: V901 V902
import asyncio


async def multiply(n):
    asyncio.create_task(multiply(n + 1))
    asyncio.create_task(multiply(n + 1))
    await asyncio.sleep(0)
    await asyncio.Event().wait()


async def main():
    await multiply(0)


asyncio.run(main())
