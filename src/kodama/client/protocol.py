"""What a client asks and remembers, without I/O: requests in, answers out, a cursor kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request to make; ``target`` is in origin form."""

    method: str
    target: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class News:
    """What one poll brought; ``after`` is how many seconds to wait before asking again."""

    events: list[dict[str, Any]]
    more: bool
    after: float


class ClientFault(Exception):
    """The server refused for good; asking again would not help."""


class Tail:
    """A reading of one room that goes on where it stopped: `ask`, then `told`, and again."""

    def __init__(self, room: str, *, since: str, wait: float = 25.0) -> None:
        self._room = room
        self.cursor = since
        self._wait = wait

    def ask(self, *, wait: float | None = None) -> Ask:
        """Return the next poll."""
        query = urlencode({"since": self.cursor, "wait": f"{self._wait if wait is None else wait:g}"})
        return Ask("GET", f"/v1/rooms/{quote(self._room, safe='')}/events?{query}")

    def told(self, body: bytes) -> News:
        """Take the answer's body and move on."""
        answer = json.loads(body)
        self.cursor = answer["cursor"]
        return News(answer["events"], bool(answer.get("more")), float(answer.get("after", 0)))


def publish(room: str, text: str, *, nonce: str, name: str | None) -> Ask:
    """Return the request that publishes ``text``; repeat it with the same nonce until answered."""
    body = {"text": text, "nonce": nonce, **({"name": name} if name else {})}
    return Ask("POST", f"/v1/rooms/{quote(room, safe='')}/messages", json.dumps(body).encode())


def fault_of(status: int, body: bytes) -> ClientFault | None:
    """Return what is wrong for good with an answer of ``status``, None if trying again may help."""
    if status < 400 or status in (408, 429) or status >= 500:
        return None
    try:
        return ClientFault(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return ClientFault(f"The server answered {status}.")
