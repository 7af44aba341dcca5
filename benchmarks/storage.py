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


def bare_commit(*, commits: int = 300) -> float:
    """The median ms of one durable commit of one row, with nothing of ours around it."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as scratch,
        closing(sqlite3.connect(Path(scratch) / "bare.sqlite3", isolation_level=None)) as log,
    ):
        log.execute("PRAGMA journal_mode=WAL")
        log.execute("PRAGMA synchronous=FULL")
        log.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, json BLOB NOT NULL)")
        taken = []
        for _ in range(commits):
            began = time.perf_counter()
            log.execute("INSERT INTO events (json) VALUES (?)", (b"x" * 300,))
            taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


def publishing(*, seconds: float, rounds: int) -> str:
    """Publish to both stores by turns; the figures are medians over the rounds."""
    rates: dict[tuple[str, int], list[float]] = {}
    halves: dict[tuple[str, int], list[float]] = {}
    lates: dict[tuple[str, int], list[float]] = {}
    bare = []
    for number in range(rounds):
        bare.append(bare_commit())
        for publishers in (1, 8, 64):
            for store in ("sqlite", "memory") if number % 2 == 0 else ("memory", "sqlite"):
                with running(KODAMA.name, environ={"KODAMA_STORE": store}) as (port, _, _):
                    publish(port, publishers=publishers, seconds=0.5)
                    taken = publish(port, publishers=publishers, seconds=seconds)
                case = (store, publishers)
                rates.setdefault(case, []).append(len(taken) / seconds)
                halves.setdefault(case, []).append(median(taken))
                lates.setdefault(case, []).append(quantiles(taken, n=100)[98])
    rows = [
        [store, str(count), f"{median(rates[store, count]):,.0f}", f"{median(halves[store, count]):.2f}",
         f"{median(lates[store, count]):.2f}"]
        for store, count in sorted(rates)
    ]  # fmt: skip
    ratio = figures.ratio_text(rates["sqlite", 64], rates["memory", 64])
    head = ["store", "publishers", "messages per second", "median ms", "99 % within ms"]
    alone = median(one - commit for one, commit in zip(halves["sqlite", 1], bare, strict=True))
    table = figures.table(head, rows)
    return (
        f"{table}\n\n64 publishers, SQLite ÷ memory: {ratio}; the bar is at least 0.5. "
        f"One publisher alone: {alone:.2f} ms above a bare durable commit ({median(bare):.2f} ms) at the "
        "median; the bar is at most 0.5."
    )


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


def report(*, seconds: float, clients: int, rounds: int) -> str:
    """All that the log costs, as Markdown."""
    return "\n\n".join([
        "### What the log costs",
        publishing(seconds=seconds, rounds=rounds),
        storm(clients=clients),
        starting(starts=rounds),
    ])  # fmt: skip


@click.command()
@click.option("--seconds", default=5.0, show_default=True, help="How long each publishing case lasts.")
@click.option("--clients", default=5000, show_default=True, help="Clients of the catch-up storm.")
@click.option("--rounds", default=3, show_default=True, help="How often each case is measured.")
def main(seconds: float, clients: int, rounds: int) -> None:
    """Measure what Kodama's log costs."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    click.echo(report(seconds=seconds, clients=clients, rounds=rounds))


if __name__ == "__main__":
    main()
