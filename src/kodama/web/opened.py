"""How somebody is told that a session is theirs: the token in the answer and in a cookie."""

from __future__ import annotations

from msgspec import UNSET

from kodama.core.event import timestamp
from kodama.core.session import Session
from kodama.http.message import Answer, Request
from kodama.web.answers import json_answer
from kodama.web.identity import Identity, session_cookie
from kodama.wire import answers
from kodama.wire.accounts import AccountOpened


def session_opened(identity: Identity, request: Request, token: str, session: Session) -> Answer:
    """Return the answer to whoever opened a session."""
    value = answers.SessionOpened(token=token, user=session.author, expires=timestamp(session.expires))
    return json_answer(201, value, fields=(_cookie(identity, request, token),))


def account_opened(
    identity: Identity, request: Request, token: str, session: Session, *,
    login: str, status: int, codes: tuple[str, ...],
) -> Answer:  # fmt: skip
    """Return the answer to whoever made or changed their account."""
    value = AccountOpened(
        token=token, user=session.author, expires=timestamp(session.expires), login=login,
        recovery=list(codes) if codes else UNSET,
    )  # fmt: skip
    return json_answer(status, value, fields=(_cookie(identity, request, token),))


def _cookie(identity: Identity, request: Request, token: str) -> tuple[str, str]:
    return "Set-Cookie", identity.marked(request, session_cookie(token))
