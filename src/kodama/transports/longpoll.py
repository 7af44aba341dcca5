"""Long polls: answered at once if there is something new, else parked until there is.

The server keeps no queue for a client: its cursor says what it has, and asking again says that
the last answer arrived. All who wait at one place get the same bytes. JSONP is a long poll
that is answered as a call.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from kodama.core.errors import Unauthorized
from kodama.core.lease import Lease
from kodama.core.position import Cursor
from kodama.core.returning import Returns
from kodama.core.who import Who
from kodama.http.message import Answer, Fields, Request
from kodama.node import LiveRoom, Node
from kodama.people import People
from kodama.transports.clients import Clients, client_of
from kodama.transports.held import Held, Late, admit_all
from kodama.transports.holds import Holds
from kodama.transports.reading import (
    Asked,
    Batch,
    Plan,
    Verdict,
    at_the_end,
    find_to_hold,
    followed,
    may_wait,
    take,
)
from kodama.transports.replies import Replies
from kodama.transports.together import Together
from kodama.wire.polls import Poll


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
        self._now = now
        self.fail = fail
        self.holds = Holds(hold, random, now)
        self._delay = delay
        self.replies = Replies(fields, ticket)
        self.clients = Clients(
            clock=clock, now=now, superseded=lambda older: self._answer_empty(older, superseded=True)
        )
        self.alone: set[Held] = set()
        self.crowds: set[Together] = set()
        self.returns: Returns | None = None  # the drain has begun
        self.clearance = object()
        self.trust = object()

    def serve(self, request: Request, asked: Asked, who: Who) -> None:
        """Answer the poll or park it."""
        crowd = asked.crowd
        client = client_of(request, asked.poll)
        if isinstance(crowd, Together) and request.line.method == b"GET" and crowd.join(request, who, client):
            return
        plan = asked.plan
        if plan is not None and (plan.rooms[0].followed if len(plan.rooms) == 1 else followed(plan.rooms)):
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
        for held in tuple(self.alone):
            held.leave()
            self.send_away(held, returns)

    def review(self, verdict: Verdict) -> None:
        """End every parked poll of those whom ``verdict`` refuses."""
        self.look_again()
        for crowd in tuple(self.crowds):
            crowd.review(verdict)
        for held in tuple(self.alone):
            refusal = verdict(held.who)
            if refusal is not None:
                held.leave()
                self.clients.done(held)
                self.fail(held.request, Failure(refusal))

    def look_again(self) -> None:
        """Let everybody's session be looked at again when they ask next."""
        self.trust = object()

    @property
    def waiting(self) -> int:
        """Return how many polls are parked."""
        return len(self.alone) + sum(crowd.size for crowd in self.crowds)

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
        self.clients.arrived(held)
        if plan.poll.presence and held.request.line.method != b"HEAD" and (missed := self._attend(held)):
            self.clients.done(held)
            held.request.answer(self.replies.whispered(plan, missed))
        elif at_the_end(plan) and plan.poll.wait != 0:
            self._park(held)
        else:
            self._answer_in_time(held)

    def _answer_in_time(self, held: Held) -> None:
        delay = self._delay(held.request, held.who)
        if not delay:
            self.give(held)
            return
        self.alone.add(held)
        held.request.hold(Late(held, delay), delay)

    def _attend(self, held: Held) -> list[bytes]:
        """Keep the reader present; return what was told of its rooms while it was between two polls."""
        poll = held.plan.poll
        held.leases = tuple([self.attend(room, held.who, held.client, poll) for room in held.plan.rooms])
        missed = [self.people.missed(lease, poll.since) for lease in held.leases]
        return [event for event in missed if event is not None]

    def attend(self, room: LiveRoom, who: Who, client: str | None, poll: Poll) -> Lease:
        """Return the lease of a reader who polls, renewed."""
        return self.people.polled(room.name, who, client, hold=self.holds.longest(poll))

    def _park(self, held: Held) -> None:
        if held.request.answered:  # it hung up while the store was asked
            self.clients.done(held)
            return
        if self.returns is not None:
            self.send_away(held, self.returns)
            return
        wait = self.holds.wait(held.plan.poll, held.who)
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
                self.clients.done(held)
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
        answer = self.replies.events(plan, held.who, owed)
        metrics = self.node.metrics
        metrics.deliveries += 1
        metrics.gaps += owed.gaps
        metrics.cursor_lag.observe(owed.lag)
        if plan.common:
            plan.rooms[0].answers.put(key, answer, size=len(answer.wire), age=age)
        self.clients.done(held)
        held.request.answer(answer)

    def tell(self, held: Held, ephemeral: Sequence[bytes]) -> None:
        """Answer ``held`` with ephemeral events."""
        self.node.metrics.whispered += 1
        self.clients.done(held)
        held.request.answer(self.replies.heard(held.plan, ephemeral))

    def run_out(self, held: Held) -> None:
        """Answer ``held``, whose hold has run out, or whose session has."""
        if self.holds.outlasts(0, held.who):
            self.clients.done(held)
            self.fail(held.request, Failure(Unauthorized("This session has ended.")))
        else:
            self._answer_empty(held)

    def _answer_empty(self, held: Held, **more: object) -> None:
        self.clients.done(held)
        held.request.answer(self.replies.nothing(held.plan, held.who, **more))

    def send_away(self, held: Held, returns: Returns) -> None:
        """Tell ``held`` when to come back, and close its connection."""
        self.clients.done(held)
        held.request.answer_and_close(self.replies.away(held.plan, held.who, returns))
