"""``/v1/session`` and ``/v1/tickets``: who I am, from now on, and what I hand to a page's reader."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.core.errors import Forbidden, NotFound
from kodama.core.event import timestamp
from kodama.core.session import Session
from kodama.core.ticket import TICKET_SECONDS
from kodama.http.message import Answer, Request
from kodama.node import Node
from kodama.web.accounts import AccountsApi
from kodama.web.answers import FIELDS, json_answer
from kodama.web.identity import Caller, Identity, ended_cookie
from kodama.web.opened import session_opened
from kodama.web.passkeys import PasskeysApi
from kodama.web.rates import Deed
from kodama.web.tokens import Tokens
from kodama.wire import answers, commands


class Sessions:
    """The resources by which identities come and go. ``fail`` answers a failure."""

    def __init__(
        self, node: Node, identity: Identity, tokens: Tokens, accounts: AccountsApi,
        passkeys: PasskeysApi, *, now: Callable[[], int], seconds: Callable[[], float], guests: bool,
        fail: Callable[[Request, Failure], None],
    ) -> None:  # fmt: skip
        self._node = node
        self._identity = identity
        self._tokens = tokens
        self._accounts = accounts
        self._passkeys = passkeys
        self._now = now
        self._seconds = seconds
        self._guests = guests
        self._fail = fail

    def open(self, request: Request, caller: Caller) -> None:
        """``POST /v1/session``."""
        self._identity.check_request(request, caller, now=self._seconds(), deed=Deed.SESSION)
        body = commands.session_body(request.body)
        if body.login is not None:
            assert body.password is not None
            self._accounts.sign_in(request, caller, login=body.login, password=body.password)
            return
        if body.passkey is not None:
            self._passkeys.sign_in(request, caller, body.passkey)
            return
        if body.jwt is not None:
            self._opened(request, *self._tokens.open_for_site(body.jwt, now=self._now()))
            return
        if not self._guests:
            raise Forbidden("This server takes no guests.")
        assert body.name is not None
        if body.phrase is not None:
            self._accounts.open_by_phrase(request, caller, name=body.name, phrase=body.phrase)
            return
        self._opened(request, *self._tokens.open_session(body.name, now=self._now()))

    def show(self, request: Request, caller: Caller) -> None:
        """``GET /v1/session``."""
        who = caller.who
        if who.author is None:
            raise NotFound("There is no session; POST a name here to open one.")
        expires = None if who.expires is None else timestamp(who.expires)
        owns = who.user in self._node.policy.server_owners or UNSET
        shown = answers.SessionShown(user=who.author, expires=expires, server_owner=owns)
        request.answer(json_answer(200, shown))

    def end(self, request: Request, caller: Caller) -> None:
        """``DELETE /v1/session``."""
        self._identity.check_write(request, caller, now=self._seconds())
        cookie = self._identity.marked(request, ended_cookie())
        done = Answer(204, b"", (("Set-Cookie", cookie), *FIELDS))
        ending = self._tokens.end(caller.who, now=self._now())
        ending.addCallback(lambda _: request.answer(done))
        ending.addErrback(lambda failure: self._fail(request, failure))

    def ticket(self, request: Request, caller: Caller) -> None:
        """``POST /v1/tickets``: only for rooms that the caller may read itself."""
        self._identity.check_request(request, caller, now=self._seconds())
        rooms = commands.ticket_body(request.body)

        async def answer() -> None:
            for name in rooms:
                live = self._node.followed(name) or await self._node.room(name)
                self._node.policy.admit(live.facts, caller.who)
            now = self._now()
            value = answers.TicketIssued(
                ticket=self._tokens.ticket(caller.who, rooms, now=now), rooms=list(rooms),
                expires=timestamp(now + TICKET_SECONDS * 1000),
            )  # fmt: skip
            request.answer(json_answer(201, value))

        Deferred.fromCoroutine(answer()).addErrback(lambda failure: self._fail(request, failure))

    def _opened(self, request: Request, token: str, session: Session) -> None:
        request.answer(session_opened(self._identity, request, token, session))
