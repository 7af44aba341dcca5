"""One WebSocket that speaks the protocol: its commands in order, its reading, its goodbye.

Decided here: commands are served in the order they came, and what comes next waits while rooms
are looked up or too many writes are under way; and which close code ends what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.core.errors import BadJson, BadRequest, Refused, TooLarge, Unauthorized, UnsupportedMedia
from kodama.core.names import room_name
from kodama.http.fanout import NO_SEAT
from kodama.http.message import Answer
from kodama.http.violation import Code, Violation
from kodama.http.websocket import WebSocket
from kodama.transports.following import Following
from kodama.transports.reading import Plan, cursor_of, find
from kodama.wire import socket as wire
from kodama.wire.commands import ROOMS_LIMIT
from kodama.wire.polls import EVENTS_DEFAULT, Poll, Since
from kodama.wire.problem import problem_of

if TYPE_CHECKING:
    from kodama.transports.websocket import Desk, Frames, Told, WebSockets

IN_FLIGHT: Final = 32
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403

_CODES: Final[dict[str | None, int]] = {
    None: Code.GOING_AWAY, "unauthorized": UNAUTHORIZED, "forbidden": FORBIDDEN, "not_found": FORBIDDEN,
}  # fmt: skip


class Talk:
    """One connection: the socket's listener and its reader's outlet."""

    __slots__ = (
        "_all", "_desk", "_flying", "_following", "_framing", "_socket", "full", "on_drained",
        "on_filled", "on_gone", "seat", "send",
    )  # fmt: skip

    def __init__(self, sockets: WebSockets, socket: WebSocket, desk: Desk, framing: Frames) -> None:
        self._all = sockets
        self._socket = socket
        self._desk = desk
        self._framing = framing
        self._flying = 0
        self.full = False
        self.send: Callable[[bytes], None] = socket.write
        self.seat = socket.seat
        self.on_drained: Callable[[], None]
        self.on_filled: Callable[[], None]
        self.on_gone: Callable[[], None]
        self._following: Following = sockets.followers.follow(
            self, framing, who=desk.who, limit=EVENTS_DEFAULT
        )

    def received(self, message: str | bytes) -> None:
        """The socket: a message has come."""
        if isinstance(message, bytes):
            self._say(wire.refused(None, problem_of(UnsupportedMedia("Messages here are text."))))
            self._socket.close(Code.UNSUPPORTED)
            return
        try:
            self._serve(wire.command(message))
        except Refused as error:
            try:
                ref = wire.ref_of(message)
            except BadJson:
                self._say(wire.refused(None, problem_of(error)))
                self._socket.close(Code.DATA, "The message is not JSON.")
            else:
                self._refuse(ref, error)

    def filled(self) -> None:
        """The socket: the client does not keep up."""
        self.full = True
        self.on_filled()

    def drained(self) -> None:
        """The socket: it does again."""
        self.full = False
        self.on_drained()

    def violated(self, violation: Violation) -> None:
        """The socket: the client broke the protocol."""
        kinds = {Code.TOO_LARGE: TooLarge, Code.DATA: BadJson}
        error = kinds.get(violation.code, BadRequest)(violation.reason)
        self._say(wire.refused(None, problem_of(error)))

    def closed(self) -> None:
        """The socket: nothing can be said any more."""
        self.send, self.seat = _nowhere, NO_SEAT
        self.full = False
        self.on_gone()

    def finish(self) -> None:
        """The reader: it has ended, for the reason that was just said."""
        self._socket.close(_CODES.get(self._following.reason, Code.FAULT))

    def _say(self, json: bytes) -> None:
        self.send(self._framing.text(json))

    def _refuse(self, ref: wire.Ref, error: Refused) -> None:
        self._say(wire.refused(ref, problem_of(error)))
        if isinstance(error, Unauthorized):
            self._socket.close(UNAUTHORIZED, error.detail)

    def _serve(self, given: wire.Command) -> None:
        match given:
            case wire.Publish():
                self._desk.publish(given.room, wire.message_of(given), self._sent(given.ref))
            case wire.Subscribe():
                self._subscribe(given)
            case wire.Unsubscribe():
                names = [room_name(name) for name in given.rooms]
                self._following.remove(names)
                self._say(wire.left(given.ref, self._following.cursor))
            case wire.Hello():
                self._desk.hello(given.token)
                self._known(given.ref)
            case wire.Typing():
                self._desk.typing(given.room, self._sent(given.ref, quiet=given.ref is None))
            case wire.Pinged():
                self._say(wire.PONG)

    def _known(self, ref: wire.Ref) -> None:
        """Say who is speaking from now on, and be that reader."""
        self._say(wire.done(ref, {"user": self._desk.who.author}))
        self._all.followers.knows(self._following, self._desk.who)

    def _sent(self, ref: wire.Ref, *, quiet: bool = False) -> Told:
        """Return how the outcome of a command reaches the client; too many at a time make it wait.

        ``quiet``: only if it failed.
        """
        self._begun(1)

        def told(answer: Answer) -> None:
            if answer.status >= 300:
                self._say(wire.failed(ref, answer.body))
            elif not quiet:
                self._say(wire.answered(ref, answer.body))
            if answer.status == 401:
                self._socket.close(UNAUTHORIZED)
            self._begun(-1)

        return told

    def _begun(self, commands: int) -> None:
        """Count commands that are under way; beyond a number, what comes next waits."""
        self._flying += commands
        if self._flying >= IN_FLIGHT:
            self._socket.pause()
        else:
            self._socket.resume()

    def _subscribe(self, given: wire.Subscribe) -> None:
        asked = wire.places_asked(given)
        known = {room.name for room in self._following.rooms}
        if len(known | set(asked)) > ROOMS_LIMIT:
            raise BadRequest(f"One connection reads at most {ROOMS_LIMIT} rooms.")
        self._desk.reading()
        finding = Deferred.fromCoroutine(self._find(asked))
        finding.addCallback(self._begin, given)
        finding.addErrback(self._not_begun, given.ref)
        if not finding.called:  # what comes meanwhile waits, so that commands are served in order
            self._begun(IN_FLIGHT)
            finding.addBoth(lambda _: self._begun(-IN_FLIGHT))

    async def _find(self, asked: dict[str, Since]) -> list[Plan]:
        by_since: dict[Since, list[str]] = {}
        for room, since in asked.items():
            by_since.setdefault(since, []).append(room)
        now = self._all.now()
        return [await find(self._all.node, _poll(rooms, since), now=now) for since, rooms in by_since.items()]

    def _begin(self, plans: list[Plan], given: wire.Subscribe) -> None:
        if not self._socket.open:
            return
        following, who = self._following, self._desk.who
        rooms = [room for plan in plans for room in plan.rooms]
        for room in rooms:
            self._all.node.policy.admit(room.facts, who)
        started = {name: at for plan in plans for name, at in (plan.started or {}).items()}
        plan = _together(plans)
        kept = dict(zip(following.rooms, following.places, strict=True))
        kept |= dict(zip(plan.rooms, plan.places, strict=True))
        cursor = cursor_of(tuple(kept), tuple(kept.values()))
        self._say(wire.done(given.ref, {"cursor": cursor, **({"started": started} if started else {})}))
        for one in plans if given.presence else ():
            following.attend(one, None)
        following.add(plan)

    def _not_begun(self, failure: Failure, ref: wire.Ref) -> None:
        if isinstance(failure.value, Refused):
            self._refuse(ref, failure.value)
        else:
            self._following.fail(failure)


def _poll(rooms: list[str], since: Since) -> Poll:
    return Poll(
        rooms=tuple(rooms), since=since, text="", wait=None, limit=EVENTS_DEFAULT, callback=None, client=None
    )


def _together(plans: Sequence[Plan]) -> Plan:
    """Return plans of different rooms as one."""
    return Plan(
        rooms=tuple(room for plan in plans for room in plan.rooms),
        places=tuple(place for plan in plans for place in plan.places), started=None, poll=plans[0].poll,
        lost=tuple(hole for plan in plans for hole in (plan.lost or (None,) * len(plan.rooms))),
    )  # fmt: skip


def _nowhere(data: bytes) -> None:
    """Say nothing: nobody listens."""
