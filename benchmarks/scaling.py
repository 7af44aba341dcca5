"""What many readers, rooms and messages need: a cost model, and a simulation that checks it.

python -m benchmarks.scaling prints the table of docs/explanation/scaling.md; --write puts it there. One
cell is simulated: nodes, one database and one broker, queues all of them. Rooms are spread over cells by a
map, cells know nothing of each other, and so one of them stands for all. The constants were measured on one
machine by benchmarks.run, benchmarks.idle and benchmarks.nodes; nothing is fitted to what comes out.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles

import click

from benchmarks import figures

PAGE = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "scaling.md"
BEGIN, END = "<!-- table -->", "<!-- /table -->"
FEWEST, SECONDS = 1500, 0.5  # simulated: so many messages, or so long


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What was measured: CPU in us, unless the name says otherwise. The last three are choices."""

    delivery: float = 11.0  # an answer to a poll with a browser's fields, and the next poll taken
    quiet_poll: float = 37.6  # a hold that runs out, and the next poll
    hold_seconds: float = 25.0
    message: float = 60.0  # a publish at the node that takes it, and
    commit: float = 968.0  # that node's work for a transaction, however many messages are in it
    frame: float = 45.0  # a message of another node, before its deliveries; and
    wake: float = 295.0  # what it costs more if the node has nothing else to do
    row: float = 8.0  # a message in the database, and
    transaction: float = 486.0  # a transaction there
    commit_ms: float = 10.0  # what a transaction lasts
    broker: float = 1.3  # a frame into a busy broker, and each copy out of it
    database_cores: int = 16
    broker_cores: int = 4
    connections: int = 15_000


