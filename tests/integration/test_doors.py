"""Who may ask what of a room: every request that the OpenAPI document has, by everybody who should be kept out.

A request that is new has to be given a row here, or the test fails.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from kodama.web.openapi.operating import describe
from tests.integration.test_members import Town
from tests.integration.test_site import Got

SECRET, MEMBERS, PUBLIC = "vault", "office", "square"
METHODS: Final = ("get", "put", "post", "patch", "delete")
METADATA: Final = {"Upload_Length": "5", "Upload_Metadata": "filename YS50eHQ="}

# What is asked for: the least role that may, and a body that is right.
READ, WRITE, KEEP, OWN = "read", "write", "keep", "own"
ROWS: Final[dict[tuple[str, str], tuple[str, Any]]] = {
    ("get", "/v1/rooms/{room}"): (READ, None),
    ("put", "/v1/rooms/{room}"): (OWN, {"title": "Mine now"}),
    ("get", "/v1/rooms/{room}/events"): (READ, None),
    ("get", "/r/{room}"): (READ, None),
    ("post", "/r/{room}"): (WRITE, {"text": "x"}),
    ("get", "/v1/rooms/{room}/messages"): (READ, None),
    ("post", "/v1/rooms/{room}/messages"): (WRITE, {"text": "x"}),
    ("patch", "/v1/rooms/{room}/messages/{offset}"): (WRITE, {"text": "x"}),
    ("delete", "/v1/rooms/{room}/messages/{offset}"): (KEEP, None),
    ("put", "/v1/rooms/{room}/messages/{offset}/reactions/{emoji}"): (WRITE, None),
    ("delete", "/v1/rooms/{room}/messages/{offset}/reactions/{emoji}"): (WRITE, None),
    ("post", "/v1/rooms/{room}/messages/{offset}/report"): (READ, {"reason": "x"}),
    ("get", "/v1/rooms/{room}/presence"): (READ, None),
    ("put", "/v1/rooms/{room}/presence"): (READ, {"state": "active"}),
    ("delete", "/v1/rooms/{room}/presence"): (READ, None),
    ("put", "/v1/rooms/{room}/typing"): (WRITE, None),
    ("get", "/v1/rooms/{room}/read"): (READ, None),
    ("put", "/v1/rooms/{room}/read"): (READ, {"offset": 1}),
    ("delete", "/v1/rooms/{room}/read"): (READ, None),
    ("get", "/v1/rooms/{room}/notify"): (READ, None),
    ("put", "/v1/rooms/{room}/notify"): (READ, {"level": "all"}),
    ("post", "/v1/rooms/{room}/files"): (WRITE, None),
    ("get", "/v1/rooms/{room}/members"): (READ, None),
    ("put", "/v1/rooms/{room}/members/{person}"): (KEEP, {"role": "member"}),
    ("delete", "/v1/rooms/{room}/members/{person}"): (KEEP, None),
    ("get", "/v1/rooms/{room}/bans"): (KEEP, None),
    ("put", "/v1/rooms/{room}/bans/{person}"): (KEEP, {"minutes": 1}),
    ("delete", "/v1/rooms/{room}/bans/{person}"): (KEEP, None),
    ("get", "/v1/rooms/{room}/mutes"): (KEEP, None),
    ("put", "/v1/rooms/{room}/mutes/{person}"): (KEEP, {"minutes": 1}),
    ("delete", "/v1/rooms/{room}/mutes/{person}"): (KEEP, None),
    ("post", "/v1/rooms/{room}/kick"): (KEEP, {"user": "{person}"}),
    ("post", "/v1/rooms/{room}/purge"): (KEEP, {"user": "{person}", "minutes": 5}),
    ("get", "/v1/rooms/{room}/held"): (KEEP, None),
    ("post", "/v1/rooms/{room}/held/{id}"): (KEEP, {"do": "release"}),
    ("get", "/v1/rooms/{room}/reports"): (KEEP, None),
    ("delete", "/v1/rooms/{room}/reports/{id}"): (KEEP, None),
    ("get", "/v1/rooms/{room}/audit"): (KEEP, None),
    ("get", "/v1/rooms/{room}/invites"): (KEEP, None),
    ("post", "/v1/rooms/{room}/invites"): (KEEP, {"expires": 60}),
    ("delete", "/v1/rooms/{room}/invites/{code}"): (KEEP, None),
    ("get", "/v1/rooms/{room}/hooks"): (OWN, None),
    ("post", "/v1/rooms/{room}/hooks"): (OWN, {"kind": "incoming", "name": "x"}),
    ("delete", "/v1/rooms/{room}/hooks/{hook}"): (OWN, None),
}


class Doors(Town):
    """Aiko's three rooms, each with a message and a file of hers, and people outside of them."""

    def __init__(self) -> None:
        super().__init__()
        self.urls = {}
        for room, access in ((SECRET, "secret"), (MEMBERS, "members"), (PUBLIC, "public")):
            at = f"/v1/rooms/{room}"
            assert self.as_("PUT", "Aiko", at, {"title": "A zebra", "topic": "zebra", "access": access}).status == 201
            assert self.as_("POST", "Aiko", f"{at}/messages", {"text": f"the zebra of {room}"}).status == 201
            begun = self.ask("POST", f"{at}/files", **METADATA, **self.fields["Aiko"]).got
            self.urls[room] = begun.fields["location"]
        assert self.as_("PUT", "Aiko", f"/v1/rooms/{PUBLIC}/bans/{{Chie}}", {}).status == 200
        assert self.as_("PUT", "Aiko", f"/v1/rooms/{PUBLIC}/mutes/{{Dan}}", {}).status == 200

    def request(self, method: str, path: str, room: str, who: dict[str, str], *, query: str = "") -> Got:
        """Ask for one row of the table."""
        _, body = ROWS[method, path]
        given = {"room": room, "offset": "1", "emoji": "%F0%9F%91%8D", "person": self.ids["Aiko"]}
        place = path
        for name in ("room", "offset", "emoji", "person", "id", "code", "hook"):
            place = place.replace(f"{{{name}}}", given.get(name, "x" * 16))
        if isinstance(body, dict):
            body = {name: self.ids["Aiko"] if value == "{person}" else value for name, value in body.items()}
        wait = "wait=0&" if path.endswith(("/events", "/r/{room}")) else ""
        fields = {**who, "Accept": "application/json", **(METADATA if path.endswith("/files") else {})}
        return self.ask(method.upper(), f"{place}?{wait}{query}", body=body, **fields).got


