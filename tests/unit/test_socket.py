"""What clients say over WebSocket, against the published samples and at its limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kodama.core.errors import BadJson, BadRequest, Refused
from kodama.wire import socket as wire
from kodama.wire.polls import Last, Now
from kodama.wire.problem import problem

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "docs/spec/vectors/socket-commands.json").read_text("utf-8")
)


def read(given: str) -> wire.Command:
    """Read a command as the transport does, its rooms and message included."""
    command = wire.command(given)
    if isinstance(command, wire.Subscribe):
        wire.places_asked(command)
    elif isinstance(command, wire.Publish):
        wire.message_of(command)
    return command


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: ascii(one["given"])[:60])
def test_a_command_is_read_or_refused_as_published(sample: dict[str, Any]) -> None:
    given = sample["given"]
    if "error" not in sample:
        command = read(given)
        assert command.__struct_config__.tag == sample["do"]
        assert command.ref == sample["ref"]
        return
    with pytest.raises(Refused) as caught:
        read(given)
    assert caught.value.code == sample["error"]
    if "close" in sample:
        with pytest.raises(BadJson):
            wire.ref_of(given)
    else:
        assert wire.ref_of(given) == sample["ref"]


def test_rooms_are_folded_and_null_is_now() -> None:
    command = wire.command('{"do":"subscribe","rooms":{"LOBBY":null,"b":"last:5"}}')
    assert isinstance(command, wire.Subscribe)
    assert wire.places_asked(command) == {"lobby": Now(), "b": Last(5)}


def test_a_long_ref_is_refused_and_not_repeated() -> None:
    long = json.dumps({"do": "ping", "ref": "x" * 65})
    with pytest.raises(BadRequest):
        wire.command(long)
    assert wire.ref_of(long) is None


def test_what_is_nested_too_deep_is_refused_by_its_ref() -> None:
    deep = '{"do":"publish","room":"a","ref":4,"data":' + "[" * 65 + "]" * 65 + "}"
    with pytest.raises(BadJson):
        wire.command(deep)
    assert wire.ref_of(deep) == 4
    bottomless = '{"do":"publish","ref":4,"data":' + "[" * 30_000 + "]" * 30_000 + "}"
    with pytest.raises(BadJson):
        wire.command(bottomless)


def test_the_server_says_json() -> None:
    given = problem("bad_request", "why")
    assert json.loads(wire.done(1, {"cursor": "k1.a"})) == {"ref": 1, "ok": {"cursor": "k1.a"}}
    assert json.loads(wire.answered("r", b"")) == {"ref": "r", "ok": {}}
    assert json.loads(wire.answered(None, b'{"a":1}')) == {"ref": None, "ok": {"a": 1}}
    assert json.loads(wire.failed(2, b'{"a":1}')) == {"ref": 2, "error": {"a": 1}}
    assert json.loads(wire.refused(2, given))["error"]["code"] == "bad_request"
    assert json.loads(wire.ended(given, "k1.a"))["cursor"] == "k1.a"
    assert json.loads(wire.come_back("k1.a", 1.7)) == {"do": "come-back", "after": 1.7, "cursor": "k1.a"}
    assert json.loads(wire.events("k1.a", [b"1", b"2"])) == {"cursor": "k1.a", "events": [1, 2]}
    assert json.loads(wire.ephemeral([b"1"])) == {"events": [1]}
