"""``kodama export`` and ``kodama import``: rooms as files, and other programs' rooms as ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click
from rich.console import Console
from rich.markup import escape

from kodama.app.settings import BadSetting, Settings
from kodama.app.words import said as worded
from kodama.archive.lines import lines_of, read_lines
from kodama.archive.mattermost import mattermost
from kodama.archive.page import page_of
from kodama.archive.past import NoArchive, Past, Said
from kodama.archive.slack import slack
from kodama.core.change import Change, Nonce, Publish, React
from kodama.core.errors import Refused
from kodama.core.event import Entry
from kodama.core.names import room_name
from kodama.core.room import Access, Retention, RoomFacts
from kodama.store.interface import Listed, Stored, StoreDamaged, StoreUnavailable

AT_A_TIME: Final = 500
PAGE_BYTES: Final = 4 * 1024 * 1024
FOR_EVER_DAYS: Final = 36_500
_out: Final = Console(highlight=False, soft_wrap=True)
_err: Final = Console(stderr=True, highlight=False, soft_wrap=True)
_data: Final = click.option("--data", type=click.Path(path_type=Path), help="Directory of the store.")
_READERS: Final[dict[str, Callable[[Path], Iterator[Past]]]] = {
    "kodama": read_lines, "slack": slack, "mattermost": mattermost,
}  # fmt: skip
_FAULTS: Final = (BadSetting, NoArchive, StoreDamaged, StoreUnavailable, Refused, OSError)

Ask = Callable[[Callable[[Any], Any]], Any]


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--room", "rooms", multiple=True, help="Only this room. Repeatable.")
@click.option("--html", "form", flag_value="html", default="jsonl", help="One readable page a room.")
@_data
def export_command(target: Path, rooms: tuple[str, ...], form: str, data: Path | None) -> None:
    """Write every room to a file of its own in the folder TARGET, also while the server runs.

    A file is JSON Lines, which `kodama import` reads again, or with --html a page that needs
    nothing else and can be searched.
    """
    try:
        asking, reads = _reading(Settings.load(os.environ, overrides={"data": data}))
        wanted = {room_name(name) for name in rooms}
        target.mkdir(parents=True, exist_ok=True)
        with asking as ask:
            found: list[Listed] = [one for one in ask(reads.rooms) if not wanted or one.facts.name in wanted]
            for listed in found:
                _write_room(target, listed.facts, _entries(ask, reads, listed), form=form)
    except _FAULTS as error:
        _fail(worded("Nothing more was exported: {error}", error=error))
    missing = wanted - {one.facts.name for one in found}
    if missing:
        _fail(worded("There is no room {rooms}.", rooms=", ".join(sorted(missing))))
    _out.print(worded("{count} rooms are in {target}.", count=len(found), target=escape(str(target))))


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--from", "kind", type=click.Choice(sorted(_READERS)), required=True, help="What wrote it.")
@_data
def import_command(source: Path, kind: str, data: Path | None) -> None:
    """Take the rooms of SOURCE in, with their authors and times; the server must not be running.

    A second time only what is new is taken. Imported rooms are kept for ever, and secret ones
    stay secret.
    """
    clock = _Clock()
    try:
        settings = Settings.load(os.environ, overrides={"data": data})
        if settings.store != "sqlite":
            raise BadSetting("Rooms are imported into a log in SQLite only.")
        from kodama.app.ground import STORE_FILE
        from kodama.store.sqlite.offline import opened

        pasts = list(_READERS[kind](source))  # all is read before anything is written
        with opened(Path(settings.data) / STORE_FILE, now=clock) as log:
            for past in pasts:
                new = _take_in(log, clock, past)
                _out.print(
                    worded(
                        "{room}: {new} of {all} messages are new.",
                        room=escape(past.room), new=new, all=len(past.said),
                    )
                )  # fmt: skip
    except _FAULTS as error:
        _fail(worded("Nothing more was imported: {error}", error=error))


class _Clock:
    """The time of the message that is being written, in ms since 1970."""

    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


def _reading(settings: Settings) -> tuple[AbstractContextManager[Ask], Any]:
    """Return what asks the store, and the questions it knows."""
    if settings.store == "memory":
        raise BadSetting("The memory store has nothing that could be exported.")
    if settings.store == "sqlite":
        from kodama.app.ground import STORE_FILE
        from kodama.store.sqlite import reads
        from kodama.store.sqlite.file import examine, reading

        file = Path(settings.data) / STORE_FILE
        examine(file)
        return reading(file), reads
    from kodama.store.postgres import reads as shared  # an extra: psycopg may not be installed

    return shared.reading(settings.store), shared


def _entries(ask: Ask, reads: Any, listed: Listed) -> Iterator[Entry]:
    """Yield what is kept of a room, up to where it stood when it was listed."""
    after = 0
    while after < listed.last:
        part = ask(_page(reads, listed.facts.name, after=after))
        for entry in part.entries:
            if entry.offset <= listed.last:
                yield entry
        if not part.entries:
            return
        after = part.entries[-1].offset


def _page(reads: Any, room: str, *, after: int) -> Callable[[Any], Any]:
    """Return the question for the next entries of a room."""
    return lambda file: reads.read(file, room, after=after, limit=AT_A_TIME, size=PAGE_BYTES)


def _write_room(folder: Path, facts: RoomFacts, entries: Iterable[Entry], *, form: str) -> None:
    """Write one file, which appears under its name when it is whole and is its owner's only."""
    name = quote(facts.name, safe="") + f".{form}"
    fresh = folder / f".{name}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if form == "html":
            for piece in page_of(facts, entries):
                file.write(piece.encode())
        else:
            for line in lines_of(facts, entries):
                file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / name)


def _take_in(log: Any, clock: _Clock, past: Past) -> int:
    """Write what is new of a room; return how many messages that was."""
    from kodama.store.sqlite.file import transaction
    from kodama.store.sqlite.log import put_room
    from kodama.store.sqlite.reads import open_room

    if open_room(log.connection, past.room, tail_bytes=0) is None:
        facts = RoomFacts(
            name=past.room, title=past.title, topic=past.topic, access=Access(past.access),
            retention=Retention(days=FOR_EVER_DAYS),
        )  # fmt: skip
        with transaction(log.connection):
            put_room(log.connection, facts)
    offsets: dict[str, int] = {}
    new = 0
    for said in past.said:
        clock.ms = said.time
        stored = _stored(log, _publish(past.room, said, offsets))
        offsets[said.id] = stored.entry.offset
        if stored.fresh:
            new += 1
            target = stored.entry.offset
            for emoji, author in said.reactions:
                _stored(log, React(room=past.room, author=author, target=target, emoji=emoji, op="add"))
    return new


def _publish(room: str, said: Said, offsets: dict[str, int]) -> Publish:
    """Return the change that says it; its nonce is made of the id that it had, and so is written once."""
    data = said.data
    if data is None and said.answers in offsets:
        data = {"reply": offsets[said.answers]}
    digest = sha256(said.id.encode()).digest()
    nonce = Nonce(sender=f"import {said.author.id}", text=f"import-{digest.hex()[:32]}", digest=digest)
    text = None if said.text is None else said.text.replace("\0", "")
    return Publish(room=room, author=said.author, text=text, data=data, nonce=nonce)


def _stored(log: Any, change: Change) -> Stored:
    _, (outcome,) = log.write((change,))
    if isinstance(outcome, Exception):
        raise outcome
    assert isinstance(outcome, Stored)
    return outcome


def _fail(sentence: str) -> None:
    _err.print(f"[red]kodama:[/] {escape(sentence)}")
    sys.exit(1)
