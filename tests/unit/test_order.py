"""What is asked about people, and how it is refused."""

from __future__ import annotations

import pytest

from kodama.core.errors import BadJson, BadRequest
from kodama.core.event import Author
from kodama.core.policy import Membership
from kodama.wire import order


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


def test_members_are_shown_with_their_time() -> None:
    aiko = Membership(user=Author("g_1", "Aiko", "guest"), role="owner", since=0)
    shown = order.member_list([aiko], role="guest")
    assert (shown.role, shown.members[0].since) == ("guest", "1970-01-01T00:00:00.000Z")
