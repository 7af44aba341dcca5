"""``kodama key``: API keys, written beside a running server or without one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
from time import time
from typing import Final

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kodama.app.beside import err, fail, opened
from kodama.app.words import said

_out: Final = Console(highlight=False, soft_wrap=True)
_data: Final = click.option("--data", type=click.Path(path_type=Path), help="Directory of the store.")


@click.group()
def key() -> None:
    """API keys of bots and backends; a running server follows within a second."""


@key.command()
@click.argument("name")
@click.option("--room", "rooms", multiple=True, help="Open this room to the key, and no other. Repeatable.")
@click.option("--read-only", "kind", flag_value="read-only", default=None, help="The key writes nothing.")
@_data
def add(name: str, rooms: tuple[str, ...], kind: str | None, data: Path | None) -> None:
    """Make a key whose messages are signed NAME, and print it, once."""
    from kodama.core.apikey import KEY_BYTES, ApiKey, digest_of, write_key
    from kodama.core.errors import Refused
    from kodama.core.names import display_name, room_name

    token = write_key(token_bytes(KEY_BYTES))
    try:
        made = ApiKey(
            digest=digest_of(token), name=display_name(name),
            rooms=frozenset(map(room_name, rooms)) if rooms else None,
            read_only=kind is not None, created=int(time() * 1000),
        )  # fmt: skip
    except Refused as error:
        fail(error.detail)
    with opened(data, "keys") as (keys, file):
        keys.put(file, made)
    click.echo(token)
    err.print(said("This is key [bold]{id}[/]; it is not shown again.", id=made.id))


@key.command("list")
@_data
def list_keys(data: Path | None) -> None:
    """Show all keys: id, name, rooms, what they may, when they were made."""
    table = Table("id", "name", "rooms", "may", "since", box=None)
    with opened(data, "keys") as (keys, file):
        found = keys.listed(file)
    for one in found:
        rooms = "all" if one.rooms is None else " ".join(sorted(one.rooms))
        since = datetime.fromtimestamp(one.created / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        may = "read" if one.read_only else "read, write"
        table.add_row(one.id, escape(one.name), escape(rooms), may, since)
    _out.print(table if found else said("There are no keys."))


@key.command()
@click.argument("id")
@_data
def revoke(id: str, data: Path | None) -> None:  # noqa: A002 - what the person types
    """End the key ID, also on connections that are open."""
    with opened(data, "keys") as (keys, file):
        known = keys.drop(file, id)
    if not known:
        fail(said("There is no key {id}.", id=id))
    _out.print(said("Key {id} is revoked.", id=escape(id)))
