"""No way in is without an adapter, and so without the scenarios."""

from __future__ import annotations

import ast
from pathlib import Path

import kodama.transports
from tests.conformance.transports.ways import ADAPTERS, EVERY

FOLDER = Path(kodama.transports.__file__).parent


def imported(path: Path) -> set[str]:
    """Return the files of the folder that ``path`` cannot be without; what it names for types only is not among them."""
    found = [
        node.module or "" for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom)
    ]
    return {
        name.removeprefix("kodama.transports.") for name in found if name.startswith("kodama.transports.")
    }


def test_every_file_that_serves_a_way_in_has_an_adapter() -> None:
    files = {path.stem: imported(path) for path in FOLDER.glob("*.py") if path.stem != "__init__"}
    shared = set().union(*files.values())
    assert set(files) - shared == set(ADAPTERS)
    assert all(ADAPTERS.values())
    assert len({way.name for way in EVERY}) == len(EVERY)
