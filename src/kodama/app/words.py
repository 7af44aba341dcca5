"""The words of the command line in Japanese; in English they stand where they are said.

Decided here: a text is found by its English, as gettext has it, so that one without a translation is
still said; and the language is that of the environment (POSIX.1-2017 section 8.2), asked anew each time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from gettext import gettext, ngettext
from typing import Any, Final

import click
from click import core, decorators, exceptions, formatting, parser, types

from kodama.app.japanese import CLICK, COMMANDS, OPTIONS, SAID

_WHOLE: Final[Mapping[str, str]] = {**CLICK, **OPTIONS, **SAID}
_OF_CLICK: Final[tuple[Any, ...]] = (core, decorators, exceptions, formatting, parser, types)


def in_japanese(environment: Mapping[str, str]) -> bool:
    """Return whether the first of LC_ALL, LC_MESSAGES and LANG that says anything says Japanese."""
    said = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next(filter(None, said), "").startswith("ja")


def said(text: str, **parts: object) -> str:
    """Return ``text`` in the person's language, with ``parts`` in their places."""
    found = _WHOLE.get(text, text) if in_japanese(os.environ) else text
    return found.format(**parts) if parts else found


class Spoken(click.Group):
    """A group of commands that speaks the language of whoever calls it."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Have all helps speak, then do what `click.Group` does."""
        if in_japanese(os.environ):
            _translate(self, "")
        return super().main(*args, **kwargs)


def _of_click(text: str) -> str:
    return CLICK.get(text, text) if in_japanese(os.environ) else gettext(text)


def _one_or_many(one: str, many: str, count: int) -> str:
    return CLICK.get(many, many) if in_japanese(os.environ) else ngettext(one, many, count)


def _translate(command: click.Command, path: str) -> None:
    command.help = COMMANDS.get(path, command.help)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = said(parameter.help)
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            _translate(one, f"{path} {name}".strip())


for _module in _OF_CLICK:  # before any command is made: click names the types of its arguments at once
    _module._ = _of_click
    _module.ngettext = _one_or_many
