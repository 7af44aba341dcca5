"""A proxy that signs people in: whom it names, and who is not believed."""

from __future__ import annotations

import json

import pytest

from tests.integration.test_site import EVENTS, MESSAGES, Kodama

KEN = {"X_Remote_User": "ken@example.org"}
PROXY = "10.9.0.1"


@pytest.fixture
def server() -> Kodama:
    return Kodama(user_header="X-Remote-User", trusted_proxies=f"{PROXY}/32")


def test_a_trusted_proxy_says_who_its_user_is(server: Kodama) -> None:
    got = server.ask("GET", "/v1/session", peer=PROXY, **KEN).got.json
    user = got["user"]
    assert (user["name"], user["kind"], got["expires"]) == ("ken", "user", None)
    assert user["id"].startswith("p_")
    assert "example" not in json.dumps(got)
    assert server.ask("POST", MESSAGES, peer=PROXY, body={"text": "x"}, **KEN).got.status == 201
    assert server.get(f"{EVENTS}?since=all").json["events"][0]["author"] == user
    assert server.ask("PATCH", f"{MESSAGES}/1", peer=PROXY, body={"text": "y"}, **KEN).got.status == 200
    other = server.ask("GET", "/v1/session", peer=PROXY, X_Remote_User="KEN@example.org").got.json["user"]
    assert other["id"] != user["id"]
    assert server.ask("DELETE", "/v1/session", peer=PROXY, **KEN).got.status == 403


def test_the_same_bytes_from_somebody_else_are_nobody_whoever_came_first(server: Kodama) -> None:
    for peer, status in (
        ("10.9.0.2", 404),
        (PROXY, 200),
        ("10.9.0.2", 404),
        ("127.0.0.1", 404),
        (PROXY, 200),
    ):
        assert server.ask("GET", "/v1/session", peer=peer, **KEN).got.status == status, peer
    cursor = server.ask("GET", f"{EVENTS}?wait=0", peer="10.9.0.2", **KEN).got.json["cursor"]
    server.ask("PUT", "/v1/rooms/tea", peer=PROXY, body={"access": "secret"}, **KEN)
    for _ in range(2):
        for peer, status in ((PROXY, 200), ("10.9.0.2", 404)):
            got = server.ask("GET", "/v1/rooms/tea/events?wait=0", peer=peer, **KEN).got
            assert got.status == status, peer
    assert cursor


def test_without_the_setting_nobody_is_believed() -> None:
    assert Kodama().ask("GET", "/v1/session", **KEN).got.status == 404


def test_two_names_are_none_and_an_empty_one_is_nobody(server: Kodama) -> None:
    two = server.ask("GET", "/v1/session", peer=PROXY, **KEN, x_remote_user="root").got
    assert two.json["code"] == "unauthorized"
    assert server.ask("GET", "/v1/session", peer=PROXY, X_Remote_User="").got.status == 404
    guest = server.sign_in("Aiko")
    assert (
        server.ask("GET", "/v1/session", peer=PROXY, X_Remote_User="", **guest).got.json["user"]["name"]
        == "Aiko"
    )


def test_a_proxys_word_is_before_a_cookie_and_behind_a_token(server: Kodama) -> None:
    guest = server.sign_in("Aiko")
    cookie = {"Cookie": f"kodama_session={guest['Authorization'].partition(' ')[2]}"}
    assert server.ask("GET", "/v1/session", peer=PROXY, **KEN, **cookie).got.json["user"]["name"] == "ken"
    assert server.ask("GET", "/v1/session", peer=PROXY, **KEN, **guest).got.json["user"]["name"] == "Aiko"


def test_pages_of_other_sites_are_not_the_proxys_user() -> None:
    server = Kodama(user_header="X-Remote-User", trusted_proxies=f"{PROXY}/32", origins="*")
    foreign = {"Origin": "https://evil.example"}
    assert server.ask("POST", MESSAGES, peer=PROXY, body={"text": "x"}, **KEN, **foreign).got.status == 403
    assert server.ask("POST", MESSAGES, peer=PROXY, body={"text": "x"}, **foreign).got.status == 201
    server.ask("PUT", "/v1/rooms/tea", peer=PROXY, body={"access": "secret"}, **KEN)
    called = server.ask("GET", "/v1/rooms/tea/events?wait=0&callback=cb", peer=PROXY, **KEN).got
    assert b'"not_found"' in called.body


def test_a_person_without_a_name_that_can_be_shown_is_a_guest_by_name_only(server: Kodama) -> None:
    for value, name in (("\u200b", "Guest"), ("@x", "Guest"), ("愛子", "愛子"), ("n" * 60, "n" * 40)):
        got = server.ask("GET", "/v1/session", peer=PROXY, X_Remote_User=value).got.json["user"]
        assert got["name"] == name


def test_a_user_with_a_proxy_has_no_account_to_make(server: Kodama) -> None:
    made = server.ask(
        "POST", "/v1/accounts", peer=PROXY, body={"login": "k", "password": "12345678", "name": "K"}, **KEN
    )
    assert made.got.json["code"] == "conflict"
    assert server.ask("GET", "/v1/accounts", peer=PROXY, **KEN).got.status == 404
