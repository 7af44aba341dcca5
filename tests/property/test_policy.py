"""Who may do what, for every role, room and person there can be."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.errors import Forbidden, NotFound, RateLimited, Refused
from kodama.core.event import Author
from kodama.core.policy import (
    NETWORK_BAN_MS,
    SPEAKERS,
    Ban,
    Deed,
    Direct,
    Membership,
    Mute,
    Policy,
    Role,
    RoomOrder,
    Verdict,
)
from kodama.core.room import Access, RoomFacts
from kodama.core.who import NOBODY, STRANGER, Who, admits

NOW = 1_000_000
HOME, AWAY = "home-network", "other-network"


def author(name: str, kind: str = "guest") -> Author:
    return Author(f"g_{name}", name, kind)


AIKO, BEN, OWNER = author("aiko"), author("ben"), author("owner")


@dataclass
class Town:
    """A room, and what was made of Aiko in it."""

    policy: Policy
    facts: RoomFacts
    role: Role
    banned: bool
    muted: bool
    order: RoomOrder


accesses = st.sampled_from(Access)
who_rooms = st.sampled_from([None, frozenset[str](), frozenset(("r",)), frozenset(("q",))])


def give(policy: Policy, facts: RoomFacts, who: Author, role: Role) -> RoomFacts:
    if role is Role.SERVER_OWNER:
        policy.server_owners.add(who.id)
    elif role is not Role.GUEST:
        policy.house(facts.name).members[who.id] = Membership(user=who, role=role.word, since=1)
    return facts


@st.composite
def towns(draw: st.DrawFn) -> Town:
    policy, role = Policy(), draw(st.sampled_from(Role))
    facts = give(policy, RoomFacts(name="r", access=draw(accesses), owner=OWNER.id), AIKO, role)
    banned, muted = draw(st.booleans()), draw(st.booleans())
    if banned:
        policy.set_ban("r", AIKO.id, Ban(user=AIKO, by=OWNER, since=0))
    if muted:
        policy.house("r").mutes[AIKO.id] = Mute(user=AIKO, by=OWNER, since=0, until=draw(st.sampled_from([None, NOW + 1])))
    order = RoomOrder(locked=draw(st.booleans()), hold=draw(st.booleans()))
    policy.house("r").order = order
    return Town(policy, facts, role, banned, muted, order)


def outcome(town: Town, who: Who) -> Verdict | type[Refused]:
    try:
        return town.policy.weigh(town.facts, who, network=HOME, now=NOW)
    except Refused as refusal:
        return type(refusal)


@given(towns(), who_rooms, st.booleans())
def test_what_somebody_may_is_what_the_table_says(town: Town, rooms: frozenset[str] | None, invited: bool) -> None:
    who = Who(session="s", author=AIKO, rooms=rooms, invited=frozenset(("r",)) if invited else frozenset())
    policy, facts = town.policy, town.facts
    inside = town.role > Role.GUEST or facts.access is Access.PUBLIC or invited
    reads = inside and not town.banned and (rooms is None or "r" in rooms)
    assert policy.role(facts, AIKO.id) is town.role
    assert policy.admits(facts, who) is reads
    if town.role is not Role.SERVER_OWNER:
        assert admits(facts, policy.scope(who)) is reads
    for deed in Deed:
        assert policy.may(facts, who, deed) is (reads and town.role >= deed.least)
    said = outcome(town, who)
    if not reads:
        assert said in (Forbidden, NotFound)
        assert (said is NotFound) is (facts.access is Access.SECRET)
    elif town.role >= Role.MODERATOR:
        assert said is Verdict.SAID
    elif town.muted or town.order.locked:
        assert said is Forbidden
    else:
        assert (said is Verdict.HELD) is (town.order.hold and town.role is Role.GUEST)


@given(towns(), st.sampled_from(Role))
def test_a_higher_role_may_all_that_a_lower_one_may(town: Town, other: Role) -> None:
    who, higher = Who(session="s", author=AIKO), max(town.role, other)
    before = [town.policy.may(town.facts, who, deed) for deed in Deed], outcome(town, who)
    town.policy.house("r").members.pop(AIKO.id, None)
    give(town.policy, town.facts, AIKO, higher)
    after = [town.policy.may(town.facts, who, deed) for deed in Deed], outcome(town, who)
    assert all(now or not then for then, now in zip(before[0], after[0], strict=True))
    assert before[1] is not Verdict.SAID or after[1] is Verdict.SAID


@given(st.sampled_from(Role), st.sampled_from(Role), accesses)
def test_nobody_acts_on_an_equal(one: Role, other: Role, access: Access) -> None:
    policy, facts = Policy(), RoomFacts(name="r", access=access)
    give(policy, facts, AIKO, one)
    give(policy, facts, BEN, other)
    acts = []
    for actor, target in ((AIKO, BEN), (BEN, AIKO)):
        try:
            policy.check_rank(facts, Who(session="s", author=actor), target.id)
            acts.append(actor)
        except Forbidden:
            pass
    assert acts == ([] if one is other else [AIKO if one > other else BEN])


@given(towns())
def test_a_room_of_two_people_is_theirs_alone(town: Town) -> None:
    town.policy.house("r").direct = Direct((BEN, OWNER))
    town.policy.server_owners.add(AIKO.id)
    secret = RoomFacts(name="r", access=Access.SECRET)
    assert not town.policy.admits(secret, Who(session="s", author=AIKO))
    for one in (BEN, OWNER):
        who = Who(session="s", author=one)
        assert town.policy.admits(secret, who)
        assert admits(secret, town.policy.scope(who))
        assert not any(town.policy.may(secret, who, deed) for deed in Deed)


def test_strangers_are_nobodies_owner_and_moderate_nothing() -> None:
    policy, facts = Policy(), RoomFacts(name="r")
    assert policy.role(facts, None) is Role.GUEST
    assert policy.admits(facts, NOBODY)
    assert not policy.admits(facts, STRANGER)
    with pytest.raises(Forbidden, match="Only a moderator keeps order"):
        policy.demand(facts, NOBODY, Deed.MODERATE)
    assert policy.demand(RoomFacts(name="r", owner=AIKO.id), Who(session="s", author=AIKO), Deed.CONFIGURE) == AIKO
    assert policy.role(RoomFacts(name="r", owner=AIKO.id), AIKO.id) is Role.OWNER
    assert [role.word for role in Role] == ["guest", "member", "moderator", "owner", "owner"]


def test_the_rooms_of_a_person_are_those_with_a_role_or_with_another() -> None:
    policy = Policy()
    for room, role in (("r", Role.MEMBER), ("q", Role.OWNER)):
        give(policy, RoomFacts(name=room), AIKO, role)
    give(policy, RoomFacts(name="z"), BEN, Role.MEMBER)
    policy.house("two").direct = Direct((AIKO, BEN))
    assert policy.rooms_of(AIKO.id) == {"r", "q", "two"}
    assert policy.rooms_of(BEN.id) == {"z", "two"}


def test_a_ban_is_told_as_one_and_ends_with_its_time() -> None:
    policy, facts, who = Policy(), RoomFacts(name="r"), Who(session="s", author=AIKO)
    policy.set_ban("r", AIKO.id, Ban(user=AIKO, by=OWNER, since=NOW, until=NOW + 10))
    policy.set_ban("r", BEN.id, Ban(user=BEN, by=OWNER, since=NOW))
    with pytest.raises(Forbidden, match="You have been removed"):
        policy.admit(facts, who)
    assert policy.expired(NOW + 9) == []
    assert policy.expired(NOW + 10) == [("r", AIKO.id)]
    policy.set_ban("r", AIKO.id, None)
    policy.admit(facts, who)
    assert policy.banned == {"r": policy.house("r").bans}
    policy.set_ban("r", BEN.id, None)
    policy.set_ban("q", BEN.id, None)
    assert policy.banned == {}


@given(
    st.sampled_from([NOBODY, Who(session="s", author=BEN)]), st.sampled_from([HOME, AWAY]),
    st.sampled_from([None, NOW + 5, NOW + 2 * NETWORK_BAN_MS]), st.integers(0, 2 * NETWORK_BAN_MS),
)  # fmt: skip
def test_a_banned_network_keeps_guests_from_writing_for_a_day_at_most(
    who: Who, network: str, until: int | None, later: int
) -> None:
    policy, facts = Policy(), RoomFacts(name="r")
    policy.set_ban("r", AIKO.id, Ban(user=AIKO, by=OWNER, since=NOW, until=until, network=True, networks=(HOME,)))
    covered = network == HOME and later < NETWORK_BAN_MS and (until is None or NOW + later < until)
    assert policy.admits(facts, who)
    try:
        policy.check_write(facts, who, network=network, now=NOW + later)
        assert not covered
    except Forbidden:
        assert covered
    give(policy, facts, BEN, Role.MEMBER)
    policy.check_write(facts, Who(session="s", author=BEN), network=network, now=NOW + later)


def test_everybody_writes_in_a_public_room_of_which_nothing_is_known() -> None:
    policy, facts = Policy(), RoomFacts(name="r")
    for who in (NOBODY, Who(session="s", author=AIKO)):
        assert policy.weigh(facts, who, network=HOME, now=NOW) is Verdict.SAID
    elsewhere = Who(session="s", author=AIKO, rooms=frozenset({"other"}))
    with pytest.raises(Forbidden):
        policy.weigh(facts, elsewhere, network=HOME, now=NOW)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4_000)), max_size=30))
def test_slow_mode_lets_each_person_speak_once_in_its_time(steps: list[tuple[str, int]]) -> None:
    policy, facts, now = Policy(), RoomFacts(name="r"), NOW
    policy.house("r").order = RoomOrder(slow=3)
    spoke: dict[str, int] = {}
    for name, wait in steps:
        now += wait
        who = Who(session="s", author=author(name)) if name == "a" else NOBODY
        due = spoke.get(name, -3_000) + 3_000 - now
        if due <= 0:
            assert policy.weigh(facts, who, network=HOME, now=now) is Verdict.SAID
            spoke[name] = now
        else:
            with pytest.raises(RateLimited) as refused:
                policy.weigh(facts, who, network=HOME, now=now)
            assert refused.value.retry_after == due / 1000


def test_slow_mode_does_not_remember_everybody_for_ever() -> None:
    policy, facts = Policy(), RoomFacts(name="r")
    policy.house("r").order = RoomOrder(slow=1)
    for number in range(SPEAKERS + 1):
        policy.weigh(facts, NOBODY, network=f"n{number}", now=NOW + 2_000 * number)
    assert len(policy.look("r").spoke) == 1


@pytest.mark.parametrize(("kind", "verdict"), [
    ("guest", Verdict.HELD), ("user", Verdict.SAID), ("host", Verdict.SAID), ("bot", Verdict.SAID),
])  # fmt: skip
def test_only_new_guests_are_held(kind: str, verdict: Verdict) -> None:
    policy, facts = Policy(), RoomFacts(name="r")
    policy.house("r").order = RoomOrder(hold=True)
    who = Who(session="s", author=author("x", kind))
    assert policy.weigh(facts, who, network=HOME, now=NOW) is verdict
    assert policy.weigh(facts, NOBODY, network=HOME, now=NOW) is Verdict.HELD
    policy.house("r").known.add("g_x")
    assert policy.weigh(facts, who, network=HOME, now=NOW) is Verdict.SAID


def test_a_turn_elsewhere_counts_in_slow_mode_only() -> None:
    policy = Policy()
    policy.spoke("r", "g_aiko", now=1_000)
    assert not policy.look("r").spoke
    policy.house("r").order = RoomOrder(slow=3)
    policy.spoke("r", "g_aiko", now=1_000)
    assert policy.look("r").spoke == {"g_aiko": 1_000}
