async def go():
    import aiohttp

    async with aiohttp.ClientSession() as s:
        await s.get("/")