@pytest.fixture(scope="module")
def doors() -> Doors:
    return Doors()


OPERATIONS = [
    (method, path) for path, operations in describe()["paths"].items() if "{room}" in path for method in METHODS if method in operations
]
EACH = pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])


def test_every_request_of_a_room_has_a_row() -> None:
    assert set(OPERATIONS) == set(ROWS)


@EACH
def test_strangers_learn_nothing_of_a_secret_room(doors: Doors, method: str, path: str) -> None:
    for who in ({}, doors.fields["Ben"]):
        got = doors.request(method, path, SECRET, who)
        assert b"zebra" not in got.body
        if got.status != 404:  # then it is answered so whatever the room
            assert same(got, doors.request(method, path, "nowhere", who))


@EACH
def test_who_is_not_a_member_does_nothing_in_a_room_of_members(doors: Doors, method: str, path: str) -> None:
    for who in ({}, doors.fields["Ben"]):
        got = doors.request(method, path, MEMBERS, who)
        assert b"zebra" not in got.body
        assert got.status == 403 or same(got, doors.request(method, path, "nowhere", who))


@EACH
def test_who_is_banned_does_nothing(doors: Doors, method: str, path: str) -> None:
    got = doors.request(method, path, PUBLIC, doors.fields["Chie"])
    assert b"zebra" not in got.body
    assert got.status == 403 or same(got, doors.request(method, path, "nowhere", doors.fields["Chie"]))


@EACH
def test_who_is_muted_reads_and_no_more(doors: Doors, method: str, path: str) -> None:
    least, _ = ROWS[method, path]
    status = doors.request(method, path, PUBLIC, doors.fields["Dan"]).status
    assert status in {READ: (200, 204, 404), WRITE: (403,)}.get(least, (403, 404))


@EACH
def test_a_guest_keeps_no_order(doors: Doors, method: str, path: str) -> None:
    least, _ = ROWS[method, path]
    if least in (KEEP, OWN):
        assert doors.request(method, path, PUBLIC, doors.fields["Ben"]).status in (403, 404)


@EACH
def test_a_ticket_of_an_owner_only_reads_and_only_its_room(doors: Doors, method: str, path: str) -> None:
    ticket = doors.as_("POST", "Aiko", "/v1/tickets", {"rooms": [PUBLIC]}).json["ticket"]
    status = doors.request(method, path, PUBLIC, {}, query=f"ticket={ticket}").status
    assert status == (200 if method == "get" and ROWS[method, path][0] == READ else 403)
    for room in (SECRET, MEMBERS):
        got = doors.request(method, path, room, {}, query=f"ticket={ticket}")
        assert got.status in (403, 404)
        assert b"zebra" not in got.body


@pytest.mark.parametrize("name", ["", "Ben"])
def test_what_is_closed_is_not_found_by_searching_or_listing_either(doors: Doors, name: str) -> None:
    who = doors.fields[name] if name else {}
    for target in (
        "/v1/search?q=zebra", "/v1/search?q=zebra+in:vault", "/v1/rooms", "/v1/unread",
        f"/v1/events?room={SECRET}&room={PUBLIC}&wait=0&since=all", f"/v1/events?room={MEMBERS}&wait=0&since=all",
        f"/r/{SECRET}/plain", f"/r/{MEMBERS}/plain", f"/r/{SECRET}/plain/log", f"/embed/{SECRET}",
    ):  # fmt: skip
        body = doors.ask("GET", target, **who).got.body
        assert b"zebra of vault" not in body
        assert b"zebra of office" not in body
        assert target.split("?")[0] != "/v1/rooms" or b"vault" not in body


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_files_of_a_room_are_as_closed_as_the_room(doors: Doors, method: str) -> None:
    piece = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"} if method == "PATCH" else {}
    body = b"hello" if method == "PATCH" else None
    for room, status in ((SECRET, 404), (MEMBERS, 403)):
        got = doors.ask(method, doors.urls[room], body=body, **piece, **doors.fields["Ben"]).got
        assert got.status == status
    if method != "GET":
        assert doors.ask(method, doors.urls[PUBLIC], body=body, **piece, **doors.fields["Ben"]).got.status == 403


def same(got: Got, other: Got) -> bool:
    """Return whether two answers differ in nothing but the name of the room."""
    names = (SECRET, MEMBERS, PUBLIC, "nowhere")
    bodies = [one.body.decode() for one in (got, other)]
    for name in names:
        bodies = [body.replace(name, "*") for body in bodies]
    return (got.status, bodies[0]) == (other.status, bodies[1])
