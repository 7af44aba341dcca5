"""Polls with a session, a client and presence wait together as well, and are still told apart."""

from __future__ import annotations

import pytest

from tests.integration.test_crowds import Kept, asked
from tests.integration.test_site import EVENTS, Kodama, texts


@pytest.fixture
def server() -> Kodama:
    return Kodama()


class Tab(Kept):
    """A page that polls with its own ``client``."""

    def __init__(self, server: Kodama, client: str, more: str = "", **fields: str) -> None:
        super().__init__(server, **fields)
        self.more = f"&client={client}{more}"
        self.cursor = server.get(f"{EVENTS}?wait=0").json["cursor"]

    def poll(self) -> Tab:
        self.send(f"{EVENTS}?since={self.cursor}{self.more}")
        return self

    def read(self) -> list[str]:
        """Return what came."""
        got = self.got.json
        self.cursor = got["cursor"]
        return [event.get("text", event["type"]) for event in got["events"]]

    def read_on(self) -> list[str]:
        """Return what came, and poll on."""
        events = self.read()
        self.poll()
        return events


def settled(server: Kodama, *tabs: Tab) -> None:
    """Let all that poll go on until nobody has anything to hear any more, and wait where others do."""
    for _ in range(8):
        server.pass_seconds(2)
        for tab in tabs:
            if not tab.waits:
                tab.read_on()
    for number in range(2):
        server.say(f"settled {number}")
        for tab in tabs:
            assert tab.read_on() == [f"settled {number}"]
    assert all(tab.waits for tab in tabs)


def tabs_of(server: Kodama, count: int, more: str = "&wait=60") -> list[Tab]:
    return [Tab(server, f"tab-number-{n}", more, **server.sign_in(f"P{n}")).poll() for n in range(count)]


@pytest.mark.parametrize("more", ["&wait=60", "&wait=60&presence=1"])
def test_sessions_that_poll_on_cost_the_application_two_calls_a_message(server: Kodama, more: str) -> None:
    tabs = tabs_of(server, 6, more)
    settled(server, *tabs)
    calls = asked(server)
    for number in range(5):
        server.say(f"m{number}")
        assert [tab.read_on() for tab in tabs] == [[f"m{number}"]] * 6
    assert calls() <= 5 * 2 + 5  # the publishes, and the first two at each place
    assert all(tab.waits for tab in tabs)


def test_the_newer_poll_of_a_client_ends_the_older_one_wherever_that_waits(server: Kodama) -> None:
    mine = server.sign_in("Aiko")
    first, second = (Tab(server, "same-client", "&wait=60", **mine) for _ in range(2))
    other = Tab(server, "other-client", "&wait=60", **mine)
    settled(server, first.poll(), other.poll())
    second.cursor = first.cursor
    second.poll()
    assert first.got.json["superseded"] is True
    assert second.waits
    assert other.waits
    alone = server.ask("GET", f"{EVENTS}?client=same-client&wait=60&limit=7", **mine)
    assert second.got.json["superseded"] is True
    second.poll()
    assert alone.got.json["superseded"] is True
    server.say("news")
    assert texts(second.got) == texts(other.got) == ["news"]


def test_a_session_that_ends_ends_its_poll_and_is_let_in_no_more(server: Kodama) -> None:
    tabs = tabs_of(server, 3)
    settled(server, *tabs)
    mine = server.sign_in("Aiko")
    leaving = Tab(server, "the-leaving-one", "&wait=60", **mine).poll()
    settled(server, *tabs, leaving)
    assert server.ask("DELETE", "/v1/session", **mine).got.status == 204
    assert leaving.got.status == 403
    assert all(tab.waits for tab in tabs)
    server.say("after")
    for tab in tabs:
        assert tab.read_on() == ["after"]
    leaving.cursor = tabs[0].cursor
    leaving.poll()
    assert leaving.got.status == 401
    assert all(tab.waits for tab in tabs)


def test_a_session_that_runs_out_between_two_polls_is_looked_at_again(server: Kodama) -> None:
    first, tab = tabs_of(server, 2)
    settled(server, first, tab)
    server.say("one")
    first.read_on()
    tab.channel._own.memo.until = server.reactor.seconds()  # sessions end by the real clock, in a month
    calls = asked(server)
    tab.read_on()
    assert calls() == 1
    assert tab.waits


def test_people_who_poll_on_stay_present_and_hear_of_each_other(server: Kodama) -> None:
    tabs = tabs_of(server, 3, "&wait=30&presence=1")
    settled(server, *tabs)
    here = f"{EVENTS.removesuffix('/events')}/presence"
    for _ in range(2):  # until everybody of the time before the start would be back
        server.pass_seconds(31)
        for tab in tabs:
            tab.read_on()
    for _ in range(10):  # five minutes of nothing but polls
        server.pass_seconds(31)
        for tab in tabs:
            assert tab.read_on() == []
    assert server.get(here).json["count"] == 3
    late = Tab(server, "late-comer-tab", "&wait=30&presence=1", **server.sign_in("Late")).poll()
    server.pass_seconds(3)
    told = [tab.got.json["events"] for tab in tabs]
    assert [[event["type"] for event in events] for events in told] == [["presence"]] * 3
    assert [event["joined"][0]["name"] for events in told for event in events] == ["Late"] * 3
    assert server.get(here).json["count"] == 4
    assert late.waits or late.read() is not None


def test_who_stops_polling_is_gone_when_the_lease_lapses(server: Kodama) -> None:
    stays, goes = tabs_of(server, 2, "&wait=30&presence=1")
    settled(server, stays, goes)
    here = f"{EVENTS.removesuffix('/events')}/presence"
    goes.channel.connectionLost(None)
    for _ in range(5):
        server.pass_seconds(20)
        if not stays.waits:
            stays.read_on()
    assert [one["name"] for one in server.get(here).json["here"]] == ["P0"]


def test_who_left_and_polls_on_is_present_again(server: Kodama) -> None:
    mine = server.sign_in("Aiko")
    tab = Tab(server, "my-only-tab", "&wait=30&presence=1", **mine).poll()
    settled(server, tab)
    here = f"{EVENTS.removesuffix('/events')}/presence"
    assert server.ask("DELETE", f"{here}?client=my-only-tab", **mine).got.status == 204
    assert server.get(here).json["count"] == 0
    server.say("news")
    tab.read_on()
    assert server.get(here).json["count"] == 1


def test_client_given_twice_in_whatever_spelling_is_refused(server: Kodama) -> None:
    for twice in ("client=abcdefgh&client=ijklmnop", "client=abcdefgh&%63lient=ijklmnop"):
        kept = Kept(server)
        for _ in range(2):
            got = kept.send(f"{EVENTS}?wait=0&{twice}").got
            assert (got.status, got.json["code"]) == (400, "bad_request")
