"""HTTP/1.1 from the client's side on h11, without I/O: bytes to send, bytes received, what they mean.

One `Http` is one connection. An answer counts only when all of it is here: one that is cut off
raises `Garbled`, and nothing of it may be believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import h11

from kodama.client.address import Address
from kodama.client.asks import Ask
from kodama.client.protocol import CutOff, Garbled

AGENT: Final = "kodama-client"
ANSWER_LIMIT: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an answer; names of fields are in lower case, the last of equal ones counts."""

    status: int
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Done:
    """An answer is complete; the connection takes another request if ``reusable``."""

    reusable: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer."""

    status: int
    fields: dict[str, str]
    body: bytes
    reusable: bool


class Http:
    """One connection to ``address``; ``token`` goes into each request as a bearer token."""

    __slots__ = ("_address", "_h11", "token")

    def __init__(self, address: Address, *, token: str | None = None) -> None:
        self._address = address
        self.token = token
        self._h11 = h11.Connection(h11.CLIENT)

    def request(self, ask: Ask) -> bytes:
        """Return the bytes of a request; only one may be under way."""
        fields = [("Host", self._address.authority), ("User-Agent", AGENT), ("Accept", ask.accept)]
        if self.token is not None:
            fields.append(("Authorization", f"Bearer {self.token}"))
        if ask.body:
            fields.append(("Content-Type", "application/json"))
        if ask.body or ask.method in ("POST", "PUT", "PATCH"):
            fields.append(("Content-Length", str(len(ask.body))))
        head = h11.Request(method=ask.method, target=self._address.prefix + ask.target, headers=fields)
        sent = self._h11.send(head) or b""
        if ask.body:
            sent += self._h11.send(h11.Data(data=ask.body)) or b""
        return sent + (self._h11.send(h11.EndOfMessage()) or b"")

    def received(self, data: bytes) -> Iterator[Head | bytes | Done]:
        """Take what came (nothing: the other side closed) and give what it means; raises `Garbled`."""
        try:
            self._h11.receive_data(data)
            while True:
                event = self._h11.next_event()
                if isinstance(event, h11.Response):
                    given = [(name.decode("latin-1"), one.decode("latin-1")) for name, one in event.headers]
                    yield Head(event.status_code, dict(given))
                elif isinstance(event, h11.Data):
                    yield bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    yield self._done()
                    return
                elif isinstance(event, h11.ConnectionClosed):
                    raise CutOff("The connection was closed without an answer.")
                elif not isinstance(event, h11.InformationalResponse):
                    return
        except h11.RemoteProtocolError as error:
            raise (Garbled if data else CutOff)(str(error)) from None

    def _done(self) -> Done:
        reusable = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        if reusable:
            self._h11.start_next_cycle()
        return Done(reusable)


class Collector:
    """Gathers what `Http.received` gives into whole answers."""

    __slots__ = ("_body", "_head", "_size")

    def __init__(self) -> None:
        self._head: Head | None = None
        self._body: list[bytes] = []
        self._size = 0

    def take(self, part: Head | bytes | Done) -> Answer | None:
        """Take a part and return the answer if that was its end; raises `Garbled` if it grows too large."""
        if isinstance(part, Head):
            self._head, self._body, self._size = part, [], 0
        elif isinstance(part, bytes):
            self._size += len(part)
            if self._size > ANSWER_LIMIT:
                raise Garbled("An answer is larger than any server of this protocol gives.")
            self._body.append(part)
        elif self._head is not None:
            return Answer(self._head.status, self._head.fields, b"".join(self._body), part.reusable)
        return None


def retry_after(fields: dict[str, str], *, now: float | None = None) -> float | None:
    """Return the seconds that Retry-After says (RFC 9110, 10.2.3).

    ``now`` is seconds since 1970; without it a date says nothing.
    """
    given = fields.get("retry-after", "").strip()
    if given.isascii() and given.replace(".", "", 1).isdigit():
        return float(given)
    if not given or now is None:
        return None
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - now)
    except ValueError:
        return None
