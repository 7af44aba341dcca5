"""``kodama doctor``: the findings as a table for people or as JSON for programs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from kodama.app.words import said
from kodama.client.faults import BadAddress
from kodama.doctor import Finding, Patient, Verdict, diagnose

_MARKS = {Verdict.WELL: "[green]well[/]", Verdict.ILL: "[red]ill[/]", Verdict.UNKNOWN: "[yellow]unknown[/]"}


@click.command()
@click.argument("url")
@click.option("--patience", default=65.0, show_default=True, type=click.FloatRange(1, 300),
              help="Seconds that a quiet poll and a quiet stream have to live through.")  # fmt: skip
@click.option("--json", "lines", flag_value="json", default=None, help="Print the findings as JSON.")
def doctor(url: str, patience: float, lines: str | None) -> None:
    """Examine the server at URL through the proxies before it, and say what to write where.

    Nothing is published. Exit code 0: all well; 1: something is ill; 2: the URL makes no sense.
    """
    try:
        findings = diagnose(Patient(url).examine(patience=patience))
    except BadAddress as error:
        click.echo(f"kodama: {error}", err=True)
        sys.exit(2)
    if lines:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        _show(findings)
    sys.exit(int(any(finding.verdict is Verdict.ILL for finding in findings)))


def _show(findings: tuple[Finding, ...]) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in ("", "", said("what was seen")):
        table.add_column(column)
    for finding in findings:
        table.add_row(finding.topic, said(_MARKS[finding.verdict]), finding.seen)
    console.print(table)
    for finding in findings:
        if finding.advice:
            console.print(f"\n[bold]{finding.topic}[/]: {said('write')}")
            for proxy, line in finding.advice.items():
                console.print(f"  {proxy:8} {line}", markup=False)
