"""The door of 2011: ``GET /?callback=fn`` waits for the next message of the lobby and is
answered ``fn(<JSON>)``.

Lossless now, for one reader per browser that keeps cookies: the answer sets a cookie with its
cursor, and a poll that brings it gets the next message at once, one per poll, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.core.errors import BadCursor, Forbidden
from kodama.core.event import Entry
from kodama.core.position import Position, encode_cursor, parse_cursor
from kodama.core.returning import Returns
from kodama.core.room import Access
from kodama.core.stream import Lost, Recovered, Stored
from kodama.core.who import NOBODY, Who
from kodama.http.message import Answer, Fields, Request
from kodama.node import LiveRoom, Node
from kodama.transports.reading import Verdict
from kodama.wire.events import as_in_2011, gap
from kodama.wire.jsonp import bare_call

LOBBY: Final = "lobby"
COOKIE: Final = "kodama_2011"
COOKIE_DAYS: Final = 1
_STEP: Final = 100
_STEP_BYTES: Final = 256 * 1024


class Door2011:
    """All polls that came through the old door; ``fail`` answers one that cannot be served, and
    ``count`` raises `RateLimited` for one too many that need not wait."""

    def __init__(
        self, node: Node, *, fields: Fields, fail: Callable[[Request, Failure], None],
        count: Callable[[Request, Who], object],
    ) -> None:  # fmt: skip
        self.node = node
        self._count = count
        self._fields = fields
        self._fail = fail
        self._waiting: set[Waiting] = set()
        self._draining = False

    def serve(self, request: Request, callback: str) -> None:
        """Answer with the next message, however long it takes."""
        if request.line.method == b"HEAD":
            request.answer(Answer(200, b"", (("Content-Type", "application/javascript"), *self._fields)))
            return
        finding = Deferred.fromCoroutine(self._begin(request, callback))
        finding.addErrback(lambda failure: self._fail(request, failure))

    def drain(self, returns: Returns) -> None:
        """Close every connection without an answer, as the contract wants."""
        self._draining = True
        for one in tuple(self._waiting):
            self.forget(one)
            one.request.drop()

    def review(self, verdict: Verdict) -> None:
        """Leave everybody alone: nobody in particular reads through the old door."""

    @property
    def waiting(self) -> int:
        """Return how many polls wait."""
        return len(self._waiting)

    def forget(self, one: Waiting) -> None:
        """Let ``one`` wait no longer."""
        self._waiting.discard(one)
        one.room.readers.pop(one, None)

    async def _begin(self, request: Request, callback: str) -> None:
        room = self.node.followed(LOBBY) or await self.node.room(LOBBY)
        if self.node.shared:
            await self.node.current((LOBBY,))
        place = _cookie_place(request) or room.stream.top
        if place != room.stream.top and not request.answered:
            self._count(request, NOBODY)
        if not request.answered:
            await self.go_on(Waiting(self, request, room, place=place, callback=callback))

    async def go_on(self, one: Waiting) -> None:
        """Answer ``one`` with the first message after its place, or let it wait."""
        room = one.room
        if room.facts.access is not Access.PUBLIC:
            raise Forbidden("The lobby is not public.")
        while one.place != room.stream.top:
            key = (COOKIE, one.place, one.callback)
            known = room.answers.get(key)
            if not isinstance(known, Answer):
                age = room.answers.age
                known = await self._next(one)
                if known is None:
                    continue
                room.answers.put(key, known, size=len(known.wire), age=age)
            self.node.metrics.deliveries += 1
            one.request.answer(known)
            return
        if self._draining:
            one.request.drop()
            return
        self._waiting.add(one)
        room.readers[one] = None
        one.request.hold(one, None)

    async def _next(self, one: Waiting) -> Answer | None:
        """Return the answer with the next message; None if the place only moved on."""
        for entry in await self._after(one):
            if isinstance(entry, Lost):
                one.place = entry.resume
                return self._answer(one.callback, gap(one.room.name, entry), one.place)
            one.place = Position(entry.epoch, entry.offset)
            json = as_in_2011(entry) if entry.kind == "message" else None
            if json is not None:
                return self._answer(one.callback, json, one.place)
        return None

    async def _after(self, one: Waiting) -> tuple[Entry | Lost, ...]:
        step = one.room.stream.after(one.place, limit=_STEP, size=_STEP_BYTES)
        match step:
            case Lost():
                return (step,)
            case Recovered():
                return tuple(step.entries)
            case Stored():
                after = step.position.offset
                found = await self.node.read(one.room, after=after, limit=_STEP, size=_STEP_BYTES)
                if found.first > after + 1:
                    one.room.stream.forget(found.first)
                    return (one.room.stream.lost_at(step.position, found.first),)
                return tuple(found.entries)

    def _answer(self, callback: str, json: bytes, place: Position) -> Answer:
        cookie = (
            f"{COOKIE}={encode_cursor({LOBBY: place})}; Path=/; Max-Age={COOKIE_DAYS * 86400}; "
            "HttpOnly; SameSite=Lax"
        )
        fields: Fields = (("Content-Type", "application/javascript"), ("Set-Cookie", cookie), *self._fields)
        return Answer(200, bare_call(callback, json), fields)


class Waiting:
    """One poll of the old door and the place it has read up to."""

    __slots__ = ("_door", "callback", "place", "request", "room")

    def __init__(
        self, door: Door2011, request: Request, room: LiveRoom, *, place: Position, callback: str
    ) -> None:
        self._door = door
        self.request = request
        self.room = room
        self.place = place
        self.callback = callback

    def wake(self) -> None:
        """The lobby has something new, or has changed."""
        self._door.forget(self)
        if not self.request.answered:
            going = Deferred.fromCoroutine(self._door.go_on(self))
            going.addErrback(lambda failure: self._door._fail(self.request, failure))

    def expired(self, request: Request) -> None:
        """Never: these polls wait without limit."""

    def gone(self, request: Request) -> None:
        """The client has hung up."""
        self._door.forget(self)


def _cookie_place(request: Request) -> Position | None:
    raw = request.headers.get(b"cookie")
    if raw is None or COOKIE.encode() not in raw:
        return None
    try:
        morsel = SimpleCookie(raw.decode("latin-1")).get(COOKIE)
        return None if morsel is None else parse_cursor(morsel.value).get(LOBBY)
    except (BadCursor, CookieError):
        return None
