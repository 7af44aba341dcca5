"""``GET /v1/search``: messages by their words, in the rooms that the asker may read.

The one decision here: one search at a time is put to the store, and a few wait. The store's other
readers stay free for people who follow rooms, whatever is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

from kodama.core.errors import Overloaded
from kodama.core.who import Who
from kodama.http.message import Request
from kodama.node import Node
from kodama.store.interface import Found
from kodama.web.answers import raw_json_answer
from kodama.web.identity import Caller, Identity
from kodama.wire import queries, searching
from kodama.wire.events import found_page

ANSWER_BYTES: Final = 256 * 1024
WAITING_LIMIT: Final = 64
_NOTHING: Final = Found((), more=False)


class SearchApi:
    """The resource ``/v1/search``. ``fail`` answers a failure."""

    def __init__(
        self, node: Node, identity: Identity, *, fail: Callable[[Request, Failure], None]
    ) -> None:
        self._node = node
        self._identity = identity
        self._fail = fail
        self._turns = DeferredLock()

    def search(self, request: Request, caller: Caller) -> None:
        """Answer with what is found, the newest first."""
        self._identity.check_read(request.peer, caller)
        asked = searching.search(queries.parameters(request.line.query))
        if len(self._turns.waiting) >= WAITING_LIMIT:
            raise Overloaded("Too many are searching now.", retry_after=1.0)

        async def answer() -> None:
            got = await self._found(asked, caller.who)
            following = searching.following(got.messages[-1]) if got.more else None
            request.answer(raw_json_answer(200, found_page(got.messages, following=following)))

        Deferred.fromCoroutine(answer()).addErrback(lambda failure: self._fail(request, failure))

    async def _found(self, asked: searching.Search, who: Who) -> Found:
        wanted = asked.wanted
        if wanted is None:
            return _NOTHING
        if wanted.room is not None:
            room = self._node.followed(wanted.room) or await self._node.room(wanted.room)
            self._node.policy.admit(room.facts, who)
        store = self._node.store
        found: Found = await self._turns.run(
            store.search, wanted, who=self._node.policy.scope(who), limit=asked.limit, size=ANSWER_BYTES
        )
        return found
