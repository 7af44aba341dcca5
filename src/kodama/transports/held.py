"""One poll that is served alone, from the moment its places are known until it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from twisted.python.failure import Failure

from kodama.core.lease import Lease
from kodama.core.policy import Policy
from kodama.core.room import Access
from kodama.core.who import Who
from kodama.http.message import Request
from kodama.node import LiveRoom
from kodama.transports.reading import Plan, at_the_end

if TYPE_CHECKING:
    from kodama.transports.longpoll import LongPolls

COALESCED: Final = 1.0  # seconds: whose answer is put off for longer gets a short one
SHORT: Final = 20
_PUBLIC: Final = Access.PUBLIC  # a global is found faster than a member of an Enum


class Held:
    """A poll of ``who``, parked in its rooms or about to be answered."""

    __slots__ = ("client", "leases", "plan", "polls", "request", "who")

    def __init__(self, polls: LongPolls, request: Request, plan: Plan, who: Who, client: str | None) -> None:
        self.polls = polls
        self.request = request
        self.plan = plan
        self.who = who
        self.client = client
        self.leases: tuple[Lease, ...] = ()

    def stay(self) -> None:
        """Be parked."""
        self.polls.alone.add(self)
        for room in self.plan.rooms:
            room.readers[self] = None
            if self.leases:
                room.watchers[self] = None

    def leave(self) -> None:
        """Be parked no longer."""
        self.polls.alone.discard(self)
        for room in self.plan.rooms:
            room.readers.pop(self, None)
            if self.leases:
                room.watchers.pop(self, None)

    def hear(self, room: LiveRoom, ephemeral: Sequence[bytes]) -> None:
        """Somebody came, went or types."""
        self.leave()
        for lease in self.leases:
            if lease.room == room.name:
                self.polls.people.told(lease)
        self.polls.tell(self, ephemeral)

    def wake(self) -> None:
        """A room has something new, or has changed."""
        self.leave()
        if self.request.answered:
            return
        try:
            admit_all(self.polls.node.policy, self.plan, self.who)
            if at_the_end(self.plan):
                self.stay()  # a change that gives nothing to read, and no longer hold either
            else:
                self.polls.give(self)
        except Exception:  # noqa: BLE001 - as above
            self.polls.fail(self.request, Failure())

    def expired(self, request: Request) -> None:
        """The hold has run out."""
        self.leave()
        self.polls.run_out(self)

    def gone(self, request: Request) -> None:
        """The client has hung up."""
        self.leave()
        self.polls.clients.done(self)


class Late:
    """A poll whose answer is put off for so many seconds, together with all that comes meanwhile;
    put off for long, it gets less at a time."""

    __slots__ = ("_held",)

    def __init__(self, held: Held, seconds: float) -> None:
        self._held = held
        if seconds > COALESCED:
            plan = held.plan
            held.plan = replace(plan, poll=replace(plan.poll, limit=min(plan.poll.limit, SHORT)))

    def expired(self, request: Request) -> None:
        """It is time."""
        held = self._held
        polls = held.polls
        polls.alone.discard(held)
        try:
            admit_all(polls.node.policy, held.plan, held.who)
            polls.give(held)
        except Exception:  # noqa: BLE001 - as a poll that is woken
            polls.fail(request, Failure())

    def gone(self, request: Request) -> None:
        """The client has hung up."""
        self._held.gone(request)


def admit_all(policy: Policy, plan: Plan, who: Who) -> None:
    """Raise `Forbidden` or `NotFound` if one of the rooms is not open to ``who``."""
    for room in plan.rooms:
        if room.facts.access is not _PUBLIC or who.rooms is not None or room.name in policy.banned:
            policy.admit(room.facts, who)
