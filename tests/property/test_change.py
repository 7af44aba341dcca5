"""What edits, deletes and reactions do to what is there, for any order of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from kodama.core.change import (
    Amendment,
    Append,
    DeleteMessage,
    EditMessage,
    Nonce,
    Publish,
    React,
    SetTopic,
    TellMember,
    Unchanged,
    amend,
    mark_of,
    reaction_mark,
    target_of,
    written,
)  # fmt: skip
from kodama.core.errors import Conflict, Forbidden, NotFound, Refused
from kodama.core.event import Delete, Edit, Logged, Member, Message, Reaction, Topic, decode, encode, kind_of
from kodama.core.room import Retention, RoomFacts
from tests.unit.entries import AIKO, BEN, message, stamp


class Log:
    """A log as plain as can be: it does what `amend` says, as every store must."""

    def __init__(self) -> None:
        self.events: list[Logged] = [message(1, text="word0", nonce="n1")]

    def apply(self, change: Amendment) -> Append | Unchanged:
        """Carry out ``change`` as a store does."""
        target = next((one for one in self.events if one.offset == change.target), None)
        related = [
            one for one in self.events if target_of(one) == change.target and mark_of(one) == change.mark
        ]
        done = amend(change, target, related=related, stamp=stamp(len(self.events) + 1))
        if isinstance(done, Append):
            self.events.append(done.event)
            for event in done.rewritten:
                self.events[event.offset - 1] = event
        return done

    def bytes(self) -> bytes:
        """Return all that is kept and served."""
        return b"\n".join(encode(event) for event in self.events)


def edit(text: str) -> EditMessage:
    return EditMessage(room="lobby", author=AIKO, target=1, text=text)


DELETE = DeleteMessage(room="lobby", author=AIKO, target=1)
amendments = st.one_of(
    st.sampled_from(["word0", "word1", "word2", "word3"]).map(edit),
    st.just(DELETE),
    st.builds(
        React, room=st.just("lobby"), author=st.sampled_from([AIKO, BEN]), target=st.just(1),
        emoji=st.sampled_from(["+1", "👍"]), op=st.sampled_from(["add", "remove"]),
    ),
)  # fmt: skip


@given(st.lists(amendments, max_size=14))
def test_after_any_changes_only_the_last_text_is_anywhere_and_a_repeat_changes_nothing(
    changes: list[Amendment],
) -> None:
    log, text = Log(), "word0"
    for change in changes:
        try:
            log.apply(change)
        except Refused:
            continue
        text = change.text if isinstance(change, EditMessage) else "" if change == DELETE else text
        before = log.bytes()
        assert isinstance(log.apply(change), Unchanged)
        assert log.bytes() == before
        assert {word for word in ("word0", "word1", "word2", "word3") if word.encode() in before} == {
            text
        } - {""}
        assert [event.offset for event in log.events] == list(range(1, len(log.events) + 1))
        assert all(decode(encode(event)) == event for event in log.events)


def test_an_edited_message_says_so_and_old_edits_lose_their_words() -> None:
    log = Log()
    log.apply(edit("word1"))
    log.apply(edit("word2"))
    first, old, last = (json.loads(line) for line in log.bytes().splitlines())
    assert (first["text"], first["edited"], first["nonce"]) == ("word2", True, "n1")
    assert "text" not in old
    assert (last["type"], last["target"], last["text"]) == ("edit", 1, "word2")


def test_a_deleted_message_has_neither_text_nor_data() -> None:
    log = Log()
    log.apply(edit("word1"))
    log.apply(DELETE)
    first, second, third = (json.loads(line) for line in log.bytes().splitlines())
    assert first["deleted"] is True
    assert not {"text", "data", "edited"} & first.keys()
    assert "text" not in second
    assert third["type"] == "delete"
    with pytest.raises(Conflict):
        log.apply(edit("word2"))
    with pytest.raises(Conflict):
        log.apply(React(room="lobby", author=BEN, target=1, emoji="+1", op="add"))


def test_only_the_author_edits_and_only_the_author_or_a_moderator_deletes() -> None:
    log = Log()
    with pytest.raises(Forbidden):
        log.apply(EditMessage(room="lobby", author=BEN, target=1, text="x"))
    with pytest.raises(Forbidden):
        log.apply(DeleteMessage(room="lobby", author=BEN, target=1))
    done = log.apply(DeleteMessage(room="lobby", author=BEN, target=1, moderator=BEN.id))
    assert isinstance(done, Append)


def test_an_edit_to_the_same_words_is_answered_with_what_made_it_so() -> None:
    log = Log()
    assert log.apply(edit("word0")) == Unchanged(log.events[0])
    log.apply(edit("word1"))
    assert log.apply(edit("word1")) == Unchanged(log.events[1])


def test_only_messages_can_be_amended() -> None:
    log = Log()
    log.apply(edit("word1"))
    for target in (2, 9):
        with pytest.raises(NotFound):
            log.apply(DeleteMessage(room="lobby", author=AIKO, target=target))
    with pytest.raises(NotFound):
        log.apply(React(room="lobby", author=BEN, target=1, emoji="+1", op="remove"))


def test_what_is_written_carries_its_stamp() -> None:
    nonce = Nonce(sender="s", text="n-1", digest=b"")
    published = written(Publish(room="lobby", author=AIKO, text="a", data=None, nonce=nonce), stamp(3))
    assert published == message(3, text="a", nonce="n-1")
    plain = written(Publish(room="lobby", author=AIKO, text=None, data={"a": 1}), stamp(4))
    assert b"nonce" not in encode(plain)
    topic = written(SetTopic(room="lobby", author=AIKO, topic="tea"), stamp(5))
    assert isinstance(topic, Topic)
    assert (topic.topic, topic.offset, kind_of(topic)) == ("tea", 5, "topic")
    for role in ("owner", None):
        member = written(TellMember(room="lobby", author=AIKO, user=BEN, op="add", role=role), stamp(5))
        assert isinstance(member, Member)
        assert (member.user, member.op, kind_of(member)) == (BEN, "add", "member")
        assert (member.role is UNSET) is (role is None)


def test_marks_tell_whose_reaction_it_is_and_targets_what_is_aimed_at() -> None:
    facts: dict[str, Any] = {"room": "r", "offset": 2, "epoch": "e", "id": "i", "time": "t", "author": BEN}
    reaction = Reaction(**facts, target=1, emoji="+1", op="add")
    assert mark_of(reaction) == reaction_mark(BEN.id, "+1") != reaction_mark(AIKO.id, "+1")
    for event, target in (
        (reaction, 1), (Edit(**facts, target=1, text="x"), 1), (Delete(**facts, target=1), 1),
        (Member(**facts, user=AIKO, op="add"), None), (message(1), None),
    ):  # fmt: skip
        assert target_of(event) == target
        assert isinstance(event, Reaction) or mark_of(event) == ""
    assert isinstance(decode(encode(message(1))), Message)


def test_a_first_message_says_whose_its_room_is_and_how_long_it_is_kept() -> None:
    kept = Retention(days=1)
    first = Publish(room="r", author=AIKO, text="hi", data=None, owner=AIKO.id, retention=kept)
    assert first.newborn == RoomFacts(name="r", owner=AIKO.id, retention=kept)
