"""A secret room is to outsiders as if it were not there: on every route, in every list, and by every name."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from kodama.order.directs import direct_name
from kodama.web.openapi.operating import describe
from tests.integration.test_members import Town
from tests.integration.test_site import Got
from tests.integration.test_websocket import Talking

ROOM: Final = "/v1/rooms/attic"  # secret, Aiko's
ROUTES: Final = sorted(
    f"{method.upper()} {path}" for path, methods in describe()["paths"].items() for method in methods
)
TUS: Final = {"Upload_Length": "3", "Upload_Metadata": "filename YQ=="}
PIECE: Final = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
ASKED: Final = {"GET /v1/events": "?room=attic&wait=0", "GET /v1/rooms/{room}/events": "?wait=0",
                "GET /r/{room}": "?wait=0", "GET /v1/search": "?q=attic", "GET /": "?plain"}  # fmt: skip
BODIES: Final[dict[str, Any]] = {
    "POST /v1/events": {"rooms": ["attic"], "wait": 0}, "POST /r/{room}": {"text": "x"}, "POST /": {"x": 1},
    "POST /v1/rooms/{room}/messages": {"text": "x"}, "PUT /v1/rooms/{room}/presence": {"state": "idle"},
    "PATCH /v1/rooms/{room}/messages/{offset}": {"text": "x"}, "PUT /v1/rooms/{room}": {"title": "x"},
    "POST /v1/session": {"name": "Zoe"}, "POST /v1/tickets": {"rooms": ["attic"]}, "POST /v1/accounts": {},
    "PATCH /v1/accounts": {}, "DELETE /v1/accounts": {}, "POST /v1/accounts/recover": {},
    "POST /v1/accounts/passkeys/new": {}, "POST /v1/accounts/passkeys": {},
    "POST /v1/rooms/{room}/hooks": {"kind": "incoming", "name": "x"}, "POST /v1/hooks/{token}": {"text": "x"},
    "POST /v1/hooks/{token}/slack": {"text": "x"}, "PUT /v1/rooms/{room}/members/{person}": {},
    "POST /v1/owner": {"code": "x"}, "PUT /v1/rooms/{room}/bans/{person}": {},
    "PUT /v1/rooms/{room}/mutes/{person}": {}, "POST /v1/rooms/{room}/kick": {"user": "{Aiko}"},
    "POST /v1/rooms/{room}/purge": {"user": "{Aiko}", "minutes": 1},
    "POST /v1/rooms/{room}/held/{id}": {"do": "release"}, "POST /v1/rooms/{room}/messages/{offset}/report": {},
    "POST /v1/rooms/{room}/invites": {}, "POST /v1/direct": {"user": "{Aiko}"},
    "PUT /v1/rooms/{room}/read": {"offset": 1}, "PUT /v1/rooms/{room}/notify": {"level": "all"},
    "POST /v1/push": {}, "DELETE /v1/push": {"endpoint": "https://push.example/x"}, "POST /v1/rooms/{room}/files": b"",
    "PATCH /v1/files/{file}": b"abc", "POST /v1/admin/keys": {"name": "x"},
}  # fmt: skip
ALONE: Final = {  # they end sessions, or let somebody in
    "DELETE /v1/session", "DELETE /v1/accounts", "POST /v1/invites/{code}",
}  # fmt: skip
NAMING: Final = {  # a name is given once, so whoever wants it learns that it is taken
    "PUT /v1/rooms/{room}",
}
ELSEWHERE: Final = {  # answered from a thread, and of no room
    "POST /v1/accounts/passkeys/challenge",
}
OUTSIDE: Final = ("nobody", "stranger", "banned", "key")


class Pool:
    """Threads that work at once."""

    @staticmethod
    def callInThreadWithCallback(told: Any, work: Any, *given: Any) -> None:
        told(True, work(*given))


class Attic(Town):
    """A server with a secret room, all that can be in one, and everybody who might want to know of it."""

    def __init__(self) -> None:
        super().__init__(create_rooms=False)
        self.reactor.getThreadPool = Pool
        self.reactor.callFromThread = lambda do, *given: do(*given)
        for name in ("Emi", "Zoe"):
            self.fields[name] = self.sign_in(name)
            self.ids[name] = self.as_("GET", name, "/v1/session").json["user"]["id"]
        assert self.own("Ben").status == 200
        assert self.as_("PUT", "Aiko", ROOM, {"access": "secret"}).status == 201
        assert self.as_("PUT", "Aiko", "/v1/rooms/lobby", {}).status == 201
        assert self.as_("PUT", "Aiko", "/v1/rooms/yard", {}).status == 201
        for name in ("Chie", "Dan", "Emi"):
            assert self.appoint(name, "member", room=ROOM).status == 200
        key = self.as_("POST", "Ben", "/v1/admin/keys", {"name": "Yard", "rooms": ["yard"]}).json["token"]
        self.fields["key"] = {"Authorization": f"Bearer {key}"}
        said = self.as_("POST", "Aiko", f"{ROOM}/messages", {"text": "the attic"}).json
        invite = self.as_("POST", "Aiko", f"{ROOM}/invites", {}).json
        made = {"kind": "incoming", "name": "CI"}
        hook = self.as_("POST", "Aiko", f"{ROOM}/hooks", made).json
        file = self.ask("POST", f"{ROOM}/files?name=a.txt", body=b"abc", **self.fields["Aiko"]).got.json
        begun = self.ask("POST", f"{ROOM}/files", **TUS, **self.fields["Aiko"]).got.json
        report = self.as_("POST", "Chie", f"{ROOM}/messages/{said['offset']}/report", {}).json
        self.names = {
            "room": "attic", "offset": str(said["offset"]), "emoji": "x", "token": hook["address"].rpartition("/")[2],
            "hook": hook["id"], "person": self.ids["Aiko"], "code": invite["code"], "file": begun["file"],
            "id": report.get("report", "x"), "label": "a.txt", "passkey": "x", "whole": file["file"],
        }  # fmt: skip
        assert self.as_("PUT", "Aiko", f"{ROOM}/bans/{{Dan}}", {}).status == 200
        self.fields |= {"stranger": self.fields["Zoe"], "nobody": {}, "banned": self.fields["Dan"]}

    def tried(self, route: str, who: str, **other: str) -> Got:
        """Ask what ``route`` is for as somebody, in the attic, or with what is ``other`` than there."""
        method, path = route.split(" ")
        names = {**self.names, **other}
        if path.startswith("/files/"):
            names["file"] = names["whole"]
        target = re.sub(r"\{(\w+)\}", lambda found: names[found[1]], path) + ASKED.get(route, "")
        body = BODIES.get(route)
        if not isinstance(body, bytes | None):
            text = json.dumps(body).replace("{Aiko}", self.ids["Aiko"]).replace("attic", names["room"])
            body = text.encode()
        target = target.replace("room=attic", f"room={names['room']}")
        more = TUS if route == "POST /v1/rooms/{room}/files" else PIECE if route == "PATCH /v1/files/{file}" else {}
        return self.ask(method, target, body=body, Accept="application/json", **more, **self.fields[who]).got


def names_a_room(route: str) -> bool:
    """Return whether what is asked for names a room, or a file of one."""
    told = f"{route} {ASKED.get(route)} {BODIES.get(route)}"
    return any(name in told for name in ("{room}", "{file}", "attic"))


def tried_as_nobody_inside(attic: Attic, route: str, who: str) -> None:
    """Check that ``route`` tells an outsider of the attic what it tells of a room that is not there."""
    here = attic.tried(route, who)
    other = {"room": "other", "file": "B" * 22, "whole": "B" * 22}
    there = attic.tried(route, who, **other)
    assert _shape(here) == _shape(there), (route, who)


def _shape(got: Got) -> tuple[int, list[str], str]:
    """Return all that could tell two answers apart, but for the names that were asked for."""
    body = got.body.decode().replace("attic", "other")
    return got.status, sorted(got.fields), re.sub(r"k1\.[\w.~-]+", "cursor", body)


@pytest.fixture(scope="module")
def attic() -> Attic:
    return Attic()


@pytest.mark.parametrize("who", OUTSIDE)
def test_a_secret_room_is_to_outsiders_as_if_it_were_not_there(attic: Attic, who: str) -> None:
    compared = 0
    for route in [one for one in ROUTES if one not in ALONE | NAMING | ELSEWHERE]:
        if names_a_room(route):
            tried_as_nobody_inside(attic, route, who)
            compared += 1
        elif "{token}" not in route and "{code}" not in route:  # whoever has one of those was told of it
            assert b"attic" not in attic.tried(route, who).body, route
    assert compared > 40


@pytest.mark.parametrize("who", OUTSIDE)
@pytest.mark.parametrize("target", [
    "/v1/rooms", "/v1/unread", "/v1/search?q=attic", "/v1/search?q=the+in%3Aattic", "/v1/search?q=the&room=attic",
    "/v1/search?q=from%3AAiko", "/v1/search?q=has%3Alink+in%3Aattic", "/v1/search?q=the+before%3A2100-01-01",
    "/v1/search?q=the+after%3A2000-01-01", "/v1/rooms/attic/messages?around=1", "/v1/rooms/attic/messages?before=2",
    "/v1/rooms/attic/events?since=after%3A0&wait=0", "/v1/rooms/attic/events?since=all&callback=f",
    "/v1/events?room=lobby&room=attic&wait=0", "/r/attic/plain", "/r/attic/plain/log", "/r/attic?callback=f",
])  # fmt: skip
def test_no_list_search_or_page_tells_outsiders_of_it(attic: Attic, target: str, who: str) -> None:
    for accept in ("application/json", "text/event-stream", "text/html"):
        fields = {**attic.fields[who], "Accept": accept}
        here = attic.ask("GET", target, **fields).got
        there = attic.ask("GET", target.replace("attic", "other"), **fields).got
        assert _shape(here) == _shape(there)
        assert b"the attic" not in here.body
        assert b"attic" not in here.body or "attic" in target


@pytest.mark.parametrize("who", OUTSIDE)
def test_no_command_of_a_websocket_tells_outsiders_of_it(attic: Attic, who: str) -> None:
    for do, more in (
        ("subscribe", {"rooms": {"attic": "all"}}), ("publish", {"room": "attic", "text": "x"}),
        ("typing", {"room": "attic"}), ("unsubscribe", {"rooms": ["attic"]}),
    ):  # fmt: skip
        talking = Talking(attic, **attic.fields[who])
        here = json.dumps(talking.say(do, ref=1, **more)).replace("attic", "other")
        more = json.loads(json.dumps(more).replace("attic", "other"))
        assert here == json.dumps(talking.say(do, ref=1, **more)), do


def test_nobody_learns_from_a_name_that_two_people_talk(attic: Attic) -> None:
    """The name of their room is made of their ids, which everybody sees."""
    talking = attic.as_("POST", "Aiko", "/v1/direct", {"user": attic.ids["Chie"]}).json["room"]
    silent = direct_name(attic.ids["Aiko"], attic.ids["Emi"])
    for who in ("stranger", "nobody"):
        for path in ("", "/events?wait=0", "/messages", "/presence", "/members"):
            here, there = (
                attic.ask("GET", f"/v1/rooms/{room}{path}", **attic.fields[who]).got for room in (talking, silent)
            )
            assert (here.status, here.body) == (there.status, there.body) == (404, here.body), path


def test_a_room_that_can_be_made_is_waited_for_and_one_that_cannot_is_not_there(attic: Attic) -> None:
    assert attic.get("/v1/rooms/later/events?wait=0").json["code"] == "not_found"
    assert attic.as_("PUT", "Emi", "/v1/rooms/later", {}).status == 201
    assert attic.get("/v1/rooms/later/events?wait=0").status == 200
    assert Town().get("/v1/rooms/later/events?wait=0").status == 200
