"""Writing and history: messages, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.core.change import Amendment, DeleteMessage, EditMessage, Nonce, Publish, React
from kodama.core.errors import BadRequest, Forbidden, NotFound, Overloaded, UnsupportedMedia
from kodama.core.event import Author, timestamp
from kodama.core.names import GUEST_NAME
from kodama.core.policy import Deed, Verdict
from kodama.core.position import START, Position, encode_cursor
from kodama.core.tally import tally
from kodama.http.message import Answer, Request
from kodama.node import LiveRoom
from kodama.order.directs import is_direct
from kodama.order.held import HeldMessages
from kodama.order.houses import Houses
from kodama.order.members import Members
from kodama.order.moderation import Moderation
from kodama.store.interface import After, Around, Before, Newest, Stored, StoreUnavailable
from kodama.web.answers import json_answer, raw_json_answer
from kodama.web.census import Census
from kodama.web.identity import Caller, Identity
from kodama.wire import answers, commands, queries, strict
from kodama.wire.commands import MessageBody
from kodama.wire.events import page
from kodama.wire.moderation import Waiting

LOBBY: Final = "lobby"
RETRY_WRITE: Final = 1.0
ANONYMOUS: Final = "guest"
_log: Final = Logger()


class Api:
    """The resources under ``/v1`` and ``/r`` that write or list. ``fail`` answers a failure."""

    def __init__(
        self, identity: Identity, houses: Houses, members: Members, moderation: Moderation,
        held: HeldMessages, census: Census, *, now: Callable[[], int],
        seconds: Callable[[], float], fail: Callable[[Request, Failure], None],
        guests: bool, create_rooms: bool,
    ) -> None:  # fmt: skip
        self._houses = houses
        self._members = members
        self._moderation = moderation
        self._held = held
        self._node = houses.node
        self._policy = houses.policy
        self._identity = identity
        self._now = now
        self._seconds = seconds
        self._fail = fail
        self._census = census
        self._guests_may = guests
        self._rooms_may = create_rooms

    def publish(self, request: Request, caller: Caller, room: str) -> None:
        """``POST /v1/rooms/{room}/messages``."""
        media = media_of(request)
        if media in ("application/json", ""):
            body = commands.message_body(request.body)
        elif media == "text/plain":
            body = commands.text_body(request.body)
        else:
            raise UnsupportedMedia("A message is application/json or text/plain.")
        self._publish(request, caller, room, body)

    def publish_read(self, request: Request, caller: Caller, room: str, body: MessageBody) -> None:
        """Publish a message that was read from another kind of request."""
        self._publish(request, caller, room, body)

    def publish_text(self, request: Request, caller: Caller, room: str) -> None:
        """``POST /r/{room}``: whatever is not JSON is text."""
        read = commands.message_body if media_of(request) == "application/json" else commands.text_body
        self._publish(request, caller, room, read(request.body))

    def publish_2011(self, request: Request, caller: Caller) -> None:
        """``POST /anything``: any JSON goes to the lobby as data, and the answer is ``OK``."""
        data = strict.any_json(request.body)
        self._identity.check_write(request, caller, now=self._seconds())
        change = Publish(
            room=LOBBY, author=self._author(caller, None), text=None, data=data,
            retention=self._node.retention,
        )  # fmt: skip

        def settle(outcome: Stored | Exception) -> None:
            if isinstance(outcome, Exception):
                self._fail(request, Failure(outcome))
            else:
                request.answer(Answer(200, b"OK", (("Content-Type", "text/plain"),)))

        self._write(request, caller, change, settle)

    def edit(self, request: Request, caller: Caller, room: str, offset: int) -> None:
        """``PATCH /v1/rooms/{room}/messages/{offset}``."""
        text = commands.edit_body(request.body).text

        def change(_: LiveRoom, author: Author) -> Amendment:
            return EditMessage(room=room, author=author, target=offset, text=text)

        self._amend(request, caller, room, change)

    def delete(self, request: Request, caller: Caller, room: str, offset: int) -> None:
        """``DELETE /v1/rooms/{room}/messages/{offset}``."""

        def change(live: LiveRoom, author: Author) -> Amendment:
            moderates = self._policy.may(live.facts, caller.who, Deed.DELETE_OTHERS)
            moderator = author.id if moderates else None
            return DeleteMessage(room=room, author=author, target=offset, moderator=moderator)

        self._amend(request, caller, room, change)

    def react(self, request: Request, caller: Caller, room: str, offset: int, emoji: str) -> None:
        """``PUT`` or ``DELETE /v1/rooms/{room}/messages/{offset}/reactions/{emoji}``."""
        op = "add" if request.line.method == b"PUT" else "remove"
        sign = commands.emoji(emoji)

        def change(_: LiveRoom, author: Author) -> Amendment:
            return React(room=room, author=author, target=offset, emoji=sign, op=op)

        self._amend(request, caller, room, change)

    def history(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/messages``."""
        self._identity.check_read(request.peer, caller)
        found = queries.parameters(request.line.query)
        limit = queries.page_limit(found)
        places = [
            kind(queries.offset(text))
            for name, kind in (("before", Before), ("after", After), ("around", Around))
            if (text := queries.single(found, name)) is not None
        ]
        if len(places) > 1:
            raise BadRequest("before, after and around exclude each other.")
        where = places[0] if places else Newest()

        async def answer() -> None:
            live = self._node.followed(room) or await self._node.room(room)
            self._policy.admit(live.facts, caller.who)
            got = await self._node.store.history(room, where=where, limit=limit)
            newest = isinstance(where, Newest) or (isinstance(where, After) and not got.more)
            end = Position(got.epoch, got.top) if got.top else START
            cursor = encode_cursor({room: end}) if newest else None
            counted = tally(got.reactions, asker=caller.who.user)
            more = "true" if got.more else "false"
            body = page(got.messages, more=more, reactions=counted, cursor=cursor)
            request.answer(raw_json_answer(200, body))

        self._then(request, Deferred.fromCoroutine(answer()), lambda _: None)

    def _publish(self, request: Request, caller: Caller, room: str, body: MessageBody) -> None:
        self._identity.check_write(request, caller, now=self._seconds())
        key = request.headers.get(b"idempotency-key")
        text = body.nonce if body.nonce is not None or key is None else commands.nonce(key.decode("latin-1"))
        nonce = None
        if text is not None:
            if caller.who.session is None and len(text) < commands.GUEST_NONCE_MINIMUM:
                raise BadRequest(
                    f"Without a session a nonce has at least {commands.GUEST_NONCE_MINIMUM} characters."
                )
            sender = caller.who.user or ANONYMOUS
            nonce = Nonce(sender=sender, text=text, digest=commands.body_digest(body))
        owner = caller.who.user if room != LOBBY else None
        change = Publish(
            room=room, author=self._author(caller, body.name), text=body.text, data=body.data,
            nonce=nonce, owner=owner, retention=self._node.retention,
        )  # fmt: skip

        def settle(outcome: Stored | Exception) -> None:
            if isinstance(outcome, Exception):
                self._fail(request, Failure(outcome))
                return
            entry = outcome.entry
            if entry.offset == 1 and outcome.fresh and owner is not None:
                self._found(room, change.author)
            value = answers.Published(
                id=outcome.id, room=room, offset=entry.offset, epoch=entry.epoch, time=timestamp(entry.time)
            )
            request.answer(json_answer(201 if outcome.fresh else 200, value))

        self._write(request, caller, change, settle)

    def _write(
        self, request: Request, caller: Caller, change: Publish | Amendment,
        settle: Callable[[Stored | Exception], None],
    ) -> None:  # fmt: skip
        if caller.who.session is None and not self._guests_may:
            raise Forbidden("This server takes no guests.")

        def go(live: LiveRoom) -> None:
            waits = self._judge(request, caller, live, change) is Verdict.HELD
            if not live.exists:
                self._may_begin(request, caller, live.name)
            if waits and isinstance(change, Publish):
                self._hold(request, change)
                return
            try:
                self._node.append(change, settle)
            except StoreUnavailable as error:
                raise Overloaded(str(error), retry_after=RETRY_WRITE) from error

        live = self._node.followed(change.room)
        if live is not None:
            go(live)
        else:
            self._then(request, self._node.room(change.room), go)

    def _may_begin(self, request: Request, caller: Caller, room: str) -> None:
        """Raise why a room may not begin with this write."""
        if not self._rooms_may or is_direct(room):
            raise NotFound("There is no such room.")
        self._identity.check_room(request.peer, caller)
        self._census.admit_one()

    def _amend(
        self, request: Request, caller: Caller, room: str, made: Callable[[LiveRoom, Author], Amendment]
    ) -> None:  # fmt: skip
        """Store what ``made`` returns. A room that the caller may not know of is not there, whoever asks."""
        self._identity.check_write(request, caller, now=self._seconds())

        def go(live: LiveRoom) -> None:
            if not live.exists:
                raise NotFound("There is no such room.")
            self._policy.admit(live.facts, caller.who)
            change = made(live, self._signed_in(request, caller))

            def settle(outcome: Stored | Exception) -> None:
                if isinstance(outcome, Exception):
                    self._fail(request, Failure(outcome))
                    return
                request.answer(raw_json_answer(200, outcome.entry.json))
                if isinstance(change, DeleteMessage) and change.moderator is not None and outcome.fresh:
                    self._noted(change.room, change.author, change.target)

            self._write(request, caller, change, settle)

        self._then(request, self._node.room(room), go)

    def _judge(
        self, request: Request, caller: Caller, live: LiveRoom, change: Publish | Amendment
    ) -> Verdict:
        """Return what becomes of ``change``; raises what whoever may not make it is told."""
        who, facts = caller.who, live.facts
        network = self._houses.network(self._identity.address(request, caller))
        if who.user is not None:
            self._houses.seen(live.name, who.user, network)
        match change:
            case Publish():
                return self._policy.weigh(facts, who, network=network, now=self._now())
            case DeleteMessage():
                self._policy.admit(facts, who)
            case _:
                self._policy.check_write(facts, who, network=network, now=self._now())
        return Verdict.SAID

    def _hold(self, request: Request, change: Publish) -> None:
        def held(name: str) -> None:
            request.answer(json_answer(202, Waiting(held=name, room=change.room)))

        self._then(request, Deferred.fromCoroutine(self._held.hold(change)), held)

    def _noted(self, room: str, by: Author, target: int) -> None:
        noting = Deferred.fromCoroutine(self._moderation.deleted(room, by, target))
        noting.addErrback(lambda failure: _log.failure("a deletion is not in the audit log", failure))

    def _found(self, room: str, owner: Author) -> None:
        founding = Deferred.fromCoroutine(self._members.founded(room, owner))
        founding.addErrback(lambda failure: _log.failure("a room's owner is not noted by name", failure))

    def _author(self, caller: Caller, name: str | None) -> Author:
        if caller.who.author is not None:
            return caller.who.author
        return Author(ANONYMOUS, name or GUEST_NAME, "guest")

    def _signed_in(self, request: Request, caller: Caller) -> Author:
        if caller.who.author is None:
            raise Forbidden("This needs a session; POST a name to /v1/session to open one.")
        return caller.who.author

    def _then(self, request: Request, waiting: Deferred[Any], go: Callable[[Any], None]) -> None:
        waiting.addCallback(go).addErrback(lambda failure: self._fail(request, failure))


def media_of(request: Request) -> str:
    """Return the media type of the body, without parameters, empty if it has none.

    Raises `UnsupportedMedia` of a body in a content coding (RFC 9110 section 8.4), which would be
    taken for something else than was meant.
    """
    if (request.headers.get(b"content-encoding") or b"identity").lower() != b"identity":
        raise UnsupportedMedia("A body is sent as it is, without a Content-Encoding.")
    value = request.headers.get(b"content-type") or b""
    return value.partition(b";")[0].strip().lower().decode("latin-1")
