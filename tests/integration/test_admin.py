"""The owner's console: the whole site in memory, asked by its owner and by everybody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kodama.app.settings import Settings
from kodama.app.shown import resident, settings_shown
from kodama.order.members import owner_link
from tests.integration.test_members import TEA, Town
from tests.integration.test_site import MESSAGES

ADMIN = "/v1/admin"
LISTS = ("metrics", "rooms", "people", "bans", "invites", "hooks", "audit", "settings", "keys")


class Hall(Town):
    """A server that Aiko owns, with Ben's room `garden` beside her `tea`."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        assert self.own("Aiko").status == 200
        assert self.as_("POST", "Ben", "/v1/rooms/garden/messages", {"text": "x"}).status == 201

    def sees(self, path: str, *, name: str = "Aiko") -> Any:
        got = self.as_("GET", name, f"{ADMIN}/{path}")
        assert got.status == 200, got.json
        return got.json

    def make_key(self, **body: object) -> Any:
        made = self.as_("POST", "Aiko", f"{ADMIN}/keys", {"name": "Mirror", **body})
        assert made.status == 201, made.json
        return made.json


@pytest.fixture
def hall() -> Hall:
    return Hall()


REQUESTS = [
    *[("GET", f"{ADMIN}/{name}", None) for name in LISTS],
    ("POST", f"{ADMIN}/keys", {"name": "x"}), ("DELETE", f"{ADMIN}/keys/000000000000", None),
    ("DELETE", f"{ADMIN}/owners/g_nobody", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "body"), REQUESTS)
def test_nobody_but_the_servers_owner_is_answered(hall: Hall, method: str, target: str, body: object) -> None:
    def refused(**fields: str) -> None:
        got = hall.ask(method, target, body=body, **fields).got
        assert (got.status, got.json["code"]) == (403, "forbidden"), fields

    assert hall.ask(method, target, body=body, **hall.fields["Aiko"]).got.status in (200, 201, 404)
    refused()
    refused(**hall.fields["Ben"])  # who owns a room
    key = hall.make_key()["token"]
    refused(Authorization=f"Bearer {key}")
    refused(**hall.fields["Aiko"], Origin="https://elsewhere.example")
    refused(**hall.fields["Aiko"], Sec_Fetch_Site="cross-site")
    ticket = hall.as_("POST", "Aiko", "/v1/tickets", {"rooms": ["lobby"]}).json["ticket"]
    assert hall.ask(method, f"{target}?ticket={ticket}", body=body).got.status == 403
    assert hall.ask(method, target, body=body, Authorization=f"Bearer {ticket}").got.status == 403
    assert hall.ask(method, target, body=body, Authorization="Bearer x").got.status == 401
    assert len(hall.sees("keys")["keys"]) == 1 + (method == "POST")


def test_a_page_of_a_site_that_may_write_does_not_see_the_console_either() -> None:
    hall = Hall(origins=("https://friend.example",))
    for target in LISTS:
        fields = hall.fields["Aiko"]
        got = hall.ask("GET", f"{ADMIN}/{target}", Origin="https://friend.example", **fields).got
        assert got.json["code"] == "forbidden"
        assert hall.ask("GET", f"{ADMIN}/{target}", Origin="http://127.0.0.1", Host="127.0.0.1", **fields).got.status == 200


def test_all_rooms_are_listed_page_by_page_but_for_those_of_two(hall: Hall) -> None:
    hall.say("hello")
    assert hall.as_("POST", "Ben", "/v1/direct", {"user": hall.ids["Chie"]}).status == 201
    hall.as_("PUT", "Aiko", TEA, {"access": "secret"})
    hall.appoint("Chie", "member")
    whole = hall.sees("rooms")
    assert [one["room"] for one in whole["rooms"]] == ["garden", "lobby", "tea"]
    assert (whole["count"], whole["direct"], whole["more"]) == (3, 1, False)
    tea = whole["rooms"][2]
    assert (tea["access"], tea["members"], tea["bans"], tea["owner"]) == ("secret", 2, 0, hall.ids["Aiko"])
    assert whole["rooms"][1]["last"] == 1
    first = hall.sees("rooms?limit=2")
    assert [one["room"] for one in first["rooms"]] == ["garden", "lobby"]
    assert first["more"]
    assert [one["room"] for one in hall.sees("rooms?limit=2&after=lobby")["rooms"]] == ["tea"]


