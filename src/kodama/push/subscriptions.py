"""Which browsers of whom are to be called: records, held in memory on every node.

Decided here: a subscription is as good as the session that made it, and is forgotten when that has
ended, when its push service says so, or when no page has renewed it for 60 days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from kodama.core.event import Author
from kodama.core.notify import folded
from kodama.core.who import Who
from kodama.registry import Registry

PUSH: Final = "push"
KEPT_MS: Final = 60 * 86_400_000
RENEWED_MS: Final = 86_400_000  # a page that comes more often than that is not written down
EACH: Final = 10  # browsers of one person


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One browser of ``user``, reached at ``endpoint`` with its keys. ``site`` is the origin of the page
    that made it; times are in ms since 1970; the rest is what the session may."""

    user: Author
    endpoint: str
    p256dh: str
    auth: str
    site: str
    created: int
    renewed: int
    session: str | None = None
    rooms: tuple[str, ...] | None = None
    invited: tuple[str, ...] = ()
    expires: int | None = None

    @property
    def who(self) -> Who:
        """Return whom its session stands for."""
        return Who(
            session=self.session, author=self.user, expires=self.expires,
            rooms=None if self.rooms is None else frozenset(self.rooms), invited=frozenset(self.invited),
        )  # fmt: skip


class Subscriptions:
    """All of them. ``refused`` says what is wrong with a session, None if nothing is; ``now`` gives ms
    since 1970."""

    def __init__(
        self, registry: Registry, *, refused: Callable[[Who], object | None], now: Callable[[], int]
    ) -> None:
        self._registry = registry
        self._refused = refused
        self._now = now
        self._of: dict[str, dict[str, Subscription]] = {}
        self._names: dict[str, str] = {}
        registry.follow(PUSH, Subscription, self._taken)

    def __contains__(self, user: object) -> bool:
        """Return whether somebody has a subscription."""
        return user in self._of

    def __len__(self) -> int:
        """Return how many people have one."""
        return len(self._of)

    def name(self, user: str) -> str:
        """Return how somebody with a subscription is called, `folded`."""
        return self._names.get(user, "")

    def of(self, user: str) -> Mapping[str, Subscription]:
        """Return somebody's subscriptions by their keys."""
        return self._of.get(user, {})

    def good(self, one: Subscription) -> bool:
        """Return whether a subscription is still to be used."""
        return self._now() - one.renewed < KEPT_MS and self._refused(one.who) is None

    async def add(self, one: Subscription) -> int:
        """Keep a subscription, or renew it; returns how many the person has. The one renewed longest
        ago gives way to an eleventh."""
        user = one.user.id
        key = key_of(user, one.endpoint)
        mine = self.of(user)
        known = mine.get(key)
        if known is not None and _same(known, one):
            return len(mine)
        if known is None and len(mine) >= EACH:
            await self.drop(min(mine, key=lambda key: mine[key].renewed))
        await self._registry.put(PUSH, key, one)
        return len(self.of(user))

    async def drop(self, key: str) -> None:
        """Forget a subscription."""
        await self._registry.drop(PUSH, key)

    async def prune(self) -> None:
        """Forget all that are not good any more."""
        for key in [key for mine in self._of.values() for key, one in mine.items() if not self.good(one)]:
            await self.drop(key)

    def _taken(self, key: str, one: Subscription | None) -> None:
        user = key.partition("/")[0]
        if one is not None:
            self._of.setdefault(user, {})[key] = one
            self._names[user] = folded(one.user.name)
            return
        mine = self._of.get(user, {})
        mine.pop(key, None)
        if not mine:
            self._of.pop(user, None)
            self._names.pop(user, None)


def key_of(user: str, endpoint: str) -> str:
    """Return the key of a record; nobody's id has a slash."""
    return f"{user}/{blake2b(endpoint.encode(), digest_size=16).hexdigest()}"


def _same(known: Subscription, one: Subscription) -> bool:
    """Return whether nothing is new but the time, and not much of it."""
    young = one.renewed - known.renewed < RENEWED_MS
    return young and msgspec.structs.replace(one, created=known.created, renewed=known.renewed) == known
