"""What the owner's console asks, and how it is refused."""

from __future__ import annotations

import pytest

from kodama.core.errors import BadJson, BadRequest, BadRoomName
from kodama.wire import admin


def test_a_key_is_asked_for_with_the_rooms_that_it_opens() -> None:
    assert admin.key_body(b'{"name":" Mirror "}') == admin.KeyBody("Mirror", None, read_only=False)
    asked = admin.key_body(b'{"name":"x","rooms":["Tea","tea","a"],"read_only":true}')
    assert asked == admin.KeyBody("x", ["a", "tea"], read_only=True)
    for wrong in (b"{}", b'{"name":"x","rooms":[]}', b"{"):
        with pytest.raises(BadJson):
            admin.key_body(wrong)
    with pytest.raises(BadRoomName):
        admin.key_body(b'{"name":"x","rooms":["a b"]}')


def test_a_list_goes_on_after_a_room_and_an_id() -> None:
    assert admin.place_after(None) == ""
    assert admin.place_after("Tea/g_1") == "tea/g_1"
    for wrong in ("tea", "tea/", "tea/a/b", "tea/\0"):
        with pytest.raises(BadRequest):
            admin.place_after(wrong)
