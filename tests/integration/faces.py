"""Both faces of the Python client as one: what is tested of it is written once and done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any

from kodama.client import AsyncClient, AsyncReading, AsyncRoom, Client

Face = Callable[..., Any]  # a context manager of a client whose methods block


class Driven:
    """A part of the asyncio face, driven from outside its loop as if it blocked."""

    def __init__(self, inner: Any, runner: asyncio.Runner) -> None:
        self._inner = inner
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._doing(found) if callable(found) else found

    def __iter__(self) -> Iterator[Any]:
        events = aiter(self._inner)
        while True:
            yield self._runner.run(_next(events))

    def _doing(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def do(*given: Any, **named: Any) -> Any:
            found = method(*given, **named)
            if isawaitable(found):
                found = self._runner.run(_awaited(found))
            return Driven(found, self._runner) if isinstance(found, AsyncRoom | AsyncReading) else found

        return do


@contextmanager
def driven(url: str, **given: Any) -> Iterator[Driven]:
    """Open the asyncio face."""
    with asyncio.Runner() as runner:
        client = AsyncClient(url, **given)
        runner.run(client.__aenter__())
        try:
            yield Driven(client, runner)
        finally:
            runner.run(client.close())


async def _next(events: AsyncIterator[Any]) -> Any:
    """The loop knows only of generators that are begun in it, and ends only those."""
    return await anext(events)


async def _awaited(what: Awaitable[Any]) -> Any:
    return await what


FACES: dict[str, Face] = {"blocking": Client, "asyncio": driven}
