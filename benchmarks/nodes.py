"""What one message costs each part of several nodes: the constants of docs/explanation/scaling.md.

python -m benchmarks.nodes prints two Markdown tables. Two nodes share a PostgreSQL and a NATS, all started
here. Publishers speak at one node, in one room or in many; at the other one nobody listens, or one stream
in every room does. CPU is the scheduler's account.
"""

import json
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

import click

from benchmarks import figures, processes
from benchmarks.dialects import KODAMA
from benchmarks.load import PATIENCE, Stalled, whole_answer
from benchmarks.servers import running
from tests import engines

CASES = (
    (1, 1, False), (1, 1, True), (8, 8, False), (64, 1, False), (64, 64, False), (64, 64, True),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The ports of two nodes, where they store, and the processes of everything."""

    ports: tuple[int, int]
    store: str
    pids: dict[str, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one run came to: messages per second and per commit, CPU in us a message of every part."""

    rate: float
    together: float
    cpu_us: dict[str, float]


@contextmanager
def parts() -> Iterator[Parts]:
    """Start everything, and stop it."""
    with ExitStack() as stack:
        postgres = engines.Postgres()
        stack.callback(postgres.close)
        broker = engines.nats_server()
        stack.callback(broker.stop)
        environ = {"KODAMA_STORE": postgres.schema(), "KODAMA_BUS": broker.url}
        started = [stack.enter_context(running(KODAMA.name, environ=environ)) for _ in range(2)]
        (one, first, _), (other, second, _) = started
        yield Parts(ports=(one, other), store=environ["KODAMA_STORE"], pids={
            "publishing node": [first], "hearing node": [second], "NATS": [broker.process.pid],
            "PostgreSQL": [postgres.pid],
        })  # fmt: skip


def _said(room: str) -> bytes:
    body = json.dumps({"text": "x" * 128}).encode()
    return (
        f"POST /v1/rooms/{room}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _commits(port: int) -> tuple[float, float]:
    """Return how many messages a node has committed, in how many commits."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
    return float(lines["kodama_commit_size_sum"]), float(lines["kodama_commit_size_count"])


class Street:
    """Publishers at one node, each of which speaks again when it is answered; streams at the other."""

    def __init__(
        self, there: Parts, *, publishers: int, rooms: Sequence[str], listening: Sequence[str]
    ) -> None:
        self._selector = selectors.EpollSelector()
        self._open: list[socket.socket] = []
        self.answered = 0
        for room in listening:
            stream = self._connect(there.ports[1], None)
            stream.sendall(
                f"GET /v1/rooms/{room}/events?since=now HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                "Accept: text/event-stream\r\n\r\n".encode()
            )
        said = [_said(rooms[number % len(rooms)]) for number in range(publishers)]
        self._speakers = [(self._connect(there.ports[0], one), one) for one in said]

    def _connect(self, port: int, again: bytes | None) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._open.append(sock)
        self._selector.register(sock, selectors.EVENT_READ, again)
        return sock

    def begin(self) -> None:
        """Let everybody speak."""
        for sock, said in self._speakers:
            sock.sendall(said)

    def run(self, seconds: float) -> int:
        """Go on for a while; the number of messages that were acknowledged."""
        before, end = self.answered, time.perf_counter() + seconds
        while time.perf_counter() < end:
            for key, _ in self._selector.select(0.2):
                self._hear(key.fileobj, key.data)
        return self.answered - before

    def _hear(self, sock: socket.socket, again: bytes | None) -> None:
        answer = sock.recv(262144)
        if again is None:
            if not answer:
                raise Stalled("a stream was closed")
            return
        if not answer.startswith(b"HTTP/1.1 2") or not whole_answer(answer):
            raise Stalled(f"publishing was answered {answer[:200]!r}")
        self.answered += 1
        sock.sendall(again)

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        for sock in self._open:
            sock.close()


def measure(there: Parts, *, publishers: int, rooms: int, hearing: bool, seconds: float) -> Spent:
    """Publish for ``seconds``."""
    names = [f"street-{publishers}-{rooms}-{int(hearing)}-{number}" for number in range(rooms)]
    street = Street(there, publishers=publishers, rooms=names, listening=names if hearing else ())
    try:
        street.begin()
        street.run(1.0)
        before = {name: processes.cpu_ns(_all(pids)) for name, pids in there.pids.items()}
        rows, commits = _commits(there.ports[0])
        began = time.perf_counter()
        said = street.run(seconds)
        lasted = time.perf_counter() - began
        more_rows, more_commits = _commits(there.ports[0])
        spent = {name: processes.cpu_ns(_all(pids)) - before[name] for name, pids in there.pids.items()}
    finally:
        street.close()
    together = (more_rows - rows) / (more_commits - commits)
    each = {name: ns / 1000 / said for name, ns in spent.items()}
    return Spent(rate=said / lasted, together=together, cpu_us=each)


def busy_broker(*, copies: int, seconds: float) -> tuple[float, float]:
    """Keep a NATS busy from eight connections; frames a second, and its CPU in us a frame with ``copies``."""
    broker = engines.nats_server()
    try:
        hearing = [_nats(broker.port, b"SUB it 1\r\n") for _ in range(copies)]
        speaking = [_nats(broker.port, b"") for _ in range(8)]
        selector = selectors.EpollSelector()
        for sock in (*hearing, *speaking):
            selector.register(sock, selectors.EVENT_READ)
        frame, said = b"PUB it 400\r\n" + b"x" * 400 + b"\r\n", 0
        before, began = processes.cpu_ns([broker.process.pid]), time.perf_counter()
        while time.perf_counter() < began + seconds:
            for sock in speaking:
                sock.sendall(frame)
            said += len(speaking)
            for key, _ in selector.select(0):
                if b"PING" in key.fileobj.recv(1 << 20):
                    key.fileobj.sendall(b"PONG\r\n")
        spent, lasted = processes.cpu_ns([broker.process.pid]) - before, time.perf_counter() - began
        for sock in (*hearing, *speaking):
            sock.close()
    finally:
        broker.stop()
    return said / lasted, spent / 1000 / said


def _nats(port: int, then: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    sock.sendall(b'CONNECT {"verbose":false}\r\n' + then + b"PING\r\n")
    while b"PONG" not in sock.recv(65536):
        pass
    return sock


def _all(pids: Sequence[int]) -> list[int]:
    return [one for pid in pids for one in processes.tree(pid)]


@click.command()
@click.option("--seconds", default=4.0, show_default=True, help="How long each run takes.")
def main(*, seconds: float) -> None:
    """Print what a message costs each part."""
    rows = []
    with parts() as there:
        for publishers, rooms, hearing in CASES:
            spent = measure(there, publishers=publishers, rooms=rooms, hearing=hearing, seconds=seconds)
            rows.append([
                str(publishers), str(rooms), "one in each room" if hearing else "nobody",
                f"{spent.rate:,.0f}", f"{spent.together:.1f}",
                *(f"{spent.cpu_us[name]:.0f}" for name in there.pids),
            ])  # fmt: skip
        head = ["publishers", "rooms", "listening at the other node", "messages per second",
                "messages a commit", *(f"CPU µs a message: {name}" for name in there.pids)]  # fmt: skip
    click.echo(figures.table(head, rows))
    rows = []
    for copies in (0, 1, 8):
        rate, cpu = busy_broker(copies=copies, seconds=seconds)
        rows.append([str(copies), f"{rate:,.0f}", f"{cpu:.1f}"])
    click.echo("\n" + figures.table(["copies", "frames a second", "CPU µs a frame: a busy NATS"], rows))


if __name__ == "__main__":
    main()
