"""Both faces of the Python client on a real server: people, tickets, keys, and an outbox that was forgotten."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kodama.client import Client, Event, Refused, Room, Transport, Wants
from kodama.client.asks import Ask
from kodama.client.outbox import Outbox, Waiting
from tests.integration.faces import FACES, Face
from tests.integration.test_server import Server

TRANSPORTS = (Transport.WEBSOCKET, Transport.SSE, Transport.NDJSON, Transport.POLL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("clients") / "data")
    one.start()
    yield one
    one.stop(signal.SIGTERM)


@pytest.fixture
def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture(params=FACES.values(), ids=FACES)
def face(request: pytest.FixtureRequest) -> Face:
    return request.param


@pytest.fixture
def ben(url: str) -> Iterator[Client]:
    with Client(url, tries=5) as client:
        client.open_session(name="Ben")
        yield client


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room of each test's own."""
    return f"r{abs(hash(request.node.name))}"


def keys(server: Server, *given: str) -> str:
    command = [sys.executable, "-m", "kodama", "key", *given, "--data", str(server.data)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def key_of(server: Server, *options: str) -> tuple[str, str]:
    """Return the id and the text of a new API key, once the server knows it."""
    key = next(word for word in keys(server, "add", "Ops", *options).split() if word.startswith("kdm_"))
    until(lambda: server.ask("GET", "/v1/session", Authorization=f"Bearer {key}")[0] == 200)
    return keys(server, "list").splitlines()[-1].split()[0], key


def until(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def secret(client: Client) -> Room:
    """Return a room that only ``client`` may read."""
    name = f"den-{client.token[-8:].lower() if client.token else ''}"
    client.ask(Ask("PUT", f"/v1/rooms/{name}", b'{"access":"secret"}'))
    return client.room(name)


def first(events: Iterator[Event], kind: str, *, by: str = "") -> Event:
    """Return the next event of ``kind``, if ``by`` is given one that names this person."""
    return next(one for one in events if one.type == kind and by in str(one.raw))


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda one: one.value)
def test_people_come_type_and_go(face: Face, url: str, ben: Client, room: str, transport: Transport) -> None:
    ben.room(room).send("open")
    with face(url, tries=5) as aiko:
        aiko.open_session(name="Aiko")
        reading = aiko.room(room).read(Wants(since="all", presence=True, transports=(transport,)))
        events = iter(reading)
        assert first(events, "message").text == "open"
        assert reading.state.transport == transport.value
        until(lambda: [one.name for one in ben.room(room).here().here] == ["Aiko"])
        ben.room(room).present()
        assert [one["name"] for one in first(events, "presence", by="Ben").raw["joined"]][-1] == "Ben"
        ben.room(room).typing()
        assert first(events, "typing").author.name == "Ben"
        assert [one.name for one in aiko.room(room).here().here] == ["Aiko", "Ben"]
        ben.room(room).leave()
        assert [one["name"] for one in first(events, "presence", by="Ben").raw["left"]] == ["Ben"]
        aiko.room(room).typing()
        aiko.room(room).present("idle")
        assert ben.room(room).here().count == 1


def test_what_was_said_is_changed_and_taken_back(face: Face, url: str, room: str) -> None:
    with face(url, tries=5) as aiko:
        aiko.open_session(name="Aiko")
        mine = aiko.room(room)
        offset = mine.send("one", data={"a": [1, None]}, nonce="n" * 22).offset
        assert mine.send("one", data={"a": [1, None]}, nonce="n" * 22).offset == offset
        assert mine.edit(offset, "two").raw["text"] == "two"
        assert (mine.react(offset, "🎉").type, mine.unreact(offset, "🎉").type) == ("reaction", "reaction")
        assert mine.history().messages[0].edited
        assert mine.delete(offset).target == offset
        assert mine.history().messages[0].deleted
        assert room in [one.room for one in aiko.rooms()]
        aiko.close_session()
        with pytest.raises(Refused) as refused:
            mine.edit(offset, "three")
        assert refused.value.status in (401, 403)


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda one: one.value)
def test_a_ticket_reads_a_secret_room_and_nothing_else(face: Face, url: str, ben: Client, transport: Transport) -> None:
    den = secret(ben)
    begun = den.send("1").offset
    ticket = ben.ticket([den.name])
    with face(url, tries=5) as stranger:
        wants = Wants(since=f"after:{begun - 1}", transports=(transport,), ticket=ticket)
        events = iter(stranger.room(den.name).read(wants))
        assert next(events).text == "1"
        for text in ("2", "3"):
            den.send(text)
            assert next(events).text == text
        with pytest.raises(Refused):
            stranger.room(den.name).send("I write")
        for rooms, shown in ((["lobby", den.name], ticket), ([den.name], ticket[:-2] + "AA"), ([den.name], None)):
            other = iter(stranger.read(rooms, Wants(transports=(transport,), ticket=shown)))
            with pytest.raises(Refused) as refused:
                next(other)
            assert refused.value.status in (401, 403, 404)


def test_a_key_writes_as_a_bot_in_its_rooms_until_it_is_revoked(
    face: Face, url: str, server: Server, ben: Client, room: str
) -> None:
    id_, key = key_of(server, "--room", room)
    with face(url, token=key, tries=5) as bot:
        bot.room(room).send("beep")
        events = iter(bot.room(room).read(Wants(since="all")))
        assert next(events).author[1:] == ("Ops", "bot")
        with pytest.raises(Refused) as refused:
            bot.room("elsewhere").send("beep")
        assert refused.value.status == 403
        keys(server, "revoke", id_)
        with pytest.raises(Refused):
            next(events)
        with pytest.raises(Refused) as refused:
            bot.room(room).send("boop")
        assert refused.value.status == 401
    assert [one.text for one in ben.room(room).history().messages] == ["beep"]


def test_a_key_that_only_reads_writes_nothing(face: Face, url: str, server: Server, ben: Client, room: str) -> None:
    _, key = key_of(server, "--read-only")
    ben.room(room).send("hello")
    with face(url, token=key, tries=5) as bot:
        assert next(iter(bot.room(room).read(Wants(since="all")))).text == "hello"
        with pytest.raises(Refused) as refused:
            bot.room(room).send("beep")
        assert refused.value.status == 403


def test_what_waited_for_more_than_a_day_is_looked_up_and_only_then_sent(
    face: Face, url: str, ben: Client, room: str, tmp_path: Path
) -> None:
    """The third can never be sent: it is struck out, and holds up nothing."""
    den = secret(ben)
    ben.room(room).send("said", nonce="s" * 22)
    for number in range(3):
        ben.room(room).send(str(number))
    old = time.time() - 25 * 3600
    box = Outbox(tmp_path / "outbox")
    box.add(Waiting(room, "s" * 22, old, text="said"))
    box.add(Waiting(den.name, "d" * 22, old, text="nobody may read this room"))
    box.add(Waiting(room, "u" * 22, old, text="unsaid"))
    with face(url, outbox=tmp_path / "outbox", tries=5) as aiko:
        assert len(Outbox(tmp_path / "outbox")) == 0
        aiko.room(room).send("new")
    said = [one.text for one in ben.room(room).history().messages]
    assert said == ["said", "0", "1", "2", "unsaid", "new"]
