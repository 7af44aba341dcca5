"""A bot on a real server: it answers once, whatever is killed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kodama.client import Bot, Order
from tests.integration.test_server import Server

MESSAGES = "/v1/rooms/ops/messages"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path / "data")
    one.start()
    yield one
    one.stop(signal.SIGTERM)


def key_of(server: Server) -> str:
    """Return an API key; the server knows it within a second."""
    making = [sys.executable, "-m", "kodama", "key", "add", "Ops", "--data", str(server.data)]
    made = subprocess.run(making, capture_output=True, text=True, check=True, timeout=60).stdout
    key = next(word for word in made.split() if word.startswith("kdm_"))
    end = time.monotonic() + 60
    while server.ask("GET", "/v1/session", Authorization=f"Bearer {key}")[0] != 200:
        assert time.monotonic() < end
        time.sleep(0.02)
    return key


def bot_of(server: Server, key: str, place: Path) -> Bot:
    bot = Bot(f"http://127.0.0.1:{server.port}", rooms=["ops"], token=key, name="Ops", place=place)

    @bot.on("deploy")
    async def deploy(order: Order) -> str:
        await order.reply("wait")
        return f"deployed {order.rest}"

    @bot.on("break")
    async def broken(order: Order) -> None:
        raise RuntimeError("it broke")

    return bot


def said(server: Server) -> list[tuple[str, Any]]:
    messages = server.ask("GET", MESSAGES)[1]["messages"]
    return [(event["text"], (event["data"] or {}).get("reply")) for event in messages]


async def until(server: Server, count: int) -> None:
    async with asyncio.timeout(60):
        while len(await asyncio.to_thread(said, server)) < count:
            await asyncio.sleep(0.02)


async def run_until(server: Server, bot: Bot, count: int) -> None:
    """Let the bot run until ``count`` messages are in the room; then it is gone, like killed."""
    task = asyncio.create_task(bot.serve())
    try:
        await until(server, count)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_bot_answers_each_order_once_even_if_it_forgets_how_far_it_was(server: Server, tmp_path: Path) -> None:
    place, key = tmp_path / "cursor", key_of(server)
    begun = server.ask("POST", MESSAGES, {"text": "before the bot", "name": "Aiko"})[1]
    place.write_text(f"k1.ops~{begun['epoch']}~1")
    for text in ("break it", "nothing", "deploy web"):
        server.ask("POST", MESSAGES, {"text": text, "name": "Aiko"})
    asyncio.run(run_until(server, bot_of(server, key, place), 6))
    answered = said(server)
    assert answered[4:] == [("wait", 4), ("deployed web", 4)]
    place.write_text(f"k1.ops~{begun['epoch']}~1")  # as after a crash before the place was written
    server.ask("POST", MESSAGES, {"text": "/deploy api", "name": "Aiko"})
    asyncio.run(run_until(server, bot_of(server, key, place), 9))
    assert said(server)[:6] == answered
    assert said(server)[7:] == [("wait", 7), ("deployed api", 7)]
