"""One end of the link: messages over a UNIX socket, MessagePack behind a 32-bit length.

The one decision here: whatever is to be said in one turn of the reactor goes as one frame, so a
thousand publishers cost one system call on each side.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, Final, Protocol

import msgspec
from msgspec import Raw
from twisted.internet.interfaces import ITransport
from twisted.protocols.basic import Int32StringReceiver

FRAME_LIMIT: Final = 2**31 - 1
ANSWER: Final = "answer"
REFUSAL: Final = "refusal"
LENGTH: Final = Struct("!I")


class Message(msgspec.Struct, frozen=True, array_like=True):
    """One message of either side; an answer has the ``number`` of what was asked, 0 asks nothing."""

    number: int
    what: str
    given: Raw


class Turns(Protocol):
    """The part of `twisted.internet.interfaces.IReactorFromThreads` that is used: it costs no timer."""

    def callFromThread(self, callable: Callable[..., Any], *args: Any) -> Any:  # noqa: A002, N802
        """Call in the next turn."""
        ...


class Link(Int32StringReceiver):
    """One end of the link. ``heard`` is given each message, ``opened`` and ``lost`` are called once."""

    MAX_LENGTH = FRAME_LIMIT
    transport: ITransport

    def __init__(
        self, reactor: Turns, *, heard: Callable[[Message], None], lost: Callable[[], None],
        opened: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._reactor = reactor
        self._heard = heard
        self._opened = opened
        self._lost = lost
        self._outgoing: list[Message] = []
        self._is_open = True

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Tell that the other side can be spoken to."""
        self._opened()

    def say(self, number: int, what: str, given: bytes) -> None:
        """Send with what else is said in this turn; ``given`` is MessagePack. Nothing once it is lost."""
        self._outgoing.append(Message(number, what, Raw(given)))
        if len(self._outgoing) == 1:
            self._reactor.callFromThread(self._flush)

    def stringReceived(self, string: bytes) -> None:  # noqa: N802 - Twisted's name
        """Take a frame apart."""
        for message in messages(string):
            self._heard(message)

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802 - Twisted's name
        """Tell that the other side is gone."""
        self._is_open = False
        self._lost()

    def close(self) -> None:
        """Hang up when what was said has been sent."""
        self._flush()
        self.transport.loseConnection()

    def cut(self) -> None:
        """Hang up at once."""
        end: Any = self.transport
        end.abortConnection()

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if outgoing and self._is_open:
            self.transport.write(frame(outgoing))


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[Message])


def pack(value: Any) -> bytes:
    """Return ``value`` as MessagePack. Raises what cannot be encoded raises."""
    return _encoder.encode(value)


def frame(said: list[Message]) -> bytes:
    """Return what is sent of ``said``."""
    body = _encoder.encode(said)
    return LENGTH.pack(len(body)) + body


def messages(body: bytes) -> list[Message]:
    """Return what is in a frame, without its length."""
    return _decoder.decode(body)
