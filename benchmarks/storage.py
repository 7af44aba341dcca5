"""What the log costs: publishing by 1, 8 and 64, clients far behind that come back, a start on a big file.

python -m benchmarks.storage prints Markdown tables; it measures Kodama alone.
"""

import resource
import selectors
import socket
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles

import click

from benchmarks import figures
from benchmarks.dialects import KODAMA
from benchmarks.load import PATIENCE, Stalled, whole_answer
from benchmarks.servers import running

STORED = 1_000_000
ROOMS = 100


def publish(port: int, *, publishers: int, seconds: float) -> list[float]:
    """Each publisher sends its next message when the last one is answered; the latencies in ms."""
    selector, latencies = selectors.EpollSelector(), list[float]()
    sent: dict[object, float] = {}
    request = KODAMA.publish("x" * 128)
    speakers = [socket.create_connection(("127.0.0.1", port)) for _ in range(publishers)]
    for speaker in speakers:
        selector.register(speaker, selectors.EVENT_READ, speaker)
        sent[speaker] = time.perf_counter()
        speaker.sendall(request)
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop:
        for key, _ in selector.select(PATIENCE):
            speaker = key.data
            answer = speaker.recv(65536)
            if not answer.startswith(b"HTTP/1.1 2") or not whole_answer(answer):
                raise Stalled(f"publishing was answered {answer[:200]!r}")
            now = time.perf_counter()
            latencies.append((now - sent[speaker]) * 1000)
            sent[speaker] = now
            speaker.sendall(request)
    for speaker in speakers:
        speaker.close()
    selector.close()
    return latencies


def publishing(*, seconds: float) -> str:
    rows = []
    for store in ("sqlite", "memory"):
        for publishers in (1, 8, 64):
            with running(KODAMA.name, environ={"KODAMA_STORE": store}) as (port, _, _):
                publish(port, publishers=publishers, seconds=0.5)
                taken = publish(port, publishers=publishers, seconds=seconds)
            late = quantiles(taken, n=100)[98]
            rate = f"{len(taken) / seconds:,.0f}"
            rows.append([store, str(publishers), rate, f"{median(taken):.2f}", f"{late:.2f}"])
    return figures.table(["store", "publishers", "messages per second", "median ms", "99 % within ms"], rows)


def ask(connection: socket.socket, request: bytes) -> bytes:
    """One request on its own connection, and its whole answer."""
    connection.sendall(request)
    received = b""
    while not whole_answer(received):
        more = connection.recv(262144)
        if not more:
            raise Stalled("the server closed the connection")
        received += more
    return received


def _reads(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        for line in ask(connection, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").splitlines():
            if line.startswith(b"kodama_store_reads_total "):
                return int(float(line.split()[1]))
    raise Stalled("the metrics do not count the store's reads")


def storm(*, clients: int) -> str:
    """All ask for the same 100 messages at once, against a server that has just started again."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        with running(KODAMA.name, folder=folder) as (port, _, _), closing(
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        ) as speaker:
            for number in range(101):
                ask(speaker, KODAMA.publish(f"{number:08d}".ljust(128, "x")))
        request = b"GET /v1/rooms/lobby/events?since=after:1&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with running(KODAMA.name, folder=folder) as (port, _, _):
            before, began = _reads(port), time.perf_counter()
            connections = [
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(clients)
            ]
            for connection in connections:
                connection.sendall(request)
            whole = sum(_hear_all(one).count(b'"offset":') == 100 for one in connections)
            took = time.perf_counter() - began
            reads = _reads(port) - before
            for connection in connections:
                connection.close()
    rows = [[f"{clients:,}", str(whole), str(reads), f"{took:.2f}"]]
    head = ["clients 100 messages behind", "got all 100", "store reads", "seconds for all"]
    return figures.table(head, rows)


def _hear_all(connection: socket.socket) -> bytes:
    received = b""
    while not whole_answer(received):
        received += connection.recv(262144)
    return received


def fill(file: Path, *, events: int) -> None:
    """Copy the one stored event until there are ``events``, over many rooms."""
    with closing(sqlite3.connect(file)) as log, log:
        room, epoch = log.execute("SELECT room_id, epoch FROM events").fetchone()
        columns = [row[1] for row in log.execute("PRAGMA table_info(rooms)") if row[1] not in ("id", "name")]
        copied = ", ".join(columns)
        log.executemany(
            f"INSERT INTO rooms (name, {copied}) SELECT ?, {copied} FROM rooms WHERE id = ?",  # our columns
            [(f"room-{number}", room) for number in range(ROOMS)],
        )
        log.execute("INSERT INTO epochs SELECT id, 1, ? FROM rooms WHERE id <> ?", (epoch, room))
        log.execute(
            "WITH RECURSIVE n(o) AS (SELECT 1 UNION ALL SELECT o + 1 FROM n WHERE o < ?)"
            " INSERT INTO events SELECT r.id, n.o, e.epoch, e.time, e.kind, e.target, e.mark, e.json"
            " FROM rooms r, n, events e WHERE r.id <> ? AND e.room_id = ?",
            (events // ROOMS, room, room),
        )


def _start(folder: Path) -> float:
    with running(KODAMA.name, folder=folder) as (port, _, took):
        with closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as speaker:
            ask(speaker, KODAMA.publish("x" * 128))
        return took


def starting(*, starts: int) -> str:
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        empty = _start(folder)
        rows.append(["empty", "1", f"{empty:.2f}"])
        fill(folder / "data" / "kodama.sqlite3", events=STORED)
        took = median(_start(folder) for _ in range(starts))
        rows.append([f"{STORED:,} events", str(starts), f"{took:.2f}"])
    return figures.table(["log", "starts", "seconds until it accepts"], rows)


@click.command()
@click.option("--seconds", default=5.0, show_default=True, help="How long each publishing case lasts.")
@click.option("--clients", default=5000, show_default=True, help="Clients of the catch-up storm.")
def main(seconds: float, clients: int) -> None:
    """Measure what Kodama's log costs."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    click.echo(publishing(seconds=seconds) + "\n")
    click.echo(storm(clients=clients) + "\n")
    click.echo(starting(starts=3))


if __name__ == "__main__":
    main()
