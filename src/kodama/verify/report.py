"""What a run found: for a person, for a program, and as an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kodama.verify.scene import Figures
from kodama.verify.violations import MEANING, Findings
from kodama.verify.ways import Way


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome. ``missing`` are transports that the server does not offer; ``seconds`` the whole run."""

    url: str
    seed: int
    seconds: float
    ways: Sequence[Way]
    missing: Sequence[Way]
    figures: Figures
    gaps: int
    findings: Findings

    @property
    def clean(self) -> bool:
        """Tell whether every promise was kept."""
        return not self.findings.counts

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        figures = self.figures
        return {
            "url": self.url, "seed": self.seed, "seconds": round(self.seconds, 1), "clean": self.clean,
            "transports": [way.value for way in self.ways],
            "not_offered": [way.value for way in self.missing],
            "deliveries": sum(figures.deliveries.values()), "deliveries_by": dict(figures.deliveries),
            "messages": figures.messages, "amendments": figures.amendments, "gaps": self.gaps,
            "faults": sum(figures.faults.values()), "faults_by": dict(figures.faults),
            "restarts": figures.restarts, "connections": figures.connections, "cuts": figures.cuts,
            "silences": figures.silences, "hops": figures.hops, "superseded": figures.superseded,
            "drained": figures.drained, "refusals": dict(figures.refusals),
            "violations": {kind.value: count for kind, count in self.findings.counts.items()},
            "findings": [
                {
                    "kind": one.kind.value, "room": one.room, "where": one.where, "first": one.first,
                    "last": one.last, "detail": one.detail,
                }
                for one in self.findings.kept
            ],
        }  # fmt: skip

    def lines(self) -> list[str]:
        """Return the report for a person, line by line."""
        figures = self.figures
        by_way = ", ".join(f"{way} {count:,}" for way, count in sorted(figures.deliveries.items()))
        by_fault = ", ".join(f"{name} {count}" for name, count in sorted(figures.faults.items()))
        total = sum(figures.deliveries.values())
        lines = [
            f"{self.url}, seed {self.seed}, {self.seconds:.0f} s",
            f"deliveries    {total:,} ({by_way or 'none'}), {total / max(self.seconds, 0.1):,.0f} a second",
            f"writes        {figures.messages:,} messages, {figures.amendments:,} amendments",
            f"faults        {figures.faults.total()} ({by_fault or 'none'}), {figures.restarts} restarts",
            f"connections   {figures.connections:,}, {figures.cuts:,} cut, {figures.silences} silent, "
            f"{figures.hops:,} hops, {figures.superseded} superseded, {figures.drained} sent away",
            f"gaps told     {self.gaps}",
        ]
        if self.missing:
            lines.append(f"not offered   {', '.join(way.value for way in self.missing)}")
        if figures.refusals:
            told = ", ".join(f"{name} {count}" for name, count in sorted(figures.refusals.items()))
            lines.append(f"asked again   {told}")
        if self.clean:
            return [*lines, "nothing lost, nothing doubled, nothing reordered, no silent hole"]
        lines.append("")
        for kind, count in sorted(self.findings.counts.items(), key=lambda one: -one[1]):
            lines.append(f"{count:>8}  {kind.value}: {MEANING[kind]}")
        lines += ["", *(f"  {one}" for one in self.findings.kept[:20])]
        return lines
