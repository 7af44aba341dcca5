"""``/v1/accounts``, and the signing in of those who have one.

Decided here: a guest who makes an account stays who they are, with their id and all they said;
and whoever changes what opens an account gets a new session, while all earlier ones are over.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.accounts.book import Accounts
from kodama.accounts.forgetting import Forgetting
from kodama.core.account import Account, folded, login_name
from kodama.core.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthorized
from kodama.core.event import timestamp
from kodama.http.message import Answer, Request
from kodama.web.answers import FIELDS, json_answer
from kodama.web.identity import Caller, Identity, ended_cookie
from kodama.web.opened import account_opened, session_opened
from kodama.web.rates import Deed
from kodama.web.tokens import Tokens, new_id
from kodama.wire import accounts as wire

Answering = Coroutine[Any, Any, Answer]


class AccountsApi:
    """The resources of accounts. ``fail`` answers a failure; ``open_to_all`` says whether people may
    make accounts."""

    def __init__(
        self, accounts: Accounts, forgetting: Forgetting, tokens: Tokens, identity: Identity, *,
        now: Callable[[], int], seconds: Callable[[], float], fail: Callable[[Request, Failure], None],
        open_to_all: bool,
    ) -> None:  # fmt: skip
        self._accounts = accounts
        self._forgetting = forgetting
        self._tokens = tokens
        self._identity = identity
        self._now = now
        self._seconds = seconds
        self._fail = fail
        self._open_to_all = open_to_all

    def make(self, request: Request, caller: Caller) -> None:
        """``POST /v1/accounts``."""
        self.check(request, caller, Deed.SESSION)
        body = wire.account_body(request.body)
        if caller.who.read_only:
            raise Forbidden("This token only reads.")
        author = caller.who.author
        if not self._open_to_all:
            raise Forbidden("Accounts are not made here by whoever likes.")
        if author is not None and author.kind != "guest":
            raise Conflict("You are signed in already, and not as a guest.")
        name = body.name or (author.name if author is not None else None)
        if name is None:
            raise BadRequest("An account has a name, by which others see you.")

        async def answer() -> Answer:
            account, codes = await self._accounts.make(
                body.login, body.password, user=new_id("u") if author is None else author.id, name=name
            )
            return self.opened(request, account, status=201, codes=tuple(codes))

        self.run(request, answer())

    def show(self, request: Request, caller: Caller) -> None:
        """``GET /v1/accounts``: your own."""
        user = user_of(caller)
        self._identity.check_read(request.peer, caller)

        async def answer() -> Answer:
            account, _ = await self._accounts.own(user)
            shown = wire.AccountShown(
                user=account.author, login=account.login, created=timestamp(account.created),
                recovery=len(account.codes), passkeys=[wire.passkey_shown(one) for one in account.passkeys],
            )  # fmt: skip
            return json_answer(200, shown)

        self.run(request, answer())

    def change(self, request: Request, caller: Caller) -> None:
        """``PATCH /v1/accounts``: all earlier sessions are over, the answer has a new one."""
        self._identity.check_write(request, caller, now=self._seconds())
        body = wire.change_body(request.body)
        user = user_of(caller)
        if body.password is not None:
            self._identity.check_login(request.peer, caller, user)

        async def answer() -> Answer:
            account, codes = await self._accounts.changed(
                user, name=body.name, password=body.password, new=body.new_password, codes=body.recovery
            )
            return self.opened(request, account, status=200, codes=tuple(codes))

        self.run(request, answer())

    def forget(self, request: Request, caller: Caller) -> None:
        """``DELETE /v1/accounts``: of a guest, too."""
        self._identity.check_write(request, caller, now=self._seconds())
        body = wire.forget_body(request.body)
        who = caller.who
        author = who.author
        if author is None or author.kind == "bot":
            raise NotFound("There is nobody to be forgotten.")
        if body.password is not None:
            self._identity.check_login(request.peer, caller, author.id)

        async def answer() -> Answer:
            also = (Forgetting.ordered(author),) if body.messages else ()
            await self._accounts.removed(author, body.password, also=also)
            if body.messages:
                self._forgetting.begin(author)
            if author.kind == "host":
                await self._tokens.end(who, now=self._now())
            cookie = self._identity.marked(request, ended_cookie())
            return Answer(204, b"", (("Set-Cookie", cookie), *FIELDS))

        self.run(request, answer())

    def recover(self, request: Request, caller: Caller) -> None:
        """``POST /v1/accounts/recover``: a code instead of the password that is lost."""
        self.check(request, caller, Deed.SESSION)
        body = wire.recover_body(request.body)
        login = self._login(request, caller, body.login)

        async def answer() -> Answer:
            account = await self._guessed(
                request, caller, self._accounts.recovered(login, body.code, body.password)
            )
            return self.opened(request, account, status=200, codes=())

        self.run(request, answer())

    def sign_in(self, request: Request, caller: Caller, *, login: str, password: str) -> None:
        """``POST /v1/session`` with login and password; the request was checked."""
        known = self._login(request, caller, login)

        async def answer() -> Answer:
            account = await self._guessed(request, caller, self._accounts.signed_in(known, password))
            return self.session_of(request, account)

        self.run(request, answer())

    def open_by_phrase(self, request: Request, caller: Caller, *, name: str, phrase: str) -> None:
        """``POST /v1/session`` with a guest's name and phrase; the request was checked."""
        self._identity.check_login(request.peer, caller, f"{folded(name)}#")
        guest = self._tokens.guest_of(name, phrase)

        async def answer() -> Answer:
            if (await self._accounts.at(guest.id))[0] is not None:
                raise Forbidden("This guest has an account now; sign in with login and password.")
            session = self._tokens.open_for(guest, now=self._now())
            return session_opened(self._identity, request, *session)

        self.run(request, answer())

    def _login(self, request: Request, caller: Caller, given: str) -> str | None:
        """Return the login, None if it cannot be one, unless it was tried too often. Raises
        `RateLimited`."""
        try:
            login = login_name(given)
        except BadRequest:
            login = None
        self._identity.check_login(request.peer, caller, login or "")
        return login

    async def _guessed(
        self, request: Request, caller: Caller, opening: Coroutine[Any, Any, Account]
    ) -> Account:
        try:
            return await opening
        except Unauthorized:
            self._identity.guessed(request.peer, caller)
            raise

    def check(self, request: Request, caller: Caller, deed: Deed) -> None:
        """Refuse what may not be asked, or one time too many."""
        self._identity.check_request(request, caller, now=self._seconds(), deed=deed)

    def session_of(self, request: Request, account: Account) -> Answer:
        """Return the answer that opens a session of ``account``."""
        session = self._tokens.open_for(account.author, now=self._now())
        return session_opened(self._identity, request, *session)

    def opened(self, request: Request, account: Account, *, status: int, codes: tuple[str, ...]) -> Answer:
        """Return the answer that opens a session of an account that was made or changed."""
        token, session = self._tokens.open_for(account.author, now=self._now())
        return account_opened(
            self._identity, request, token, session, login=account.login, status=status, codes=codes
        )

    def run(self, request: Request, answering: Answering) -> None:
        """Answer with what ``answering`` gives, or with its failure."""
        done = Deferred.fromCoroutine(answering).addCallback(request.answer)
        done.addErrback(lambda failure: self._fail(request, failure))


def user_of(caller: Caller) -> str:
    """Return the id of somebody who may have an account. Raises `NotFound`, `Forbidden` for what only
    reads: a ticket stands for its maker, and must not open or change their account."""
    author = caller.who.author
    if caller.who.read_only:
        raise Forbidden("This token only reads.")
    if author is None or author.kind != "user":
        raise NotFound("You have no account here.")
    return author.id
