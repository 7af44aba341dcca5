"""How long a delivery takes under a steady load: 100 rooms of 10 readers, 1,000 messages a second.

The load is open: a message goes out when it is due, whatever the ones before it do, and its time counts
from then on to the read of each reader. Kodama beside Nchan in turns of one run, and beside both
the commit that Kodama waits for and Nchan does not have: one row, durable, at the same rate.

python -m benchmarks.latency --rounds 5 --write
"""

import heapq
import select
import socket
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import click

from benchmarks import figures
from benchmarks.dialects import PAIRS, POLLING, Dialect
from benchmarks.load import MARK, PATIENCE, Stalled, whole_answer
from benchmarks.run import MODES, PAGE
from benchmarks.servers import running

ROOMS, READERS, RATE, SPEAKERS = 100, 10, 1_000, 8
WARM_SECONDS = 1.0
BEGIN, END = "<!-- latency -->", "<!-- /latency -->"
BAR = 1.25  # of Nchan's p99, and one commit of the store
SHARES = (0.5, 0.99, 0.999)
COMMIT = "one durable commit"


@dataclass(slots=True)
class Reader:
    """One that reads a room; ``data`` is what of an answer has come."""

    sock: socket.socket
    room: int
    data: bytes = b""
    heard: list[int] = field(default_factory=list)


class Load:
    """All readers and speakers of one server, in one thread."""

    def __init__(self, port: int, dialect: Dialect) -> None:
        self._dialect = dialect
        self._epoll = select.epoll()
        self._due: list[float] = []  # of each message
        self.took: list[float] = []  # seconds of each delivery after the warm-up
        self._speakers = [_connected(port) for _ in range(SPEAKERS)]
        self._readers: dict[int, Reader] = {}
        for number in range(ROOMS * READERS):
            reader = Reader(_connected(port), number % ROOMS)
            self._readers[reader.sock.fileno()] = reader
            self._ask(reader)
        time.sleep(1.0)
        for reader in self._readers.values():
            if dialect.mode not in POLLING:
                reader.sock.recv(65536)
                if dialect.greeting:
                    reader.sock.sendall(_in_room(dialect.greeting, reader.room))
                    reader.sock.recv(65536)
            reader.sock.settimeout(0)
            self._epoll.register(reader.sock.fileno(), select.EPOLLIN)
        for speaker in self._speakers:
            speaker.settimeout(0)
            self._epoll.register(speaker.fileno(), select.EPOLLIN)

    def run(self, seconds: float) -> None:
        """Speak for so long, after the warm-up; raises `Stalled` if a reader has not heard all of it once
        and in order."""
        began = time.perf_counter() + 0.1
        total = int((WARM_SECONDS + seconds) * RATE)
        self._due = [began + number / RATE for number in range(total)]
        said = 0
        give_up = self._due[-1] + PATIENCE
        left = total * READERS
        while left:
            now = time.perf_counter()
            if now > give_up:
                raise Stalled(f"{left} deliveries are missing")
            while said < total and self._due[said] <= now:
                self._say(said)
                said += 1
            # Sleeping to the next message's time is not exact enough: the last 0.2 ms are waited for awake.
            pause = (self._due[said] - now - 0.0002) if said < total else 0.1
            for fd, _ in self._epoll.poll(max(0.0, pause)):
                reader = self._readers.get(fd)
                if reader is not None:
                    left -= self._hear(reader)
        for reader in self._readers.values():
            if reader.heard != list(range(reader.room, total, ROOMS)):
                raise Stalled("a reader has not heard all, once and in order")

    def _say(self, number: int) -> None:
        text = f"@@{number:08d}@@".ljust(128, "x")
        speaker = self._speakers[number % SPEAKERS]
        while True:
            try:
                speaker.recv(65536)
            except BlockingIOError:
                break
        speaker.send(_in_room(self._dialect.publish(text), number % ROOMS))

    def _ask(self, reader: Reader, cursor: bytes = b"") -> None:
        reader.sock.send(_in_room(self._dialect.poll(cursor, b""), reader.room))

    def _hear(self, reader: Reader) -> int:
        """Return how many messages it has heard more."""
        data = reader.data + reader.sock.recv(65536)
        now = time.perf_counter()
        if self._dialect.mode in POLLING:
            if not whole_answer(data):
                reader.data = data
                return 0
            reader.data = b""
            self._ask(reader, self._dialect.cursor(data))
        marks = [(int(found[1]), found.end()) for found in MARK.finditer(data)]
        if self._dialect.mode not in POLLING:
            reader.data = data[marks[-1][1] :][-200:] if marks else data[-200:]
        for number, _ in marks:
            reader.heard.append(number)
            if number >= WARM_SECONDS * RATE:
                self.took.append(now - self._due[number])
        return len(marks)

    def close(self) -> None:
        """Hang up."""
        self._epoll.close()
        for sock in [*self._speakers, *(reader.sock for reader in self._readers.values())]:
            sock.close()


