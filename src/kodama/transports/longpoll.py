"""Long polls: answered at once if there is something new, else parked until there is.

The server keeps no queue for a client: its cursor says what it has, and asking again says that
the last answer arrived. All who wait at one place get the same bytes. JSONP is a long poll
that is answered as a call.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from random import Random
from typing import Final
from weakref import WeakValueDictionary

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from kodama.core.errors import BadRequest, Unauthorized
from kodama.core.lease import Lease
from kodama.core.policy import Policy
from kodama.core.position import Cursor
from kodama.core.returning import Returns
from kodama.core.room import Access
from kodama.core.who import Who
from kodama.http.channel import Channel
from kodama.http.message import Answer, Fields, Request
from kodama.node import LiveRoom, Node
from kodama.people import People
from kodama.transports.reading import (
    Asked,
    Batch,
    Plan,
    Verdict,
    at_the_end,
    cursor_of,
    find_to_hold,
    may_wait,
    take,
)
from kodama.transports.together import Regular, Together
from kodama.wire.commands import Poll
from kodama.wire.events import batch
from kodama.wire.jsonp import MEDIA_TYPE as JAVASCRIPT
from kodama.wire.jsonp import call

HOLD_JITTER: Final = 0.15
COALESCED: Final = 1.0  # seconds: whose answer is put off for longer gets a short one
SHORT: Final = 20
_PUBLIC: Final = Access.PUBLIC  # a global is found faster than a member of an Enum


class LongPolls:
    """All long polls of a node. ``fail`` answers a request that cannot be served.

    ``clearance`` is what the headers of somebody without a session carry as `Headers.cleared`,
    once they were looked at: who asks with them waits in a crowd without being asked again.
    ``trust`` is another object whenever a session may have ended since it was looked at.
    ``delay`` says after how many seconds a poll that need not wait is to be answered, and raises
    `RateLimited`: somebody who asks too often gets more at a time, then less at a time, then none.
    """

    def __init__(
        self, node: Node, *, people: People, hold: float, clock: IReactorTime, now: Callable[[], int],
        fields: Fields, fail: Callable[[Request, Failure], None], random: Random,
        ticket: Callable[[Who], str], delay: Callable[[Request, Who], float],
    ) -> None:  # fmt: skip
        self.node = node
        self.people = people
        self._hold = hold
        self._clock = clock
        self._now = now
        self.fail = fail
        self._random = random
        self._ticket = ticket
        self._delay = delay
        self._json: Fields = (("Content-Type", "application/json"), *fields)
        self._javascript: Fields = (("Content-Type", JAVASCRIPT), *fields)
        self._clients: dict[tuple[str | None, str], Held] = {}
        self._regulars: WeakValueDictionary[tuple[str | None, str], Regular] = WeakValueDictionary()
        self._held: set[Held] = set()
        self.crowds: set[Together] = set()
        self._heard: tuple[Sequence[bytes], dict[object, Answer]] = ((), {})
        self.returns: Returns | None = None  # the drain has begun
        self.clearance = object()
        self.trust = object()

    def serve(self, request: Request, asked: Asked, who: Who) -> None:
        """Answer the poll or park it."""
        crowd = asked.crowd
        client = _client(request, asked.poll)
        if isinstance(crowd, Together) and request.line.method == b"GET" and crowd.join(request, who, client):
            return
        plan = asked.plan
        if plan is not None and (plan.rooms[0].followed if len(plan.rooms) == 1 else _followed(plan)):
            held = Held(self, request, plan, who, client)
            if self.node.shared and not may_wait(plan):
                asking = self.node.current(plan.poll.rooms)
                asking.addCallback(lambda _: self._begin_if_there(held))
                asking.addErrback(lambda failure: self.fail(request, failure))
            else:
                self.begin(held)
            return
        finding = Deferred.fromCoroutine(find_to_hold(self.node, asked.poll, now=self._now()))
        finding.addCallback(self._found, request, asked, who, client)
        finding.addErrback(lambda failure: self.fail(request, failure))

    def drain(self, returns: Returns) -> None:
        """Answer every parked poll, and each that comes yet, with its cursor and when to come back."""
        self.returns = returns
        for crowd in tuple(self.crowds):
            crowd.part(returns)
        for held in tuple(self._held):
            held.leave()
            self.send_away(held, returns)

    def review(self, verdict: Verdict) -> None:
        """End every parked poll of those whom ``verdict`` refuses."""
        self.look_again()
        for crowd in tuple(self.crowds):
            crowd.review(verdict)
        for held in tuple(self._held):
            refusal = verdict(held.who)
            if refusal is not None:
                held.leave()
                self._done(held)
                self.fail(held.request, Failure(refusal))

    def look_again(self) -> None:
        """Let everybody's session be looked at again when they ask next."""
        self.trust = object()

    @property
    def waiting(self) -> int:
        """Return how many polls are parked."""
        return len(self._held) + sum(crowd.size for crowd in self.crowds)

    def held(self, request: Request, plan: Plan, who: Who, client: str | None) -> Held:
        """Return a poll that is served alone."""
        return Held(self, request, plan, who, client)

    def regular(self, request: Request, who: Who, client: str | None) -> Regular:
        """Return who asks, so that it is known when it asks again; its older poll, if any, is over."""
        regular = None
        if client is not None:
            self._supersede((who.session, client))
            regular = self._regulars.get((who.session, client))
        if regular is None:
            regular = Regular(who, client)
            if client is not None:
                self._regulars[who.session, client] = regular
        regular.who = who
        regular.channel = request.channel if isinstance(request.channel, Channel) else None
        regular.headers = request.headers
        regular.trust = self.trust
        if who.expires is not None:
            regular.until = self._clock.seconds() + (who.expires - self._now()) / 1000
        if request.own is not None:
            request.own.memo = regular
        return regular

    def _found(self, plan: Plan, request: Request, asked: Asked, who: Who, client: str | None) -> None:
        if request.answered:
            return
        if isinstance(plan.poll.since, Cursor) and plan.started is None:
            asked.plan = plan
            if plan.common and plan.poll.wait != 0:
                asked.crowd = Together(self, plan, request.line)
        self.begin(Held(self, request, plan, who, client))

    def _begin_if_there(self, held: Held) -> None:
        """Begin, unless the client has hung up while the store was asked."""
        if not held.request.answered:
            self.begin(held)

    def begin(self, held: Held) -> None:
        """Answer ``held`` or park it. Raises `Forbidden`, `NotFound`."""
        plan = held.plan
        admit_all(self.node.policy, plan, held.who)
        if held.client is not None:
            self._supersede((held.who.session, held.client))
            self._clients[held.who.session, held.client] = held
        if plan.poll.presence and held.request.line.method != b"HEAD" and (missed := self._attend(held)):
            self._done(held)
            held.request.answer(self.whispered(plan, missed))
        elif at_the_end(plan) and plan.poll.wait != 0:
            self._park(held)
        else:
            self._answer_in_time(held)

    def _answer_in_time(self, held: Held) -> None:
        delay = self._delay(held.request, held.who)
        if not delay:
            self.give(held)
            return
        if delay > COALESCED:
            plan = held.plan
            limit = min(plan.poll.limit, SHORT)
            held.plan = replace(plan, poll=replace(plan.poll, limit=limit))
        self._held.add(held)
        held.request.hold(Late(held), delay)

    def answer_late(self, held: Held) -> None:
        """Answer ``held``, which was put off."""
        self._held.discard(held)
        try:
            admit_all(self.node.policy, held.plan, held.who)
            self.give(held)
        except Exception:  # noqa: BLE001 - as a poll that is woken
            self.fail(held.request, Failure())

    def _attend(self, held: Held) -> list[bytes]:
        """Keep the reader present; return what was told of its rooms while it was between two polls."""
        poll = held.plan.poll
        held.leases = tuple([self.attend(room, held.who, held.client, poll) for room in held.plan.rooms])
        missed = [self.people.missed(lease, poll.since) for lease in held.leases]
        return [event for event in missed if event is not None]

    def attend(self, room: LiveRoom, who: Who, client: str | None, poll: Poll) -> Lease:
        """Return the lease of a reader who polls, renewed."""
        return self.people.polled(room.name, who, client, hold=self.longest(poll))

    def longest(self, poll: Poll) -> float:
        """Return how many seconds the poll may be held."""
        return self._hold * (1 + HOLD_JITTER) if poll.wait is None else poll.wait

    def hear(self, held: Held, ephemeral: Sequence[bytes]) -> None:
        """Answer ``held`` with ephemeral events; who stands at the same place gets the same bytes."""
        if self._heard[0] is not ephemeral:
            self._heard = (ephemeral, {})
        answers = self._heard[1]
        plan = held.plan
        key = (plan.places, plan.poll.callback)
        answer = answers.get(key) if plan.started is None and len(plan.rooms) == 1 else None
        if answer is None:
            answer = self.whispered(plan, ephemeral)
            if plan.started is None and len(plan.rooms) == 1:
                answers[key] = answer
        self.node.metrics.whispered += 1
        self._done(held)
        held.request.answer(answer)

    def whispered(self, plan: Plan, ephemeral: Sequence[bytes]) -> Answer:
        """Return the answer with events that have no place in the log."""
        extra = {"started": plan.started} if plan.started else None
        more = "false" if at_the_end(plan) else "true"
        return self.encode(plan.poll, batch(plan.cursor, ephemeral, more=more, extra=extra))

    def _supersede(self, key: tuple[str | None, str]) -> None:
        """End the poll that waits under ``key``: a newer one has come."""
        older = self._clients.get(key)
        if older is not None and not older.request.answered:
            older.leave()
            self._answer_empty(older, superseded=True)
        regular = self._regulars.get(key)
        if regular is not None:
            if regular.place is not None:
                regular.place.supersede(regular)
            regular.channel = None  # where it asked last is not where it asks now

    def _park(self, held: Held) -> None:
        poll = held.plan.poll
        if held.request.answered:  # it hung up while the store was asked
            self._done(held)
            return
        if self.returns is not None:
            self.send_away(held, self.returns)
            return
        wait = self.jittered() if poll.wait is None else poll.wait
        if held.who.expires is not None:
            wait = min(wait, max(0.0, (held.who.expires - self._now()) / 1000))
        if not wait or held.request.line.method == b"HEAD":
            self._answer_empty(held)
            return
        held.stay()
        held.request.hold(held, wait)

    def give(self, held: Held) -> None:
        """Answer ``held``, which is not parked, with what it is owed; park it if that is nothing."""
        plan = held.plan
        room = plan.rooms[0]
        key = (plan.places, plan.poll.limit, plan.poll.callback)
        if plan.common:
            known = room.answers.get(key)
            if isinstance(known, Answer):
                self.node.metrics.deliveries += 1
                self._done(held)
                held.request.answer(known)
                return
        owed = take(self.node, plan)
        if isinstance(owed, Deferred):
            owed.addCallback(self._give, held, key, room.answers.age)
            owed.addErrback(lambda failure: self.fail(held.request, failure))
        elif owed is None:
            self._park(held)
        else:
            self._give(owed, held, key, room.answers.age)

    def _give(self, owed: Batch, held: Held, key: Hashable, age: int) -> None:
        plan = held.plan
        if not owed.events:
            self._park(held)
            return
        body = batch(cursor_of(plan.rooms, owed.places), owed.events, more=owed.more, extra=self._extra(held))
        answer = self.encode(plan.poll, body)
        metrics = self.node.metrics
        metrics.deliveries += 1
        metrics.gaps += owed.gaps
        metrics.cursor_lag.observe(owed.lag)
        if plan.common:
            plan.rooms[0].answers.put(key, answer, size=len(answer.wire), age=age)
        self._done(held)
        held.request.answer(answer)

    def outlasts(self, seconds: float, who: Who) -> bool:
        """Return whether a session is over before so many seconds are."""
        return who.expires is not None and who.expires - self._now() < seconds * 1000

    def run_out(self, held: Held) -> None:
        """Answer ``held``, whose hold has run out, or whose session has."""
        if self.outlasts(0, held.who):
            self._done(held)
            self.fail(held.request, Failure(Unauthorized("This session has ended.")))
        else:
            self._answer_empty(held)

    def jittered(self) -> float:
        """Return how many seconds a poll that left it to us is held."""
        return self._hold * (1 - HOLD_JITTER + 2 * HOLD_JITTER * self._random.random())

    def _answer_empty(self, held: Held, **more: object) -> None:
        self._done(held)
        held.request.answer(self.empty(held.plan, **self._extra(held, **more)))

    def empty(self, plan: Plan, **more: object) -> Answer:
        """Return the answer to a poll for which there was nothing."""
        return self.encode(plan.poll, batch(plan.cursor, (), extra=more))

    def _extra(self, held: Held, **more: object) -> dict[str, object]:
        """Return what an answer to ``held`` says besides the events."""
        plan = held.plan
        if plan.started:
            more["started"] = plan.started
        if plan.poll.ticket is not None:
            more["ticket"] = self._ticket(held.who)
        return more

    def send_away(self, held: Held, returns: Returns) -> None:
        """Tell ``held`` when to come back, and close its connection."""
        self._done(held)
        body = batch(held.plan.cursor, (), extra=self._extra(held, after=returns.after()))
        held.request.answer_and_close(self.encode(held.plan.poll, body))

    def _done(self, held: Held) -> None:
        client = held.client
        if client is not None and self._clients.get((held.who.session, client)) is held:
            del self._clients[held.who.session, client]

    def encode(self, poll: Poll, body: bytes) -> Answer:
        """Return the answer in the framing that was asked for."""
        if poll.callback is None:
            return Answer(200, body, self._json)
        return Answer(200, call(poll.callback, body), self._javascript)


