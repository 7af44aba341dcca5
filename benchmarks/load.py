"""The load client: N parked long polls or open streams in one thread, and one message at a time.

It owns the closed pattern: the next message goes out when every client has the last one and has polled again.
Every client checks that it got each message once and in order.
"""

import re
import select
import socket
import time
from dataclasses import dataclass, field

from benchmarks.dialects import POLLING, Dialect

MARK = re.compile(rb"@@(\d{8})@@")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
MARK_BYTES = 12
PATIENCE = 60.0


class Stalled(Exception):
    """A message did not reach everybody, or the server answered with an error."""


@dataclass(slots=True)
class Client:
    """One that waits, and what it has heard."""

    sock: socket.socket
    extra: bytes
    poll: tuple[bytes, bytes]
    received: bytes = b""
    highest: int = 0


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer brings, and how to go on after it (None: as before)."""

    marks: tuple[int, ...]
    poll: tuple[bytes, bytes] | None


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
    """The waiting clients of one server.

    Everything about an answer that all clients share is found out once: a slow client would let
    the server sleep between any two polls, and measure that instead of deliveries.
    """

    def __init__(self, port: int, dialect: Dialect, size: int, *, headers: str) -> None:
        self.dialect, self.tally, self.sequence = dialect, Tally(), 0
        self._epoll = select.epoll()
        self._speaker = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._clients: dict[int, Client] = {}
        self._meanings: dict[bytes, Meaning] = {}
        first = self._poll(b"")
        for number in range(size):
            sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            fields = browser_headers(number) if headers == "browser" else b""
            client = Client(sock, dialect.own(number) + fields, poll=first)
            sock.sendall(first[0] + client.extra + first[1])
            sock.settimeout(0)
            self._clients[sock.fileno()] = client
            self._epoll.register(sock.fileno(), select.EPOLLIN | select.EPOLLET)
        self.settle(0.5 + size / 5_000)
        if dialect.mode not in POLLING:
            self._greet()

    def _greet(self) -> None:
        """Read the head of every stream, say what must be said after it, and read the answer to that."""
        wanted = b" 101 " if self.dialect.mode == "ws" else b" 200 "
        for client in self._clients.values():
            client.sock.settimeout(PATIENCE)
            head = client.sock.recv(65536)
            if wanted not in head.partition(b"\r\n")[0]:
                raise Stalled(f"a stream was answered {head[:200]!r}")
            if self.dialect.greeting:
                client.sock.sendall(self.dialect.greeting)
                client.sock.recv(65536)
            client.sock.settimeout(0)

    def settle(self, seconds: float) -> None:
        """Give the server time to park what was sent."""
        time.sleep(seconds)

    def say(self) -> None:
        """One message to everybody; returns when all have it and have polled again."""
        self.sequence += 1
        text = f"@@{self.sequence:08d}@@".ljust(128, "x")
        self._meanings.clear()
        began = time.perf_counter()
        self._speaker.sendall(self.dialect.publish(text))
        waiting = len(self._clients)
        clients = self._clients
        hear = self._hear if self.dialect.mode in POLLING else self._hear_on
        while waiting > 0:
            ready = self._epoll.poll(PATIENCE)
            if not ready:
                self.tally.missing += waiting
                raise Stalled(f"{waiting} of {len(self._clients)} clients never got message {self.sequence}")
            for fd, _ in ready:
                waiting -= hear(clients[fd])
        self.tally.fan_out_ms.append((time.perf_counter() - began) * 1000)
        answer = self._speaker.recv(65536)
        if not answer.startswith(b"HTTP/1.1 2"):
            raise Stalled(f"publishing was answered {answer[:200]!r}")
        if not self.dialect.remembers:
            self.settle(0.02 + len(self._clients) / 5_000)

    def _poll(self, cursor: bytes) -> tuple[bytes, bytes]:
        """The request of a poll, before and after a client's own header fields."""
        before, _, after = self.dialect.poll(cursor, b"\0").partition(b"\0")
        return before, after

    def _hear(self, client: Client) -> int:
        """Read one client; 1 if it now has the current message for the first time."""
        data = client.sock.recv(65536)
        if client.received:
            data, client.received = client.received + data, b""
        meaning = self._meanings.get(data) or self._meaning(client, data)
        if meaning is None:
            return 0
        before = client.highest
        for mark in meaning.marks:
            self._count(client, mark)
        client.poll = poll = meaning.poll or client.poll
        client.sock.send(poll[0] + client.extra + poll[1])
        return int(before < self.sequence <= client.highest)

    def _hear_on(self, client: Client) -> int:
        """Read one stream; 1 if it now has the current message for the first time."""
        try:
            data = client.received + client.sock.recv(65536)
        except BlockingIOError:
            return 0
        if data == client.received:
            raise Stalled("the server closed a stream")
        meaning = self._meanings.get(data)
        if meaning is None:
            marks = tuple(int(mark) for mark in MARK.findall(data))
            meaning = self._meanings[data] = Meaning(marks, None)
        client.received = b"" if meaning.marks else data[-MARK_BYTES:]
        before = client.highest
        for mark in meaning.marks:
            self._count(client, mark)
        return int(before < self.sequence <= client.highest)

    def _meaning(self, client: Client, data: bytes) -> Meaning | None:
        """What one whole answer says; None while it is incomplete."""
        if not data:
            raise Stalled("the server closed a waiting connection")
        length = whole_answer(data)
        if not length:
            client.received = data
            return None
        if length < len(data):
            raise Stalled(f"more came than one answer: {data[length : length + 200]!r}")
        if not data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304")):
            raise Stalled(f"a poll was answered {data[:200]!r}")
        cursor = self.dialect.cursor(data)
        marks = tuple(int(mark) for mark in MARK.findall(data))
        meaning = self._meanings[data] = Meaning(marks, self._poll(cursor) if cursor else None)
        return meaning

    def _count(self, client: Client, number: int) -> None:
        self.tally.deliveries += 1
        if number == client.highest + 1:
            client.highest = number
        elif number == client.highest:
            self.tally.doubled += 1
        elif number < client.highest:
            self.tally.reordered += 1
        else:
            self.tally.missing += number - client.highest - 1
            client.highest = number

    def close(self) -> None:
        """Hang up."""
        self._epoll.close()
        self._speaker.close()
        for client in self._clients.values():
            client.sock.close()
