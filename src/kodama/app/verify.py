"""``kodama verify``: the options, the progress bar, the exit code. What it does is in `kodama.verify`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from secrets import randbelow
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from kodama.verify.report import Report
from kodama.verify.run import CannotRun, Plan, verify
from kodama.verify.scene import Scene
from kodama.verify.trouble import ALL, ON_THE_SERVER
from kodama.verify.ways import Way

_err = Console(stderr=True, highlight=False, soft_wrap=True)
CLEAN, VIOLATED, NOT_RUN = 0, 1, 2


@click.command(name="verify")
@click.option(
    "--url", "urls", default=("http://127.0.0.1:8080",), envvar="KODAMA_URL", show_default=True,
    multiple=True, help="The server; again for each further node of it.",
)
@click.option(
    "--duration", type=click.FloatRange(1), default=30.0, show_default=True, help="Seconds to write."
)
@click.option(
    "--deliveries", type=click.IntRange(0), default=0, help="End after so many; 0: only time counts."
)
@click.option("--violations", type=click.IntRange(0), default=0, help="End after so many; 0: go on.")
@click.option("--rooms", type=click.IntRange(1, 100), default=4, show_default=True, help="Rooms to use.")
@click.option("--readers", type=click.IntRange(1), default=40, show_default=True, help="Readers in all.")
@click.option("--writers", type=click.IntRange(1), default=8, show_default=True, help="Writers in all.")
@click.option("--transports", default="all", show_default=True, help="all, or a list with commas.")
@click.option("--faults", default="all", show_default=True, help="all, none, or a list with commas.")
@click.option(
    "--interval",
    type=click.FloatRange(0.01),
    default=1.0,
    show_default=True,
    help="Seconds from fault to fault.",
)
@click.option("--command", help="Starts the server; then it is killed, stopped and started again, too.")
@click.option(
    "--allow-gaps", "gaps", flag_value="yes", default="no", help="A gap that is told is no violation."
)
@click.option("--seed", type=int, help="Repeats the choices of an earlier run.")
@click.option(
    "--json",
    "file",
    type=click.Path(path_type=Path),
    help="Write the report to a file as JSON; - is standard output.",
)
def verify_command(
    *, urls: tuple[str, ...], duration: float, deliveries: int, violations: int, rooms: int, readers: int,
    writers: int, transports: str, faults: str, interval: float, command: str | None, gaps: str,
    seed: int | None, file: Path | None,
) -> None:  # fmt: skip
    """Check that a server keeps its promise: nothing lost, doubled, reordered or silently left out.

    Writers and readers go through a proxy that cuts, delays and doubles what they say. It
    writes to rooms of its own, named verify-…; do not aim it at a server that must not have them.

    Exit code: 0 all kept, 1 something is wrong, 2 it could not run.
    """
    plan = Plan(
        url=urls[0], others=urls[1:], seed=randbelow(2**32) if seed is None else seed, duration=duration,
        deliveries=deliveries, rooms=rooms, readers=readers, writers=writers, ways=_ways(transports),
        interval=interval, faults=_faults(faults, has_command=command is not None), command=command,
        gaps_allowed=gaps == "yes", violations=violations,
    )  # fmt: skip
    try:
        report = _run(plan)
    except CannotRun as reason:
        _err.print(f"[red]kodama:[/] {escape(str(reason))}")
        sys.exit(NOT_RUN)
    except KeyboardInterrupt:
        sys.exit(130)
    _show(report, file)
    sys.exit(CLEAN if report.clean else VIOLATED)


def _run(plan: Plan) -> Report:
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[deliveries]:,} deliveries, {task.fields[faults]} faults, "
                   "{task.fields[wrong]} violations"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task("starting", total=None, deliveries=0, faults=0, wrong=0)

        def progress(scene: Scene, phase: str) -> None:
            done = scene.history.deliveries
            bar.update(
                task, description=phase, completed=done, total=plan.deliveries or None, deliveries=done,
                faults=sum(scene.figures.faults.values()), wrong=sum(scene.history.findings.counts.values()),
            )  # fmt: skip

        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(verify(plan, progress=progress))


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # only slower without it
        return None
    return uvloop.new_event_loop


def _show(report: Report, file: Path | None) -> None:
    text = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
    if file is not None and str(file) == "-":
        click.echo(text)
        return
    if file is not None:
        file.write_text(text + "\n")
    for line in report.lines():
        click.echo(line)


def _ways(text: str) -> tuple[Way, ...]:
    if text == "all":
        return ()
    known = {way.value: way for way in Way}
    return tuple(known[name] for name in _listed(text, known, "--transports"))


def _faults(text: str, *, has_command: bool) -> tuple[str, ...]:
    if text == "none":
        return ()
    if text == "all":
        return tuple(fault for fault in ALL if has_command or fault not in ON_THE_SERVER)
    return tuple(_listed(text, ALL, "--faults"))


def _listed(text: str, known: Any, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise click.BadParameter(f"{name} is none of {', '.join(known)}.", param_hint=option)
    if not names:
        raise click.BadParameter("names nothing.", param_hint=option)
    return names
