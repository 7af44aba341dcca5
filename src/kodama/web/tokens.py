"""What a token proves: guests' and sites' sessions, API keys, tickets; and what is proven no more.

Decided here: a token is read once and remembered by whoever asked, with the moment up to which
that holds; that it was revoked since is one look in a set. A token that is not valid is a
refusal, never nobody in particular.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Protocol

from twisted.internet.defer import Deferred, succeed

from kodama.accounts.cuts import SESSION_MS, Cuts
from kodama.core.account import phrase_user
from kodama.core.apikey import KEY_PREFIX, ApiKey, digest_of
from kodama.core.errors import Forbidden, Overloaded, Refused, Unauthorized
from kodama.core.event import Author
from kodama.core.session import Session, sign_session, verify_session
from kodama.core.ticket import TICKET_PREFIX, sign_ticket, verify_ticket
from kodama.core.vouched import VOUCHED
from kodama.core.who import Who
from kodama.store.interface import Store
from kodama.web.sites import Sites


@dataclass(frozen=True, slots=True)
class Proof:
    """Whom a token stands for, and until when (ms since 1970) it says so; None: no end."""

    who: Who
    until: int | None


class Revoke(Protocol):
    """Ends a session durably, on every node; ``until`` (ms) is when that may be forgotten."""

    def __call__(self, session: str, *, until: int) -> Deferred[None]: ...  # noqa: D102


class Tokens:
    """All that can be shown to this server. ``revoke`` takes a session back, ``revoked`` is called
    when something was taken back, here or elsewhere."""

    def __init__(
        self, store: Store, sites: Sites, cuts: Cuts, *, revoke: Revoke, revoked: Callable[[], None]
    ) -> None:
        self._store = store
        self._revoke = revoke
        self._sites = sites
        self._cuts = cuts
        self._revoked = revoked
        self._secret = b""
        self._ticket_secret = b""
        self._phrase_secret = b""
        self._ending: set[str] = set()  # ended, but perhaps not yet durably so
        self._ended: frozenset[str] = frozenset()
        self._keys: dict[bytes, ApiKey] | None = None
        self._key_sessions: frozenset[str] = frozenset()
        self.generation = 0

    def start(self) -> None:
        """Read what the store keeps of sessions; call after the store has started."""
        self._secret = self._store.secret("sessions")
        self._ticket_secret = self._store.secret("tickets")
        self._phrase_secret = self._store.secret("phrases")
        self._ended = self._store.revoked()

    def watch(self) -> Deferred[None]:
        """Look what the store has of API keys and ended sessions now."""
        return self._store.keys().addCallback(self._keys_are).addCallback(lambda _: self._look())

    def ended(self, session: str) -> None:
        """Take it that a session has ended: another node says so."""
        if session not in self._ending and session not in self._ended:
            self._ending.add(session)
            self._revoked()

    def prove(self, token: str, *, now: int) -> Proof:
        """Return whom ``token`` stands for; raises `Unauthorized`, `Overloaded`. ``now`` is in ms."""
        proof = self._read(token, now=now)
        refusal = self.refusal(proof.who, now=now)
        if refusal is not None:
            raise refusal
        return proof

    def refusal(self, who: Who, *, now: int) -> Unauthorized | None:
        """Return why ``who``, proven earlier, is nobody any more; None if all is well."""
        session = who.session
        if session is None:
            return None
        if session in self._ending or session in self._ended:
            return Unauthorized("This session has ended.")
        if session.startswith("key:") and session not in self._key_sessions:
            return Unauthorized("This key is not valid.")
        if self._cuts.over(who.user, who.expires):
            return Unauthorized("This session has ended.")
        if who.expires is not None and who.expires <= now:
            return Unauthorized("This session has expired.")
        return None

    def verdict(self, who: Who, *, now: int) -> Refused | None:
        """Return what somebody is told who reads at this moment, and may no longer."""
        refusal = self.refusal(who, now=now)
        if refusal is None or (who.expires is not None and who.expires <= now):
            return refusal
        return Forbidden(refusal.detail)

    def open_session(self, name: str, *, now: int) -> tuple[str, Session]:
        """Return a new guest's token and session."""
        return self.open_for(Author(new_id("g"), name, "guest"), now=now)

    def guest_of(self, name: str, phrase: str) -> Author:
        """Return the guest that knows ``phrase``. Raises `BadRequest`."""
        return Author(phrase_user(name, phrase, secret=self._phrase_secret), name, "guest")

    def open_for(self, author: Author, *, now: int) -> tuple[str, Session]:
        """Return the token of a new session of ``author``, and it."""
        until = self._cuts.opening(author.id, now) + SESSION_MS
        session = Session(token_urlsafe(9), author.id, author.name, until, author.kind)
        return sign_session(session, secret=self._secret), session

    def open_for_site(self, token: str, *, now: int) -> tuple[str, Session]:
        """Return the token and session of whom a site's JWT speaks; it ends with the JWT. Raises
        `Unauthorized`, `Overloaded`."""
        session = self._sites.session(token, now=now)
        refusal = self.refusal(session.who, now=now)
        if refusal is not None:
            raise refusal
        return sign_session(session, secret=self._secret), session

    def forget_proofs(self) -> None:
        """Let every token be read anew: the keys that prove them are others now."""
        self.generation += 1
        self._revoked()

    def ticket(self, who: Who, rooms: Iterable[str] | None = None, *, now: int) -> str:
        """Return a ticket with which ``who`` reads ``rooms``, by default those it is bound to."""
        bound = (who.rooms or ()) if rooms is None else rooms
        return sign_ticket(who, bound, secret=self._ticket_secret, now=now)

    def end(self, who: Who, *, now: int) -> Deferred[None]:
        """End a session at once, everywhere and durably. Raises `Forbidden` for an API key."""
        session = who.session
        if session is None:
            return succeed(None)
        if session.startswith("key:"):
            raise Forbidden("A key is revoked with `kodama key revoke`.")
        if session.startswith(VOUCHED):
            raise Forbidden("You leave where you came in: at the proxy that signed you in.")
        self._ending.add(session)
        self._revoked()
        return self._revoke(session, until=who.expires or now + SESSION_MS)

    def _look(self) -> None:
        before, self._ended = self._ended, self._store.revoked()
        if self._ended - before - self._ending:
            self._revoked()
        self._ending -= self._ended

    def _read(self, token: str, *, now: int) -> Proof:
        if token.startswith(KEY_PREFIX):
            return Proof(self._key(token).who, None)
        if token.startswith(TICKET_PREFIX):
            ticket = verify_ticket(token, secret=self._ticket_secret, now=now)
            return Proof(ticket.who, ticket.until)
        if token.startswith("ey"):  # how JSON in base64url begins
            session = self._sites.session(token, now=now)
        else:
            session = verify_session(token, secret=self._secret, now=now)
        return Proof(session.who, session.expires)

    def _key(self, token: str) -> ApiKey:
        if self._keys is None:
            raise Overloaded("The server has only just started; try again in a moment.", retry_after=1)
        key = self._keys.get(digest_of(token))
        if key is None:
            raise Unauthorized("This key is not valid.")
        return key

    def _keys_are(self, keys: Sequence[ApiKey]) -> None:
        known = {key.digest: key for key in keys}
        before, self._keys = self._keys, known
        if before is None or before == known:
            self._key_sessions = frozenset(f"key:{key.id}" for key in keys)
            return
        self._key_sessions = frozenset(f"key:{key.id}" for key in keys)
        self.generation += 1
        if before.keys() - known.keys():
            self._revoked()


def new_id(letter: str) -> str:
    """Return a new user's id."""
    return f"{letter}_{token_urlsafe(6)}"
