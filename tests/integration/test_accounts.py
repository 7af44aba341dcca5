"""Accounts through the whole site, with real hashing on its real thread; time is a clock."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail

from kodama.accounts import hashing
from kodama.accounts.forgetting import Forgetting, Traces
from kodama.core.event import Author
from kodama.core.record import PutRecord
from kodama.registry import Registry
from kodama.store.interface import StoreUnavailable
from tests.conformance.stores import HandReactor
from tests.integration.test_site import EVENTS, MESSAGES, ROOM, Asking, Got, Kodama

ACCOUNTS = "/v1/accounts"
SESSION = "/v1/session"
SENTENCE = "correct horse battery"
OTHER = "another sentence"


class Accounted(Kodama):
    """A server whose threads are waited for."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.threads = HandReactor()
        self.reactor.callFromThread = self.threads.callFromThread
        self.store: Any = self.service._node.store

    def wait(self, asking: Asking) -> Got:
        self.threads.pump_until(lambda: not asking.open)
        return asking.got

    def post(self, target: str, body: object, *, method: str = "POST", **fields: str) -> Got:
        return self.wait(self.ask(method, target, body=body, **fields))

    def make(self, login: str = "aiko", *, name: str | None = "Aiko", **fields: str) -> Got:
        given = {"login": login, "password": SENTENCE} | ({} if name is None else {"name": name})
        return self.post(ACCOUNTS, given, **fields)

    def enter(self, login: str = "aiko", password: str = SENTENCE, **fields: str) -> Got:
        return self.post(SESSION, {"login": login, "password": password}, **fields)

    def change(self, fields: dict[str, str], **body: object) -> Got:
        return self.post(ACCOUNTS, body, method="PATCH", **fields)

    def me(self, fields: dict[str, str]) -> Got:
        return self.get(SESSION, **fields)


def token(got: Got) -> dict[str, str]:
    return {"Authorization": f"Bearer {got.json['token']}"}


@pytest.fixture
def server() -> Accounted:
    return Accounted()


def test_a_guest_becomes_an_account_and_keeps_id_name_and_messages(server: Accounted) -> None:
    guest = server.sign_in("Aiko")
    user = server.me(guest).json["user"]["id"]
    server.ask("POST", MESSAGES, body={"text": "before"}, **guest)
    made = server.make(name=None, **guest)
    assert made.status == 201
    assert made.json["user"] == {"id": user, "name": "Aiko", "kind": "user"}
    assert "kodama_session=" in made.fields["set-cookie"]
    edit = server.ask("PATCH", f"{MESSAGES}/1", body={"text": "after"}, **token(made)).got
    assert edit.status == 200
    assert server.me(guest).status == 401
    again = server.enter("AIKO ")
    assert (again.status, again.json["user"]) == (201, made.json["user"])
    assert server.me(token(again)).json["user"]["kind"] == "user"


def test_whoever_has_no_session_makes_an_account_too_and_needs_a_name(server: Accounted) -> None:
    assert server.make(name=None).json["code"] == "bad_request"
    made = server.make("Ｋｅｎ")
    assert made.json["login"] == "ken"
    assert made.json["user"]["id"].startswith("u_")
    shown = server.get(ACCOUNTS, **token(made)).json
    assert (shown["login"], shown["recovery"], shown["user"]) == ("ken", 10, made.json["user"])


def test_an_account_is_asked_for_rightly_or_refused(server: Accounted) -> None:
    made = server.make()
    assert server.make("Aiko").json["code"] == "conflict"
    assert server.make("other", **token(made)).json["code"] == "conflict"
    for wrong in ("", "a b", "x" * 65, "a\nb", "a/b"):
        assert server.make(wrong).json["code"] == "bad_request", wrong
    for password in ("", "x" * 7, "x" * 257):
        got = server.post(ACCOUNTS, {"login": "ben", "password": password, "name": "Ben"})
        assert got.json["code"] == "bad_request"
    for body in ({}, {"login": "ben"}, {"login": 1, "password": SENTENCE}, []):
        assert server.post(ACCOUNTS, body).json["code"] == "bad_json"
    guest = server.sign_in("Ben")
    for method in ("GET", "PATCH"):
        assert server.post(ACCOUNTS, {"name": "B"}, method=method, **guest).status == 404
    assert server.change(token(made)).json["code"] == "bad_json"
    foreign = server.make("ben", Origin="https://evil.example")
    assert foreign.json["code"] == "forbidden"


