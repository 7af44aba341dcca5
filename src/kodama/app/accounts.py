"""``kodama account``: for people who have lost all their ways in, beside a running server or without one."""

from __future__ import annotations

from pathlib import Path
from secrets import token_bytes
from typing import Any

import click

from kodama.app.beside import err, fail, opened
from kodama.app.words import said


@click.group()
def account() -> None:
    """Accounts of people."""


@account.command()
@click.argument("login")
@click.option("--data", type=click.Path(path_type=Path), help="Directory of the store.")
def reset(login: str, data: Path | None) -> None:
    """Print a recovery code for LOGIN, with which a new password is set, once.

    The codes that they have stay good.
    """
    from kodama.core.account import CODE_BYTES, write_code
    from kodama.core.errors import BadRequest

    code = write_code(token_bytes(CODE_BYTES))
    try:
        with opened(data, "records") as (records, transaction):
            _add(records, transaction, login, code)
    except BadRequest as error:
        fail(error.detail)
    click.echo(code)
    err.print(said("It is good once, for POST /v1/accounts/recover, and is not shown again."))


def _add(records: Any, transaction: Any, login: str, code: str) -> None:
    """Give the account a further code. Raises `BadRequest` if there is none."""
    from msgspec.json import decode, encode
    from msgspec.structs import replace

    from kodama.core.account import ACCOUNT, LOGIN, Account, LoginPlace, code_digest, login_name
    from kodama.core.errors import BadRequest
    from kodama.core.record import PutRecord

    place = records.one(transaction, LOGIN, login_name(login))
    found = place and records.one(transaction, ACCOUNT, decode(place.body, type=LoginPlace).user)
    if found is None:
        raise BadRequest(said("There is no account with the login {login}.", login=login))
    kept = decode(found.body, type=Account)
    more = replace(kept, codes=(code_digest(code), *kept.codes))
    change = PutRecord(kind=ACCOUNT, key=kept.user, body=encode(more), expected=found.revision)
    records.write(transaction, [change])
