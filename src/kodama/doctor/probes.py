"""The measurements, over plain sockets: nothing is published, and one room nobody uses is read.

Those that wait run side by side, so that all take as long as the longest.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from time import monotonic
from typing import Any, Final
from zlib import MAX_WBITS, decompressobj

import msgspec

from kodama.client import asks
from kodama.client.address import Address
from kodama.client.asks import Ask
from kodama.client.blocking import dial_tcp
from kodama.client.http1 import Answer, Collector, Done, Head, Http
from kodama.client.lines import NDJSON, SSE
from kodama.client.protocol import Garbled
from kodama.doctor.findings import BUFFERED, Facts, Seen

CLAIM: Final = "192.0.2.77"  # RFC 5737: an address that is nobody's
ANSWER: Final = 15.0
GRACE: Final = 10.0
PIECE: Final = 65536
ENCODINGS: Final = b"Accept-Encoding: gzip\r\n"
_GZIP: Final = MAX_WBITS + 16
_KEY: Final = "a29kYW1hLWRvY3Rvci1wcg=="  # any 16 bytes do


class Patient:
    """The server at ``url`` as it shows itself from here. Raises `BadAddress`."""

    def __init__(self, url: str) -> None:
        self._address = Address.parse(url)
        self._room = f"doctor-{token_hex(8)}"

    def examine(self, *, patience: float) -> Facts:
        """Return the facts; waits a little over ``patience`` seconds for what has to be quiet that long."""
        facts = Facts(secure=self._address.secure, patience=patience, claim=CLAIM)
        self._reach(facts)
        if facts.seen is None:
            return facts
        with ThreadPoolExecutor() as pool:
            for probe in (self._claim, self._first_record, self._poll, self._quiet_stream, self._upgrade):
                pool.submit(_measured, probe, facts)
        return facts

    def _reach(self, facts: Facts) -> None:
        try:
            answer = self._ask(Ask("GET", "/v1/connection"))
        except (OSError, Garbled) as error:
            facts.failed = f"The server cannot be reached: {error}."
            return
        if answer.status != 200:
            facts.failed = f"The server answered {answer.status}."
            return
        try:
            facts.seen = msgspec.json.decode(answer.body, type=Seen)
        except msgspec.MsgspecError:
            facts.failed = "Something answers, but it is not Kodama."
            return
        facts.proxy = answer.fields.get("via") or answer.fields.get("server")

    def _claim(self, facts: Facts) -> None:
        answer = self._ask(Ask("GET", "/v1/connection"), b"X-Forwarded-For: " + CLAIM.encode() + b"\r\n")
        facts.claimed = msgspec.json.decode(answer.body, type=Seen).address

    def _first_record(self, facts: Facts) -> None:
        """Ask as browsers do: many a proxy only holds back what it compresses."""
        began = monotonic()
        ask = asks.events([self._room], since="now", accept=SSE)
        plain: Callable[[bytes], bytes] = bytes
        came = b""
        for part in self._parts(ask, ENCODINGS, patience=min(ANSWER, facts.patience + BUFFERED)):
            if isinstance(part, Head):
                if part.status != 200:
                    facts.streamed = f"A stream was answered {part.status}."
                    return
                if part.fields.get("content-encoding") == "gzip":
                    plain = decompressobj(_GZIP).decompress
            elif isinstance(part, bytes):
                came += plain(part)
                if b"event: ready" in came:
                    facts.ready = monotonic() - began
                    return

    def _poll(self, facts: Facts) -> None:
        began = monotonic()
        ask = asks.events([self._room], since="now", wait=min(120.0, facts.patience))
        facts.poll_status = 0
        try:
            facts.poll_status = self._ask(ask, patience=facts.patience + GRACE).status
        finally:
            facts.poll = monotonic() - began

    def _quiet_stream(self, facts: Facts) -> None:
        began = last = monotonic()
        longest = 0.0
        ask = asks.events([self._room], since="now", accept=NDJSON)
        try:
            for part in self._parts(ask, patience=facts.patience):
                now = monotonic()
                if isinstance(part, Head) and part.status != 200:
                    return
                if isinstance(part, Done):
                    facts.cut = now - began
                longest, last = max(longest, now - last), now
                if now - began >= facts.patience:
                    break
        except TimeoutError:
            longest = max(longest, monotonic() - last)
        except (OSError, Garbled):
            facts.cut = monotonic() - began
        facts.silence = longest

    def _upgrade(self, facts: Facts) -> None:
        fields = (
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: kodama.v1\r\nSec-WebSocket-Key: " + _KEY.encode() + b"\r\n"
        )
        with dial_tcp(self._address) as line:
            line.settimeout(ANSWER)
            line.sendall(self._request(Ask("GET", "/v1/ws"), fields))
            status = line.recv(PIECE).split(b" ", 2)[1:2]
            facts.socket = int(status[0]) if status and status[0].isdigit() else None

    def _ask(self, ask: Ask, fields: bytes = b"", *, patience: float = ANSWER) -> Answer:
        collector = Collector()
        for part in self._parts(ask, fields, patience=patience):
            answer = collector.take(part)
            if answer is not None:
                return answer
        raise Garbled("The connection was closed without an answer.")

    def _parts(self, ask: Ask, fields: bytes = b"", *, patience: float) -> Iterator[Head | bytes | Done]:
        """Yield what comes; raises TimeoutError when it takes longer than ``patience`` in all."""
        http = Http(self._address)
        until = monotonic() + patience
        with dial_tcp(self._address) as line:
            line.sendall(_with(http.request(ask), fields))
            while True:
                line.settimeout(max(0.01, until - monotonic()))
                for part in http.received(line.recv(PIECE)):
                    yield part
                    if isinstance(part, Done):
                        return

    def _request(self, ask: Ask, fields: bytes) -> bytes:
        return _with(Http(self._address).request(ask), fields)


def _with(request: bytes, fields: bytes) -> bytes:
    """Return the request with further header fields."""
    head, end, body = request.partition(b"\r\n\r\n")
    return head + b"\r\n" + fields + end[2:] + body


def _measured(probe: Callable[[Facts], Any], facts: Facts) -> None:
    """Run ``probe``; what fails leaves its facts unknown."""
    try:
        probe(facts)
    except (OSError, Garbled, msgspec.MsgspecError, socket.gaierror):
        return