def test_people_and_bans_of_all_rooms_are_listed_page_by_page(hall: Hall) -> None:
    hall.appoint("Chie", "moderator")
    people = hall.sees("people")
    assert [one["name"] for one in people["owners"]] == ["Aiko"]
    assert sorted((one["room"], one["member"]["user"]["name"], one["member"]["role"]) for one in people["members"]) == [
        ("garden", "Ben", "owner"), ("tea", "Aiko", "owner"), ("tea", "Chie", "moderator"),
    ]  # fmt: skip
    places, after = [], ""
    while True:
        page = hall.sees(f"people?limit=1{after}")
        (one,) = page["members"]
        places.append(f"{one['room']}/{one['member']['user']['id']}")
        after = f"&after={places[-1]}"
        if not page["more"]:
            break
    assert places == [f"{one['room']}/{one['member']['user']['id']}" for one in people["members"]]
    hall.as_("PUT", "Ben", "/v1/rooms/garden/bans/{Dan}", {"reason": "spam", "minutes": 5})
    (ban,) = hall.sees("bans")["bans"]
    assert (ban["room"], ban["ban"]["user"]["id"], ban["ban"]["reason"]) == ("garden", hall.ids["Dan"], "spam")
    assert hall.as_("DELETE", "Aiko", "/v1/rooms/garden/bans/{Dan}").status == 204
    assert hall.sees("bans")["bans"] == []


def test_one_of_two_owners_is_removed_and_loses_what_they_hold_at_once(hall: Hall) -> None:
    assert hall.as_("DELETE", "Aiko", f"{ADMIN}/owners/{{Aiko}}").json["code"] == "conflict"
    assert hall.as_("DELETE", "Aiko", f"{ADMIN}/owners/{{Dan}}").json["code"] == "not_found"
    code = "another"
    hall.advance(5)
    hall.service._node.store.write_records([owner_link(code)])
    assert hall.as_("POST", "Dan", "/v1/owner", {"code": code}).status == 200
    names = [name for _, name in sorted((hall.ids[one], one) for one in ("Aiko", "Dan"))]
    assert [one["name"] for one in hall.sees("people", name="Dan")["owners"]] == names
    hall.as_("PUT", "Aiko", TEA, {"access": "secret"})
    hall.as_("POST", "Aiko", f"{TEA}/messages", {"text": "x"})
    held = [
        hall.ask("GET", f"{TEA}/events?wait=60", **hall.fields["Dan"]),
        hall.ask("GET", f"{TEA}/events?wait=60&client=tab-00000001", **hall.fields["Dan"]),
    ]
    stays = hall.ask("GET", f"{TEA}/events?wait=60", **hall.fields["Aiko"])
    hall.advance(5)
    assert hall.as_("DELETE", "Aiko", f"{ADMIN}/owners/{{Dan}}").status == 204
    assert [one.got.status for one in held] == [404, 404]
    assert not stays.transport.value()
    assert hall.as_("GET", "Dan", f"{ADMIN}/people").status == 403
    did = [(one["did"], one["by"]["name"]) for one in hall.sees("audit")["entries"] if one["room"] is None]
    assert did == [("disown", "Aiko"), ("own", "Dan"), ("own", "Aiko")]


