"""``/v1/accounts/passkeys``: passkeys made, shown and forgotten.

Decided here: a passkey belongs to the name by which the browser calls this server, and is taken from
pages of this server only, over TLS or on the same machine.
"""

from __future__ import annotations

from msgspec import to_builtins

from kodama.accounts.passkeys import Passkeys, Place
from kodama.core.errors import Unauthorized
from kodama.http.message import Answer, Request
from kodama.web.accounts import AccountsApi, user_of
from kodama.web.answers import json_answer, raw_json_answer
from kodama.web.identity import Caller, Identity
from kodama.web.rates import Deed
from kodama.wire import accounts as wire
from kodama.wire.passkeys import ShownPasskey


class PasskeysApi:
    """The resources of passkeys; answers and failures are those of ``accounts``."""

    def __init__(self, passkeys: Passkeys, accounts: AccountsApi, identity: Identity) -> None:
        self._passkeys = passkeys
        self._accounts = accounts
        self._identity = identity

    def offer(self, request: Request, caller: Caller) -> None:
        """``POST /v1/accounts/passkeys/new``: what a browser needs to make one."""
        body = wire.offer_body(request.body)
        user = user_of(caller)
        self._accounts.check(request, caller, Deed.WRITE)
        self._identity.check_login(request.peer, caller, user)

        async def answer() -> Answer:
            return raw_json_answer(
                200, await self._passkeys.offered(user, body.password, _place(request, caller))
            )

        self._accounts.run(request, answer())

    def add(self, request: Request, caller: Caller) -> None:
        """``POST /v1/accounts/passkeys``: one that was made."""
        body = wire.passkey_body(request.body)
        user = user_of(caller)
        self._accounts.check(request, caller, Deed.WRITE)

        async def answer() -> Answer:
            place = _place(request, caller)
            made = await self._passkeys.added(user, to_builtins(body.passkey), body.name, place)
            return json_answer(201, wire.passkey_shown(made))

        self._accounts.run(request, answer())

    def remove(self, request: Request, caller: Caller, passkey: str) -> None:
        """``DELETE /v1/accounts/passkeys/{passkey}``: all earlier sessions are over."""
        user = user_of(caller)
        self._accounts.check(request, caller, Deed.WRITE)

        async def answer() -> Answer:
            account = await self._passkeys.removed(user, passkey)
            return self._accounts.opened(request, account, status=200, codes=())

        self._accounts.run(request, answer())

    def ask(self, request: Request, caller: Caller) -> None:
        """``POST /v1/accounts/passkeys/challenge``: what a browser needs to show one."""
        self._accounts.check(request, caller, Deed.SESSION)

        async def answer() -> Answer:
            return raw_json_answer(200, await self._passkeys.asked(_place(request, caller)))

        self._accounts.run(request, answer())

    def sign_in(self, request: Request, caller: Caller, shown: ShownPasskey) -> None:
        """``POST /v1/session`` with a passkey; the request was checked."""
        self._identity.check_guesses(request.peer, caller)

        async def answer() -> Answer:
            place = _place(request, caller)
            try:
                account = await self._passkeys.opened(to_builtins(shown), shown.user, place)
            except Unauthorized:
                self._identity.guessed(request.peer, caller)
                raise
            return self._accounts.session_of(request, account)

        self._accounts.run(request, answer())


def _place(request: Request, caller: Caller) -> Place:
    host = (request.headers.get(b"host") or b"").decode("latin-1").lower()
    local = caller.host == "localhost" or caller.host.endswith(".localhost")
    origins = (f"https://{host}", f"http://{host}") if local else (f"https://{host}",)
    return Place(caller.host, origins)
