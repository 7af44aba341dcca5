"""The long poll with a cursor on aiohttp and uvloop: a list of texts, one future that all waiting share."""

import asyncio
import sys

import uvloop
from aiohttp import web


class Room:
    """The texts, and the news of the next one."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.news: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def read(self, request: web.Request) -> web.Response:
        """Answer with what is new, or with what will be."""
        since = int(request.query.get("since", len(self.texts)))
        if since >= len(self.texts):
            await asyncio.shield(self.news)
        events = [{"offset": at + 1, "text": self.texts[at]} for at in range(since, len(self.texts))]
        return web.json_response({"cursor": str(len(self.texts)), "events": events})

    async def write(self, request: web.Request) -> web.Response:
        """Take a text and wake all who wait."""
        self.texts.append((await request.json())["text"])
        news, self.news = self.news, asyncio.get_running_loop().create_future()
        news.set_result(None)
        return web.json_response({"offset": len(self.texts)})


async def application() -> web.Application:
    room, app = Room(), web.Application()
    app.router.add_get("/events", room.read)
    app.router.add_post("/messages", room.write)
    return app


if __name__ == "__main__":
    uvloop.install()
    port = int(sys.argv[1])
    web.run_app(application(), host="127.0.0.1", port=port, backlog=4096, access_log=None, print=None)
