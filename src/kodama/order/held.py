"""Messages that wait for a moderator.

The one decision here: a message that waits has no offset, is no event and is told to nobody; what
releases it publishes it under the sender's own nonce, or one made of its id, so however often a
moderator or the sender tries again, it is said once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from secrets import token_hex
from typing import Any, Final

import msgspec

from kodama.core.change import Nonce, Publish
from kodama.core.errors import NotFound, RateLimited, TooLarge
from kodama.core.event import Author
from kodama.core.policy import Deed
from kodama.core.record import RECORD_LIMIT, RecordChange, RecordMoved
from kodama.core.who import Who
from kodama.order.houses import KNOWN, Houses, drop, key, put
from kodama.store.interface import Stored

HELD: Final = "held"
WAITING: Final = 500  # messages of a room
WAITING_EACH: Final = 10  # messages of a person in a room
COME_BACK: Final = 60.0  # seconds
_LET_THROUGH: Final = True


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits; ``time`` in ms since 1970. The last three are its nonce."""

    time: int
    author: Author
    text: str | None
    data: Any
    sender: str | None = None
    nonce: str | None = None
    digest: bytes = b""


class _Waits(msgspec.Struct, frozen=True):
    """What is kept in memory of a message that waits."""

    author: Author


class HeldMessages:
    """The messages that wait, of all rooms. ``refused`` is told whose data will never be seen: room,
    person and data."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses
        self._waiting: dict[str, dict[str, str]] = {}  # room: message: person
        self.refused: Callable[[str, str, Any], None] = _nobody_minds
        houses.registry.follow(HELD, _Waits, self._take)

    async def hold(self, change: Publish) -> str:
        """Let a message wait; returns its id, the same for a message that is sent again.

        Raises `RateLimited` if too many wait, `TooLarge`.
        """
        room, nonce = change.room, change.nonce
        name = token_hex(10) if nonce is None else _digest(nonce)
        waiting = self._waiting.get(room, {})
        if name in waiting:
            return name
        each = Counter(waiting.values())[change.author.id]
        if len(waiting) >= WAITING or each >= WAITING_EACH:
            raise RateLimited("Too many messages wait for a moderator here.", retry_after=COME_BACK)
        held = Held(
            time=self._houses.now(), author=change.author, text=change.text, data=change.data,
            sender=nonce.sender if nonce else None, nonce=nonce.text if nonce else None,
            digest=nonce.digest if nonce else b"",
        )  # fmt: skip
        record = put(HELD, key(room, name), held, expected=0)
        if len(record.body) > RECORD_LIMIT:
            raise TooLarge("A message that has to wait for a moderator is a little smaller than others.")
        with suppress(RecordMoved):  # it came twice at once
            await self._houses.write(record)
        return name

    async def listed(self, room: str, who: Who) -> Sequence[tuple[str, Held]]:
        """Return the messages that wait, oldest first. Raises `Forbidden`, `NotFound`."""
        await self._moderator(room, who)
        found = await self._houses.node.store.records(HELD, prefix=key(room, ""))
        held = [(one.key.partition("/")[2], _decode(one.body)) for one in found.records]
        return sorted(held, key=lambda one: (one[1].time, one[0]))

    async def release(self, room: str, who: Who, name: str) -> Stored:
        """Say what waited; its author's further messages need not wait. Raises `Forbidden`,
        `NotFound`."""
        by = await self._moderator(room, who)
        held = await self._one(room, name)
        stored = await self._houses.append(_publish(room, name, held))
        person = held.author
        changes: list[RecordChange] = [
            drop(HELD, key(room, name)),
            self._houses.audited(room, by, "release", user=person, offset=stored.entry.offset),
        ]
        if held.sender == person.id and person.id != "guest":
            changes.append(put(KNOWN, key(room, person.id), _LET_THROUGH))
        await self._houses.write(*changes)
        return stored

    async def refuse(self, room: str, who: Who, name: str) -> None:
        """Let what waited be forgotten. Raises `Forbidden`, `NotFound`."""
        by = await self._moderator(room, who)
        held = await self._one(room, name)
        line = self._houses.audited(room, by, "refuse", user=held.author)
        await self._houses.write(drop(HELD, key(room, name)), line)
        self.refused(room, held.author.id, held.data)

    async def forget(self, room: str, user: str) -> int:
        """Forget all of one person's messages that wait; returns how many those were."""
        names = [name for name, author in self._waiting.get(room, {}).items() if author == user]
        if names:
            kept = [await self._houses.node.store.record(HELD, key(room, name)) for name in names]
            await self._houses.write(*[drop(HELD, key(room, name)) for name in names])
            for one in kept:
                if one is not None:
                    self.refused(room, user, _decode(one.body).data)
        return len(names)

    async def _moderator(self, room: str, who: Who) -> Author:
        live = await self._houses.room(room)
        return self._houses.policy.demand(live.facts, who, Deed.MODERATE)

    async def _one(self, room: str, name: str) -> Held:
        found = await self._houses.node.store.record(HELD, key(room, name))
        if found is None:
            raise NotFound("No such message waits here.")
        return _decode(found.body)

    def _take(self, place: str, waits: _Waits | None) -> None:
        room, _, name = place.partition("/")
        waiting = self._waiting.setdefault(room, {})
        if waits is None:
            waiting.pop(name, None)
        else:
            waiting[name] = waits.author.id


def _nobody_minds(*_: object) -> None:
    """Let it go by: nobody has asked to hear of it."""


def _publish(room: str, name: str, held: Held) -> Publish:
    nonce = Nonce(sender=f"held:{name}", text=name, digest=b"")
    if held.nonce is not None and held.sender is not None:
        nonce = Nonce(sender=held.sender, text=held.nonce, digest=held.digest)
    return Publish(room=room, author=held.author, text=held.text, data=held.data, nonce=nonce)


def _digest(nonce: Nonce) -> str:
    return blake2b(f"{nonce.sender}\n{nonce.text}".encode(), digest_size=10).hexdigest()


def _decode(body: bytes) -> Held:
    return msgspec.json.decode(body, type=Held)
