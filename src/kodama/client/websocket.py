"""The WebSocket as a line: subscribes, reads, and tells a drain from a cut. On wsproto, without I/O.

The token goes into the upgrade's Authorization field, as everywhere else; a ticket into the query.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)  # fmt: skip
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import LocalProtocolError, ProtocolError, RemoteProtocolError

from kodama.client.faults import Refused, refused_as
from kodama.client.framing import RECORD_LIMIT
from kodama.client.lines import Wishes, refusal_of
from kodama.client.protocol import (
    CutOff,
    Ended,
    Garbled,
    News,
    Reading,
    Refusal,
    Step,
    decoded,
    ended_by,
    news_of,
)  # fmt: skip

SUBPROTOCOL: Final = "kodama.v1"
SUBSCRIBE: Final = 1


class SocketLine:
    """One WebSocket that follows the rooms of a reading."""

    __slots__ = ("_open", "_out", "_over", "_reading", "_rejected", "_text", "_wishes", "_ws")

    def __init__(self, reading: Reading, wishes: Wishes, *, compress: bool = True) -> None:
        self._reading = reading
        self._wishes = wishes
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._text: list[str] = []
        self._rejected: tuple[int, dict[str, str], list[bytes]] | None = None
        self._open = self._over = False
        address = wishes.address
        query = f"?{urlencode({'ticket': wishes.ticket})}" if wishes.ticket else ""
        token = wishes.token
        self._out = self._ws.send(Request(
            host=address.authority, target=f"{address.prefix}/v1/ws{query}", subprotocols=[SUBPROTOCOL],
            extensions=[PerMessageDeflate()] if compress else [],
            extra_headers=[(b"Authorization", f"Bearer {token}".encode())] if token else [],
        ))  # fmt: skip

    @property
    def patience(self) -> float:
        """Return the longest silence; half of it is broken by a ping, see `nudge`."""
        return self._wishes.silence

    def send(self) -> bytes:
        """Return the upgrade, then answers to pings."""
        out, self._out = self._out, b""
        return out

    @property
    def nudges(self) -> bool:
        """Tell whether the conversation has begun, so that a silence can be broken by a ping."""
        return self._open and not self._over

    def nudge(self) -> bytes:
        """Return a ping. It must be sent: compression goes on from what was said before."""
        return self._frame({"do": "ping"}) if self.nudges else b""

    def received(self, data: bytes) -> Iterator[Step]:
        """Take a piece of the conversation."""
        if self._over:
            return
        try:
            self._ws.receive_data(data or None)
            for event in self._ws.events():
                yield from self._event(event)
                if self._over:
                    return
        except (RemoteProtocolError, LocalProtocolError, ProtocolError, Garbled) as error:
            yield from self._end(ended_by(error if data else CutOff()))

    def _event(self, event: Event) -> Iterator[Step]:
        match event:
            case TextMessage():
                yield from self._said(event)
            case Ping():
                self._out += self._ws.send(event.response())
            case AcceptConnection():
                self._open = True
                self._out += self._frame(self._subscription())
            case CloseConnection(code=code):
                yield from self._closed(code)
            case RejectConnection() | RejectData():
                yield from self._reject(event)
            case BytesMessage():
                raise Garbled("A frame is not text.")

    def _subscription(self) -> dict[str, Any]:
        reading, wishes = self._reading, self._wishes
        asked: dict[str, Any] = {
            "do": "subscribe", "ref": SUBSCRIBE, "rooms": dict.fromkeys(reading.rooms, reading.cursor),
        }  # fmt: skip
        if wishes.presence:
            asked["presence"] = True
        return asked

    def _said(self, event: TextMessage) -> Iterator[Step]:
        self._text.append(event.data)
        if sum(map(len, self._text)) > RECORD_LIMIT:
            raise Garbled("A frame is larger than any server of this protocol sends.")
        if not event.message_finished:
            return
        text, self._text = "".join(self._text), []
        yield from self._frame_said(decoded(text))

    def _frame_said(self, frame: Any) -> Iterator[Step]:
        match frame:
            case {"events": list(), "cursor": _}:
                yield news_of(frame)
            case {"events": list(ephemeral)}:
                yield News(tuple(one for one in ephemeral if isinstance(one, dict)), None)
            case {"ref": 1, "ok": {"cursor": str(cursor), **rest}}:
                started = rest.get("started")
                yield News((), cursor, ready=True, started=started if isinstance(started, dict) else {})
            case {"error": dict(problem)}:
                yield Refusal(refused_as(problem))
            case {"do": "come-back", **rest}:
                after = rest.get("after")
                yield News((), None, after=float(after) if isinstance(after, int | float) else 1.0)

    def _closed(self, code: int) -> Iterator[Step]:
        if code == 4401:
            yield Refusal(Refused("The token is not valid any more.", status=401, code="unauthorized"))
        yield from self._end(Ended(clean=code in (1000, 1001, 1012)))

    def _reject(self, event: RejectConnection | RejectData) -> Iterator[Step]:
        if isinstance(event, RejectConnection):
            fields = {name.decode("latin-1").lower(): one.decode("latin-1") for name, one in event.headers}
            self._rejected = (event.status_code, fields, [])
            complete = not event.has_body
        else:
            assert self._rejected is not None
            self._rejected[2].append(bytes(event.data))
            complete = event.body_finished
        if complete:
            yield from self._refused()

    def _refused(self) -> Iterator[Step]:
        assert self._rejected is not None
        status, fields, body = self._rejected
        yield refusal_of(status, fields, b"".join(body))
        yield from self._end(Ended(clean=True))

    def _frame(self, value: dict[str, Any]) -> bytes:
        return self._ws.send(TextMessage(data=msgspec.json.encode(value).decode()))

    def _end(self, ended: Ended) -> Iterator[Step]:
        self._over = True
        yield ended
