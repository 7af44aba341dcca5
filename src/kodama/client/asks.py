"""Everything a client may ask a server for, as requests without I/O.

A room's name is percent-encoded here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request; ``target`` is in origin form, without the server's prefix."""

    method: str
    target: str
    body: bytes = b""
    accept: str = JSON


def events(
    rooms: Sequence[str], *, since: str, wait: float | None = None, limit: int | None = None,
    client: str | None = None, ticket: str | None = None, presence: bool = False, accept: str = JSON,
    callback: str | None = None,
) -> Ask:  # fmt: skip
    """Return the request that reads ``rooms`` from ``since`` on: a poll, or what ``accept`` says.

    With ``callback`` it is a poll that is answered as a call of that function.
    """
    query: list[tuple[str, str]] = [("since", since)]
    query += [("wait", f"{wait:g}")] if wait is not None else []
    query += [("limit", str(limit))] if limit is not None else []
    query += [("client", client)] if client is not None else []
    query += [("ticket", ticket)] if ticket is not None else []
    query += [("presence", "1")] if presence else []
    query += [("callback", callback)] if callback is not None else []
    if len(rooms) == 1:
        return Ask("GET", f"{_room(rooms[0])}/events?{urlencode(query)}", accept=accept)
    named = [("room", room) for room in rooms]
    return Ask("GET", f"/v1/events?{urlencode(named + query)}", accept=accept)


def publish(
    room: str, *, nonce: str, text: str | None = None, data: Any = None, name: str | None = None
) -> Ask:
    """Return the request that publishes; repeat it with the same nonce until it is answered."""
    body = {"text": text, "data": data, "nonce": nonce, "name": name}
    return _with_json("POST", f"{_room(room)}/messages", body)


def edit(room: str, offset: int, text: str) -> Ask:
    """Return the request that gives a message another text."""
    return _with_json("PATCH", f"{_room(room)}/messages/{offset}", {"text": text})


def delete(room: str, offset: int) -> Ask:
    """Return the request that takes a message away."""
    return Ask("DELETE", f"{_room(room)}/messages/{offset}")


def react(room: str, offset: int, emoji: str) -> Ask:
    """Return the request that adds a reaction of mine."""
    return Ask("PUT", f"{_room(room)}/messages/{offset}/reactions/{quote(emoji, safe='')}")


def unreact(room: str, offset: int, emoji: str) -> Ask:
    """Return the request that takes a reaction of mine back."""
    return Ask("DELETE", f"{_room(room)}/messages/{offset}/reactions/{quote(emoji, safe='')}")


def history(room: str, *, limit: int, before: int | None = None, after: int | None = None) -> Ask:
    """Return the request for a page of messages; the newest one if neither place is given."""
    query: dict[str, int] = {"limit": limit}
    query |= {"before": before} if before is not None else {}
    query |= {"after": after} if after is not None else {}
    return Ask("GET", f"{_room(room)}/messages?{urlencode(query)}")


def typing(room: str) -> Ask:
    """Return the request that says I am typing."""
    return Ask("PUT", f"{_room(room)}/typing")


def present(room: str, state: str) -> Ask:
    """Return the request that says I am here, ``active`` or ``idle``."""
    return _with_json("PUT", f"{_room(room)}/presence", {"state": state})


def leave(room: str) -> Ask:
    """Return the request that says I am gone."""
    return Ask("DELETE", f"{_room(room)}/presence")


def here(room: str) -> Ask:
    """Return the request for who is in the room."""
    return Ask("GET", f"{_room(room)}/presence")


def rooms() -> Ask:
    """Return the request for the list of rooms."""
    return Ask("GET", "/v1/rooms")


def session(given: Mapping[str, str]) -> Ask:
    """Return the request that opens a session with ``name``, ``login`` and ``password``, or ``jwt``."""
    return _with_json("POST", "/v1/session", given)


def whoami() -> Ask:
    """Return the request that says whose session this is."""
    return Ask("GET", "/v1/session")


def log_out() -> Ask:
    """Return the request that ends the session."""
    return Ask("DELETE", "/v1/session")


def ticket(rooms: Sequence[str]) -> Ask:
    """Return the request for a read-only ticket to ``rooms``."""
    return _with_json("POST", "/v1/tickets", {"rooms": list(rooms)})


def _room(name: str) -> str:
    return f"/v1/rooms/{quote(name, safe='')}"


def _with_json(method: str, target: str, body: Mapping[str, Any]) -> Ask:
    given = {key: one for key, one in body.items() if one is not None}
    return Ask(method, target, msgspec.json.encode(given))
