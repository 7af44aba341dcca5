"""What a shared database and a bus cost where it shows: durable publishes beside pgbench, and the last of
many readers on several nodes.

python -m benchmarks.durable prints two Markdown tables. pgbench writes the very rows that a message
is, a transaction each, over as many connections as there are publishers. Everything is started here.
"""

import re
import selectors
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import click

from benchmarks import figures
from benchmarks.dialects import KODAMA
from benchmarks.load import PATIENCE, Stalled
from benchmarks.nodes import Parts, Street, parts
from benchmarks.servers import running
from kodama.store.postgres.terms import terms
from tests import engines

CROWD = (1, 8, 64)
READERS = 3_000
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_JSON = (
    '{"type":"message","room":"r","offset":1,"epoch":"abcdefgh","id":"01935f3e-0000-7000-8000-000000000000",'
    '"time":"2026-11-25T00:00:00.000Z","author":{"id":"g_12345678","name":"Guest","kind":"guest"},'
    f'"text":"{"x" * 128}","data":null}}'
)


def script() -> str:
    """Return a message as pgbench writes it: the room's lock, the event with its words, the new top."""
    words = terms(1, _JSON.encode()).replace("'", "''")
    room = "WHERE name = 'bench' || :client_id::text"
    return "\n".join((
        "BEGIN;",
        f"SELECT name, swept, id, top, time, epoch FROM kodama_rooms {room} FOR UPDATE;",
        "INSERT INTO kodama_events SELECT id, top + 1, 'abcdefgh', "
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint, 'message', NULL, NULL, "
        f"'\\x{_JSON.encode().hex()}'::bytea, '{words}'::tsvector FROM kodama_rooms {room};",
        f"UPDATE kodama_rooms SET top = top + 1, time = 1, epoch = 'abcdefgh' {room};",
        "COMMIT;",
    ))  # fmt: skip


def pgbench(url: str, *, clients: int, seconds: float) -> float:
    """Return how many messages a second pgbench writes over ``clients`` connections."""
    rooms = (
        "INSERT INTO kodama_rooms (name) SELECT 'bench' || n FROM generate_series(0, 63) AS n "
        "ON CONFLICT DO NOTHING"
    )
    subprocess.run(["psql", "-q", "-c", rooms, url], check=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "message.sql").write_text(script())
        done = subprocess.run(
            ["pgbench", "-n", "-M", "prepared", "-f", f"{folder}/message.sql", "-c", str(clients), "-j", "2",
             "-T", str(max(1, round(seconds))), url],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    found = _TPS.search(done.stdout)
    assert found is not None, done.stdout
    return float(found.group(1))


def node(there: Parts, *, publishers: int, seconds: float) -> float:
    """Return how many messages a second a node acknowledges to ``publishers``, each in an own room."""
    rooms = [f"durable-{publishers}-{number}" for number in range(publishers)]
    street = Street(there, publishers=publishers, rooms=rooms, listening=())
    try:
        street.begin()
        street.run(1.0)
        began = time.perf_counter()
        said = street.run(seconds)
        return said / (time.perf_counter() - began)
    finally:
        street.close()


def beside_pgbench(*, seconds: float, rounds: int) -> str:
    """Compare them by turns."""
    lines = []
    with parts() as there:
        for publishers in CROWD:
            pairs = [
                (node(there, publishers=publishers, seconds=seconds),
                 pgbench(there.store, clients=publishers, seconds=seconds))
                for _ in range(rounds)
            ]  # fmt: skip
            ours, theirs = median(one for one, _ in pairs), median(other for _, other in pairs)
            lines.append((f"{publishers}", f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.2f}"))
    head = ("publishers, connections", "a node, messages/s", "pgbench, messages/s", "ratio")
    return figures.table(head, lines)


def to_the_last(*, nodes: int, readers: int, messages: int) -> list[float]:
    """Return the ms from a publish to the last of ``readers``, streams on ``nodes`` nodes by turns."""
    with ExitStack() as stack:
        postgres = engines.Postgres()
        stack.callback(postgres.close)
        broker = engines.nats_server()
        stack.callback(broker.stop)
        environ = {"KODAMA_STORE": postgres.schema(), "KODAMA_BUS": broker.url}
        ports = [stack.enter_context(running(KODAMA.name, environ=environ))[0] for _ in range(nodes)]
        selector = stack.enter_context(selectors.EpollSelector())
        for number in range(readers):
            place = ("127.0.0.1", ports[number % nodes])
            sock = stack.enter_context(socket.create_connection(place, PATIENCE))
            sock.sendall(
                b"GET /v1/rooms/hall/events?since=now HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Accept: text/event-stream\r\n\r\n"
            )
            selector.register(sock, selectors.EVENT_READ)
        _until_all_heard(selector, readers, b"ready")
        speaker = stack.enter_context(socket.create_connection(("127.0.0.1", ports[0]), PATIENCE))
        return [_one(speaker, selector, readers, number) for number in range(messages)]


def _one(speaker: socket.socket, selector: selectors.EpollSelector, readers: int, number: int) -> float:
    mark = f"message-{number:06d}".encode()
    body = b'{"text":"%b"}' % mark
    began = time.perf_counter()
    speaker.sendall(
        b"POST /v1/rooms/hall/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    _until_all_heard(selector, readers, mark)
    lasted = (time.perf_counter() - began) * 1000
    if not speaker.recv(65536).startswith(b"HTTP/1.1 2"):
        raise Stalled("publishing was refused")
    return lasted


def _until_all_heard(selector: selectors.EpollSelector, readers: int, mark: bytes) -> None:
    heard: set[int] = set()
    end = time.perf_counter() + PATIENCE
    while len(heard) < readers:
        if time.perf_counter() > end:
            raise Stalled(f"only {len(heard)} of {readers} readers heard")
        for key, _ in selector.select(1.0):
            if mark in key.fileobj.recv(65536):
                heard.add(key.fd)


def crowd(*, readers: int, messages: int, rounds: int) -> str:
    """Compare one node with three, by turns."""
    found: dict[int, list[float]] = {1: [], 3: []}
    for _ in range(rounds):
        for nodes, times in found.items():
            times += to_the_last(nodes=nodes, readers=readers, messages=messages)
    lines = []
    for nodes, times in found.items():
        ranked = sorted(times)
        lines.append((f"{nodes}", f"{median(ranked):.0f}", f"{ranked[int(len(ranked) * 0.99)]:.0f}"))
    return figures.table(("nodes", f"to the last of {readers:,} readers, median ms", "p99 ms"), lines)


@click.command()
@click.option("--seconds", default=5.0, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--readers", default=READERS, show_default=True)
@click.option("--messages", default=100, show_default=True, help="In each round.")
def main(seconds: float, rounds: int, readers: int, messages: int) -> None:
    """Print both tables."""
    print(beside_pgbench(seconds=seconds, rounds=rounds))
    print(crowd(readers=readers, messages=messages, rounds=rounds))


if __name__ == "__main__":
    main()
