"""What a poll is answered with: events or none, as JSON or as a call of JSONP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kodama.core.returning import Returns
from kodama.core.who import Who
from kodama.http.message import Answer, Fields
from kodama.transports.reading import Batch, Plan, at_the_end, cursor_of
from kodama.wire.events import batch
from kodama.wire.jsonp import MEDIA_TYPE as JAVASCRIPT
from kodama.wire.jsonp import call
from kodama.wire.polls import Poll


class Replies:
    """The answers of all long polls; ``ticket`` makes the fresh one for who reads by ticket."""

    def __init__(self, fields: Fields, ticket: Callable[[Who], str]) -> None:
        self._ticket = ticket
        self._json: Final[Fields] = (("Content-Type", "application/json"), *fields)
        self._javascript: Final[Fields] = (("Content-Type", JAVASCRIPT), *fields)
        self._heard: tuple[Sequence[bytes], dict[object, Answer]] = ((), {})

    def encode(self, poll: Poll, body: bytes) -> Answer:
        """Return the answer in the framing that was asked for."""
        if poll.callback is None:
            return Answer(200, body, self._json)
        return Answer(200, call(poll.callback, body), self._javascript)

    def empty(self, plan: Plan, **more: object) -> Answer:
        """Return the answer to a poll for which there was nothing."""
        return self.encode(plan.poll, batch(plan.cursor, (), extra=more))

    def events(self, plan: Plan, who: Who, owed: Batch) -> Answer:
        """Return the answer with what ``who`` is owed."""
        cursor, extra = cursor_of(plan.rooms, owed.places), self._besides(plan, who)
        return self.encode(plan.poll, batch(cursor, owed.events, more=owed.more, extra=extra))

    def nothing(self, plan: Plan, who: Who, **more: object) -> Answer:
        """Return the answer to ``who``, for whom there was nothing."""
        return self.empty(plan, **self._besides(plan, who, **more))

    def away(self, plan: Plan, who: Who, returns: Returns) -> Answer:
        """Return the answer that says when to come back."""
        return self.nothing(plan, who, after=returns.after())

    def whispered(self, plan: Plan, ephemeral: Sequence[bytes]) -> Answer:
        """Return the answer with events that have no place in the log."""
        extra = {"started": plan.started} if plan.started else None
        more = "false" if at_the_end(plan) else "true"
        return self.encode(plan.poll, batch(plan.cursor, ephemeral, more=more, extra=extra))

    def heard(self, plan: Plan, ephemeral: Sequence[bytes]) -> Answer:
        """Return the same; who stands at the same place gets the same bytes."""
        if plan.started is not None or len(plan.rooms) > 1:
            return self.whispered(plan, ephemeral)
        if self._heard[0] is not ephemeral:
            self._heard = (ephemeral, {})
        answers = self._heard[1]
        key = (plan.places, plan.poll.callback)
        answer = answers.get(key)
        if answer is None:
            answer = answers[key] = self.whispered(plan, ephemeral)
        return answer

    def _besides(self, plan: Plan, who: Who, **more: object) -> dict[str, object]:
        if plan.started:
            more["started"] = plan.started
        if plan.poll.ticket is not None:
            more["ticket"] = self._ticket(who)
        return more
