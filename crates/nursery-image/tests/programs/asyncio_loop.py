import asyncio, sys
async def main():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('child')", stdout=asyncio.subprocess.PIPE)
    print(await process.communicate(), process.returncode)
    await asyncio.gather(*(asyncio.sleep(0.01) for _ in range(10)))
    print(await asyncio.to_thread(lambda: 5))
asyncio.run(main())
