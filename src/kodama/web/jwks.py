"""The keys of a site as a JWK set, from a file or an https address, read again now and then.

Decided here: a set that cannot be fetched leaves the last one in force, and strangers' tokens
cannot make us fetch more than once in half a minute. Never on the way of a request.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.client import Agent
from twisted.web.iweb import IResponse

from kodama.http.outgoing import bounded_body
from kodama.web.sites import BadKey, SiteKey, keys_of

FETCH_SECONDS: Final = 5.0
FETCH_BYTES: Final = 256 * 1024
REFRESH_SECONDS: Final = 600.0
MISSED_SECONDS: Final = 30.0
_log: Final = Logger()


class JwkSet:
    """The changing keys of ``issuer``; ``changed`` is called when there are others."""

    def __init__(self, issuer: str, source: str, *, reactor: Any, changed: Callable[[], None]) -> None:
        self.issuer = issuer
        self._source = source
        self._reactor = reactor
        self._changed = changed
        self._keys: tuple[SiteKey, ...] | None = None
        self._asked = float("-inf")

    @property
    def keys(self) -> tuple[SiteKey, ...] | None:
        """Return the keys that are known now, None before the first."""
        return self._keys

    def missed(self) -> None:
        """Look again if the last look is half a minute ago: a token came whose key is not known."""
        if self._reactor.seconds() - self._asked >= MISSED_SECONDS:
            self.refresh()

    def watch(self) -> None:
        """Look again if it is time; call every now and then."""
        if self._reactor.seconds() - self._asked >= REFRESH_SECONDS:
            self.refresh()

    def refresh(self) -> None:
        """Read the set again."""
        self._asked = self._reactor.seconds()
        if not self._source.startswith(("https://", "http://")):
            try:
                self._take(Path(self._source).read_bytes())
            except (OSError, BadKey) as error:
                _log.error("the keys of {issuer} cannot be read: {why}", issuer=self.issuer, why=str(error))
            return
        agent = Agent(self._reactor, connectTimeout=FETCH_SECONDS)
        fetching = agent.request(b"GET", self._source.encode())
        fetching.addCallback(_body).addTimeout(FETCH_SECONDS, self._reactor).addCallback(self._take)
        fetching.addErrback(
            lambda failure: _log.error(
                "the keys of {issuer} cannot be fetched: {why}", issuer=self.issuer, why=str(failure.value)
            )
        )

    def _take(self, document: bytes) -> None:
        keys = keys_of(self.issuer, document)
        if keys:
            self._keys = keys
            self._changed()
        else:
            _log.error("the keys of {issuer} have none that is of use", issuer=self.issuer)


def _body(response: IResponse) -> Deferred[bytes]:
    if response.code != 200:
        raise BadKey(f"the answer was {response.code}")
    return bounded_body(response, limit=FETCH_BYTES)
