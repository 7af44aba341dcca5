"""What is asked about people, and how it is refused."""

from __future__ import annotations

import pytest

from kodama.core.errors import BadJson, BadRequest
from kodama.core.event import Author
from kodama.core.policy import Ban, Membership, Mute
from kodama.wire import belonging, moderation, order


def test_a_role_is_read_with_a_name() -> None:
    assert order.member_body(b"") == order.MemberBody("member", None)
    assert order.member_body(b'{"role":"owner","name":" Aiko "}') == order.MemberBody("owner", "Aiko")
    assert order.owner_body(b'{"code":"x"}').code == "x"
    for wrong in (b'{"role":"king"}', b"{", b"\xff", b"[" * 100_000, b"[]"):
        with pytest.raises(BadJson):
            order.member_body(wrong)


def test_a_persons_id_is_of_plain_characters() -> None:
    assert order.user_id("g_8fk-2.~") == "g_8fk-2.~"
    for wrong in ("", "a b", "a/b", "é", "x" * 65):
        with pytest.raises(BadRequest):
            order.user_id(wrong)


def test_what_moderators_ask_is_read() -> None:
    assert moderation.ban_body(b"") == moderation.BanBody()
    assert moderation.ban_body(b'{"minutes":5,"network":true,"reason":"x","name":" Aiko"}').name == "Aiko"
    assert moderation.mute_body(b'{"minutes":1}').minutes == 1
    assert moderation.kick_body(b'{"user":"g_1"}') == moderation.KickBody("g_1")
    assert moderation.purge_body(b'{"user":"g_1","minutes":10080}').minutes == 10_080
    assert moderation.held_body(b'{"do":"release"}').do == "release"
    assert moderation.report_body(b"").reason == ""
    for read, body in (
        (moderation.ban_body, b'{"minutes":0}'), (moderation.ban_body, b'{"reason":"%b"}' % (b"x" * 501)),
        (moderation.mute_body, b'{"minutes":527041}'), (moderation.kick_body, b"{}"),
        (moderation.purge_body, b'{"user":"x","minutes":10081}'), (moderation.held_body, b'{"do":"eat"}'),
    ):  # fmt: skip
        with pytest.raises(BadJson):
            read(body)
    assert moderation.record_name("42-g_1") == "42-g_1"
    with pytest.raises(BadRequest):
        moderation.record_name("a/b")


def test_bans_and_mutes_are_shown_with_their_end() -> None:
    aiko, ben = Author("g_1", "Aiko", "guest"), Author("g_2", "Ben", "guest")
    ban = moderation.ban_shown(Ban(user=aiko, by=ben, since=0, networks=("secret",), network=True))
    assert (ban.until, ban.network, hasattr(ban, "networks")) == (None, True, False)
    mute = moderation.mute_shown(Mute(user=aiko, by=ben, since=0, until=1000))
    assert mute.until == "1970-01-01T00:00:01.000Z"


def test_what_belonging_asks_is_read() -> None:
    assert belonging.invite_body(b"") == belonging.InviteBody(expires=604_800, uses=None, role="member")
    assert belonging.direct_body(b'{"user":"g_1"}') == belonging.DirectBody("g_1", None)
    assert belonging.direct_body(b'{"user":"g_1","name":" Ben "}').name == "Ben"
    assert belonging.read_body(b'{"offset":7}').offset == 7
    with pytest.raises(BadRequest):
        belonging.direct_body(b'{"user":"a b"}')


def test_members_are_shown_with_their_time() -> None:
    aiko = Membership(user=Author("g_1", "Aiko", "guest"), role="owner", since=0)
    shown = order.member_list([aiko], role="guest")
    assert (shown.role, shown.members[0].since) == ("guest", "1970-01-01T00:00:00.000Z")
