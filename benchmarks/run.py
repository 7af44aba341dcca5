"""One benchmark run: the servers take turns; the result goes to performance.md, a chart, a JSON file.

python -m benchmarks --quick
python -m benchmarks --pairs 7 --waiting 1000 --waiting 10000 --write
python -m benchmarks --workers 2 --mode longpoll --mode sse --mode ws --waiting 1000 --write
python -m benchmarks --bars --write    (what the bars speak of, every transport, in about 12 minutes)
"""

import json
import os
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import click

from benchmarks import figures, processes, storage
from benchmarks.dialects import AIOHTTP, KODAMA, NCHAN, OLD, PAIRS, POLLING, TORNADO, Dialect
from benchmarks.load import Crowd, Stalled
from benchmarks.servers import ROOT, running

PAGE = ROOT / "docs" / "explanation" / "performance.md"
CHART = ROOT / "docs" / "images" / "cpu-per-delivery.svg"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
WORKERS_BEGIN, WORKERS_END = "<!-- workers -->", "<!-- /workers -->"
SLOW = (OLD, AIOHTTP, TORNADO)
BARS = {
    ("longpoll", 1000): 0.85, ("longpoll", 10_000): 0.95, ("sse", 1000): 0.8, ("sse", 10_000): 0.8,
    ("ws", 1000): 1.1, ("ws", 10_000): 1.1,
}  # fmt: skip
MEMORY_BAR = 0.4
MODES = {
    "longpoll": "Long poll", "present": "Long poll with a client and presence",
    "sse": "Server-sent events", "ws": "WebSocket",
}  # fmt: skip
FULL_LOG: dict[str, Any] = {"seconds": 4.0, "clients": 5000, "rounds": 3}
QUICK_LOG: dict[str, Any] = {"seconds": 1.0, "clients": 500, "rounds": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one server did in one turn."""

    server: str
    mode: str
    waiting: int
    headers: str
    turn: int
    cpu_us: float
    memory: float
    fan_out_ms: float
    missing: int
    doubled: int
    reordered: int


def measure(
    dialect: Dialect, *, waiting: int, headers: str, messages: int, turn: int, workers: int = 1
) -> Sample:
    """One fresh server under one crowd; of several processes, all that they take."""
    with running(dialect.name, workers=workers) as (port, pid, _):
        time.sleep(0.5)  # nginx forks its worker after it listens, and everybody frees what starting took
        pids = processes.tree(pid)
        empty = processes.memory_bytes(pids)
        crowd = Crowd(port, dialect, waiting, headers=headers)
        try:
            parked = processes.memory_bytes(pids)
            for _ in range(3):
                crowd.say()
            crowd.settle(0.2)
            crowd.tally.fan_out_ms.clear()
            before, counted = processes.cpu_ns(pids), crowd.tally.deliveries
            for _ in range(messages):
                crowd.say()
            crowd.settle(0.2)
            spent = processes.cpu_ns(pids) - before
        finally:
            crowd.close()
    tally = crowd.tally
    return Sample(
        server=dialect.name, mode=dialect.mode, waiting=waiting, headers=headers, turn=turn,
        cpu_us=spent / 1000 / (tally.deliveries - counted), memory=(parked - empty) / waiting,
        fan_out_ms=median(tally.fan_out_ms),
        missing=tally.missing, doubled=tally.doubled, reordered=tally.reordered,
    )  # fmt: skip


def take_turns(*, mode: str, waiting: int, headers: str, pairs: int, slow_pairs: int) -> list[Sample]:
    """Kodama, Nchan and the slower peers by turns; every other round the other way round."""
    samples = []
    for turn in range(pairs):
        servers: tuple[Dialect, ...] = PAIRS[mode] + (SLOW if turn < slow_pairs else ())
        for dialect in servers if turn % 2 == 0 else servers[::-1]:
            messages = max(12, 40_000 // waiting) if dialect not in SLOW else max(4, 8_000 // waiting)
            try:
                sample = measure(dialect, waiting=waiting, headers=headers, messages=messages, turn=turn)
            except (RuntimeError, Stalled, OSError) as failure:
                click.echo(f"{dialect.name}, {mode}, {waiting} waiting, {headers}: {failure}", err=True)
                continue
            click.echo(
                f"{sample.server:16} {mode:8} {waiting:6} {headers:8} {sample.cpu_us:7.1f} us "
                f"{sample.memory:8.0f} bytes {sample.fan_out_ms:8.1f} ms"
            )
            samples.append(sample)
    return samples


def _of(samples: Sequence[Sample], name: str) -> dict[int, Sample]:
    return {sample.turn: sample for sample in samples if sample.server == name}


def _rows(samples: Sequence[Sample]) -> list[list[str]]:
    ours, rows = _of(samples, KODAMA.name), []
    for name in (KODAMA.name, NCHAN.name, *(peer.name for peer in SLOW)):
        theirs = _of(samples, name)
        if not theirs:
            continue
        both = [turn for turn in theirs if turn in ours]
        cpu = figures.ratio_text([ours[t].cpu_us for t in both], [theirs[t].cpu_us for t in both])
        memory = figures.ratio_text([ours[t].memory for t in both], [theirs[t].memory for t in both])
        wrong = sum(s.missing + s.doubled + s.reordered for s in theirs.values())
        rows.append([
            name, f"{median(s.cpu_us for s in theirs.values()):.1f}", "1" if name == KODAMA.name else cpu,
            f"{median(s.memory for s in theirs.values()):,.0f}", "1" if name == KODAMA.name else memory,
            f"{median(s.fan_out_ms for s in theirs.values()):.1f}", str(wrong),
        ])  # fmt: skip
    return rows


def _bar(sample: Sample) -> str:
    """What the group that ``sample`` is of has to reach."""
    cpu = BARS.get((sample.mode, sample.waiting))
    if cpu is None:
        return "No bar is set here."
    return f"The bar: at most {cpu} of the CPU and {MEMORY_BAR} of the memory of nginx + Nchan."


def report(groups: Sequence[Sequence[Sample]], note: str, *, log: str = "") -> str:
    """The measured part of performance.md; ``log`` is what was measured of the store."""
    head = ["server", "CPU µs per delivery", "Kodama's CPU ÷ its (95 %)", "bytes per waiting client",
            "Kodama's memory ÷ its (95 %)", "fan-out ms", "missing, doubled, reordered"]  # fmt: skip
    parts = [note]
    for samples in groups:
        if samples:
            first = samples[0]
            title = f"### {MODES[first.mode]}: {first.waiting:,} waiting, {first.headers} headers"
            parts += [title, figures.table(head, _rows(samples)), _bar(first)]
    return "\n\n".join([*parts, log] if log else parts)


def write(text: str, groups: Sequence[Sequence[Sample]]) -> None:
    _write_between(text, BEGIN, END)
    names = dict.fromkeys(sample.server for sample in sorted(groups[0], key=lambda sample: sample.cpu_us))
    values = {name: median(s.cpu_us for s in groups[0] if s.server == name) for name in names}
    CHART.parent.mkdir(exist_ok=True)
    CHART.write_text(figures.chart(f"Server CPU per delivery, µs ({groups[0][0].waiting:,} waiting)", values))


def _write_between(text: str, begin: str, end: str) -> None:
    page = PAGE.read_text()
    before, after = page.split(begin)[0], page.split(end)[1]
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def _compare_workers(
    workers: int, modes: Sequence[str], waiting: Sequence[int], *, pairs: int, note: str, keep: bool
) -> None:
    """Measure several workers beside one process and beside Nchan with as many."""
    from benchmarks.workers import report, take_turns

    cores = f"{os.cpu_count()} cores shared with the load client"
    known = f"{pairs} rounds, {cores}. 128-byte messages, SQLite store. {note}"
    groups: list[Sequence[Sample]] = []
    for mode, size in product(modes, waiting):
        groups.append(take_turns(mode=mode, waiting=size, workers=workers, pairs=pairs))
        if keep:
            _write_between(report(groups, workers=workers, note=known), WORKERS_BEGIN, WORKERS_END)
    click.echo(report(groups, workers=workers, note=known))


def _cases(
    modes: Sequence[str], waiting: Sequence[int], headers: Sequence[str]
) -> Iterator[tuple[str, int, str]]:
    """A stream sends its header fields once, and says itself what it accepts: bare ones only."""
    for mode in modes:
        yield from product((mode,), waiting, headers if mode in POLLING else ("bare",))


@click.command()
@click.option("--pairs", default=7, show_default=True, help="Turns of Kodama and Nchan.")
@click.option("--slow-pairs", default=7, show_default=True, help="Turns of the Python peers.")
@click.option("--waiting", multiple=True, type=int, default=(1000, 10_000), show_default=True)
@click.option("--headers", multiple=True, type=click.Choice(["bare", "browser"]), default=("bare", "browser"))
@click.option("--mode", "modes", multiple=True, type=click.Choice(list(MODES)), default=("longpoll",))
@click.option("--log/--no-log", "with_log", default=True, help="Measure what the log costs, too.")
@click.option("--bars", is_flag=True, help="Every transport beside Nchan, and nothing else.")
@click.option("--workers", default=1, help="So many workers beside one process, and nothing else.")
@click.option("--quick", is_flag=True, help="2 pairs of 300 waiting, in about a minute.")
@click.option("--write", "keep", is_flag=True, help="Write the figures into performance.md and the chart.")
@click.option("--note", default="The machine did nothing else.", help="What to know about the machine.")
@click.option("--raw", type=click.Path(path_type=Path), default=ROOT / "benchmarks" / "results.json")
def main(
    *, pairs: int, slow_pairs: int, waiting: tuple[int, ...], headers: tuple[str, ...],
    modes: tuple[str, ...], with_log: bool, bars: bool, workers: int, quick: bool, keep: bool, note: str,
    raw: Path,
) -> None:  # fmt: skip
    """Measure Kodama beside its peers, in turns."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if quick:
        pairs, slow_pairs, waiting = 2, 2, (300,)
    if workers > 1:
        _compare_workers(workers, modes, waiting, pairs=pairs, note=note, keep=keep)
        return
    if bars:
        slow_pairs, headers, modes = 0, ("browser",), tuple(mode for mode in MODES if mode != "present")
    groups, text = [], ""
    cores = f"{os.cpu_count()} cores shared with the load client"
    known = f"{pairs} pairs, {cores}. 128-byte messages, SQLite store. {note}"
    for mode, size, kind in _cases(modes, waiting, headers):
        # Python peers are far from the bar at any size; 10,000 would only make the run long.
        slow = slow_pairs if mode == "longpoll" and size <= 1000 and kind == headers[0] else 0
        groups.append(take_turns(mode=mode, waiting=size, headers=kind, pairs=pairs, slow_pairs=slow))
        rows = [asdict(sample) for group in groups for sample in group]
        raw.write_text(json.dumps(rows, indent=1) + "\n")
        text = report(groups, known)
        if keep and groups[0]:
            write(text, groups)
    if with_log:
        text = report(groups, known, log=storage.report(**(QUICK_LOG if quick else FULL_LOG)))
        if keep and groups[0]:
            write(text, groups)
    click.echo(text)


if __name__ == "__main__":
    main()
