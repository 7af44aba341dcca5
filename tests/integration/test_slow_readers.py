"""Readers that take nothing cost a real server almost nothing, and miss nothing when they go on.

The size that is stated (1,000 stalled streams, 100,000 messages, at most 2 KiB each) is that of
``make soak``, where 33 of the streams then read it all; otherwise there are a tenth of them, and what they cost may drown in what an allocator takes at a time.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.test_server import Server

SOAK = os.environ.get("KODAMA_TEST_SIZE") == "soak"
STALLED, MESSAGES = (1000, 100_000) if SOAK else (99, 2500)
EACH = 2048  # bytes that a stalled stream may add
NOISE = 2 << 20 if SOAK else 4 << 20  # what two runs of the same differ by
PUBLISHERS = 64
TEXT = "x" * (100 if SOAK else 1200)  # so that it is more than the kernel keeps for a reader
EVENT = re.compile(rb'"type":"(message|gap)"[^}]{0,80}?"(?:offset|to)":(\d+)(?:,"reason":"(\w+)")?[,}]')
SSE, NDJSON = (
    b"GET /v1/rooms/lobby/events HTTP/1.0\r\nHost: localhost\r\nAccept: %b\r\n\r\n" % kind
    for kind in (b"text/event-stream", b"application/x-ndjson")
)
UPGRADE = (
    b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SUBSCRIBE = b'{"do":"subscribe","rooms":{"lobby":"now"},"ref":1}'
ASK = (SSE, NDJSON, UPGRADE + bytes((0x81, 0x80 | len(SUBSCRIBE), 0, 0, 0, 0)) + SUBSCRIBE)


@dataclass
class Reader:
    """A stream of which nothing is read until `drain`."""

    socket: socket.socket
    kind: int
    offsets: list[int] = field(default_factory=list)
    gaps: int = 0
    _ahead: bytes = b""

    def drain(self, until: int) -> None:
        """Read on until the event ``until`` has come."""
        while not self.offsets or self.offsets[-1] < until:
            data = self.socket.recv(1 << 20)
            assert data, f"the stream ended at {self.offsets[-1:]}"
            data, end = self._ahead + data, 0
            for event in EVENT.finditer(data):
                self._take(event[1], int(event[2]), event[3])
                end = event.end()
            self._ahead = data[end:]

    def _take(self, kind: bytes, offset: int, reason: bytes | None) -> None:
        if kind == b"gap":
            assert reason == b"slow"
            self.gaps += 1
        else:
            assert self.gaps or not self.offsets or offset == self.offsets[-1] + 1
            self.offsets.append(offset)


def publish(server: Server, count: int) -> None:
    """Let ``count`` messages flow through `PUBLISHERS` connections."""
    body = b'{"text":"%b"}' % TEXT.encode()
    request = (
        b"POST /v1/rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    poll, left, done = select.epoll(), count, 0
    writers: dict[int, socket.socket] = {}
    for _ in range(PUBLISHERS):
        writer = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        writers[writer.fileno()] = writer
        poll.register(writer, select.EPOLLIN)
        writer.sendall(request)
        left -= 1
    while done < count:
        for number, _ in poll.poll(60):
            assert writers[number].recv(65536).startswith(b"HTTP/1.1 201")
            done += 1
            if left > 0:
                writers[number].sendall(request)
                left -= 1
    poll.close()
    for writer in writers.values():
        writer.close()


def memory(server: Server) -> int:
    """Return the bytes of the server that are its own."""
    assert server.process is not None
    text = Path(f"/proc/{server.process.pid}/smaps_rollup").read_text()
    return (
        sum(
            int(found)
            for found in re.findall(r"^(?:Private_Clean|Private_Dirty): +(\d+)", text, re.MULTILINE)
        )
        * 1024
    )


def slow_readers(server: Server) -> int:
    found = re.search(rb"kodama_slow_readers_total ([0-9.]+)", server.ask("GET", "/metrics")[1])
    assert found
    return int(float(found[1]))


@contextmanager
def running(data: Path, **settings: str) -> Iterator[Server]:
    server = Server(data)
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        server.start()
        yield server
    finally:
        os.environ.clear()
        os.environ.update(before)
        if server.process is not None and server.process.poll() is None:
            server.stop(signal.SIGKILL)


def opened(server: Server, count: int) -> list[Reader]:
    """Return streams of all kinds that nobody reads; their first record has come."""
    readers = []
    for number in range(count):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(120)
        one.connect(("127.0.0.1", server.port))
        one.sendall(ASK[number % 3])
        readers.append(Reader(one, kind=number % 3))
    for reader in readers:
        head = b""
        while b"cursor" not in head:
            head += reader.socket.recv(4096)
    return readers


@dataclass
class Flow:
    """What a server did while messages flowed past readers that took nothing."""

    grew: int
    moved: int
    drained: list[Reader]
    first: int
    last: int


def flow(data: Path, *, stalled: int, messages: int, **settings: str) -> Flow:
    """Let messages flow, and the readers read on only afterwards."""
    with running(data, KODAMA_TAIL_MEMORY="1048576", **settings) as server:
        warm = PUBLISHERS * 20
        publish(server, warm)
        readers = opened(server, stalled)
        publish(server, PUBLISHERS)
        before = memory(server)
        publish(server, messages)
        grew, moved = memory(server) - before, slow_readers(server)
        last = warm + PUBLISHERS + messages
        sys.stdout.write(f"{stalled} stalled, {messages} messages: {grew:,} bytes more, {moved} moved\n")
        # A socket that takes nothing for two minutes is given up, so those come first.
        drained = sorted(readers[:: len(readers) // 33 or 1], key=lambda reader: -reader.kind)
        for reader in drained:
            reader.drain(last)
        for reader in readers:
            reader.socket.close()
    return Flow(grew=grew, moved=moved, drained=drained, first=warm + 1, last=last)


def test_stalled_streams_add_next_to_nothing_and_get_everything_in_the_end(tmp_path: Path) -> None:
    alone = flow(tmp_path / "alone", stalled=0, messages=MESSAGES)
    there = flow(tmp_path / "stalled", stalled=STALLED, messages=MESSAGES)
    added = there.grew - alone.grew
    assert there.moved >= STALLED
    assert added <= STALLED * EACH + NOISE
    for reader in there.drained:
        assert reader.gaps == 0
        assert (reader.offsets[0], len(reader.offsets)) == (there.first, there.last - there.first + 1)
