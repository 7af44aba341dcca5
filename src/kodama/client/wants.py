"""What a reader asks for, and how a reading is begun: the part of both faces that is a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from kodama.client.address import Address
from kodama.client.course import Course
from kodama.client.ladder import DEFAULT, Ladder, Transport
from kodama.client.lines import Wishes
from kodama.client.outbox import CursorFile
from kodama.client.protocol import Reading, State

NONCE_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
NONCE_LENGTH: Final = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """How to read: ``since`` is a cursor or one of the protocol's words; ``cursor_file`` goes before it."""

    since: str = "now"
    transports: Sequence[Transport] = DEFAULT
    presence: bool = False
    ticket: str | None = None
    cursor_file: CursorFile | None = None

    @property
    def place(self) -> str:
        """Return where to begin."""
        kept = self.cursor_file.read() if self.cursor_file is not None else None
        return kept or self.since

    def keep(self, reading: Reading) -> None:
        """Keep the place of ``reading`` between runs, if that is wanted."""
        if self.cursor_file is not None and reading.placed:
            self.cursor_file.keep(reading.cursor)


class Watch:
    """The newest state of a reader, for whoever wants to show it."""

    def __init__(self) -> None:
        self.state = State("connecting")

    def told(self, state: State) -> None:
        """Note a new state."""
        self.state = state


def course(
    rooms: Sequence[str], wants: Wants, *, address: Address, token: str | None, random: Random, watch: Watch
) -> Course:
    """Begin a reading of ``rooms``."""
    wishes = Wishes(
        address=address, token=token, ticket=wants.ticket, presence=wants.presence, client=new_nonce(random)
    )
    reading = Reading(rooms, since=wants.place)
    return Course(reading, wishes, Ladder(wants.transports), random=random, told=watch.told)


def new_nonce(random: Random) -> str:
    """Return a new random id, long enough for a guest's message (16 characters are needed)."""
    return "".join(random.choices(NONCE_LETTERS, k=NONCE_LENGTH))
