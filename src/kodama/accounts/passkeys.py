"""Passkeys: a way into an account that cannot be guessed, phished or forgotten.

Decided here: a passkey alone opens an account, so the authenticator must have asked for a finger, a
face or a PIN; who it is comes from the passkey itself, and no login is typed. An answer is taken
once, on whichever node: a record says so until it is over. The library is loaded by the first who
uses one, on the thread of the passwords.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from secrets import token_bytes
from typing import Any, Final, NamedTuple, TypeVar

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from kodama.accounts.book import Accounts
from kodama.accounts.hashing import Hashing
from kodama.core.account import PASSKEYS, Account, Passkey
from kodama.core.challenge import CHALLENGE_BYTES, challenge_end, write_challenge
from kodama.core.errors import BadRequest, Conflict, NotFound, Unauthorized
from kodama.core.record import DropRecord, PutRecord, RecordMoved
from kodama.store.interface import Store

SERVER: Final = "Kodama"
SIGN_IN: Final = "sign in"
ANSWERED: Final = "passkey-answer"
TIDIED: Final = 8  # old ones that are dropped with each new one
LATE_MS: Final = 3_600_000  # by which another node's clock may be behind
_WRONG: Final = "This passkey opens nothing here."
Given = Mapping[str, Any]
T = TypeVar("T")


class Place(NamedTuple):
    """Where passkeys are good: the server's name, and the pages that may ask for them."""

    name: str
    origins: tuple[str, ...]


