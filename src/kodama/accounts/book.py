"""The accounts: made, opened, changed, removed.

Decided here: an account is a record under the user's id, its login another that points there, and
both are read when somebody signs in and never kept in memory. Whatever changes what opens an
account cuts the sessions it had, in the same write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import token_bytes
from typing import Final

import msgspec
from msgspec.structs import replace

from kodama.accounts.cuts import Cuts
from kodama.accounts.hashing import Hashing
from kodama.core.account import (
    ACCOUNT,
    CODE_BYTES,
    CODES,
    LOGIN,
    Account,
    LoginPlace,
    code_digest,
    new_password,
    spelled_password,
    write_code,
)
from kodama.core.errors import Conflict, Forbidden, NotFound, Unauthorized
from kodama.core.event import Author
from kodama.core.record import DropRecord, PutRecord, RecordChange, RecordMoved
from kodama.registry import Registry
from kodama.store.interface import Store

NOBODY: Final = "-"  # no id of a user: read so that every sign-in reads twice
WRONG: Final = "The login or the password is wrong."
WRONG_CODE: Final = "The login or the code is wrong."
_account: Final = msgspec.json.Decoder(Account)
_place: Final = msgspec.json.Decoder(LoginPlace)


class Accounts:
    """All accounts of a server. ``now`` is the time in ms since 1970."""

    def __init__(
        self, store: Store, registry: Registry, hashing: Hashing, cuts: Cuts, *, now: Callable[[], int]
    ) -> None:
        self._store = store
        self._registry = registry
        self._hashing = hashing
        self._cuts = cuts
        self._now = now

    async def make(self, login: str, password: str, *, user: str, name: str) -> tuple[Account, Sequence[str]]:
        """Make an account for ``user`` and return it with its recovery codes. Raises `BadRequest`,
        `Conflict` if the login is taken, `Overloaded`."""
        spelled = new_password(password)
        if await self._store.record(LOGIN, login) is not None:
            raise Conflict("This login is taken.")
        codes = _codes()
        account = Account(
            user=user, login=login, name=name, created=self._now(),
            password=await self._hashing.hash(spelled), codes=tuple(map(code_digest, codes)),
        )  # fmt: skip
        place = PutRecord(kind=LOGIN, key=login, body=msgspec.json.encode(LoginPlace(user)), expected=0)
        try:
            await self._registry.write((place, _put(account, 0), *self._cuts.cut(user, self._now())))
        except RecordMoved:
            raise Conflict("This login is taken, or you have an account.") from None
        return account, codes

    async def signed_in(self, login: str | None, password: str) -> Account:
        """Return the account that login and password open; None is a login that cannot be one.
        Raises `Unauthorized`, `Overloaded`."""
        account, revision = await self._by_login(login)
        spelled = spelled_password(password)
        right = await self._hashing.matches(None if account is None else account.password, spelled)
        if account is None or not right:
            raise Unauthorized(WRONG)
        if self._hashing.is_old(account.password):
            account = replace(account, password=await self._hashing.hash(spelled))
            await self.keep(account, revision)
        return account

    async def recovered(self, login: str | None, code: str, password: str) -> Account:
        """Give the account a new password for one of its codes, which is good no more. Raises
        `BadRequest`, `Unauthorized`, `Conflict`, `Overloaded`."""
        spelled = new_password(password)
        account, revision = await self._by_login(login)
        digest = code_digest(code)
        hashed = await self._hashing.hash(spelled)
        if account is None or digest not in account.codes:
            raise Unauthorized(WRONG_CODE)
        left = tuple(one for one in account.codes if one != digest)
        return await self.cut(replace(account, password=hashed, codes=left), revision)

    async def changed(
        self, user: str, *, name: str | None, password: str | None, new: str | None, codes: bool | None
    ) -> tuple[Account, Sequence[str]]:
        """Change the account of ``user`` and end all its sessions; returns it and, if asked, new
        recovery codes. Raises `BadRequest`, `NotFound`, `Forbidden`, `Conflict`, `Overloaded`."""
        guarded = new is not None or codes is True
        account, revision = await (self.proven(user, password) if guarded else self.own(user))
        if name is not None:
            account = replace(account, name=name)
        if new is not None:
            account = replace(account, password=await self._hashing.hash(new_password(new)))
        fresh = _codes() if codes else ()
        if fresh:
            account = replace(account, codes=tuple(map(code_digest, fresh)))
        return await self.cut(account, revision), fresh

    async def removed(self, author: Author, password: str | None, *, also: Sequence[RecordChange]) -> None:
        """Forget the account of ``author``, if there is one, end the sessions that were opened here, and
        write what is ``also`` to be. Raises `Forbidden`, `Conflict`, `Overloaded`."""
        changes = list(also)
        if (await self.at(author.id))[0] is not None:
            account, revision = await self.proven(author.id, password)
            changes.append(DropRecord(kind=ACCOUNT, key=account.user, expected=revision))
            changes.append(DropRecord(kind=LOGIN, key=account.login))
        elif author.kind != "guest":
            await self._write(changes)  # it is others who say who they are
            return
        await self._write([*changes, *self._cuts.cut(author.id, self._now())])

    async def _by_login(self, login: str | None) -> tuple[Account | None, int]:
        found = None if login is None else await self._store.record(LOGIN, login)
        return await self.at(NOBODY if found is None else _place.decode(found.body).user)

    async def at(self, user: str) -> tuple[Account | None, int]:
        """Return the account of ``user``, if there is one, and its revision."""
        found = await self._store.record(ACCOUNT, user)
        return (None, 0) if found is None else (_account.decode(found.body), found.revision)

    async def own(self, user: str) -> tuple[Account, int]:
        """Return the account of ``user`` and its revision. Raises `NotFound`."""
        account, revision = await self.at(user)
        if account is None:
            raise NotFound("You have no account here.")
        return account, revision

    async def proven(self, user: str, password: str | None) -> tuple[Account, int]:
        """Return the account of ``user`` and its revision. Raises `NotFound`, `Forbidden` if it is not
        the password, `Overloaded`."""
        account, revision = await self.own(user)
        if not await self._hashing.matches(account.password, spelled_password(password or "")):
            raise Forbidden("The password is wrong.")
        return account, revision

    async def keep(self, account: Account, revision: int) -> None:
        """Write the account as it is now. Raises `Conflict`."""
        await self._write([_put(account, revision)])

    async def cut(self, account: Account, revision: int) -> Account:
        """Write the account as it is now and end its sessions. Raises `Conflict`."""
        await self._write([_put(account, revision), *self._cuts.cut(account.user, self._now())])
        return account

    async def _write(self, changes: Sequence[RecordChange]) -> None:
        try:
            if changes:
                await self._registry.write(changes)
        except RecordMoved:
            raise Conflict("The account was changed by somebody else at this moment; try again.") from None


def _put(account: Account, expected: int) -> PutRecord:
    return PutRecord(kind=ACCOUNT, key=account.user, body=msgspec.json.encode(account), expected=expected)


def _codes() -> tuple[str, ...]:
    return tuple(write_code(token_bytes(CODE_BYTES)) for _ in range(CODES))
