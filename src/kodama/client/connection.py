"""The blocking face of the client: asks over one kept connection, again until it is answered."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from random import uniform
from time import sleep
from typing import Any
from urllib.parse import urlsplit

from kodama.client.protocol import Ask, ClientFault, Tail, fault_of

TIMEOUT = 150.0
BACKOFF_LIMIT = 15.0


class Connection:
    """A server at ``url``. ``pause`` is called with seconds between two tries."""

    def __init__(self, url: str, *, pause: Callable[[float], None] = sleep) -> None:
        try:
            parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
            port = parts.port
        except ValueError:
            raise ClientFault(f"{url} is not the address of a server.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ClientFault(f"{url} is not the address of a server.")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._http = kind(parts.hostname, port, timeout=TIMEOUT)
        self._pause = pause

    def ask(self, ask: Ask, *, tries: int | None = None) -> bytes:
        """Return the answer's body, trying ``tries`` times (None: for ever).

        Raises `ClientFault` if the server refuses, OSError when the tries are used up.
        """
        wait = 0.25
        while True:
            failure: Exception
            try:
                self._http.request(
                    ask.method, ask.target, body=ask.body or None,
                    headers={"Accept": "application/json", "Content-Type": "application/json"},
                )  # fmt: skip
                answer = self._http.getresponse()
                body = answer.read()
                if answer.status < 400:
                    return body
                fault = fault_of(answer.status, body)
                if fault is not None:
                    raise fault
                failure = ConnectionError(f"the server answered {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self._http.close()
                failure = error
            if tries is not None:
                tries -= 1
                if tries <= 0:
                    raise OSError(str(failure)) from failure
            self._pause(uniform(wait / 2, wait))  # noqa: S311 - it spreads a crowd, and is no secret
            wait = min(wait * 2, BACKOFF_LIMIT)

    def follow(self, tail: Tail) -> Iterator[list[dict[str, Any]]]:
        """Yield the room's events, a batch an answer, for ever, through restarts of the server."""
        while True:
            news = tail.told(self.ask(tail.ask()))
            yield news.events
            if news.after:
                self._pause(news.after)

    def catch_up(self, tail: Tail) -> Iterator[list[dict[str, Any]]]:
        """Yield what there is now, a batch an answer."""
        more = True
        while more:
            news = tail.told(self.ask(tail.ask(wait=0), tries=5))
            yield news.events
            more = news.more
