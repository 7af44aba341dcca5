"""Medians, ratios with their intervals, the Markdown table and the SVG chart.

A ratio is taken within a pair, so what slows the machine for a while slows both; its interval is a
bootstrap over pairs.
"""

import random
from collections.abc import Mapping, Sequence
from html import escape
from statistics import median


def interval(ratios: Sequence[float], *, rounds: int = 4000) -> tuple[float, float]:
    """The 95 % interval of the median ratio."""
    draw = random.Random(2011)
    medians = sorted(median(draw.choices(ratios, k=len(ratios))) for _ in range(rounds))
    return medians[int(rounds * 0.025)], medians[int(rounds * 0.975)]


def ratio_text(ours: Sequence[float], theirs: Sequence[float]) -> str:
    ratios = [a / b for a, b in zip(ours, theirs, strict=False) if b > 0]
    if not ratios:
        return "not measured"
    low, high = interval(ratios)
    return f"{median(ratios):.2f} ({low:.2f} to {high:.2f}, {len(ratios)} pairs)"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def chart(title: str, values: Mapping[str, float]) -> str:
    """Horizontal bars, one per server."""
    widest, height = max(values.values()), 34 + 28 * len(values)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="640" height="{height}" fill="#fff"/>'
        f'<text x="8" y="20" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (name, value) in enumerate(values.items()):
        top, colour = 34 + 28 * number, "#2f7d4f" if name == "Kodama" else "#8a94a0"
        parts.append(
            f'<text x="130" y="{top + 15}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="138" y="{top}" width="{max(1, value / widest * 420):.0f}"'
            f' height="20" fill="{colour}"/>'
            f'<text x="{144 + value / widest * 420:.0f}" y="{top + 15}">{value:.1f}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
