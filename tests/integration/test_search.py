"""Search as its users ask for it: over HTTP, what is found, in which rooms, and what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.test_site import MESSAGES, Kodama


@pytest.fixture
def server() -> Kodama:
    return Kodama()


def search(server: Kodama, query: str, *, more: str = "", **fields: str) -> Any:
    got = server.get(f"/v1/search?q={quote(query)}{more}", **fields)
    assert got.status == 200, got.body
    return got.json


def texts(found: Any) -> list[str]:
    return [message["text"] for message in found["messages"]]


def test_a_message_is_found_by_two_japanese_characters_as_it_is_served(server: Kodama) -> None:
    stored = server.say("明日の会議は午後三時です").json
    server.say("会いましょう")
    found = search(server, "会議")
    assert found["more"] is False
    assert "next" not in found
    (message,) = found["messages"]
    assert message == server.get(MESSAGES).json["messages"][0]
    assert (message["room"], message["offset"]) == ("lobby", stored["offset"])


def test_edited_and_deleted_messages_are_found_as_they_are_now(server: Kodama) -> None:
    aiko = server.sign_in("Aiko")
    for text in ("first draft", "second draft"):
        server.ask("POST", MESSAGES, body={"text": text}, **aiko)
    server.ask("PATCH", f"{MESSAGES}/1", body={"text": "fair copy"}, **aiko)
    server.ask("DELETE", f"{MESSAGES}/2", **aiko)
    assert texts(search(server, "draft")) == []
    assert texts(search(server, "fair")) == ["fair copy"]
    assert texts(search(server, "from:Aiko")) == ["fair copy"]


def test_what_was_found_is_paged_through_by_next(server: Kodama) -> None:
    for n in range(7):
        server.say(f"tea {n}")
    got, place = [], ""
    for _ in range(3):
        page = search(server, "tea", more=f"&limit=3{place}")
        got += texts(page)
        place = f"&before={quote(page.get('next', ''))}"
    assert got == [f"tea {n}" for n in (6, 5, 4, 3, 2, 1, 0)]
    assert page["more"] is False
    assert texts(search(server, "tea", more="&room=lobby&before=3")) == ["tea 1", "tea 0"]


def test_rooms_of_others_are_neither_found_in_nor_told_of(server: Kodama) -> None:
    aiko, ben = server.sign_in("Aiko"), server.sign_in("Ben")
    for room, access in (("club", "members"), ("hidden", "secret")):
        server.ask("PUT", f"/v1/rooms/{room}", body={"access": access}, **aiko)
        assert (
            server.ask("POST", f"/v1/rooms/{room}/messages", body={"text": "tea"}, **aiko).got.status == 201
        )
    assert len(search(server, "tea", **aiko)["messages"]) == 2
    assert search(server, "tea", **ben) == search(server, "tea") == {"messages": [], "more": False}
    assert server.get("/v1/search?q=tea&room=club", **ben).status == 403
    assert server.get("/v1/search?q=tea+in:hidden", **ben).status == 404
    assert search(server, "tea in:nowhere", **ben)["messages"] == []


@pytest.mark.parametrize("query", ["🎉", "?!", '""', "🎉 in:lobby", "-"])
def test_signs_alone_find_nothing(server: Kodama, query: str) -> None:
    server.say("🎉 ?!")
    assert search(server, query) == {"messages": [], "more": False}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "q=",
        "q=a&q=b",
        "q=" + "x" * 201,
        "q=has:wings",
        "q=a&limit=0",
        "q=a&before=soon",
        "q=a&before=3",
        "q=%ff",
    ],
)
def test_what_cannot_be_looked_for_is_a_bad_request(server: Kodama, query: str) -> None:
    got = server.get(f"/v1/search?{query}")
    assert (got.status, got.json["code"]) == (400, "bad_request")


def test_a_bad_room_name_is_told_as_such(server: Kodama) -> None:
    assert server.get("/v1/search?q=in:a/b").json["code"] == "bad_room_name"
    assert server.ask("POST", "/v1/search?q=a").got.status == 405


def test_a_token_that_is_not_valid_is_refused(server: Kodama) -> None:
    assert server.get("/v1/search?q=a", Authorization="Bearer nonsense").status == 401
