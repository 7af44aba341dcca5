"""Passwords, hashed slowly on a thread of their own and never on the reactor's.

Decided here: argon2id with 19 MiB and two passes (the OWASP password storage cheat sheet's first
choice for one lane), one at a time, so that a crowd that signs in neither stops the server nor
fills its memory: who would wait behind too many is told to come back. A login that does not exist
costs exactly what a wrong password does.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.core.errors import Overloaded

PASSES: Final = 2
KIBIBYTES: Final = 19_456
WAITING_LIMIT: Final = 64  # about two seconds' worth
_SALT: Final = 16
_LENGTH: Final = 32
T = TypeVar("T")


class FromThread(Protocol):
    """The part of `twisted.internet.interfaces.IReactorFromThreads` that is used."""

    def callFromThread(self, callable: Callable[..., Any], *args: Any) -> Any:  # noqa: A002, N802
        """Call on the reactor's thread."""
        ...


class Hashing:
    """Hashes and compares passwords, one after the other. The thread begins with the first."""

    def __init__(self, reactor: FromThread) -> None:
        self._reactor = reactor
        self._argon2 = PasswordHasher(
            time_cost=PASSES, memory_cost=KIBIBYTES, parallelism=1, hash_len=_LENGTH, salt_len=_SALT,
            type=Type.ID,
        )  # fmt: skip
        self._nobody = _hash_of_nobody()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._waiting = 0

    def hash(self, password: str) -> Deferred[str]:
        """Return what is kept of ``password``. Raises `Overloaded`."""
        return self.run(lambda: self._argon2.hash(password))

    def matches(self, kept: str | None, password: str) -> Deferred[bool]:
        """Return whether ``password`` is the one that ``kept`` was made of; None is of no password,
        and takes as long. Raises `Overloaded`."""
        return self.run(lambda: self._verify(self._nobody if kept is None else kept, password))

    def is_old(self, kept: str) -> bool:
        """Return whether ``kept`` was made with other costs than today's."""
        return self._argon2.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._argon2.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """Return what ``work`` does on the thread. Raises `Overloaded`."""
        if self._waiting >= WAITING_LIMIT:
            raise Overloaded("Too many people sign in at this moment.", retry_after=2)
        self._waiting += 1
        done: Deferred[T] = Deferred()

        def run() -> None:
            try:
                outcome: T | Failure = work()
            except Exception:  # noqa: BLE001 - it is raised where it is waited for
                outcome = Failure()
            self._reactor.callFromThread(self._settle, done, outcome)

        self._thread.submit(run)
        return done

    def _settle(self, done: Deferred[T], outcome: T | Failure) -> None:
        self._waiting -= 1
        done.callback(outcome)


def _hash_of_nobody() -> str:
    """Return a hash that no password has, at the cost of all others."""
    salt, digest = (b64encode(bytes(size)).rstrip(b"=").decode() for size in (_SALT, _LENGTH))
    return f"$argon2id$v=19$m={KIBIBYTES},t={PASSES},p=1${salt}${digest}"
