"""The load client: N parked long polls in one thread, and one message at a time.

It owns the closed pattern: the next message goes out when every client has the last one and has polled again.
Every client checks that it got each message once and in order.
"""

import re
import selectors
import socket
import time
from dataclasses import dataclass, field

from benchmarks.dialects import Dialect

MARK = re.compile(rb"@@(\d{8})@@")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE = 60.0


class Stalled(Exception):
    """A message did not reach everybody, or the server answered with an error."""


@dataclass(slots=True)
class Client:
    """One that waits, and what it has heard."""

    sock: socket.socket
    extra: bytes
    cursor: bytes = b""
    received: bytes = b""
    highest: int = 0


@dataclass(slots=True)
class Tally:
    """What all of them have heard."""

    deliveries: int = 0
    missing: int = 0
    doubled: int = 0
    reordered: int = 0
    fan_out_ms: list[float] = field(default_factory=list)


def whole_answer(data: bytes) -> int:
    """How long the first whole answer in ``data`` is; 0 while it is incomplete."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return 0
    length = LENGTH.search(data, 0, head + 2)
    if length:
        end = head + 4 + int(length[1])
        return end if len(data) >= end else 0
    if data.startswith(b"HTTP/1.1 304"):
        return head + 4
    last = data.find(b"0\r\n\r\n", head + 4)
    return last + 5 if last >= 0 else 0


def browser_headers(number: int) -> bytes:
    """450 bytes of headers such as a browser sends, with this client's own cookie."""
    fixed = (
        b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
        b"Accept: application/json\r\nAccept-Language: de,en-US;q=0.7,en;q=0.3\r\n"
        b"Accept-Encoding: gzip, deflate, br, zstd\r\nReferer: http://127.0.0.1/r/lobby\r\n"
        b"Sec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\n"
    )
    cookie = b"Cookie: visitor=%08d; seen=" % number
    return fixed + cookie + b"x" * (450 - len(fixed) - len(cookie) - 2) + b"\r\n"


class Crowd:
    """The waiting clients of one server."""

    def __init__(self, port: int, dialect: Dialect, size: int, *, headers: str) -> None:
        self.dialect, self.tally, self.sequence = dialect, Tally(), 0
        self._selector = selectors.EpollSelector()
        self._speaker = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._clients: list[Client] = []
        for number in range(size):
            sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = Client(sock, browser_headers(number) if headers == "browser" else b"")
            sock.sendall(dialect.poll(b"", client.extra))
            sock.settimeout(0)
            self._selector.register(sock, selectors.EVENT_READ, client)
            self._clients.append(client)
        self.settle(0.5 + size / 5_000)

    def settle(self, seconds: float) -> None:
        """Give the server time to park what was sent; an answer that comes now is an error."""
        time.sleep(seconds)

    def say(self) -> None:
        """One message to everybody; returns when all have it and have polled again."""
        self.sequence += 1
        text = f"@@{self.sequence:08d}@@".ljust(128, "x")
        began = time.perf_counter()
        self._speaker.sendall(self.dialect.publish(text))
        waiting = len(self._clients)
        while waiting:
            ready = self._selector.select(PATIENCE)
            if not ready:
                self.tally.missing += waiting
                raise Stalled(f"{waiting} of {len(self._clients)} clients never got message {self.sequence}")
            for key, _ in ready:
                waiting -= self._hear(key.data)
        self.tally.fan_out_ms.append((time.perf_counter() - began) * 1000)
        answer = self._speaker.recv(65536)
        if not answer.startswith(b"HTTP/1.1 2"):
            raise Stalled(f"publishing was answered {answer[:200]!r}")
        if not self.dialect.remembers:
            self.settle(0.02 + len(self._clients) / 5_000)

    def _hear(self, client: Client) -> int:
        """Read one client; 1 if it now has the current message for the first time."""
        data = client.sock.recv(65536)
        if not data:
            raise Stalled("the server closed a waiting connection")
        client.received += data
        length = whole_answer(client.received)
        if not length:
            return 0
        answer, client.received = client.received[:length], client.received[length:]
        if not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304")):
            raise Stalled(f"a poll was answered {answer[:200]!r}")
        before = client.highest
        for mark in MARK.findall(answer):
            self._count(client, int(mark))
        client.cursor = self.dialect.cursor(answer) or client.cursor
        client.sock.send(self.dialect.poll(client.cursor, client.extra))
        return int(before < self.sequence <= client.highest)

    def _count(self, client: Client, number: int) -> None:
        self.tally.deliveries += 1
        if number == client.highest:
            self.tally.doubled += 1
        elif number < client.highest:
            self.tally.reordered += 1
        else:
            self.tally.missing += number - client.highest - 1
            client.highest = number

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        self._speaker.close()
        for client in self._clients:
            client.sock.close()
