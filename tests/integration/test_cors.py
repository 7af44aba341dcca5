"""Pages of other sites: what is listed may, what is not may not, and no answer says more than that."""

from __future__ import annotations

import pytest

from tests.integration.test_site import EVENTS, MESSAGES, Kodama

BLOG, EVIL = "https://blog.example", "https://evil.example"


@pytest.fixture
def listing() -> Kodama:
    return Kodama(origins=BLOG)


def cors(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name.startswith("access-control-")}


def test_a_listed_page_reads_whatever_the_answer_is(listing: Kodama) -> None:
    listing.say("one")
    held = listing.ask("GET", f"{EVENTS}?wait=60", Origin=BLOG)
    crowd = [listing.ask("GET", f"{EVENTS}?wait=60") for _ in range(2)]
    listing.say("two")
    asked = [
        held.got, listing.get(f"{EVENTS}?since=all", Origin=BLOG), listing.get(f"{EVENTS}?since=", Origin=BLOG),
        listing.get(f"{EVENTS}?since=all&callback=cb", Origin=BLOG), listing.get(MESSAGES, Origin=BLOG),
        listing.get(f"{EVENTS}?wait=0", Origin=BLOG, Authorization="Bearer x"),
        listing.ask("POST", MESSAGES, body={"text": "x"}, Origin=BLOG).got,
    ]  # fmt: skip
    for got in asked:
        assert got.fields["access-control-allow-origin"] == BLOG
        assert got.fields["access-control-allow-credentials"] == "true"
        assert "Retry-After" in got.fields["access-control-expose-headers"]
        assert "Origin" in got.fields["vary"]
    assert [one.got.status for one in crowd] == [200, 200]
    assert [cors(one.got.fields) for one in crowd] == [{}, {}], "nobody else is told whose page also asked"


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/v1/rooms/a%20b/events"), ("GET", "/v1/nonsense"), ("DELETE", EVENTS), ("PUT", "/r/lobby")],
)
def test_a_listed_page_reads_what_is_wrong_with_the_address(listing: Kodama, method: str, target: str) -> None:
    got = listing.ask(method, target, Origin=BLOG).got
    assert got.status in (400, 404, 405)
    assert cors(got.fields)["access-control-allow-origin"] == BLOG
    assert cors(listing.ask(method, target, Origin=EVIL).got.fields) == {}


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "https://blog.example.evil.example", "http://blog.example", "https://blog.example:444",
               "https://BLOG.example", "https://localhost:8080.evil.example", "", "https://evil.example/localhost:8080"],
)  # fmt: skip
def test_another_page_is_told_nothing_and_writes_nothing(listing: Kodama, origin: str) -> None:
    assert cors(listing.get(f"{EVENTS}?wait=0", Origin=origin).fields) == {}
    preflight = listing.ask("OPTIONS", MESSAGES, Origin=origin, Access_Control_Request_Method="POST").got
    assert (preflight.status, cors(preflight.fields)) == (204, {})
    for method, target in (("POST", MESSAGES), ("POST", "/r/lobby"), ("POST", "/v1/session"), ("POST", "/v1/tickets"),
                           ("PUT", "/v1/rooms/x"), ("DELETE", "/v1/session"), ("POST", "/old")):  # fmt: skip
        got = listing.ask(method, target, body={"text": "x", "name": "x"}, Origin=origin, **listing.sign_in("A")).got
        assert got.status in (400, 403), (method, target)
        assert cors(got.fields) == {}


def test_a_preflight_names_what_a_listed_page_may_ask(listing: Kodama) -> None:
    got = listing.ask("OPTIONS", MESSAGES, Origin=BLOG, Access_Control_Request_Method="POST").got
    assert got.status == 204
    assert got.fields["access-control-allow-origin"] == BLOG
    assert "POST" in got.fields["access-control-allow-methods"]
    assert "Authorization" in got.fields["access-control-allow-headers"]


@pytest.mark.parametrize(("scheme", "forwarded", "status"), [("http", "https", 403), ("https", "https", 201), ("http", "http", 201)])
def test_a_page_that_came_without_tls_writes_nothing_over_tls(scheme: str, forwarded: str, status: int) -> None:
    server = Kodama()
    proxy = {"Host": "localhost", "X_Forwarded_Proto": forwarded, "X_Forwarded_For": "203.0.113.9"}
    got = server.ask("POST", MESSAGES, body={"text": "x"}, Origin=f"{scheme}://localhost", **proxy).got
    assert got.status == status


def test_every_page_may_where_all_are_listed_but_not_with_a_cookie() -> None:
    server = Kodama(origins="*")
    opened = server.ask("POST", "/v1/session", body={"name": "Aiko"}, Origin=EVIL).got
    assert cors(opened.fields)["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in opened.fields
    cookie = opened.fields["set-cookie"].partition(";")[0]
    assert server.ask("POST", MESSAGES, body={"text": "x"}, Origin=EVIL, Cookie=cookie).got.status == 403
    token = {"Authorization": f"Bearer {opened.json['token']}"}
    assert server.ask("POST", MESSAGES, body={"text": "x"}, Origin=EVIL, **token).got.status == 201


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 201), ("none", 201)])
def test_a_browser_that_leaves_out_the_origin_still_says_where_it_is(listing: Kodama, site: str, status: int) -> None:
    got = listing.ask("POST", MESSAGES, body={"text": "x"}, Sec_Fetch_Site=site).got
    assert got.status == status


def test_the_default_port_is_the_same_place(listing: Kodama) -> None:
    for origin, host in (("http://localhost", "localhost:80"), ("https://localhost:443", "localhost")):
        assert listing.ask("POST", MESSAGES, body={"text": "x"}, Origin=origin, Host=host).got.status == 201
