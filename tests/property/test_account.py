"""Logins, passwords and codes: which spellings are one, and that none is kept as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core import account
from kodama.core.account import (
    Account,
    Passkey,
    code_digest,
    login_name,
    new_password,
    phrase_user,
    spelled_password,
    write_code,
)
from kodama.core.challenge import CHALLENGE_SECONDS, challenge_end, write_challenge
from kodama.core.errors import BadJson, BadRequest, Unauthorized
from kodama.wire.accounts import (
    account_body,
    change_body,
    forget_body,
    offer_body,
    passkey_body,
    passkey_shown,
    recover_body,
)
from kodama.wire.commands import session_body

LETTERS = st.text(st.characters(categories=("L", "M", "N")), min_size=1, max_size=20)


@given(LETTERS)
def test_a_login_is_the_same_however_often_it_is_read_and_in_any_case(text: str) -> None:
    try:
        name = login_name(text)
    except BadRequest:
        return  # some letters fold to what is none, or to too many
    assert login_name(name) == name
    assert login_name(f" {text} ") == name
    assert login_name(unicodedata.normalize("NFD", text)) == name
    assert name == unicodedata.normalize("NFKC", name)


@given(st.text(max_size=80))
def test_a_login_never_holds_what_cannot_be_typed_or_seen(text: str) -> None:
    try:
        name = login_name(text)
    except BadRequest:
        return
    assert 1 <= len(name) <= account.LOGIN_LIMIT
    assert all(char in "._-+@" or unicodedata.category(char)[0] in "LMN" for char in name)


@pytest.mark.parametrize(
    ("given_", "name"),
    [
        ("AIKO", "aiko"),
        ("Ａｉｋｏ", "aiko"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("a@b.c", "a@b.c"),
    ],
)
def test_logins_that_are_one(given_: str, name: str) -> None:
    assert login_name(given_) == name


@given(st.text(min_size=8, max_size=60))
def test_a_password_is_one_composed_or_not(text: str) -> None:
    assert spelled_password(unicodedata.normalize("NFD", text)) == spelled_password(text)


def test_a_password_has_8_to_256_characters() -> None:
    for good in ("x" * 8, "x" * 256, "パスワードです。"):
        assert new_password(good) == good
    for bad in ("", "x" * 7, "x" * 257):
        with pytest.raises(BadRequest):
            new_password(bad)


@given(st.binary(min_size=account.CODE_BYTES, max_size=account.CODE_BYTES))
def test_a_code_is_known_again_however_it_is_typed(random: bytes) -> None:
    code = write_code(random)
    assert len(code) == 19
    for typed in (code, code.upper(), code.replace("-", ""), f" {code.replace('-', ' - ')}\n"):
        assert code_digest(typed) == code_digest(code)
    assert code.replace("-", "") not in code_digest(code)


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_two_codes_are_two(one: bytes, other: bytes) -> None:
    assert (write_code(one) == write_code(other)) == (one == other)


def test_an_account_speaks_as_a_user() -> None:
    made = Account(user="g_1", login="aiko", name="Aiko", created=1, password="x")
    assert (made.author.id, made.author.name, made.author.kind) == ("g_1", "Aiko", "user")


def test_what_is_asked_of_accounts_is_read_strictly() -> None:
    made = account_body(b'{"login":"AIKO","password":"12345678","name":" A  b "}')
    assert (made.login, made.name) == ("aiko", "A b")
    assert account_body(b'{"login":"a","password":"x"}').name is None
    assert recover_body(b'{"login":"A b","code":"x","password":"y"}').login == "A b"
    assert change_body(b'{"name":" A "}').name == "A"
    assert change_body(b'{"new_password":"x"}').name is None
    assert change_body(b'{"recovery":true}').recovery
    for nothing in (b"{}", b'{"recovery":false}', b'{"password":"x"}'):
        with pytest.raises(BadJson):
            change_body(nothing)
    assert not forget_body(b"").messages
    assert forget_body(b'{"messages":true,"password":"x"}').password == "x"
    for wrong in (account_body, recover_body, change_body):
        with pytest.raises(BadJson):
            wrong(b'{"login":1}' if wrong is not change_body else b'{"name":1}')


def test_a_login_comes_with_its_password() -> None:
    assert session_body(b'{"login":"A b","password":""}').login == "A b"
    for half in (b'{"login":"a"}', b'{"name":"a","password":"b"}'):
        with pytest.raises(BadJson):
            session_body(half)


PHRASES = st.text(min_size=8, max_size=12).filter(lambda text: len(spelled_password(text)) >= 8)


@given(st.text(min_size=1, max_size=8), PHRASES, st.binary(min_size=32, max_size=32))
def test_a_phrase_gives_one_id_under_one_secret_and_another_one_otherwise(
    name: str, phrase: str, secret: bytes
) -> None:
    user = phrase_user(name, phrase, secret=secret)
    assert phrase_user(name, unicodedata.normalize("NFD", phrase), secret=secret) == user
    assert phrase_user(name, phrase + "!", secret=secret) != user
    assert phrase_user(name + "!", phrase, secret=secret) != user
    assert phrase_user(name, phrase, secret=secret[:31] + bytes((secret[31] ^ 1,))) != user
    assert len(user) == 24


def test_a_phrase_has_8_to_256_characters_and_a_name() -> None:
    for bad in ("", "x" * 7, "x" * 257):
        with pytest.raises(BadRequest):
            phrase_user("Ken", bad, secret=b"x")
    with pytest.raises(BadJson):
        session_body(b'{"login":"a","password":"b","phrase":"12345678"}')
    assert session_body(b'{"name":" K ","phrase":"12345678"}').phrase == "12345678"


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**42), st.integers(0, 39), st.integers(1, 255))
def test_a_challenge_is_good_for_its_purpose_and_time_and_unchanged(
    random: bytes, now: int, place: int, other: int
) -> None:
    made = write_challenge("sign in", random=random, now=now, secret=b"x")
    end = challenge_end(made, "sign in", now=now, secret=b"x")
    assert end == now + CHALLENGE_SECONDS * 1000
    changed = bytes(made[:place] + bytes((made[place] ^ other,)) + made[place + 1 :])
    for challenge, purpose, when, secret in (
        (made, "sign in", end, b"x"), (made, "add to u", now, b"x"), (made, "sign in", now, b"y"),
        (changed, "sign in", now, b"x"), (b"", "sign in", now, b"x"), (made[:-1], "sign in", now, b"x"),
    ):  # fmt: skip
        with pytest.raises(Unauthorized):
            challenge_end(challenge, purpose, now=when, secret=secret)


def test_passkeys_are_read_strictly() -> None:
    shape = '{"id":"a","rawId":"a","type":"public-key","response":%s}'
    made = shape % '{"clientDataJSON":"a","attestationObject":"b","transports":["usb"]}'
    read = passkey_body(b'{"name":" My  phone ","passkey":%b}' % made.encode())
    assert (read.name, read.passkey.response.attestation) == ("My phone", "b")
    assert offer_body(b'{"password":"x"}').password == "x"
    for user, name in (("Z18x", "g_1"), ("", ""), ("AA", ""), ("_w", ""), ("é", "")):
        shown = f'{{"clientDataJSON":"a","authenticatorData":"b","signature":"c","userHandle":"{user}"}}'
        body = session_body(b'{"passkey":%b}' % (shape % shown).encode())
        assert body.passkey is not None
        assert body.passkey.user == name
    listed = passkey_shown(Passkey(id="a", key="k", count=1, name="Phone", created=0))
    assert (listed.name, listed.created) == ("Phone", "1970-01-01T00:00:00.000Z")