def test_where_accounts_are_closed_those_that_exist_go_on() -> None:
    assert Accounted(accounts="no").make().json["code"] == "forbidden"
    server = Accounted(guests="no")
    made = server.make()
    assert server.ask("POST", MESSAGES, body={"text": "x"}, **token(made)).got.status == 201
    assert server.enter().status == 201


def test_an_unknown_login_and_a_wrong_password_are_told_the_same(
    server: Accounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.make()
    costs: list[str] = []
    verify = hashing.PasswordHasher.verify

    def watched(self: Any, kept: str, password: str) -> bool:
        costs.append(kept.rsplit("$", 2)[0])
        return bool(verify(self, kept, password))

    monkeypatch.setattr(hashing.PasswordHasher, "verify", watched)
    got = [
        server.enter("aiko", "wrong sentence"), server.enter("nobody", SENTENCE), server.enter("no body", SENTENCE)
    ]  # fmt: skip
    assert [one.status for one in got] == [401] * 3
    assert len({one.body for one in got}) == 1
    assert len(costs) == 3
    assert len(set(costs)) == 1


def test_a_password_is_the_same_from_every_keyboard(server: Accounted) -> None:
    server.post(ACCOUNTS, {"login": "z", "password": "cafe\u0301 au lait", "name": "Z"})
    assert server.enter("z", "caf\u00e9 au lait").status == 201
    assert server.enter("z", "cafe au lait").status == 401


def test_what_opens_an_account_is_changed_and_all_its_sessions_are_over(server: Accounted) -> None:
    first, second = token(server.make()), token(server.enter())
    held = server.ask("GET", f"{EVENTS}?wait=60", **second)
    assert server.change(first, new_password=OTHER).json["code"] == "forbidden"
    assert server.change(first, new_password=OTHER, password="wrong sentence").json["code"] == "forbidden"
    assert server.change(first, new_password="short", password=SENTENCE).json["code"] == "bad_request"
    assert held.open
    changed = server.change(first, new_password=OTHER, password=SENTENCE)
    assert changed.status == 200
    assert "recovery" not in changed.json
    assert held.got.json["code"] == "forbidden"
    assert [server.me(one).status for one in (first, second, token(changed))] == [401, 401, 200]
    assert server.enter().status == 401
    assert server.enter(password=OTHER).status == 201


def test_a_new_name_is_in_the_new_session(server: Accounted) -> None:
    made = server.make()
    renamed = server.change(token(made), name="  Aiko   K. ")
    assert renamed.json["user"]["name"] == "Aiko K."
    assert server.me(token(made)).status == 401
    assert server.enter().json["user"] == renamed.json["user"]


def test_a_recovery_code_opens_the_account_once(server: Accounted) -> None:
    made = server.make()
    codes = made.json["recovery"]
    assert len(set(codes)) == 10

    def recover(code: str, login: str = "aiko", **fields: str) -> Got:
        given = {"login": login, "code": code, "password": OTHER}
        return server.post(f"{ACCOUNTS}/recover", given, **fields)

    assert recover("aaaa-aaaa-aaaa-aaaa").body == recover(codes[0], "nobody").body
    assert recover(codes[0], "nobody").status == 401
    back = recover(codes[0].upper().replace("-", " "), Authorization="Bearer void")
    assert back.status == 200
    assert server.me(token(made)).status == 401
    assert server.me(token(back)).status == 200
    assert recover(codes[0]).status == 401
    assert server.get(ACCOUNTS, **token(back)).json["recovery"] == 9
    fresh = server.change(token(back), password=OTHER, recovery=True).json["recovery"]
    assert recover(codes[1]).status == 401
    assert recover(fresh[1]).status == 200


def test_a_code_that_is_used_twice_at_once_is_good_once(server: Accounted) -> None:
    code = server.make().json["recovery"][0]
    asked = [
        server.ask(
            "POST", f"{ACCOUNTS}/recover", body={"login": "aiko", "code": code, "password": OTHER + end}
        )
        for end in "ab"
    ]
    assert sorted(server.wait(one).status for one in asked) == [200, 409]


def test_two_who_want_one_login_at_once_are_two_and_one_gets_it(server: Accounted) -> None:
    asked = [
        server.ask("POST", ACCOUNTS, body={"login": "aiko", "password": SENTENCE, "name": name})
        for name in ("Aiko", "Ben")
    ]
    assert sorted(server.wait(one).status for one in asked) == [201, 409]


def test_an_account_is_the_same_after_a_restart_and_so_is_where_its_sessions_were_cut(
    server: Accounted,
) -> None:
    old = server.make()
    new = server.change(token(old), name="Ai")
    kinds = {kind: server.store.records_now(kind).records for kind in ("account", "login", "session-cut")}
    assert [len(records) for records in kinds.values()] == [1, 1, 1]
    kept = b"".join(one.body for records in kinds.values() for one in records)
    for secret in (SENTENCE, *old.json["recovery"], new.json["token"]):
        assert secret.encode() not in kept


def test_a_password_hashed_at_another_cost_is_hashed_anew(
    server: Accounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "KIBIBYTES", 1024)
    cheap = Accounted()
    monkeypatch.undo()
    cheap.make()
    for kind in ("account", "login"):
        kept = cheap.store.records_now(kind).records[0]
        server.store.write_records((PutRecord(kind=kind, key=kept.key, body=kept.body),))
    assert b"m=1024" in server.store.records_now("account").records[0].body
    assert server.enter().status == 201
    assert b"m=19456" in server.store.records_now("account").records[0].body
    assert server.enter().status == 201


def test_guesses_are_counted_for_a_login_and_an_address_and_lock_nobody_else_out() -> None:
    server = Accounted(limit_exempt="", login_burst=3, login_rate=0.05)
    server.make()
    guesses = [server.enter(password=f"guess number {number}", peer="10.0.0.1") for number in range(5)]
    assert [one.status for one in guesses] == [401, 401, 401, 429, 429]
    assert int(guesses[4].fields["retry-after"]) >= 19
    assert server.enter(peer="10.0.0.1").status == 429
    assert server.enter("AIKO", peer="10.0.0.1").status == 429
    assert server.enter("ben", peer="10.0.0.1").status == 401
    assert server.enter(peer="10.0.0.2").status == 201
    server.reactor.advance(21)
    assert server.enter(peer="10.0.0.1").status == 201


def test_many_addresses_together_guess_hardly_more_and_so_does_one_over_many_logins() -> None:
    server = Accounted(limit_exempt="", login_burst=1, login_rate=0.01, token_burst=6, token_rate=0.01)
    server.make()
    spread = [server.enter(password="wrong sentence", peer=f"10.0.0.{number}").status for number in range(12)]
    assert spread == [401] * 10 + [429] * 2
    sprayed = [server.enter(f"user{number}", peer="10.0.1.1").status for number in range(8)]
    assert sprayed == [401] * 6 + [429] * 2


def test_a_crowd_that_signs_in_is_put_off_and_the_chat_goes_on(
    server: Accounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "WAITING_LIMIT", 3)
    asked = [server.ask("POST", SESSION, body={"login": "x", "password": SENTENCE}) for _ in range(5)]
    assert server.say("hello").status == 201
    assert [server.wait(one).status for one in asked] == [401, 401, 401, 503, 503]
    assert server.enter().status == 401


def test_a_name_and_a_phrase_are_the_same_guest_everywhere(server: Accounted) -> None:
    def ken(name: str = "Ken", phrase: str = "seven small stones", **fields: str) -> Got:
        return server.post(SESSION, {"name": name, "phrase": phrase}, **fields)

    first, again = ken(), ken("ＫＥＮ")
    assert (first.status, first.json["user"]["kind"]) == (201, "guest")
    assert again.json["user"] == {"id": first.json["user"]["id"], "name": "ＫＥＮ", "kind": "guest"}
    others = [ken("Kenn"), ken(phrase="seven small stone"), ken("Ke", "nseven small stones")]
    ids = {first.json["user"]["id"], *(one.json["user"]["id"] for one in others)}
    assert len(ids) == 4
    assert (
        Accounted().post(SESSION, {"name": "Ken", "phrase": "seven small stones"}).json["user"]["id"]
        not in ids
    )
    assert ken(phrase="short").json["code"] == "bad_request"
    assert server.post(SESSION, {"phrase": "seven small stones"}).json["code"] == "bad_json"
    server.ask("POST", MESSAGES, body={"text": "mine"}, **token(first))
    assert server.ask("PATCH", f"{MESSAGES}/1", body={"text": "still mine"}, **token(again)).got.status == 200
    account = server.make("ken", **token(again))
    assert account.json["user"]["id"] == first.json["user"]["id"]
    assert server.me(token(first)).status == 401
    assert ken().json["code"] == "forbidden"


def test_phrases_are_not_tried_without_end() -> None:
    server = Accounted(limit_exempt="", login_burst=3, login_rate=0.01)
    tried = [
        server.post(SESSION, {"name": "Ken", "phrase": f"a phrase, number {number}"}, peer="10.0.0.1").status
        for number in range(5)
    ]
    assert tried == [201] * 3 + [429] * 2
    assert server.enter("ken", peer="10.0.0.1").status == 401


def said(server: Accounted, room: str = "lobby") -> list[object]:
    found = server.get(f"/v1/rooms/{room}/messages").json["messages"]
    return [one.get("text") for one in found]


def test_a_person_is_forgotten_with_all_that_they_said(server: Accounted) -> None:
    guest, ben = server.sign_in("Aiko"), server.sign_in("Ben")
    for room in ("lobby", "tea"):
        for number in range(3):
            server.ask("POST", f"/v1/rooms/{room}/messages", body={"text": f"a{number}"}, **guest)
            server.ask("POST", f"/v1/rooms/{room}/messages", body={"text": f"b{number}"}, **ben)
    server.ask("PUT", f"{MESSAGES}/2/reactions/x", **guest)
    server.ask("PUT", f"{ROOM}/read", body={"offset": 3}, **guest)
    made = server.make(**guest)
    assert len(server.store.records_now("read").records) == 1
    assert (
        server.post(ACCOUNTS, {"messages": True}, method="DELETE", **token(made)).json["code"] == "forbidden"
    )
    wrong = {"password": "wrong sentence", "messages": True}
    assert server.post(ACCOUNTS, wrong, method="DELETE", **token(made)).json["code"] == "forbidden"
    gone = server.post(ACCOUNTS, {"password": SENTENCE, "messages": True}, method="DELETE", **token(made))
    assert gone.status == 204
    server.pass_seconds(2)
    for room in ("lobby", "tea"):
        assert said(server, room) == [None, "b0", None, "b1", None, "b2"]
    assert "reactions" not in server.get(MESSAGES).json["messages"][1]
    assert server.me(token(made)).status == 401
    assert server.enter().status == 401
    for kind in ("account", "login", "read", "forgotten", "known"):
        assert not [
            one for one in server.store.records_now(kind).records if made.json["user"]["id"] in one.key
        ]
    assert server.make().status == 201


def test_an_account_can_go_and_its_messages_stay(server: Accounted) -> None:
    made = server.make()
    server.ask("POST", MESSAGES, body={"text": "stays"}, **token(made))
    assert server.post(ACCOUNTS, {"password": SENTENCE}, method="DELETE", **token(made)).status == 204
    server.pass_seconds(2)
    assert said(server) == ["stays"]
    assert server.enter().status == 401


def test_a_guest_is_forgotten_too_and_nobody_else_is(server: Accounted) -> None:
    guest = server.sign_in("Aiko")
    server.ask("POST", MESSAGES, body={"text": "mine"}, **guest)
    server.say("nobody's")
    assert server.post(ACCOUNTS, {"messages": True}, method="DELETE").status == 404
    assert server.post(ACCOUNTS, {"messages": True}, method="DELETE", **guest).status == 204
    server.pass_seconds(2)
    assert said(server) == [None, "nobody's"]
    assert server.me(guest).status == 401


def test_forgetting_goes_on_after_a_stop_and_while_the_store_is_away(
    server: Accounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = server.sign_in("Aiko")
    user = server.me(guest).json["user"]
    server.ask("POST", MESSAGES, body={"text": "mine"}, **guest)
    server.store.write_records((Forgetting.ordered(Author(**user)),))

    def away(*_: object, **__: object) -> Deferred[Any]:
        return fail(StoreUnavailable("away"))

    with monkeypatch.context() as patched:
        patched.setattr(server.store, "read", away)
        node = server.service._node
        again = Forgetting(node, Registry(node), Traces())
        again.start()
        again.watch()
        server.pass_seconds(1)
        assert len(server.store.records_now("forgotten").records) == 1
    again.watch()
    server.pass_seconds(1)
    assert said(server) == [None]
    assert not server.store.records_now("forgotten").records
