"""Who is told of what by a webhook, and how deliveries are signed."""

from __future__ import annotations

import pytest

from kodama.core.hook import IncomingHook, OutgoingHook, signature, write_secret, write_token
from kodama.core.room import Access, RoomFacts
from kodama.core.who import admits


def hook(word: str = "") -> OutgoingHook:
    on = "word" if word else "all"
    return OutgoingHook(
        id="1", room="lobby", name="CI", url="https://a.example", secret="whsec_AA==", created=0, by="u", on=on, word=word
    )


def test_the_signature_is_the_one_of_the_standard() -> None:
    """The example in the specification of Standard Webhooks 1.0."""
    assert signature(
        b'{"test": 2432232314}', id="msg_p5jXN8AQM9LWM0D4loKWxJek", seconds=1614265330,
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="  # fmt: skip


@pytest.mark.parametrize(
    ("word", "text", "told"),
    [
        ("", "anything", True), ("", None, True), ("deploy", "Deploy now", True), ("deploy", "please @deploy now", True),
        ("deploy", "please deploy", False), ("deploy", None, False), ("deploy", "", False), ("deploy", "deployed", False),
    ],
)  # fmt: skip
def test_a_word_is_the_first_or_a_mention(word: str, text: str | None, told: bool) -> None:
    assert hook(word).wants(kind="guest", text=text) is told


def test_bots_are_not_told_what_bots_say() -> None:
    assert not hook().wants(kind="bot", text="x")


def test_a_webhook_speaks_as_a_bot() -> None:
    assert hook().author.kind == "bot"
    assert IncomingHook(id="1", room="r", name="CI", created=0, by="u").author.name == "CI"


def test_a_webhook_speaks_in_its_own_room_and_no_other() -> None:
    for one in (hook(), IncomingHook(id="1", room="lobby", name="CI", created=0, by="u")):
        assert (one.who.session, one.who.author) == ("hook:1", one.author)
        assert admits(RoomFacts(name="lobby", access=Access.SECRET), one.who)
        assert not admits(RoomFacts(name="other"), one.who)


def test_tokens_and_secrets_say_what_they_are() -> None:
    assert write_token(bytes(24)).startswith("kdh_AAAA")
    assert write_secret(bytes(32)).startswith("whsec_AAAA")
