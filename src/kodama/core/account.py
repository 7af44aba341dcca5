"""Accounts: what is kept of one, and which logins, passwords and recovery codes are the same.

Decided here: an account needs a login and a password and nothing else, no address of any kind;
whoever loses the password has ten codes for that, each good once. Kept are only digests.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256
from typing import Final

import msgspec

from kodama.core.errors import BadRequest
from kodama.core.event import Author

ACCOUNT: Final = "account"  # kinds of records: by the user's id
LOGIN: Final = "login"  # by the login
CUT: Final = "session-cut"  # by the user's id

LOGIN_LIMIT: Final = 64
PASSWORD_MINIMUM: Final = 8
PASSWORD_LIMIT: Final = 256
CODES: Final = 10
PASSKEYS: Final = 10
CODE_BYTES: Final = 10  # 16 characters: enough that a plain digest gives nothing away
ID_BYTES: Final = 16

_LOGIN_SIGNS: Final = frozenset("._-+@")
_NO_CODE: Final = re.compile(r"[^a-z2-7]")


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey of an account: ``id`` and public ``key`` in base64url, ``count`` of its uses as it tells
    it, and ``created`` in ms since 1970."""

    id: str
    key: str
    count: int
    name: str = ""
    created: int = 0


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person who can come back. ``password`` is an argon2 hash, ``codes`` are the digests of the
    recovery codes that are left; ``created`` is in ms since 1970."""

    user: str
    login: str
    name: str
    created: int
    password: str
    codes: tuple[str, ...] = ()
    passkeys: tuple[Passkey, ...] = ()

    @property
    def author(self) -> Author:
        """Return the account's person as the author of events."""
        return Author(self.user, self.name, "user")


class LoginPlace(msgspec.Struct, frozen=True):
    """Whose a login is."""

    user: str


class Cut(msgspec.Struct, frozen=True):
    """The sessions of a person that were opened at ``upto`` (ms since 1970) or before are over."""

    upto: int


def folded(given: str) -> str:
    """Return what spellings of one name have in common: NFKC(casefold(NFKC(given)))."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", given).casefold())


def login_name(given: str) -> str:
    """Return the one spelling of a login: NFKC(casefold(NFKC(given))), as of room names.

    Has 1 to 64 letters, marks, digits and ``.``, ``_``, ``-``, ``+``, ``@``. Applying it twice
    changes nothing. Raises `BadRequest`.
    """
    name = folded(given.strip())
    if not 1 <= len(name) <= LOGIN_LIMIT:
        raise BadRequest(f"A login has 1 to {LOGIN_LIMIT} characters.")
    if any(char not in _LOGIN_SIGNS and unicodedata.category(char)[0] not in "LMN" for char in name):
        raise BadRequest("A login has only letters, digits, '.', '_', '-', '+' and '@'.")
    return name


def spelled_password(given: str) -> str:
    """Return a password as it is hashed: NFC (RFC 8265, OpaqueString), so that it is the same from
    every keyboard."""
    return unicodedata.normalize("NFC", given)


def new_password(given: str) -> str:
    """Return a password that may be taken, as it is hashed: of 8 to 256 characters. Raises
    `BadRequest`."""
    return _measured(given, "password")


def phrase_user(name: str, phrase: str, *, secret: bytes) -> str:
    """Return the id of the guest who knows ``phrase``, of 8 to 256 characters, under ``name``: the same
    on every device, and nobody else's. Names are told apart as logins are. Raises `BadRequest`."""
    known = f"{folded(name)}\0{_measured(phrase, 'phrase')}".encode("utf-8", "surrogatepass")
    return "g_" + urlsafe_b64encode(hmac.digest(secret, known, "sha256")[:ID_BYTES]).rstrip(b"=").decode()


def write_code(random: bytes) -> str:
    """Return the recovery code made of `CODE_BYTES` random bytes: four by four letters."""
    text = b32encode(random).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def code_digest(given: str) -> str:
    """Return what is kept of a recovery code, however it was typed."""
    return sha256(_NO_CODE.sub("", given.lower()).encode()).hexdigest()


def _measured(given: str, what: str) -> str:
    spelled = spelled_password(given)
    if not PASSWORD_MINIMUM <= len(spelled) <= PASSWORD_LIMIT:
        raise BadRequest(f"A {what} has {PASSWORD_MINIMUM} to {PASSWORD_LIMIT} characters.")
    return spelled
