"""Several workers beside one process and beside Nchan with as many, in turns of one run."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import click

from benchmarks import figures
from benchmarks.dialects import KODAMA, NCHAN, PAIRS, Dialect
from benchmarks.load import Stalled
from benchmarks.run import MODES, Sample, measure

ALONE = "Kodama, one process"


def take_turns(*, mode: str, waiting: int, workers: int, pairs: int) -> list[Sample]:
    """Each of the three in turn; every other round the other way round."""
    ours, theirs = PAIRS[mode]
    contenders: tuple[tuple[str, Dialect, int], ...] = (
        (ALONE, ours, 1), (_several(KODAMA, workers), ours, workers),
        (_several(NCHAN, workers), theirs, workers),
    )  # fmt: skip
    samples = []
    for turn in range(pairs):
        for name, dialect, count in contenders if turn % 2 == 0 else contenders[::-1]:
            messages = max(12, 40_000 // waiting)
            try:
                sample = measure(
                    dialect, waiting=waiting, headers="bare", messages=messages, turn=turn, workers=count
                )
            except (RuntimeError, Stalled, OSError) as failure:
                click.echo(f"{name}, {mode}, {waiting} waiting: {failure}", err=True)
                continue
            samples.append(replace(sample, server=name))
            click.echo(
                f"{name:26} {mode:8} {waiting:6} {sample.cpu_us:7.1f} us {sample.memory:8.0f} bytes "
                f"{sample.fan_out_ms:8.1f} ms"
            )
    return samples


def report(groups: Sequence[Sequence[Sample]], *, workers: int, note: str) -> str:
    """Return the tables of all ``groups``, one for each mode and number of readers."""
    several, nchan = _several(KODAMA, workers), _several(NCHAN, workers)
    head = ["server", "CPU µs per delivery", f"{several} ÷ it (95 %)", "bytes per waiting client",
            "fan-out ms", "missing, doubled, reordered"]  # fmt: skip
    parts = [note]
    for samples in groups:
        ours, rows = _of(samples, several), []
        for name in (ALONE, several, nchan):
            theirs = _of(samples, name)
            both = [turn for turn in theirs if turn in ours]
            if not both:
                continue
            cpu = figures.ratio_text([ours[t].cpu_us for t in both], [theirs[t].cpu_us for t in both])
            wrong = sum(s.missing + s.doubled + s.reordered for s in theirs.values())
            rows.append([
                name, f"{median(s.cpu_us for s in theirs.values()):.1f}", "1" if name == several else cpu,
                f"{median(s.memory for s in theirs.values()):,.0f}",
                f"{median(s.fan_out_ms for s in theirs.values()):.1f}", str(wrong),
            ])  # fmt: skip
        if rows:
            first = samples[0]
            parts += [f"### {MODES[first.mode]}: {first.waiting:,} waiting", figures.table(head, rows)]
    return "\n\n".join(parts)


def _several(dialect: Dialect, workers: int) -> str:
    return f"{dialect.name}, {workers} workers"


def _of(samples: Sequence[Sample], name: str) -> dict[int, Sample]:
    return {sample.turn: sample for sample in samples if sample.server == name}
