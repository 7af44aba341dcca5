"""The long poll with a cursor on Tornado and uvloop: a list of texts, one event that all waiting share."""

import asyncio
import json
import logging
import sys

import uvloop
from tornado.web import Application, RequestHandler

TEXTS: list[str] = []
NEWS: list[asyncio.Event] = []


class Read(RequestHandler):
    """Reads."""

    async def get(self) -> None:
        """Answer with what is new, or with what will be."""
        since = int(self.get_query_argument("since", str(len(TEXTS))))
        if since >= len(TEXTS):
            await NEWS[0].wait()
        events = [{"offset": at + 1, "text": TEXTS[at]} for at in range(since, len(TEXTS))]
        self.write({"cursor": str(len(TEXTS)), "events": events})


class Write(RequestHandler):
    """Writes."""

    def post(self) -> None:
        """Take a text and wake all who wait."""
        TEXTS.append(json.loads(self.request.body)["text"])
        NEWS[0].set()
        NEWS[0] = asyncio.Event()
        self.write({"offset": len(TEXTS)})


async def serve(port: int) -> None:
    NEWS.append(asyncio.Event())
    Application([("/events", Read), ("/messages", Write)]).listen(port, address="127.0.0.1", backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    uvloop.install()
    asyncio.run(serve(int(sys.argv[1])))