def _connected(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _in_room(said: bytes, room: int) -> bytes:
    """The same for another room, whose name is as long, so that every length still holds."""
    return said.replace(b"lobby", b"rm%03d" % room)


def commits(seconds: float) -> list[float]:
    """How long one durable commit of one row takes, at the rate of the messages."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        file = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "CREATE TABLE rows (row)",
        ):
            file.execute(statement)
        began = time.perf_counter()
        for number in range(int(seconds * RATE)):
            time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            start = time.perf_counter()
            file.execute("INSERT INTO rows VALUES (?)", (b"x" * 200,))
            took.append(time.perf_counter() - start)
        file.close()
    return took


def shares(took: Sequence[float]) -> tuple[float, ...]:
    """Return the times in ms within which so many of all came."""
    highest = heapq.nlargest(len(took) // 2 + 1, took)
    return tuple(1000 * highest[int(len(took) * (1 - share))] for share in SHARES)


def take_turns(mode: str, *, rounds: int, seconds: float) -> dict[str, list[tuple[float, ...]]]:
    """Each server in turn, every other round the other way round; what `shares` says of each turn."""
    found: dict[str, list[tuple[float, ...]]] = {COMMIT: []}
    for turn in range(rounds):
        found[COMMIT].append(shares(commits(seconds)))
        for dialect in PAIRS[mode] if turn % 2 == 0 else PAIRS[mode][::-1]:
            with running(dialect.name) as (port, _, _):
                time.sleep(0.5)
                load = Load(port, dialect)
                try:
                    load.run(seconds)
                finally:
                    load.close()
            found.setdefault(dialect.name, []).append(shares(load.took))
            click.echo(
                f"{dialect.name:16} {mode:9} " + " ".join(f"{one:7.2f}" for one in found[dialect.name][-1])
            )
    return found


def report(mode: str, found: dict[str, list[tuple[float, ...]]]) -> str:
    """Return the table of one mode, and its bar."""
    ours, theirs = (dialect.name for dialect in PAIRS[mode])
    rows = []
    for name in (ours, theirs, COMMIT):
        by_share = list(zip(*found[name], strict=True))
        rows.append([name, *(f"{median(one):.2f} ({min(one):.2f} to {max(one):.2f})" for one in by_share)])
    bar = BAR * median(one[1] for one in found[theirs]) + median(one[1] for one in found[COMMIT])
    head = ("", "median ms", "99 % within ms", "99.9 % within ms")
    return f"### {MODES[mode]}\n\n{figures.table(head, rows)}\n\nThe bar for 99 %: {bar:.2f} ms."


@click.command()
@click.option("--rounds", default=5, help="Turns of each server.")
@click.option("--seconds", default=5.0, help="How long each turn speaks.")
@click.option("--mode", "modes", multiple=True, default=("longpoll", "sse", "ws"))
@click.option("--write", is_flag=True, help="Put the tables into performance.md.")
def main(rounds: int, seconds: float, modes: Sequence[str], write: bool) -> None:  # noqa: FBT001 - click's flag
    """Measure how long deliveries take under a steady load."""
    parts = [report(mode, take_turns(mode, rounds=rounds, seconds=seconds)) for mode in modes]
    told = "\n\n".join(
        [f"{rounds} turns of {seconds:.0f} s; the medians of the turns, and their span.", *parts]
    )
    click.echo(told)
    if write:
        page = PAGE.read_text("utf-8")
        before, rest = page.split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{told}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
