"""Tickets: what a reader shows where it cannot set a header, such as the address of a script.

    kdt_<base64url of [until, rooms, invited, session, author, expires]>.<base64url of HMAC>

A ticket is somebody's reading of some rooms for a minute. An address is seen by many (history,
proxies' logs), so what it proves is little and short: nothing is written with it, and it ends
with the session it was made of. It is not stored, and works as often as it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from kodama.core.errors import Unauthorized
from kodama.core.event import Author
from kodama.core.signed import proven, sign
from kodama.core.who import Who

TICKET_SECONDS: Final = 60
TICKET_PREFIX: Final = "kdt_"


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """``until`` is the ticket's own end, ``expires`` that of the session behind it; both in ms."""

    until: int
    rooms: tuple[str, ...]
    invited: tuple[str, ...]
    session: str | None
    author: Author | None
    expires: int | None

    @property
    def who(self) -> Who:
        """Return whom the ticket stands for; a stream that was opened with it may outlive it."""
        return Who(
            session=self.session, author=self.author, rooms=frozenset(self.rooms),
            invited=frozenset(self.invited), read_only=True, expires=self.expires,
        )  # fmt: skip


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Ticket)


def sign_ticket(who: Who, rooms: Iterable[str], *, secret: bytes, now: int) -> str:
    """Return a ticket for ``who`` to read ``rooms``; ``now`` is in ms."""
    bound = tuple(sorted(rooms))
    ticket = Ticket(
        until=now + TICKET_SECONDS * 1000, rooms=bound,
        invited=tuple(room for room in bound if room in who.invited),
        session=who.session, author=who.author, expires=who.expires,
    )  # fmt: skip
    return sign(_encoder.encode(ticket), prefix=TICKET_PREFIX, secret=secret)


def verify_ticket(token: str, *, secret: bytes, now: int) -> Ticket:
    """Return what ``token`` proves; raises `Unauthorized`. ``now`` is in ms."""
    ticket = _decoder.decode(proven(token, prefix=TICKET_PREFIX, secret=secret))
    if ticket.until <= now:
        raise Unauthorized("This ticket has expired.")
    return ticket