def test_invitations_and_webhooks_of_all_rooms_are_listed_without_secrets(hall: Hall) -> None:
    made = hall.as_("POST", "Ben", "/v1/rooms/garden/invites", {"uses": 2, "expires": 60}).json
    (invite,) = hall.sees("invites")["invites"]
    assert (invite["code"], invite["room"], invite["uses"]) == (made["code"], "garden", 2)
    for name in ("CI", "Alarms"):
        assert hall.as_("POST", "Ben", "/v1/rooms/garden/hooks", {"kind": "incoming", "name": name}).status == 201
    sent = {"kind": "outgoing", "name": "Mirror", "url": "https://example.org/x"}
    secret = hall.as_("POST", "Aiko", f"{TEA}/hooks", sent).json["secret"]
    got = hall.as_("GET", "Aiko", f"{ADMIN}/hooks")
    assert secret.encode() not in got.body
    assert b"kdh_" not in got.body
    assert [(one["room"], one["kind"]) for one in got.json["hooks"]] == [
        ("garden", "incoming"), ("garden", "incoming"), ("tea", "outgoing")
    ]  # fmt: skip
    last = hall.sees("hooks?limit=2")
    assert last["more"]
    rest = hall.sees(f"hooks?after=garden/{last['hooks'][-1]['id']}")
    assert [one["name"] for one in rest["hooks"]] == ["Mirror"]
    hall.advance(61_000)
    assert hall.sees("invites") == {"invites": [], "more": False}


def test_a_key_is_made_shown_once_works_at_once_and_is_revoked_at_once(hall: Hall) -> None:
    made = hall.make_key(rooms=["TEA"])
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert hall.ask("POST", f"{TEA}/messages", body={"text": "hi"}, **bearer).got.status == 201
    assert hall.ask("POST", MESSAGES, body={"text": "hi"}, **bearer).got.status == 403
    listed = hall.as_("GET", "Aiko", f"{ADMIN}/keys")
    assert listed.json == {"keys": [made["key"]]}
    assert (made["key"]["name"], made["key"]["rooms"], made["key"]["read_only"]) == ("Mirror", ["tea"], False)
    assert made["token"].encode() not in listed.body
    held = hall.ask("GET", f"{TEA}/events?wait=60", **bearer)
    hall.advance(5)
    assert hall.as_("DELETE", "Aiko", f"{ADMIN}/keys/{made['key']['id']}").status == 204
    assert held.got.json["code"] == "forbidden"
    assert hall.ask("POST", f"{TEA}/messages", body={"text": "hi"}, **bearer).got.status == 401
    assert hall.as_("DELETE", "Aiko", f"{ADMIN}/keys/{made['key']['id']}").json["code"] == "not_found"
    did = [(one["did"], one["note"], one["room"]) for one in hall.sees("audit")["entries"]]
    assert did[:2] == [("unkey", "Mirror", None), ("key", "Mirror", None)]
    reading = hall.make_key(read_only=True)["token"]
    assert hall.ask("POST", MESSAGES, body={"text": "x"}, Authorization=f"Bearer {reading}").got.status == 403


@pytest.mark.parametrize("body", [
    {}, {"name": ""}, {"name": "x", "rooms": []}, {"name": "x", "rooms": ["a b"]}, {"name": "x\u0007"}, [], {"name": 1},
])  # fmt: skip
def test_a_key_that_cannot_be_is_refused(hall: Hall, body: object) -> None:
    assert hall.as_("POST", "Aiko", f"{ADMIN}/keys", body).status == 400
    assert hall.sees("keys") == {"keys": []}


def test_the_audit_log_of_all_rooms_is_in_one_order_and_is_read_page_by_page(hall: Hall) -> None:
    for name in ("a", "b", "c"):
        assert hall.as_("POST", "Aiko", f"/v1/rooms/{name}/messages", {"text": "x"}).status == 201
    for turn in range(24):
        hall.advance(10)
        room = "abc"[turn % 3] if turn < 12 else "a"
        hall.as_("PUT" if turn % 2 else "DELETE", "Aiko", f"/v1/rooms/{room}/mutes/{{Dan}}", {"minutes": 1 + turn})
    whole = hall.sees("audit?limit=1000")["entries"]
    assert len(whole) > 12
    assert [one["id"] for one in whole] == sorted(one["id"] for one in whole)
    assert {one["room"] for one in whole} >= {"a", "b", "c"}
    for limit in (1, 2, 5):
        got, before = [], ""
        while True:
            page = hall.sees(f"audit?limit={limit}{before}")
            got += page["entries"]
            if not page["more"]:
                break
            assert len(page["entries"]) == limit
            before = f"&before={page['entries'][-1]['id']}"
        assert got == whole


