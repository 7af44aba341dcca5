"""The command line in Japanese: nothing that a person can meet lacks its words, and in English nothing changes."""

from __future__ import annotations

import ast
import os
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click import core, exceptions, formatting, parser, types

from kodama.app import main as command_line
from kodama.app.japanese import CLICK, COMMANDS, OPTIONS, SAID
from kodama.app.words import in_japanese

APP = Path(command_line.__file__).parent
TO_PROGRAMMERS = {  # click says these to whoever writes a command, or of what no command of ours has
    "deprecated", "Positional arguments", "Value must be an iterable.", "(dynamic)", "Name '{name}' defined twice",
    "DeprecationWarning: The command {name!r} is deprecated.{extra_message}",
    "DeprecationWarning: The {param_type} {name!r} is deprecated.{extra_message}",
    "Could not determine name for option with declarations {decls!r}",
    "Arguments take exactly one parameter declaration, got {length}: {decls}.",
    "Boolean option {decl!r} cannot use the same flag for true/false.", "Choice({choices})",
    "{value!r} does not match the formats {formats}.", "{value!r} is not a valid UUID.",
    "{value!r} is not a valid boolean. Recognized values: {states}",
    "{len_type} values are required, but {len_value} were given.",
    "Invalid start character for option ({option})",
}  # fmt: skip


def commands(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from commands(one, f"{path} {name}".strip())


def called(file: Path, *names: str) -> Iterator[str]:
    """The last constant text among the first two arguments of each call of ``names``."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            texts = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
            yield from (text for text in texts[-1:] if isinstance(text, str))


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_each_command_and_option_is_explained() -> None:
    found = dict(commands(command_line.main))
    assert COMMANDS.keys() == found.keys()
    options = {one.help for command in found.values() for one in command.params if isinstance(one, click.Option)}
    assert OPTIONS.keys() == options


def test_each_sentence_is_worded() -> None:
    used = {text for file in APP.glob("*.py") for text in called(file, "said", "worded")}
    marks = {text for text in SAID if text.startswith("[") and text.endswith("[/]")}
    assert used | marks == SAID.keys()


def test_what_click_says_is_worded() -> None:
    used = {
        text
        for module in (core, exceptions, formatting, parser, types)
        for text in called(Path(str(module.__file__)), "_", "ngettext")
    }
    assert {text for text in used - TO_PROGRAMMERS if not text.startswith("No options defined")} <= CLICK.keys()


@pytest.mark.parametrize("catalogue", [OPTIONS, SAID, CLICK])
def test_a_translation_has_the_places_of_its_text(catalogue: dict[str, str]) -> None:
    for text, translated in catalogue.items():
        assert places(translated) <= places(text), text
        if catalogue is SAID:
            assert places(translated) == places(text), text


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False), ({"LANG": "ja_JP.UTF-8"}, True), ({"LANG": "ja"}, True), ({"LANG": "en_GB.UTF-8"}, False),
        ({"LC_ALL": "C", "LANG": "ja_JP.UTF-8"}, False), ({"LC_ALL": "", "LC_MESSAGES": "ja_JP", "LANG": "C"}, True),
    ],
)  # fmt: skip
def test_the_first_that_says_anything_chooses(environment: dict[str, str], expected: bool) -> None:
    assert in_japanese(environment) is expected


def run(language: str, *words: str) -> str:
    environment = {**os.environ, "LC_ALL": language, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "kodama", *words], env=environment, check=False, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout


def test_helps_and_faults_are_said_in_the_language_of_the_environment(tmp_path: Path) -> None:
    for language in ("C.UTF-8", "ja_JP.UTF-8"):
        lines = run(language, "--help").splitlines()
        assert any(line.startswith("  kodama send lobby") for line in lines), "each example has a line"
        assert not any("\\" in line for line in lines)
    helped = run("ja_JP.UTF-8", "tail", "--help")
    assert all(word in helped for word in ("使い方:", "オプション", "再起動しても", "既定値", "この説明を表示"))
    assert "コマンド 'nonsense' はありません。" in run("ja_JP.UTF-8", "nonsense")
    assert "Path" not in run("ja_JP.UTF-8", "restore", str(tmp_path / "none"))
    assert "キー x はありません。" in run("ja_JP.UTF-8", "key", "revoke", "x", "--data", str(tmp_path))
    assert "There is no key x." in run("C.UTF-8", "key", "revoke", "x", "--data", str(tmp_path))