class Passkeys:
    """The passkeys of all accounts. ``now`` is the time in ms since 1970."""

    def __init__(
        self, store: Store, accounts: Accounts, hashing: Hashing, *, now: Callable[[], int]
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._hashing = hashing
        self._now = now
        self._secret = b""

    def start(self) -> None:
        """Read what challenges are proven by; after the store's start."""
        self._secret = self._store.secret("passkeys")

    async def offered(self, user: str, password: str | None, place: Place) -> bytes:
        """Return, as JSON, what a browser needs to make a passkey for ``user``. Raises `NotFound`,
        `Forbidden`, `Conflict`, `Overloaded`."""
        account, _ = await self._accounts.proven(user, password)
        _check_room(account)
        challenge = self._challenge(_adding(user))
        return await self._hashing.run(lambda: _creation(account, place, challenge))

    async def added(self, user: str, given: Given, name: str, place: Place) -> Passkey:
        """Add the passkey that a browser has made. Raises `BadRequest`, `NotFound`, `Unauthorized`,
        `Conflict`, `Overloaded`."""
        challenge, until = self._answered(given, _adding(user))
        made = await self._verified(lambda: _registered(given, challenge, place))
        if made is None:
            raise BadRequest("This passkey cannot be taken; it needs a finger, a face or a PIN.")
        await self._use(challenge, until)
        passkey = replace(made, name=name, created=self._now())
        account, revision = await self._accounts.own(user)
        _check_room(account)
        if any(one.id == passkey.id for one in account.passkeys):
            raise Conflict("You have this passkey already.")
        await self._accounts.keep(replace(account, passkeys=(*account.passkeys, passkey)), revision)
        return passkey

    async def removed(self, user: str, passkey: str) -> Account:
        """Forget a passkey and end all sessions of the account. Raises `NotFound`, `Conflict`."""
        account, revision = await self._accounts.own(user)
        left = tuple(one for one in account.passkeys if one.id != passkey)
        if len(left) == len(account.passkeys):
            raise NotFound("You have no such passkey.")
        return await self._accounts.cut(replace(account, passkeys=left), revision)

    def asked(self, place: Place) -> Deferred[bytes]:
        """Return, as JSON, what a browser needs to show a passkey. Raises `Overloaded`."""
        challenge = self._challenge(SIGN_IN)
        return self._hashing.run(lambda: _request(place, challenge))

    async def opened(self, given: Given, user: str, place: Place) -> Account:
        """Return the account that a passkey opens. Raises `Unauthorized`, `Overloaded`."""
        challenge, until = self._answered(given, SIGN_IN)
        account, revision = await self._accounts.at(user)
        passkey = next((one for one in account.passkeys if one.id == given["id"]), None) if account else None
        if account is None or passkey is None:
            raise Unauthorized(_WRONG)
        count = await self._verified(lambda: _shown(given, challenge, place, passkey))
        if count is None:
            raise Unauthorized(_WRONG)
        await self._use(challenge, until)
        if count != passkey.count:
            known = tuple(replace(one, count=count) if one is passkey else one for one in account.passkeys)
            account = replace(account, passkeys=known)
            await self._accounts.keep(account, revision)
        return account

    def _challenge(self, purpose: str) -> bytes:
        random = token_bytes(CHALLENGE_BYTES)
        return write_challenge(purpose, random=random, now=self._now(), secret=self._secret)

    def _answered(self, given: Given, purpose: str) -> tuple[bytes, int]:
        """Return the challenge that ``given`` answers and its end, if it is a good one."""
        challenge = _challenge_in(given)
        return challenge, challenge_end(challenge, purpose, now=self._now(), secret=self._secret)

    async def _use(self, challenge: bytes, until: int) -> None:
        """Note durably that the challenge is answered, and forget some that are over. Raises
        `Unauthorized` if it was answered before."""
        place = f"{until:013d}.{sha256(challenge).hexdigest()}"
        oldest = await self._store.records(ANSWERED, limit=TIDIED)
        over = [one.key for one in oldest.records if int(one.key.partition(".")[0]) < self._now() - LATE_MS]
        used = PutRecord(kind=ANSWERED, key=place, body=b"true", expected=0)
        try:
            await self._store.write_records([used, *[DropRecord(kind=ANSWERED, key=one) for one in over]])
        except RecordMoved:
            raise Unauthorized("This answer was given before.") from None

    async def _verified(self, work: Callable[[], T]) -> T | None:
        """Return what ``work`` finds, None if the library does not like what it is given."""

        def tried() -> T | None:
            try:
                return work()
            except Exception:  # noqa: BLE001 - it parses what strangers send, and fails in many ways
                return None

        return await self._hashing.run(tried)


def _adding(user: str) -> str:
    return f"add to {user}"


def _check_room(account: Account) -> None:
    if len(account.passkeys) >= PASSKEYS:
        raise Conflict(f"An account has at most {PASSKEYS} passkeys.")


def _challenge_in(given: Given) -> bytes:
    """Return the challenge that the browser says it has answered, not yet proven."""
    from webauthn import base64url_to_bytes

    try:
        said = json.loads(base64url_to_bytes(given["response"]["clientDataJSON"]))
        return base64url_to_bytes(said["challenge"])
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
        raise Unauthorized("This is not what a browser answers.") from None


def _creation(account: Account, place: Place, challenge: bytes) -> bytes:
    from webauthn import base64url_to_bytes, generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=place.name, rp_name=SERVER, user_id=account.user.encode(), user_name=account.login,
        user_display_name=account.name, challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.id)) for one in account.passkeys
        ],
    )  # fmt: skip
    return b'{"publicKey":%b}' % options_to_json(options).encode()


def _request(place: Place, challenge: bytes) -> bytes:
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=place.name, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return b'{"publicKey":%b}' % options_to_json(options).encode()


def _registered(given: Given, challenge: bytes, place: Place) -> Passkey:
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    found = verify_registration_response(
        credential=dict(given), expected_challenge=challenge, expected_rp_id=place.name,
        expected_origin=list(place.origins), require_user_verification=True,
    )  # fmt: skip
    return Passkey(
        id=bytes_to_base64url(found.credential_id), key=bytes_to_base64url(found.credential_public_key),
        count=found.sign_count,
    )  # fmt: skip


def _shown(given: Given, challenge: bytes, place: Place, passkey: Passkey) -> int:
    from webauthn import base64url_to_bytes, verify_authentication_response

    found = verify_authentication_response(
        credential=dict(given), expected_challenge=challenge, expected_rp_id=place.name,
        expected_origin=list(place.origins), credential_public_key=base64url_to_bytes(passkey.key),
        credential_current_sign_count=passkey.count, require_user_verification=True,
    )  # fmt: skip
    return found.new_sign_count
