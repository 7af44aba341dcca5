"""The documents name what the code has: codes, statuses, settings, commands, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kodama.app.settings import SETTINGS
from kodama.core import errors
from kodama.wire.problem import STATUSES

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _codes(family: type[errors.Refused]) -> set[str]:
    return {family.code}.union(*(_codes(child) for child in family.__subclasses__()))


def test_every_refusal_has_a_status_and_a_place_in_the_reference() -> None:
    reference = _read("docs/reference/errors.md")
    for code in _codes(errors.Refused) | STATUSES.keys():
        status, _ = STATUSES[code]
        assert f"| `{code}` | {status} |" in reference, code


def test_the_reference_names_no_error_that_does_not_exist() -> None:
    named = set(re.findall(r"^\| `(\w+)` \| \d", _read("docs/reference/errors.md"), re.MULTILINE))
    assert named == STATUSES.keys()


def test_every_setting_is_in_the_reference_and_no_other() -> None:
    named = re.findall(r"^\| `(KODAMA_\w+)` \|", _read("docs/reference/settings.md"), re.MULTILINE)
    assert sorted(named) == sorted(setting.env for setting in SETTINGS)


def test_every_default_in_the_reference_is_the_one_in_the_code() -> None:
    reference = _read("docs/reference/settings.md")
    rows = {line.split("`")[1]: line for line in reference.splitlines() if line.startswith("| `KODAMA_")}
    for setting in SETTINGS:
        assert rows[setting.env].split("|")[2].strip() == _shown(setting.default), setting.name


@pytest.mark.parametrize("command", ["make run", "make test", "apt-get install git make python3-venv"])
def test_the_readme_names_what_to_type(command: str) -> None:
    assert command in _read("README.md")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text("utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), target


def test_the_map_stays_short_enough_to_be_read() -> None:
    assert len(_read("ARCHITECTURE.md").splitlines()) < 150


def test_the_map_names_every_layer() -> None:
    text = _read("ARCHITECTURE.md")
    for layer in sorted(path.name for path in (ROOT / "src" / "kodama").iterdir() if path.is_dir()):
        assert layer.startswith("_") or f"`{layer}/`" in text, layer


def _shown(default: object) -> str:
    match default:
        case None | "" | ():
            return ""
        case bool():
            return "`yes`" if default else "`no`"
        case tuple():
            return f"`{','.join(default)}`"
    return f"`{default}`"
