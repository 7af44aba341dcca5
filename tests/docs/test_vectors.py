"""The samples that the specification publishes hold for this server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kodama.core.errors import BadCallback, BadCursor, BadRoomName
from kodama.core.names import room_name
from kodama.core.position import Position, encode_cursor, parse_cursor
from kodama.wire.jsonp import callback_name

VECTORS = Path(__file__).parents[2] / "docs" / "spec" / "vectors"


def _samples(name: str) -> list[Any]:
    return list(json.loads((VECTORS / name).read_text("utf-8")))


def _shown(field: str) -> Callable[[dict[str, Any]], str]:
    return lambda sample: ascii(sample[field])[1:40]


@pytest.mark.parametrize("sample", _samples("room-names.json"), ids=_shown("given"))
def test_a_room_name_is_folded_or_refused_as_published(sample: dict[str, str]) -> None:
    if "error" in sample:
        with pytest.raises(BadRoomName):
            room_name(sample["given"])
    else:
        assert room_name(sample["given"]) == sample["name"]
        assert room_name(sample["name"]) == sample["name"]


@pytest.mark.parametrize("sample", _samples("cursors.json"), ids=_shown("cursor"))
def test_a_cursor_is_read_or_refused_as_published(sample: dict[str, Any]) -> None:
    if "error" in sample:
        with pytest.raises(BadCursor):
            parse_cursor(sample["cursor"])
        return
    places = {one["room"]: Position(one["epoch"], one["offset"]) for one in sample["positions"]}
    assert encode_cursor(places) == sample["cursor"]
    cursor = parse_cursor(sample["cursor"])
    assert {room: cursor.get(room) for room in places} == places


@pytest.mark.parametrize("sample", _samples("callbacks.json"), ids=_shown("callback"))
def test_a_callback_is_taken_or_refused_as_published(sample: dict[str, Any]) -> None:
    if sample["valid"]:
        assert callback_name(sample["callback"]) == sample["callback"]
    else:
        with pytest.raises(BadCallback):
            callback_name(sample["callback"])
