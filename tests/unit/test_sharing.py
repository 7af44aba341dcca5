"""What a node tells the others of its readers: the bounds."""

from __future__ import annotations

from kodama.core.attendance import Diff
from kodama.core.event import Author
from kodama.core.lease import Lease, Seat, State
from kodama.core.presence import SETTLING, Presence
from kodama.core.sharing import AGAIN, AT_ONCE, TOLD_FOR, Sharing, Told
from kodama.core.who import Who

AIKO = Who(session="s", author=Author("u_aiko", "Aiko", "user"))
SEAT = Seat("u_aiko", "tab-1")


def reader(number: int, *, until: float) -> Lease:
    lease = Lease("r", Seat("u_aiko", f"tab-{number}"), AIKO)
    lease.own = until
    return lease


def test_a_look_tells_so_many_readers_again_and_the_next_look_the_others() -> None:
    sharing = Sharing()
    for number in range(AT_ONCE + 7):
        sharing.changed(reader(number, until=1000))
    assert [len(news.readers) for news in sharing.due(0)] == [AT_ONCE + 7]
    assert sharing.due(AGAIN - 1) == []
    told = [len(news.readers) for look in range(3) for news in sharing.due(AGAIN + look)]
    assert told == [AT_ONCE, 7]


def test_nobody_is_told_to_stay_longer_than_it_will() -> None:
    sharing = Sharing()
    sharing.changed(reader(1, until=TOLD_FOR + 9))
    assert [told.seconds for news in sharing.due(0) for told in news.readers] == [TOLD_FOR]
    assert [told.seconds for news in sharing.due(20) for told in news.readers] == [TOLD_FOR + 9 - 20]
    assert sharing.due(TOLD_FOR + 10) == []


def test_there_is_nothing_to_tell_once_all_are_gone() -> None:
    sharing = Sharing()
    presence = Presence(now=0, epoch=1, sharing=sharing)
    lease = presence.renew("r", SEAT, AIKO, now=1, hold=0)
    sharing.due(1)
    assert len(sharing) == 1
    presence.end(lease, now=2)
    presence.end(lease, now=2)
    assert [news.gone for news in sharing.due(2)] == [[SEAT]]
    assert not sharing


def test_the_state_of_somebody_who_is_not_here_is_no_reader() -> None:
    presence = Presence(now=0, epoch=1, sharing=Sharing())
    presence.heard("r", Told(SEAT, AIKO.author, State.IDLE, 0), now=1)
    presence.heard_gone("r", SEAT, now=1)
    assert not presence.knows("r")
    presence.tell_again("r")
    assert presence.here("r", now=1, limit=9).people == ()


def test_only_the_node_that_knows_who_somebody_is_judges_whether_they_may_stay() -> None:
    presence = Presence(now=0, epoch=1, sharing=Sharing())
    presence.heard("r", Told(SEAT, AIKO.author, State.ACTIVE, 30), now=1)
    presence.forget(lambda _: True, now=2)
    assert len(presence.here("r", now=2, limit=9).people) == 1
    presence.renew("r", SEAT, AIKO, now=3, hold=0)
    presence.forget(lambda lease: lease.who.session == "s", now=4)
    assert presence.here("r", now=4, limit=9).people == ()


def ben(number: int) -> Told:
    seat = Seat(f"u_{number}", "tab")
    return Told(seat, Author(f"u_{number}", "Ben", "user"), State.ACTIVE, 30)


def told(presence: Presence, *, now: float) -> list[int]:
    return [one.version for _, due in presence.sweep(now) for one in due if isinstance(one, Diff)]


def test_nodes_tell_their_readers_the_same_versions_as_long_as_they_tell_the_same() -> None:
    here, there = (Presence(now=0, epoch=1, sharing=Sharing()) for _ in range(2))
    versions = []
    for number in range(5):
        at = SETTLING + 10.0 * number
        here.heard("r", ben(number), now=at)
        there.heard("r", ben(number), now=at)
        there.heard_version("r", here.version("r"))
        here.heard_version("r", there.version("r"))
        versions.append((told(here, now=at + 2), told(there, now=at + 2)))
    assert all(len(one) == 1 and one == other for one, other in versions)
    assert [one[0] for one, _ in versions] == list(range(versions[0][0][0], versions[0][0][0] + 5))


def test_who_comes_from_a_node_that_told_more_is_not_told_less() -> None:
    presence = Presence(now=0, epoch=1, sharing=Sharing())
    presence.heard_version("r", 10**15)  # nobody is there: nothing is kept of it
    assert presence.version("r") == 0
    presence.renew("r", SEAT, AIKO, now=SETTLING, hold=0)
    told(presence, now=SETTLING + 2)
    presence.heard_version("r", 10**15)
    assert presence.version("r") == 10**15 - 1
    presence.heard("r", ben(1), now=SETTLING + 5)
    assert presence.version("r") == 10**15
    assert presence.here("r", now=SETTLING + 5, limit=9).version == 10**15
    assert told(presence, now=SETTLING + 7) == [10**15]


def test_a_poll_that_comes_again_shortens_nothing_that_another_node_said() -> None:
    presence = Presence(now=0, epoch=1, sharing=Sharing())
    lease = presence.renew("r", SEAT, AIKO, now=1, hold=0)
    presence.heard("r", Told(SEAT, AIKO.author, State.ACTIVE, 40), now=10)
    presence.take_as_told(lease)
    assert presence.keep(lease, 48)
    assert (lease.own, lease.until) == (48, 50)
