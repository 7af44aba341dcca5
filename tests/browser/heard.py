"""What a screen reader is given of a page: its roles, names and states as an outline, to be compared with a kept one.

Decided here: the outline is of Chromium's accessibility tree (WAI-ARIA 1.2, Core-AAM); what changes from run to run
is a word for it. `KODAMA_KEEP_HEARD=1` keeps what is heard now; read the difference before it is committed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any, Final

from tests.browser.person import Person

KEPT: Final = Path(__file__).parent / "heard"
_LEFT_OUT: Final = {"InlineTextBox", "none", "generic", "ListMarker", "LineBreak"}
_STATES: Final = ("checked", "disabled", "expanded", "invalid", "level", "modal", "pressed", "required", "selected")
_ROOMS: Final = re.compile(r"^( *)(navigation [^\n]*\n)(?:\1 [^\n]*\n)*", re.MULTILINE)
_CHANGING: Final = (
    (re.compile(r"\b\d{1,2}:\d{2}\b(?:\s?[AP]M)?"), "TIME"),
    (re.compile(r"https?://127\.0\.0\.1:\d+"), "SITE"),
    (re.compile(r"\b\d{4}-\d{2}-\d{2}\b"), "DATE"),
    (re.compile(r"\b(?:\w+day), \w+ \d{1,2}(?:, \d{4})?|(?:\d{4}年)?\d{1,2}月\d{1,2}日\S*"), "DATE"),
)


def heard(person: Person) -> str:
    """Return the outline of the page, or of the dialog that is open over it."""
    nodes = {node["nodeId"]: node for node in person.tell("Accessibility.getFullAXTree")["nodes"]}
    root = next(node for node in nodes.values() if "parentId" not in node)
    outline = "\n".join(_outline(nodes, root, depth=0, above="")) + "\n"
    return _ROOMS.sub(r"\1\2", outline)  # which rooms are there is up to the tests before


def compare(person: Person, name: str) -> None:
    """Fail with the difference if what is heard is not what was kept under ``name``."""
    file, now = KEPT / f"{name}.txt", heard(person)
    if os.environ.get("KODAMA_KEEP_HEARD"):
        KEPT.mkdir(exist_ok=True)
        file.write_text(now, "utf-8")
    kept = file.read_text("utf-8")
    difference = "\n".join(unified_diff(kept.splitlines(), now.splitlines(), "kept", "heard", lineterm=""))
    assert not difference, f"{name}\n{difference}"


def _outline(nodes: dict[str, Any], node: dict[str, Any], *, depth: int, above: str) -> Iterator[str]:
    role, name = _value(node, "role"), " ".join(_value(node, "name").split())
    said = role not in _LEFT_OUT and not node["ignored"] and not (role == "StaticText" and name in above)
    if said:
        yield "  " * depth + _line(node, role=role, name=name)
    for kid in node.get("childIds", ()):
        if kid in nodes:
            yield from _outline(nodes, nodes[kid], depth=depth + said, above=name if said else above)


def _line(node: dict[str, Any], *, role: str, name: str) -> str:
    for pattern, word in _CHANGING:
        name = pattern.sub(word, name)
    found = {one["name"]: one["value"].get("value") for one in node.get("properties", ())}
    states = [f"{one}={found[one]}" for one in _STATES if found.get(one) not in (None, False, "false")]
    return " ".join(part for part in (role, f'"{name}"' if name else "", *states) if part)


def _value(node: dict[str, Any], key: str) -> str:
    return str(node.get(key, {}).get("value", ""))
