"""The log itself, read at the end past all faults: what readers and writers are measured by."""

from __future__ import annotations

from kodama.client import asks
from kodama.client.aio import AsyncClient
from kodama.client.protocol import decoded, news_of
from kodama.verify.observations import Logged
from kodama.verify.samples import author_of, event_print
from kodama.verify.scene import Scene

PAGE = 1000


async def top_of(client: AsyncClient, room: str) -> int:
    """Return the offset of the newest event of ``room``, 0 if there is none."""
    news = news_of(decoded(await client.ask(asks.events((room,), since="last:1", wait=0))))
    offsets = [event["offset"] for event in news.events if isinstance(event.get("offset"), int)]
    return int(offsets[-1]) if offsets else 0


async def audit(client: AsyncClient, scene: Scene) -> None:
    """Give the whole log of every room to the history."""
    for room in scene.rooms:
        since, more = "all", True
        while more:
            ask = asks.events((room,), since=since, wait=0, limit=PAGE)
            news = news_of(decoded(await client.ask(ask)))
            for event in news.events:
                if not isinstance(event.get("offset"), int):
                    continue
                is_message = event.get("type") == "message"
                sender, number = author_of(event.get("nonce"), run=scene.run) if is_message else (0, 0)
                epoch, time = str(event.get("epoch")), str(event.get("time"))
                seen = Logged(room, event["offset"], event_print(event), epoch, time, sender, number)
                scene.history.take(seen)
            since, more = news.cursor or since, news.more
