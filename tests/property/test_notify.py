"""Whatever is said, in whatever order: who is called, and how often at most."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from kodama.core.notify import Call, Level, Mentions, Quiet, calls, folded, snippet

USERS = st.sampled_from(["a", "b"])
ROOMS = st.sampled_from(["lobby", "tea"])
STEPS = st.lists(st.tuples(st.integers(0, 20), st.one_of(st.none(), st.tuples(USERS, ROOMS))), max_size=60)


@given(STEPS)
def test_nobody_is_called_twice_in_a_while_and_every_message_is_counted_once(
    steps: list[tuple[int, tuple[str, str] | None]],
) -> None:
    """A step is a pause in seconds, and a message for somebody or a look at what is due."""
    quiet, now, called = Quiet(seconds=30, most=100), 0.0, list[tuple[float, str, Call]]()
    said: dict[tuple[str, str], int] = {}
    for offset, (pause, message) in enumerate([*steps, (1000, None)]):
        now += pause
        if message is None:
            called += [(now, user, call) for user, call in quiet.due(now)]
            continue
        user, room = message
        said[message] = said.get(message, 0) + 1
        told = quiet.call(user, Call(room=room, offset=offset, author="x", text=""), now=now)
        if told is not None:
            called.append((now, user, told))
    for (user, room), times in said.items():
        mine = [(at, call) for at, who, call in called if (who, call.room) == (user, room)]
        assert sum(call.count for _, call in mine) == times
        assert all(later - earlier >= 30 for (earlier, _), (later, _) in itertools.pairwise(mine))
        assert [call.offset for _, call in mine] == sorted({call.offset for _, call in mine})


@given(st.sampled_from(Level), st.booleans())
def test_a_higher_level_never_calls_for_less(level: Level, mentioned: bool) -> None:
    order = [Level.NONE, Level.MENTIONS, Level.ALL]
    higher = order[order.index(level) :]
    assert not calls(level, mentioned=mentioned) or all(calls(one, mentioned=mentioned) for one in higher)
    assert not calls(level, mentioned=False) or calls(level, mentioned=True)


@given(st.text(max_size=200), st.text(min_size=1, max_size=20))
def test_any_name_between_spaces_after_its_sign_is_a_mention(text: str, name: str) -> None:
    assert Mentions(f"@{name} {text}", None).of("id", folded(name))
    assert len(snippet(text * 10)) <= 200


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_data_is_taken(data: object) -> None:
    assert not Mentions(None, data).of("nobody", "nobody")
    assert not Mentions(None, {"mentions": data}).of("nobody", "nobody")
