"""What each layer may import and how large a file may grow, read from the source itself."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "kodama"
FILES = sorted(SOURCE.rglob("*.py"))
FILE_LIMIT = 500
BANNED = re.compile(
    r"(?:^|_)(?:handler|processor|engine|manager|component|util|utils|helper|helpers|misc|info)s?(?:$|_)"
)


def _identity(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def _under(*layers: str) -> list[Path]:
    return [path for path in FILES if path.relative_to(SOURCE).parts[0] in layers]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _own_names(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


@pytest.mark.parametrize("path", _under("core"), ids=_identity)
def test_core_imports_only_itself_the_standard_library_and_msgspec(path: Path) -> None:
    for name in _imports(path):
        top = name.split(".")[0]
        assert top in sys.stdlib_module_names or top == "msgspec" or name.startswith("kodama.core"), name


@pytest.mark.parametrize("path", _under("wire"), ids=_identity)
def test_wire_imports_only_itself_core_the_standard_library_and_msgspec(path: Path) -> None:
    for name in _imports(path):
        top = name.split(".")[0]
        ours = name.startswith(("kodama.core", "kodama.wire"))
        assert top in sys.stdlib_module_names or top == "msgspec" or ours, name


@pytest.mark.parametrize("path", _under("core", "wire"), ids=_identity)
def test_core_and_wire_do_no_input_or_output_and_have_no_clock(path: Path) -> None:
    barred = {"asyncio", "socket", "threading", "subprocess", "time", "random", "secrets", "sqlite3", "os"}
    assert barred.isdisjoint(name.split(".")[0] for name in _imports(path))


@pytest.mark.parametrize("layer", ["http", "reactor", "client"])
def test_the_parts_that_stand_apart_import_nothing_else_of_kodama(layer: str) -> None:
    for path in _under(layer):
        for name in _imports(path):
            assert not name.startswith("kodama") or name.startswith(f"kodama.{layer}"), f"{path.name}: {name}"


@pytest.mark.parametrize("path", FILES, ids=_identity)
def test_a_file_holds_one_idea(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= FILE_LIMIT


@pytest.mark.parametrize("path", FILES, ids=_identity)
def test_names_say_what_a_thing_is(path: Path) -> None:
    wrong = [name for name in _own_names(path) if BANNED.search(_snake(name))]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=_identity)
def test_a_module_opens_with_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_only_the_entry_point_takes_the_global_reactor() -> None:
    for path in FILES:
        if path.relative_to(SOURCE).parts[0] in {"app", "reactor"}:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        taken = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and node.module == "twisted.internet"
            and any(alias.name == "reactor" for alias in node.names)
        ]
        assert not taken, f"{path}: {taken}"
