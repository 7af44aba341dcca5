"""A whole site on one store in memory that outlives it: it may be stopped, killed, set back and begun
again, its store may take its time, and time is a clock that tests turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransportWithDisconnection
from twisted.python.failure import Failure

from kodama.app import assemble as assembly
from kodama.app import ground
from kodama.app.settings import Settings
from kodama.store.memory import MemoryStore

BEGAN = 1_795_000_000_000  # ms since 1970
KEPT = ("_rooms", "_secrets", "_revoked", "_keys")
Fields = Mapping[str, str]


class SlowStore:
    """A memory store that answers questions, or those for history only, when it is told to, while
    ``slow`` or ``slow_to_read``."""

    def __init__(self, inner: MemoryStore) -> None:
        self.inner = inner
        self.slow = self.slow_to_read = False
        self._held: list[Callable[[], object]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def open(self, room: str, **more: Any) -> Deferred[Any]:
        return self._later(lambda: self.inner.open(room, **more))

    def read(self, room: str, **more: Any) -> Deferred[Any]:
        return self._later(lambda: self.inner.read(room, **more), slow=self.slow or self.slow_to_read)

    def release(self) -> None:
        """Let everything that was asked arrive, as it was found when it was asked."""
        held, self._held = self._held, []
        for answer in held:
            answer()

    def _later(self, ask: Callable[[], Deferred[Any]], *, slow: bool | None = None) -> Deferred[Any]:
        if not (self.slow if slow is None else slow):
            return ask()
        found: Any = deepcopy(ask().result)
        waiting: Deferred[Any] = Deferred()
        self._held.append(lambda: waiting.callback(found))
        return waiting


class Wire:
    """One connection of a client."""

    def __init__(self, house: House, asked: bytes) -> None:
        self._house = house
        self.transport: Any = StringTransportWithDisconnection(
            peerAddress=IPv4Address("TCP", "127.0.0.1", 50_000)
        )
        self._channel: Any = house.factory.buildProtocol(None)
        self.transport.protocol = self._channel
        self.transport.abortConnection = self.hang_up
        house.wires.append(self)
        self._channel.makeConnection(self.transport)
        self.send(asked)

    @property
    def got(self) -> bytes:
        """Return all that has come."""
        return bytes(self.transport.value())

    @property
    def open(self) -> bool:
        """Return whether the connection stands."""
        return bool(self.transport.connected)

    def send(self, data: bytes) -> None:
        if self.open:
            self._channel.dataReceived(data)

    def stall(self) -> None:
        """Take nothing any more."""
        self.transport.producer.pauseProducing()

    def take(self) -> None:
        """Take again what comes."""
        self.transport.producer.resumeProducing()

    def hang_up(self) -> None:
        """End the connection from outside."""
        if self.open:
            self.transport.connected = False
            self._channel.connectionLost(Failure(ConnectionDone()))


class House:
    """The site. Writing and waiting are here; reading is what the adapters are for."""

    def __init__(self, **settings: object) -> None:
        self._settings = Settings.load({"HOME": "/nonexistent"}, overrides={"store": "memory", **settings})
        self.store = SlowStore(MemoryStore(self.now))
        self._passed = 0.0
        self._begin()

    def now(self) -> int:
        """Return the time in ms since 1970."""
        return BEGAN + round((self._passed + self.reactor.seconds()) * 1000)

    def kill(self) -> None:
        """Let the process be gone, and another one begin on what the store kept."""
        for wire in tuple(self.wires):
            wire.hang_up()
        self._passed += self.reactor.seconds()
        self._reopen({kept: getattr(self.store.inner, kept) for kept in KEPT})

    def stop(self) -> None:
        """Stop as on SIGTERM; `begin_again` begins another one."""
        self.stopped: Deferred[None] = self.service.stopService()
        self.turn()

    def begin_again(self) -> None:
        """Begin after a stop."""
        self.pass_seconds(11)
        assert self.stopped.called, "a stop takes as long as the drain at most"
        self.kill()

    def backup(self) -> dict[str, Any]:
        """Return a copy of all that is kept."""
        return {kept: deepcopy(getattr(self.store.inner, kept)) for kept in KEPT}

    def restore(self, backup: dict[str, Any]) -> None:
        """Let the process be gone, and another one begin on an older copy."""
        self.kill()
        self._reopen(deepcopy(backup))

    def turn(self) -> None:
        """Let everything happen that needs no time."""
        for _ in range(8):
            self.reactor.advance(0)

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass in steps, as it does."""
        self.reactor.pump([0.25] * round(seconds * 4))

    def sweep(self) -> None:
        """Let what has grown too old be forgotten."""
        self.pass_seconds(1)
        self.service._node.sweep()

    def ask(self, method: str, target: str, *, body: object = None, **fields: str) -> tuple[int, Any]:
        """Return status and JSON of what is answered at once; ``fields`` have _ for -."""
        head, _, rest = Wire(self, request(method, target, body=body, **fields)).got.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), json.loads(rest) if rest else None

    def say(self, text: str, room: str = "lobby", who: Fields | None = None, **more: Any) -> int:
        """Publish a message; returns its offset."""
        status, stored = self.ask(
            "POST", f"/v1/rooms/{quote(room)}/messages", body={"text": text, **more}, **(who or {})
        )
        assert status == 201, stored
        return int(stored["offset"])

    def chat(self, count: int, room: str = "lobby") -> list[str]:
        """Publish so many messages; returns what they say."""
        said = [f"{room} {number}" for number in range(count)]
        for text in said:
            self.say(text, room)
        return said

    def do(self, method: str, path: str, who: Fields, body: object = None) -> Any:
        """Ask for a change that is granted."""
        status, answer = self.ask(method, f"/v1/rooms/{path}", body=body, **who)
        assert status in (200, 201, 204), answer
        return answer

    def sign_in(self, name: str) -> dict[str, str]:
        """Return the header fields of a new session."""
        _, opened = self.ask("POST", "/v1/session", body={"name": name})
        return {"Authorization": f"Bearer {opened['token']}"}

    def _begin(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.wires: list[Wire] = []
        with patch.object(ground, "open_store", lambda settings, reactor, now: self.store):
            self.service = assembly.assemble(self._settings, self.reactor, now=self.now)
        self.service.startService()
        self.factory: Any = self.reactor.tcpServers[0][1]

    def _reopen(self, kept: dict[str, Any]) -> None:
        inner = MemoryStore(self.now)
        for name, value in kept.items():
            setattr(inner, name, value)
        self.store = SlowStore(inner)
        self._begin()


def request(method: str, target: str, *, body: object = None, **fields: str) -> bytes:
    """Return a request as bytes; ``fields`` have _ for -."""
    raw = b"" if body is None else json.dumps(body).encode()
    head = {"Host": "localhost:8080", **{name.replace("_", "-"): value for name, value in fields.items()}}
    if body is not None:
        head |= {"Content-Type": "application/json", "Content-Length": str(len(raw))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + raw
