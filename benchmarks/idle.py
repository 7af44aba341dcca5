"""People who are there and say nothing: what it costs to let them wait.

python -m benchmarks.idle --waiting 10000 --seconds 60

Every client of Kodama has a session, a ``client`` and presence in one room, and leaves the hold to the
server; every client of Nchan waits as long as Kodama's default hold, and they come evenly spread. Nobody
publishes, so every answer is a hold that ran out, and the next poll.
"""

import json
import resource
import select
import socket
import time
from dataclasses import dataclass

import click

from benchmarks import processes
from benchmarks.dialects import KODAMA, NCHAN, Dialect
from benchmarks.load import PATIENCE, browser_headers, whole_answer
from benchmarks.servers import running

HOLD = 25
SETTLED = 75.0  # seconds after which presence has told of everybody who came


@dataclass(slots=True)
class Idle:
    """One who waits: what it sends before and after its cursor, and what has come."""

    sock: socket.socket
    before: bytes
    after: bytes
    cursor: bytes = b""
    received: bytes = b""


class Waiting:
    """All who wait at one server."""

    def __init__(self, port: int, dialect: Dialect, size: int) -> None:
        self.answers = self.events = self.reconnects = 0
        self._port, self._dialect = port, dialect
        self._epoll = select.epoll()
        self._clients: dict[int, Idle] = {}
        began = time.monotonic()
        for number in range(size):
            before, after = self._request(number)
            self._connect(Idle(self._socket(), before, after))
            # Spread over a hold, as people come; all at once would be answered all at once.
            self.serve(max(0.0, began + HOLD * (number + 1) / size - time.monotonic()))

    def _socket(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _connect(self, client: Idle) -> None:
        client.sock.settimeout(PATIENCE)
        self._clients[client.sock.fileno()] = client
        self._epoll.register(client.sock.fileno(), select.EPOLLIN)
        self._ask(client)

    def _request(self, number: int) -> tuple[bytes, bytes]:
        extra = browser_headers(number)
        if self._dialect is not KODAMA:
            before, _, after = self._dialect.poll(b"\0", extra).partition(b"\0")
            return before, after
        token = self._token(number).encode()
        query = b"&client=idle-%08d&presence=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n" % number
        fields = b"Authorization: Bearer " + token + b"\r\n" + extra + b"\r\n"
        return b"GET /v1/rooms/lobby/events?since=", query + fields

    def _token(self, number: int) -> str:
        body = json.dumps({"name": f"Idle {number}"}).encode()
        head = b"POST /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        with self._socket() as sock:
            sock.sendall(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
        return str(json.loads(answer.partition(b"\r\n\r\n")[2])["token"])

    def _ask(self, client: Idle) -> None:
        if self._dialect is KODAMA:
            client.sock.sendall(client.before + (client.cursor or b"now") + client.after)
        elif client.cursor:
            client.sock.sendall(self._dialect.poll(client.cursor, client.after))
        else:
            client.sock.sendall(self._dialect.poll(b"", b""))

    def serve(self, seconds: float) -> None:
        """Let them poll on for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for fd, _ in self._epoll.poll(left):
                self._hear(self._clients[fd])

    def _hear(self, client: Idle) -> None:
        try:
            data = client.sock.recv(65536)
        except ConnectionError:
            data = b""
        client.received += data
        length = whole_answer(client.received)
        if length:
            answer, client.received = client.received[:length], b""
            self.answers += 1
            self.events += b'"events":[]' not in answer and self._dialect is KODAMA
            client.cursor = self._dialect.cursor(answer) or client.cursor
        if not data or b"\r\nConnection: close" in client.received:
            self._again(client)
        elif length:
            self._ask(client)

    def _again(self, client: Idle) -> None:
        """Connect anew: the server has closed."""
        self.reconnects += 1
        self._epoll.unregister(client.sock.fileno())
        del self._clients[client.sock.fileno()]
        client.sock.close()
        client.sock, client.received = self._socket(), b""
        self._connect(client)

    def close(self) -> None:
        """Hang up."""
        self._epoll.close()
        for client in self._clients.values():
            client.sock.close()


def measure(dialect: Dialect, *, waiting: int, seconds: float) -> dict[str, float]:
    """What a fresh server does while they wait: CPU in percent of a core, and per answered poll."""
    with running(dialect.name, hold=HOLD) as (port, pid, _):
        time.sleep(0.5)  # nginx forks its worker after it listens
        pids = processes.tree(pid)
        crowd = Waiting(port, dialect, waiting)
        try:
            crowd.serve(SETTLED if dialect is KODAMA else HOLD)
            crowd.answers = crowd.events = crowd.reconnects = 0
            before, began = processes.cpu_ns(pids), time.monotonic()
            crowd.serve(seconds)
            spent, took = processes.cpu_ns(pids) - before, time.monotonic() - began
        finally:
            crowd.close()
    return {
        "polls_per_second": crowd.answers / took,
        "cpu_percent": spent / took / 1e7,
        "cpu_us_per_poll": spent / 1000 / max(1, crowd.answers),
        "with_events": crowd.events,
        "reconnects": crowd.reconnects,
    }


@click.command()
@click.option("--waiting", default=10_000, show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="How long each is measured.")
def main(*, waiting: int, seconds: float) -> None:
    """Let people wait at Kodama and at Nchan, in turn."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for dialect in (KODAMA, NCHAN):
        found = measure(dialect, waiting=waiting, seconds=seconds)
        click.echo(f"{dialect.name}: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
