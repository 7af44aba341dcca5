"""One WebSocket (RFC 6455) on a connection that HTTP has handed over. Knows nothing of chat.

    OPEN ──close()──▶ CLOSING ──their close, or no time left──▶ CLOSED
      └──their close, a violation, the connection lost───────────▲

Decided here: that a socket at rest is this object and nothing else, no parser, no zlib object,
no timer of its own; that a ping is due only when nothing was heard since the last look; and
when reading stops: while the application is behind, while the client does not read what it
gets, and when it has had its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from twisted.logger import Logger

from kodama.http.deflate import Deflate
from kodama.http.frames import PING, PONG, Close, Event, Message, Ping, Reader, close_frame, frame, whole_text
from kodama.http.handshake import Handshake
from kodama.http.message import Request
from kodama.http.tunnel import Link
from kodama.http.violation import Code, Violation

_log: Final = Logger()
_PING: Final = frame(PING, b"")


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """``message``: the largest in bytes, all fragments together, inflated. Times in seconds.

    ``ping``: silence after which the client is asked for a sign of life, below the 30 and 60 s
    of proxies. ``pong``: how long that may take. ``stalled``: how long a client may read
    nothing of what waits for it. ``closing``: how long its answer to a close may take.
    ``turn``: frames that one client is served before others have their turn.
    """

    message: int = 64 * 1024
    ping: float = 25.0
    pong: float = 20.0
    stalled: float = 120.0
    closing: float = 5.0
    turn: int = 64


class Listener(Protocol):
    """The application's side of one socket."""

    def received(self, message: str | bytes) -> None:
        """A whole message has come: str of a text, bytes of a binary one."""

    def filled(self) -> None:
        """The client does not keep up: `WebSocket.writable` has become false."""

    def drained(self) -> None:
        """The client reads again: `WebSocket.writable` has become true."""

    def violated(self, violation: Violation) -> None:
        """The client broke the protocol: the last moment to tell it something."""

    def closed(self) -> None:
        """Nothing more comes and nothing can be sent; told exactly once."""


class _State(Enum):
    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


_OPEN, _CLOSING, _CLOSED = _State


class _Life(Enum):
    """What is known of the client since the last look."""

    HEARD = auto()
    SILENT = auto()
    ASKED = auto()
    STUCK = auto()


