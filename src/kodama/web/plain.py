"""The room without JavaScript: for text browsers, kiosks and locked-down offices.

Decided here: the list of messages is a document of its own in a frame, which asks for itself
again with its cursor. That question is a long poll like any other, held until there is something
new; only its answer is drawn instead of sent. The form is in the document around it, so that
nobody's typing is interrupted, and carries a nonce, so that sending it twice says it once.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from secrets import token_urlsafe
from typing import Final
from urllib.parse import parse_qs, quote

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.core.errors import BadRequest, UnsupportedMedia
from kodama.core.position import START, Position, encode_cursor
from kodama.http.message import Answer, Fields, Request
from kodama.http.passing import Drawn
from kodama.node import Node
from kodama.store.interface import Newest
from kodama.transports.longpoll import LongPolls
from kodama.transports.reading import Asked
from kodama.web.answers import FIELDS
from kodama.web.api import Api
from kodama.web.html import Message, address, log_page, refusal_page, room_page
from kodama.web.identity import Caller, Identity, session_cookie
from kodama.web.rates import Deed
from kodama.web.tokens import Tokens
from kodama.web.words import CATALOGUES, language
from kodama.wire import commands, polls, queries

SHOWN: Final = 50
PAUSE_SECONDS: Final = 1  # between two drawings, when the room is busy
RETRY_SECONDS: Final = 5
_FORM_FIELDS: Final = 8
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
_HTML: Final[Fields] = (
    ("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", _POLICY),
    *[(name, value) for name, value in FIELDS if name != "Vary"], ("Vary", "Accept, Accept-Language, Origin"),
)  # fmt: skip


class _Outcome(msgspec.Struct, frozen=True):
    """What is needed of an answer of the API or of a poll."""

    detail: str = ""
    after: float | None = None


class PlainRooms:
    """The resources ``/r/{room}/plain`` and ``/r/{room}/plain/log``. ``fail`` answers a failure."""

    def __init__(
        self, node: Node, api: Api, polls: LongPolls, identity: Identity, tokens: Tokens, *,
        now: Callable[[], int], seconds: Callable[[], float], guests: bool,
        fail: Callable[[Request, Failure], None],
    ) -> None:  # fmt: skip
        self._node = node
        self._api = api
        self._polls = polls
        self._identity = identity
        self._tokens = tokens
        self._now = now
        self._seconds = seconds
        self._guests = guests
        self._fail = fail

    def page(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /r/{room}/plain``: the form, and a frame with the messages."""
        _drawn(request, lambda given: given if given.status == 200 else _refusal(request, room, given))
        held = b"held" in request.line.query

        async def answer() -> None:
            live = self._node.followed(room) or await self._node.room(room)
            self._node.policy.admit(live.facts, caller.who)
            lang = _language(request)
            author = caller.who.author
            body = room_page(
                room=room, title=live.facts.title, topic=live.facts.topic, lang=lang,
                name=None if author is None else author.name, nonce=token_urlsafe(18),
                said=CATALOGUES[lang]["held"] if held else "",
            )  # fmt: skip
            request.answer(Answer(200, body, _HTML))

        Deferred.fromCoroutine(answer()).addErrback(lambda failure: self._fail(request, failure))

    def log(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /r/{room}/plain/log``: the newest messages; with ``since`` once there are newer ones."""
        found = queries.parameters(request.line.query)
        if queries.single(found, "since") is None:
            found["wait"] = ["0"]
        asked = Asked(polls.poll(found, rooms=(room,), default="now"))
        _drawn(request, lambda answer: self._draw(request, caller, room, answer))
        self._polls.serve(request, asked, caller.who)

    def say(self, request: Request, caller: Caller, room: str) -> None:
        """``POST /r/{room}/plain``: what the form sends; answered with the way back to the page."""
        form = _form(request)
        cookie: Fields = ()

        def back(answer: Answer) -> Answer:
            if answer.status >= 400:
                return _refusal(request, room, answer)
            held = "?held" if answer.status == 202 else ""
            return Answer(303, b"", (("Location", f"{address(room)}{held}"), *FIELDS, *cookie))

        _drawn(request, back)
        body = commands.message_body(msgspec.json.encode({
            "text": form.get("text", "").replace("\r\n", "\n"), "nonce": form.get("nonce") or None,
        }))  # fmt: skip
        if caller.who.author is None and self._guests and form.get("name"):
            named = commands.session_body(msgspec.json.encode({"name": form["name"]}))
            self._identity.check_request(request, caller, now=self._seconds(), deed=Deed.SESSION)
            assert named.name is not None
            token, _ = self._tokens.open_session(named.name, now=self._now())
            cookie = (("Set-Cookie", self._identity.marked(request, session_cookie(token))),)
            caller = self._identity.by_token(caller, token, peer=request.peer, now=self._now())
        self._api.publish_read(request, caller, room, body)

    def _draw(self, request: Request, caller: Caller, room: str, answer: Answer) -> Answer | None:
        """Return the drawing of a poll's refusal; draw the newest messages after any other answer."""
        if answer.status != 200:
            return _refusal(request, room, answer)
        outcome = msgspec.json.decode(answer.body, type=_Outcome)
        seconds = PAUSE_SECONDS if outcome.after is None else ceil(outcome.after)

        async def draw() -> None:
            live = self._node.followed(room) or await self._node.room(room)
            self._node.policy.admit(live.facts, caller.who)
            got = await self._node.store.history(room, where=Newest(), limit=SHOWN)
            messages = [msgspec.json.decode(entry.json, type=Message) for entry in got.messages]
            cursor = encode_cursor({room: Position(got.epoch, got.top) if got.top else START})
            again = f"{address(room)}/log?since={quote(cursor, safe='')}#end"
            page = log_page(
                room=room, lang=_language(request), messages=messages, again=again, seconds=seconds
            )
            request.answer(Answer(200, page, _HTML))

        _drawn(request, lambda given: given if given.status == 200 else _refusal(request, room, given))
        Deferred.fromCoroutine(draw()).addErrback(lambda failure: self._fail(request, failure))
        return None


def _drawn(request: Request, draw: Callable[[Answer], Answer | None]) -> None:
    """Let whatever is answered to ``request`` be drawn. Raises `BadRequest`."""
    if b"callback" in request.line.query:
        raise BadRequest("This page is not for scripts.")
    assert request.channel is not None
    request.channel = Drawn(request.channel, draw)


def _language(request: Request) -> str:
    return language(request.headers.get(b"accept-language"))


def _refusal(request: Request, room: str, answer: Answer) -> Answer:
    """Return a refusal as a page, with the same status and fields."""
    outcome = msgspec.json.decode(answer.body, type=_Outcome)
    body = refusal_page(lang=_language(request), detail=outcome.detail, back=address(room))
    kept = tuple([field for field in answer.fields if field[0] in ("Retry-After", "WWW-Authenticate")])
    return Answer(answer.status, body, (*_HTML, *kept))


def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form (WHATWG URL, application/x-www-form-urlencoded), each once.

    Raises `BadRequest`, `UnsupportedMedia`.
    """
    media = (request.headers.get(b"content-type") or b"").partition(b";")[0].strip().lower()
    if media != b"application/x-www-form-urlencoded":
        raise UnsupportedMedia("The form is application/x-www-form-urlencoded.")
    try:
        found = parse_qs(
            request.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FORM_FIELDS
        )
    except ValueError:
        raise BadRequest("This is not a form of this page.") from None
    if any(len(values) > 1 for values in found.values()):
        raise BadRequest("Each field of the form comes once.")
    return {name: values[0] for name, values in found.items()}