class Held:
    """One poll, from the moment its places are known until it is answered."""

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
        self.polls._held.add(self)
        for room in self.plan.rooms:
            room.readers[self] = None
            if self.leases:
                room.watchers[self] = None

    def leave(self) -> None:
        """Be parked no longer."""
        self.polls._held.discard(self)
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
        self.polls.hear(self, ephemeral)

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
        self.polls._done(self)


class Late:
    """Holds a poll whose answer was put off, together with all that comes meanwhile."""

    __slots__ = ("_held",)

    def __init__(self, held: Held) -> None:
        self._held = held

    def expired(self, request: Request) -> None:
        """It is time."""
        self._held.polls.answer_late(self._held)

    def gone(self, request: Request) -> None:
        """The client has hung up."""
        self._held.gone(request)


def admit_all(policy: Policy, plan: Plan, who: Who) -> None:
    """Raise `Forbidden` or `NotFound` if one of the rooms is not open to ``who``."""
    for room in plan.rooms:
        if room.facts.access is not _PUBLIC or who.rooms is not None or room.name in policy.banned:
            policy.admit(room.facts, who)


def _client(request: Request, poll: Poll) -> str | None:
    """Return the reader's ``client``, whether it was cut out of the line or is in the parameters.
    Raises `BadRequest`."""
    own = request.own
    if own is None:
        return poll.client
    if poll.client is not None:
        raise BadRequest("client is given more than once.")
    return own.value.decode("ascii")


def _followed(plan: Plan) -> bool:
    return all(room.followed for room in plan.rooms)
