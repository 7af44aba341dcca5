"""Passkeys through the whole site, made and shown by an authenticator in software."""

from __future__ import annotations

from typing import Any

import pytest

from kodama.accounts import passkeys
from kodama.core.challenge import CHALLENGE_SECONDS
from tests.integration.authenticator import PRESENT, VERIFIED, Authenticator, text
from tests.integration.test_accounts import ACCOUNTS, SENTENCE, SESSION, Accounted, token
from tests.integration.test_site import Got

PASSKEYS = f"{ACCOUNTS}/passkeys"
Fields = dict[str, str]


class Keyed(Accounted):
    """A server with an account, and what a page does with passkeys."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.made = self.make()
        self.mine = token(self.made)

    def offer(self, fields: Fields, password: str = SENTENCE, **more: str) -> Got:
        return self.post(f"{PASSKEYS}/new", {"password": password}, **fields, **more)

    def add(self, key: Authenticator, fields: Fields | None = None, **more: str) -> Got:
        fields = self.mine if fields is None else fields
        made = key.make(self.offer(fields, **more).json)
        return self.post(PASSKEYS, {"passkey": made, "name": "Phone"}, **fields, **more)

    def challenge(self, **more: str) -> dict[str, Any]:
        got = self.post(f"{PASSKEYS}/challenge", {}, **more)
        assert got.status == 200
        return dict(got.json)

    def enter_with(self, key: Authenticator, **more: str) -> Got:
        return self.post(SESSION, {"passkey": key.show(self.challenge(**more))}, **more)


@pytest.fixture
def server() -> Keyed:
    return Keyed()


def test_a_passkey_opens_the_account_without_a_login(server: Keyed) -> None:
    key = Authenticator()
    added = server.add(key)
    assert added.status == 201, added
    assert (added.json["name"], added.json["id"]) == ("Phone", text(key.id))
    assert server.get(ACCOUNTS, **server.mine).json["passkeys"] == [added.json]
    opened = server.enter_with(key)
    assert (opened.status, opened.json["user"]) == (201, server.made.json["user"])
    assert "kodama_session=" in opened.fields["set-cookie"]
    assert server.me(token(opened)).status == 200
    assert server.me(server.mine).status == 200


def test_what_is_offered_asks_for_the_person_and_names_what_is_there_already(server: Keyed) -> None:
    key = Authenticator()
    server.add(key)
    asked = server.offer(server.mine).json["publicKey"]
    assert asked["rp"]["id"] == "localhost"
    assert asked["user"]["name"] == "aiko"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert [one["id"] for one in asked["excludeCredentials"]] == [text(key.id)]
    assert server.challenge()["publicKey"]["userVerification"] == "required"


def test_only_who_has_the_password_makes_one_and_only_for_themselves(server: Keyed) -> None:
    assert server.offer(server.mine, "wrong sentence").json["code"] == "forbidden"
    for fields in ({}, server.sign_in("Ben")):
        assert server.offer(fields).status == 404
    ben = token(server.make("ben", name="Ben"))
    made = Authenticator().make(server.offer(server.mine).json)
    assert server.post(PASSKEYS, {"passkey": made}, **ben).json["code"] == "unauthorized"
    assert server.post(PASSKEYS, {"passkey": made}, **server.mine).status == 201
    again = Authenticator()
    made = again.make(server.offer(server.mine).json)
    assert server.post(PASSKEYS, {"passkey": made}, **server.mine).status == 201
    assert server.post(PASSKEYS, {"passkey": made}, **server.mine).json["code"] == "unauthorized"
    twice = again.make(server.offer(server.mine).json)
    assert server.post(PASSKEYS, {"passkey": twice}, **server.mine).json["code"] == "conflict"


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("origin", "https://evil.example"),
        ("origin", "http://localhost:9"),
        ("site", "evil.example"),
        ("flags", PRESENT),
        ("flags", VERIFIED),
    ],
)
def test_a_passkey_from_elsewhere_or_of_nobody_is_neither_taken_nor_believed(
    server: Keyed, what: str, value: object
) -> None:
    bad = Authenticator()
    setattr(bad, what, value)
    assert server.add(bad).json["code"] == "bad_request"
    good = Authenticator()
    server.add(good)
    setattr(good, what, value)
    assert server.enter_with(good).json["code"] == "unauthorized"


def test_another_key_another_person_or_an_answer_that_was_given_opens_nothing(server: Keyed) -> None:
    key, other = Authenticator(), Authenticator()
    server.add(key)
    other.user, other.id = key.user, key.id
    assert server.enter_with(other).status == 401
    other.id = b"\1" * 16
    assert server.enter_with(other).status == 401
    for user in (b"", b"u_nobody", b"\0", b"\xff", b"x" * 5000):
        stranger = Authenticator()
        stranger.user, stranger.key, stranger.id = user, key.key, key.id
        assert server.enter_with(stranger).status == 401, user
    answer = key.show(server.challenge())
    assert server.post(SESSION, {"passkey": answer}).status == 201
    assert server.post(SESSION, {"passkey": answer}).status == 401
    offered = server.offer(server.mine).json  # a challenge for something else
    assert server.post(SESSION, {"passkey": key.show(offered)}).status == 401


def test_a_counter_that_does_not_grow_is_a_copy(server: Keyed) -> None:
    key = Authenticator()
    key.count = 5
    server.add(key)
    assert [server.enter_with(key).status for key.count in (6, 6, 5, 7)] == [201, 401, 401, 201]


def test_a_challenge_is_void_after_five_minutes(server: Keyed, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Authenticator()
    server.add(key)
    asked = server.challenge()
    end = passkeys.challenge_end

    def later(challenge: bytes, purpose: str, *, now: int, secret: bytes) -> int:
        return end(challenge, purpose, now=now + CHALLENGE_SECONDS * 1000, secret=secret)

    monkeypatch.setattr(passkeys, "challenge_end", later)
    assert server.post(SESSION, {"passkey": key.show(asked)}).json["code"] == "unauthorized"


def test_a_passkey_is_removed_and_with_it_all_sessions(server: Keyed) -> None:
    key = Authenticator()
    passkey = server.add(key).json["id"]
    opened = server.enter_with(key)
    assert server.post(f"{PASSKEYS}/nothing", None, method="DELETE", **server.mine).status == 404
    removed = server.post(f"{PASSKEYS}/{passkey}", None, method="DELETE", **server.mine)
    assert removed.status == 200
    assert [server.me(one).status for one in (server.mine, token(opened), token(removed))] == [401, 401, 200]
    assert server.enter_with(key).status == 401


def test_an_account_has_at_most_ten(server: Keyed) -> None:
    assert [server.add(Authenticator()).status for _ in range(10)] == [201] * 10
    assert server.offer(server.mine).json["code"] == "conflict"


def test_behind_a_name_of_its_own_a_page_must_have_come_over_tls() -> None:
    server = Keyed(hosts="chat.example.org")
    there = {"Host": "chat.example.org"}
    for origin, status in (("https://chat.example.org", 201), ("http://chat.example.org", 400)):
        key = Authenticator(origin=origin, site="chat.example.org")
        assert server.add(key, **there).status == status


def test_whatever_strangers_send_is_refused_and_harms_nobody(server: Keyed) -> None:
    key = Authenticator()
    server.add(key)
    good = key.show(server.challenge())
    for part in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        for bad in (
            "",
            "x",
            "é",
            "AAAA",
            text(b"[" * 3000),
            text(b"null"),
            text(b'{"challenge":1}'),
            "A" * 9000,
        ):
            given = {**good, "response": {**good["response"], part: bad}}
            assert server.post(SESSION, {"passkey": given}).status == 401, (part, bad[:20])
    for given in ({}, {**good, "type": "x"}, {**good, "response": {}}, [], "x"):
        assert server.post(SESSION, {"passkey": given}).json["code"] == "bad_json"
    assert server.post(SESSION, {"passkey": good, "name": "x"}).json["code"] == "bad_json"
    offered = server.offer(server.mine).json
    made = Authenticator().make(offered)
    for part, code in (("clientDataJSON", {"unauthorized"}), ("attestationObject", {"bad_request"})):
        for bad in ("", "é", text(b"\xa1" * 500), text(b"\x9f" * 3000)):
            given = {**made, "response": {**made["response"], part: bad}}
            assert server.post(PASSKEYS, {"passkey": given}, **server.mine).json["code"] in code
    assert server.post(SESSION, {"passkey": good}).status == 201


def test_who_shows_too_many_bad_passkeys_is_not_heard() -> None:
    server = Keyed(limit_exempt="", token_burst=2, token_rate=0.01, session_burst=100)
    key = Authenticator()
    tried = [server.enter_with(key, peer="10.0.0.1").status for _ in range(4)]
    assert tried == [401, 401, 429, 429]


def test_a_ticket_makes_changes_shows_and_forgets_no_account_and_no_passkey(server: Keyed) -> None:
    key = Authenticator()
    passkey = server.add(key).json["id"]
    guest = server.sign_in("Ben")
    made = Authenticator().make(server.offer(server.mine).json)
    for fields in (server.mine, guest):
        ticket = server.post("/v1/tickets", {"rooms": ["lobby"]}, **fields).json["ticket"]
        for method, path, body in (
            ("POST", ACCOUNTS, {"login": "eve", "password": SENTENCE, "name": "Eve"}), ("GET", ACCOUNTS, None),
            ("PATCH", ACCOUNTS, {"name": "Eve"}), ("DELETE", ACCOUNTS, {"password": SENTENCE, "messages": True}),
            ("POST", f"{PASSKEYS}/new", {"password": SENTENCE}), ("POST", PASSKEYS, {"passkey": made}),
            ("DELETE", f"{PASSKEYS}/{passkey}", None),
        ):  # fmt: skip
            for target, more in (
                (f"{path}?ticket={ticket}", {}),
                (path, {"Authorization": f"Bearer {ticket}"}),
            ):
                got = server.post(target, body, method=method, **more)
                assert got.json["code"] == "forbidden", (method, path)
    assert server.get(ACCOUNTS, **server.mine).json["passkeys"][0]["id"] == passkey
    assert server.me(guest).status == 200
