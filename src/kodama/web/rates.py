"""How often one sender may do what, and what comes before a refusal.

Decided here: every deed has a bucket for each address and one for each session. A read that
comes too often is not refused at first: it is answered a moment later, together with what came
meanwhile (`COALESCED`); who goes on gets short answers as well (`SHORTENED`); and only whoever is
more than `LATEST` seconds ahead is refused, with ``Retry-After``. Each step is counted. A poll that
waits for news is never asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from kodama.core.errors import RateLimited
from kodama.core.limits import Buckets, Rate
from kodama.metrics import Metrics
from kodama.transports.held import COALESCED

LATEST: Final = 3.0
EVERYBODY: Final = 10  # times one address's attempts at a login are all addresses': none locks others out


class Deed(StrEnum):
    """What is counted."""

    WRITE = "write"
    READ = "read"
    SESSION = "session"
    ROOM = "room"
    TOKEN = "token"  # noqa: S105 - the name of what is counted
    LOGIN = "login"
    UPLOAD = "upload"


_WORDS: Final = {
    Deed.WRITE: "Too many writes", Deed.READ: "Too many reads", Deed.SESSION: "Too many new sessions",
    Deed.ROOM: "Too many new rooms", Deed.TOKEN: "Too many tokens that are not valid",
    Deed.LOGIN: "Too many attempts to sign in", Deed.UPLOAD: "Too many bytes of files",
}  # fmt: skip


class Sender(NamedTuple):
    """Who counts as one: a network, and a session if there is one."""

    network: str
    session: str | None


class Rates:
    """The buckets of one server. ``now`` is in seconds; a sender of None meets no rate."""

    def __init__(self, rates: Mapping[Deed, Rate], metrics: Metrics) -> None:
        self._networks = {deed: Buckets(rate) for deed, rate in rates.items()}
        self._sessions = {deed: Buckets(rate) for deed, rate in rates.items()}
        login = rates[Deed.LOGIN]
        self._logins = Buckets(Rate(login.burst * EVERYBODY, login.per_second * EVERYBODY))
        self._metrics = metrics

    @property
    def buckets(self) -> Mapping[str, Buckets]:
        """Return all buckets by name: what is taken from them is taken on all nodes."""
        networks = {f"{deed} network": one for deed, one in self._networks.items()}
        sessions = {f"{deed} session": one for deed, one in self._sessions.items()}
        return networks | sessions | {f"{Deed.LOGIN} all": self._logins}

    def charge(
        self, deed: Deed, sender: Sender | None, *, now: float, ahead: float = 0.0, tokens: int = 1
    ) -> float:
        """Count one deed, or as many as it weighs; return 0, or in how many of at most ``ahead`` seconds
        it is due. Raises `RateLimited`."""
        if sender is None:
            return 0.0
        wait = self._networks[deed].take(sender.network, now=now, ahead=ahead, tokens=tokens)
        if wait <= ahead and sender.session is not None:
            wait = max(wait, self._sessions[deed].take(sender.session, now=now, ahead=ahead, tokens=tokens))
        if wait > ahead:
            self._refuse(deed, wait - ahead)
        return wait

    def read(self, sender: Sender | None, *, now: float) -> float:
        """Count a read; return after how many seconds it is to be answered: beyond `COALESCED` also
        shortly. Raises `RateLimited`."""
        wait = self.charge(Deed.READ, sender, now=now, ahead=LATEST)
        if wait:
            self._metrics.limit(Deed.READ, "coalesced" if wait <= COALESCED else "shortened")
        return wait

    def allow_guess(self, sender: Sender | None, *, now: float) -> None:
        """Raise `RateLimited` if too many tokens of ``sender`` were not valid, before one is looked at."""
        if sender is not None:
            wait = self._networks[Deed.TOKEN].wait(sender.network, now=now)
            if wait:
                self._refuse(Deed.TOKEN, wait)

    def guessed(self, sender: Sender | None, *, now: float) -> None:
        """Count a token that was not valid."""
        if sender is not None:
            self._networks[Deed.TOKEN].take(sender.network, now=now)

    def charge_login(self, login: str, sender: Sender | None, *, now: float) -> None:
        """Count an attempt to sign in, right or wrong, before it is looked at. Raises `RateLimited`."""
        if sender is None:
            return
        self.allow_guess(sender, now=now)
        wait = self._networks[Deed.LOGIN].take(f"{sender.network} {login}", now=now)
        wait = wait or self._logins.take(login, now=now)
        if wait:
            self._refuse(Deed.LOGIN, wait)

    def _refuse(self, deed: Deed, wait: float) -> None:
        self._metrics.limit(deed, "refused")
        raise RateLimited(f"{_WORDS[deed]}; come back in a moment.", retry_after=wait)