@dataclass(frozen=True, slots=True)
class Load:
    """Readers, rooms and messages a second, of everything; in ``cells`` with ``nodes`` each."""

    name: str
    readers: int
    rooms: int
    rate: float = field(kw_only=True)
    cells: int = field(kw_only=True)
    nodes: int = field(kw_only=True)

    @property
    def audience(self) -> float:
        """Readers of one room."""
        return self.readers / self.rooms

    @property
    def listening(self) -> float:
        """Nodes of a cell with somebody in a given room, if readers go anywhere in it."""
        return self.nodes * float(1 - (1 - 1 / self.nodes) ** self.audience)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How busy each part is, 1 being all it can do, and what fills up first."""

    node: float
    database: float
    broker: float
    connections: float

    @property
    def first(self) -> str:
        """What breaks first."""
        named = {"a node's CPU": self.node, "the database": self.database, "the broker": self.broker,
                 "connections": self.connections}  # fmt: skip
        return max(named, key=lambda name: named[name])


COSTS = Costs()
PLANS = (
    Load("10,000 readers, 100 rooms, 100 messages/s", 10_000, 100, rate=100, cells=1, nodes=2),
    Load("a million readers, 100,000 rooms, 1,000 messages/s", 10**6, 100_000, rate=1e3, cells=1, nodes=100),
    Load("a million readers, 10,000 rooms, 10,000 messages/s", 10**6, 10_000, rate=1e4, cells=1, nodes=100),
    Load("the same", 10**6, 10_000, rate=10_000, cells=10, nodes=10),
    Load("one room of 500,000, 1 message/s", 500_000, 1, rate=1, cells=1, nodes=50),
    Load("one room of 500,000, 10 messages/s", 500_000, 1, rate=10, cells=1, nodes=50),
    Load("the same", 500_000, 1, rate=10, cells=1, nodes=100),
    Load("500,000 readers, 50,000 rooms, 100,000 messages/s", 500_000, 50_000, rate=1e5, cells=1, nodes=100),
    Load("the same", 500_000, 50_000, rate=100_000, cells=20, nodes=5),
)


def background(load: Load, costs: Costs) -> float:
    """Return the share of a node that quiet polls take."""
    return load.readers / load.cells / load.nodes / costs.hold_seconds * costs.quiet_poll / 1e6


def shares(load: Load, costs: Costs) -> Shares:
    """Return what the cost model says of one cell."""
    rate, others = load.rate / load.cells, load.listening * (1 - 1 / load.nodes)
    each = rate / load.nodes
    together = max(1.0, each * costs.commit_ms / 1000)
    delivering = others * costs.frame + load.audience * costs.delivery
    at_node = costs.message + costs.commit / together + delivering
    busy = each * at_node / 1e6 + background(load, costs)
    # What a commit tells one other node comes together, and wakes it once.
    told = 1 - (1 - others / max(1, load.nodes - 1)) ** together
    waking = (load.nodes - 1) * each / together * told * costs.wake / 1e6  # were it always idle
    return Shares(
        node=max(busy, (busy + waking) / (1 + waking)) if busy < 1 else busy,
        database=rate * (costs.transaction / together + costs.row) / 1e6 / costs.database_cores,
        broker=rate * (1 + others) * costs.broker / 1e6 / costs.broker_cores,
        connections=load.readers / load.cells / load.nodes / costs.connections,
    )


class Queue:
    """Something with ``width`` cores that does one thing after the other. Seconds."""

    def __init__(self, *, width: int = 1, slower: float = 1.0) -> None:
        self._free = [0.0] * width
        self._slower = slower
        self.busy = 0.0

    def take(self, now: float, seconds: float, *, wake: float = 0.0) -> float:
        """Return when what arrives ``now`` is done; it takes ``wake`` longer if there is nothing else."""
        if self._free[0] <= now:
            seconds += wake
        self.busy += seconds
        done = max(now, heapq.heappop(self._free)) + seconds * self._slower
        heapq.heappush(self._free, done)
        return done


class Said:
    """One message: its room, when it was sent, and when the last reader had it."""

    __slots__ = ("heard", "room", "sent")

    def __init__(self, *, room: int, sent: float) -> None:
        self.room = room
        self.sent = self.heard = sent


class Cell:
    """Nodes, one database, one broker. What happens is taken in the order of its times."""

    def __init__(self, load: Load, costs: Costs, random: Random) -> None:
        self._load, self._costs, self._random = load, costs, random
        slower = 1 / (1 - background(load, costs))
        self.nodes = [Queue(slower=slower) for _ in range(load.nodes)]
        self.database = Queue(width=costs.database_cores)
        self.broker = Queue(width=costs.broker_cores)
        self._waiting: list[list[Said]] = [[] for _ in range(load.nodes)]
        self._writing = [False] * load.nodes
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = 0
        self._audiences: dict[int, dict[int, int]] = {}

    def run(self, messages: int) -> list[Said]:
        """Let so many messages come at random times, and return them when all are heard."""
        now, rate = 0.0, self._load.rate / self._load.cells
        rooms = max(1, self._load.rooms // self._load.cells)
        said = []
        for _ in range(messages):
            now += self._random.expovariate(rate)
            said.append(Said(room=int(self._random.random() * rooms), sent=now))
            node = int(self._random.random() * self._load.nodes)
            self._plan(now, partial(self._publish, node, said[-1]))
        while self._agenda:
            now, _, happens = heapq.heappop(self._agenda)
            happens(now)
        return said

    def _plan(self, when: float, happens: Callable[[float], None]) -> None:
        self._number += 1
        heapq.heappush(self._agenda, (when, self._number, happens))

    def _publish(self, node: int, said: Said, now: float) -> None:
        self._plan(self.nodes[node].take(now, self._costs.message / 1e6), partial(self._queue, node, said))

    def _queue(self, node: int, said: Said, now: float) -> None:
        self._waiting[node].append(said)
        if not self._writing[node]:
            self._write(node, now)

    def _write(self, node: int, now: float) -> None:
        """Commit all that waits, as a node's one writing thread does."""
        group, self._waiting[node] = self._waiting[node], []
        self._writing[node] = bool(group)
        if not group:
            return
        costs = self._costs
        began = self.nodes[node].take(now, costs.commit / 1e6)
        done = self.database.take(began, (costs.transaction + costs.row * len(group)) / 1e6)
        self._plan(max(done, began + costs.commit_ms / 1000), partial(self._written, node, group))

    def _written(self, node: int, group: list[Said], now: float) -> None:
        for said in group:
            hearing = self._audience(said.room)
            told = self.broker.take(now, (1 + len(hearing.keys() - {node})) * self._costs.broker / 1e6)
            for one, readers in hearing.items():
                delivering = readers * self._costs.delivery / 1e6
                if one == node:
                    said.heard = max(said.heard, self.nodes[node].take(now, delivering))
                else:
                    self._plan(told, partial(self._hear, one, said, self._costs.frame / 1e6 + delivering))
        self._write(node, now)

    def _hear(self, node: int, said: Said, work: float, now: float) -> None:
        """Take a frame of another node and tell everybody here."""
        done = self.nodes[node].take(now, work, wake=self._costs.wake / 1e6)
        said.heard = max(said.heard, done)

    def _audience(self, room: int) -> dict[int, int]:
        """Return how many of a room's readers are at each node that has any."""
        if room not in self._audiences:
            nodes, readers = self._load.nodes, round(self._load.audience)
            # Evenly where there are many, by chance where there are few.
            each, rest = divmod(readers, nodes) if readers > 100 * nodes else (0, readers)
            found = dict.fromkeys(range(nodes), each) if each else {}
            for _ in range(rest):
                one = int(self._random.random() * nodes)
                found[one] = found.get(one, 0) + 1
            self._audiences[room] = found
        return self._audiences[room]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the simulation came to: how busy a node and the others were, ms to the last reader."""

    node: float
    database: float
    broker: float
    half_ms: float
    most_ms: float
    growing: bool  # later messages are ever later: it cannot keep up


def simulate(load: Load, costs: Costs, *, messages: int, seed: int = 2011) -> Seen:
    """Send ``messages`` through one cell; the first tenth warms it up."""
    cell = Cell(load, costs, Random(seed))
    said = cell.run(messages)
    lasted = said[-1].sent
    late = [(one.heard - one.sent) * 1000 for one in said[messages // 10 :]]
    third = len(late) // 3
    return Seen(
        node=sum(node.busy for node in cell.nodes) / load.nodes / lasted + background(load, costs),
        database=cell.database.busy / lasted / costs.database_cores,
        broker=cell.broker.busy / lasted / costs.broker_cores,
        half_ms=median(late), most_ms=quantiles(late, n=100)[98],
        growing=median(late[-third:]) > 1.5 * median(late[:third]) + costs.commit_ms,
    )  # fmt: skip


def enough(load: Load) -> int:
    """Return how many messages have to be simulated until queues are what they will stay."""
    return max(FEWEST, round(load.rate / load.cells * SECONDS))


def _row(load: Load) -> list[str]:
    model, seen = shares(load, COSTS), simulate(load, COSTS, messages=enough(load))
    both = ((model.node, seen.node), (model.database, seen.database), (model.broker, seen.broker))
    late = "ever later" if seen.growing else f"{seen.half_ms:,.0f} · {seen.most_ms:,.0f}"
    return [
        load.name, f"{load.cells} of {load.nodes}", *(f"{a:.0%} · {b:.0%}" for a, b in both),
        f"{model.connections:.0%}", late, model.first,
    ]  # fmt: skip


def table() -> str:
    """The table of the page."""
    head = ["load", "cells of nodes", "node's CPU: model · simulated", "database", "broker", "connections",
            "ms to the last reader: half · 99 %", "fills up first"]  # fmt: skip
    return figures.table(head, [_row(load) for load in PLANS])


@click.command()
@click.option("--write", "keep", is_flag=True, help="Put the table into the page.")
def main(*, keep: bool) -> None:
    """Print what is needed for how much."""
    text = table()
    if keep:
        page = PAGE.read_text("utf-8")
        PAGE.write_text(f"{page.split(BEGIN)[0]}{BEGIN}\n{text}\n{END}{page.split(END)[1]}", "utf-8")
    click.echo(text)


if __name__ == "__main__":
    main()