def test_the_numbers_are_those_of_the_metrics(hall: Hall) -> None:
    before = hall.sees("metrics")
    cursor = hall.get("/v1/rooms/garden/events?wait=0").json["cursor"]
    held = hall.ask("GET", f"/v1/rooms/garden/events?wait=60&since={cursor}")
    assert hall.sees("metrics")["waiting"]["longpoll"] == 1
    hall.as_("POST", "Ben", "/v1/rooms/garden/messages", {"text": "y"})
    assert held.got.status == 200
    after = hall.sees("metrics")
    assert after["deliveries"] == before["deliveries"] + 1
    assert after["published"] == before["published"] + 1
    for name in ("publish_seconds", "delivery_seconds", "loop_lag_seconds", "cursor_lag"):
        assert len(after[name]["counts"]) == len(after[name]["bounds"]) + 1
    assert sum(after["publish_seconds"]["counts"]) == sum(before["publish_seconds"]["counts"]) + 1
    assert after["memory"] > 10_000_000


@pytest.mark.parametrize("target", [
    "rooms?after=a+b", "people?after=x", "people?after=a/%00", "bans?after=/x", "hooks?after=a/b/c", "invites?after=a/b",
    "audit?before=%00", "rooms?limit=0", "rooms?after=a&after=b",
])  # fmt: skip
def test_a_place_that_is_none_is_refused(hall: Hall, target: str) -> None:
    assert hall.as_("GET", "Aiko", f"{ADMIN}/{target}").status == 400


def test_the_settings_are_shown_without_secrets() -> None:
    secret = "correct-horse"
    settings = Settings.load({
        "KODAMA_STORE": f"postgresql://kodama:{secret}@db.example/chat?x=1", "KODAMA_BUS": f"redis://:{secret}@bus.example",
        "KODAMA_DATA": "/srv/kodama", "KODAMA_JWT_KEYS": f"https://site.example HS256 {secret}{secret}{secret}",
    })  # fmt: skip
    shown = {one.name: one for one in settings_shown(settings)}
    assert secret not in repr(shown)
    assert shown["KODAMA_STORE"].value == "postgresql://***@db.example/chat"
    assert shown["KODAMA_BUS"].value == "redis://***@bus.example"
    assert shown["KODAMA_JWT_KEYS"].value == "***"
    assert (shown["KODAMA_HOST"].default, shown["KODAMA_STORE"].default) == (True, False)
    assert shown["KODAMA_GUESTS"].value == "yes"


@pytest.mark.parametrize(("address", "shown"), [
    ("postgresql://kodama:p?ss/w@rd@db/x", "postgresql://***@db/x"),
    ("postgresql://db/x?password=correct-horse", "postgresql://***@db/x"), ("postgresql://db/x", "postgresql://db/x"),
])  # fmt: skip
def test_a_password_is_found_wherever_it_stands(address: str, shown: str) -> None:
    settings = Settings.load({"KODAMA_STORE": address})
    assert next(one.value for one in settings_shown(settings) if one.name == "KODAMA_STORE") == shown


def test_the_owner_sees_the_settings_of_the_running_node(hall: Hall) -> None:
    shown = {one["name"]: one for one in hall.sees("settings")["settings"]}
    assert shown["KODAMA_STORE"]["value"] == "memory"
    assert shown["KODAMA_STORE"]["help"].startswith("Where events are kept")


def test_memory_is_measured_where_the_system_tells_nothing_but_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kodama.app.shown._STATM", Path("/nowhere"))
    assert resident() > 10_000_000


def test_the_page_is_static_and_strict_and_not_part_of_the_chat_page(hall: Hall) -> None:
    got = hall.get("/admin", Accept="text/html")
    assert (got.status, got.fields["x-frame-options"], got.fields["cache-control"]) == (200, "DENY", "no-store")
    assert "require-trusted-types-for 'script'" in got.fields["content-security-policy"]
    assert b"/admin/main.js" in got.body
    assert b"style=" not in got.body
    assert b"/admin/" not in hall.get("/", Accept="text/html").body
    assert hall.get("/admin/x").status == 404
    assert hall.get("/static/admin.html").status == 404