class WebSocket:
    """The socket, a `Tunnel`; see `open_socket`."""

    __slots__ = (
        "_life", "_limits", "_link", "_paused", "_reader", "_reading", "_soon", "_state", "agreed",
        "listener",
    )  # fmt: skip

    listener: Listener

    def __init__(self, link: Link, *, agreed: Deflate | None, limits: SocketLimits) -> None:
        self._link = link
        self._limits = limits
        self.agreed = agreed
        self._reader: Reader | None = None
        self._state = _OPEN
        self._life = _Life.SILENT
        self._paused = False  # the application is behind
        self._reading = True
        self._soon = False
        link.arm(limits.ping)

    @property
    def writable(self) -> bool:
        """Return whether the socket is open and the client keeps up."""
        return self._state is _OPEN and not self._link.full

    @property
    def open(self) -> bool:
        """Return whether messages may be sent."""
        return self._state is _OPEN

    def send(self, message: Message) -> None:
        """Send a message that may be shared with others; nothing happens when closed."""
        if self._state is _OPEN:
            self._link.send(message.framed(self.agreed))

    @property
    def write(self) -> Callable[[bytes], None]:
        """Return how frames that were made for all who agreed to the same are sent, without a frame
        of Python between; not to be called once `Listener.closed` was."""
        return self._link.write

    @property
    def seat(self) -> int:
        """Return the seat under which a `Fanout` reaches the client, or `NO_SEAT`; as for `write`."""
        return self._link.seat

    def pause(self) -> None:
        """Take no further message until `resume`: the application is behind."""
        self._paused = True
        self._settle()

    def resume(self) -> None:
        """Take messages again."""
        if self._paused:
            self._paused = False
            self._go_on()

    def close(self, code: int = Code.NORMAL, reason: str = "") -> None:
        """Say goodbye and wait for the other side's."""
        if self._state is _OPEN:
            self._link.send(close_frame(code, reason))
            self._state = _CLOSING
            self._link.arm(self._limits.closing)
            self._tell_closed()
            self._settle()

    def received(self, data: bytes) -> None:
        """The link: bytes have come. The first branch is the one that nearly all take."""
        self._life = _Life.HEARD
        if self._state is _CLOSED:
            return
        reader = self._reader
        if reader is None and self._state is _OPEN and self._reading:
            payload = whole_text(data, limit=self._limits.message)
            if payload is not None:
                self._one(payload)
                self._settle()
                return
        if reader is None:
            reader = self._reader = Reader(limit=self._limits.message, agreed=self.agreed)
        reader.feed(data)
        self._turn()

    def filled(self) -> None:
        """The link: the client does not read what it is sent."""
        if self._state is _OPEN:
            self._guarded(self.listener.filled)

    def drained(self) -> None:
        """The link: there is room again."""
        self._life = _Life.HEARD
        if self._state is _OPEN:
            self._guarded(self.listener.drained)
        self._go_on()

    def timed_out(self) -> None:
        """The link: time to look after the client."""
        limits, life = self._limits, self._life
        if self._state is _OPEN and self._link.full and life is not _Life.STUCK:
            self._life = _Life.STUCK
            self._link.arm(limits.stalled)
        elif self._state is not _OPEN or life in (_Life.ASKED, _Life.STUCK):
            self._link.abort()
        elif life is _Life.HEARD or not self._reading:
            self._life = _Life.SILENT
            self._link.arm(limits.ping)
        else:
            self._link.send(_PING)
            self._life = _Life.ASKED
            self._link.arm(limits.pong)

    def lost(self) -> None:
        """The link: the connection is gone."""
        was, self._state = self._state, _CLOSED
        self._reader = None
        if was is _OPEN:
            self._tell_closed()

    def _go_on(self) -> None:
        if self._reader is not None and not self._soon:
            self._turn()
        else:
            self._settle()

    def _turn(self) -> None:
        """Take apart what has come, as far as it may be taken now."""
        self._soon = False
        left = self._limits.turn
        try:
            while left and self._reader is not None and self._may_take():
                event = self._reader.read()
                if event is None:
                    break
                self._take(event)
                left -= 1
        except Violation as violation:
            self._violated(violation)
        if self._reader is not None and self._reader.idle:
            self._reader = None
        elif not left and self._reader is not None:
            self._soon = True
            self._link.soon(self._turn)
        self._settle()

    def _may_take(self) -> bool:
        if self._state is _CLOSING:
            return True
        return self._state is _OPEN and not self._paused and not self._link.full

    def _settle(self) -> None:
        """Read from the connection exactly while what comes may be taken."""
        if self._state is _CLOSED:
            return
        wanted = self._may_take() and not self._soon
        if wanted is not self._reading:
            self._reading = wanted
            if wanted:
                self._link.read_on()
            else:
                self._link.stop_reading()

    def _take(self, event: Event) -> None:
        if isinstance(event, Close):
            self._goodbye(event)
        elif self._state is _OPEN:
            if isinstance(event, str | bytes):
                self._guarded(self.listener.received, event)
            elif isinstance(event, Ping):
                self._link.send(frame(PONG, event.payload))

    def _one(self, payload: bytes) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self._violated(Violation(Code.DATA, "The text is not UTF-8."))
        else:
            self._guarded(self.listener.received, text)

    def _goodbye(self, event: Close) -> None:
        if self._state is _OPEN:
            self._link.send(close_frame(event.code))
        self._finish()

    def _violated(self, violation: Violation) -> None:
        """Fail the connection (section 7.1.7)."""
        if self._state is _OPEN:
            self._guarded(self.listener.violated, violation)
        if self._state is _OPEN:
            self._link.send(close_frame(violation.code, violation.reason))
        self._finish()

    def _finish(self) -> None:
        was, self._state = self._state, _CLOSED
        self._reader = None
        if not self._reading:
            self._reading = True
            self._link.read_on()
        self._link.end()
        if was is _OPEN:
            self._tell_closed()

    def _tell_closed(self) -> None:
        try:
            self.listener.closed()
        except Exception:  # noqa: BLE001 - nobody else's connection may suffer
            _log.failure("A WebSocket's listener failed at its end.")

    def _guarded(self, call: Callable[..., None], *given: object) -> None:
        try:
            call(*given)
        except Exception:  # noqa: BLE001 - nobody else's connection may suffer
            _log.failure("A WebSocket's listener failed.")
            self.close(Code.FAULT, "Something went wrong here.")


def open_socket(
    request: Request, accepted: Handshake, *, limits: SocketLimits, listen: Callable[[WebSocket], Listener]
) -> WebSocket:
    """Answer the upgrade and return the socket, with the listener that ``listen`` returns for it.

    Raises ValueError if the request was answered or is gone, `NoTunnel` where that cannot be.
    """

    def tunnel(link: Link) -> WebSocket:
        socket = WebSocket(link, agreed=accepted.agreed, limits=limits)
        socket.listener = listen(socket)
        return socket

    return request.switch(accepted.fields, tunnel)
