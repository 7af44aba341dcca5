"""What a reader of the checker takes for a broken promise, and what not."""

from __future__ import annotations

from random import Random

import pytest

from kodama.client.address import Address
from kodama.client.protocol import News
from kodama.verify.history import History
from kodama.verify.readers import Reader
from kodama.verify.scene import Scene
from kodama.verify.violations import Wrong
from kodama.verify.ways import Way

EVENT = {"type": "message", "room": "a", "offset": 1, "epoch": "e", "id": "i", "text": "t"}
CURSOR = "k1.a~e~1"


def found(*news: News, way: Way) -> set[Wrong]:
    address = Address.parse("http://127.0.0.1:1")
    scene = Scene(
        address=address, through=0, history=History(gaps_allowed=False), random=Random(1), run="run", rooms=("a",)
    )
    reader = Reader(scene, 1, ("a",), ways=(way,))
    for one in news:
        reader._step(one, way)
    return set(scene.history.findings.counts)


@pytest.mark.parametrize("way", [Way.SSE, Way.NDJSON, Way.WEBSOCKET])
def test_a_stream_begins_with_a_cursor_unless_it_is_sent_away_before(way: Way) -> None:
    assert found(News((), "k1.a~~0", ready=True), News((EVENT,), CURSOR), way=way) == set()
    assert found(News((EVENT,), CURSOR), way=way) == {Wrong.GARBLED}
    assert found(News((), None, after=1.0), way=way) == set()


def test_a_poll_has_no_beginning() -> None:
    assert found(News((EVENT,), CURSOR), way=Way.POLL) == set()
    assert found(News((EVENT,), None), way=Way.POLL) == {Wrong.GARBLED}
