"""Session tokens: what was not signed here, or has run out, proves nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.errors import Unauthorized
from kodama.core.event import Author
from kodama.core.session import Session, sign_session, verify_session

SECRET = b"s" * 32
SESSION = Session("id", "g_aiko", "Aiko \U0001f43f", 1000)
TOKEN = sign_session(SESSION, secret=SECRET)


@given(
    st.builds(
        Session,
        st.text("ab"),
        st.text("ab"),
        st.text(st.characters(exclude_categories=["Cs"])),
        st.integers(1, 2**50),
    )
)
def test_a_token_proves_the_session_it_was_made_of(session: Session) -> None:
    token = sign_session(session, secret=SECRET)
    assert verify_session(token, secret=SECRET, now=session.expires - 1) == session


def test_a_session_is_a_guest_in_events() -> None:
    assert SESSION.author == Author("g_aiko", "Aiko \U0001f43f", "guest")


def test_every_shortened_token_is_refused() -> None:
    for end in range(len(TOKEN)):
        with pytest.raises(Unauthorized):
            verify_session(TOKEN[:end], secret=SECRET, now=0)


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_every_changed_token_is_refused(at: int, char: str) -> None:
    forged = TOKEN[:at] + char + TOKEN[at + 1 :]
    if forged != TOKEN:
        with pytest.raises(Unauthorized):
            verify_session(forged, secret=SECRET, now=0)


@given(st.text(max_size=60))
def test_no_text_is_a_token(text: str) -> None:
    for token in (text, "kds_" + text, f"kds_{text}.{text}", TOKEN + text + "x", " " + TOKEN):
        with pytest.raises(Unauthorized):
            verify_session(token, secret=SECRET, now=0)


def test_a_token_signed_elsewhere_or_run_out_is_refused() -> None:
    with pytest.raises(Unauthorized, match="not valid"):
        verify_session(TOKEN, secret=b"t" * 32, now=0)
    with pytest.raises(Unauthorized, match="expired"):
        verify_session(TOKEN, secret=SECRET, now=1000)
