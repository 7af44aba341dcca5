"""What is known of a room besides its events."""

from __future__ import annotations

from dataclasses import replace

from kodama.core.room import Access, Retention, RoomFacts


def test_a_mark_tells_settings_from_all_others() -> None:
    facts = RoomFacts(name="lobby", owner="u_aiko")
    others = [
        replace(facts, access=Access.SECRET),
        replace(facts, owner="u_ben"),
        replace(facts, owner=None),
        replace(facts, title="Lobby"),
        replace(facts, topic="Lobby"),
        replace(facts, retention=Retention(days=1)),
    ]
    assert facts.mark == replace(facts).mark
    assert len({one.mark for one in (facts, *others)}) == len(others) + 1
