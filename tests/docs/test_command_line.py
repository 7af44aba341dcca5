"""Each command and option is explained, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from kodama.app.main import main

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "command-line.md").read_text("utf-8")


def _options(command: click.Command) -> set[str]:
    if isinstance(command, click.Group):
        return set().union(*map(_options, command.commands.values()))
    given = [name for one in command.params if isinstance(one, click.Option) for name in one.opts[:1]]
    return {name for name in given if name.startswith("--")} - {"--help"}


def test_every_command_has_its_chapter_and_no_other_has() -> None:
    assert set(re.findall(r"^## `kodama (\w+)", REFERENCE, re.MULTILINE)) == set(main.commands)


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_option_is_explained_and_no_other_is(name: str) -> None:
    chapter = re.split(r"^## ", REFERENCE, flags=re.MULTILINE)
    text = next(part for part in chapter if part.startswith(f"`kodama {name}"))
    assert set(re.findall(r"^\| `(--[\w-]+)` \|", text, re.MULTILINE)) == _options(main.commands[name])
