"""What the doctor makes of facts."""

from __future__ import annotations

from typing import Any

import pytest

from kodama.doctor.findings import Facts, Seen, Verdict, diagnose

SOUND: dict[str, Any] = {
    "secure": True, "patience": 65.0, "seen": Seen("198.51.100.7", "https", forwarded=True), "proxy": "nginx",
    "claim": "192.0.2.77", "claimed": "198.51.100.7", "ready": 0.02, "silence": 15.0, "poll": 65.0,
    "poll_status": 200, "socket": 101,
}  # fmt: skip


def ill(**facts: Any) -> dict[str, str]:
    found = diagnose(Facts(**{**SOUND, **facts}))
    return {one.topic: next(iter(one.advice.values()), "") for one in found if one.verdict is Verdict.ILL}


def test_a_sound_server_has_no_finding_that_is_ill_and_no_advice() -> None:
    found = diagnose(Facts(**SOUND))
    assert {one.verdict for one in found} == {Verdict.WELL}
    assert not any(one.advice for one in found)


@pytest.mark.parametrize(
    ("facts", "topic", "line"),
    [
        ({"ready": 15.0}, "streaming", "proxy_buffering off;"),
        ({"ready": None}, "streaming", "proxy_buffering off;"),
        ({"poll_status": 504, "poll": 60.0}, "long poll", "proxy_read_timeout 150s;"),
        ({"poll_status": 0, "poll": 30.0}, "long poll", "proxy_read_timeout 150s;"),
        ({"cut": 60.0}, "quiet streams", "proxy_read_timeout 150s;"),
        ({"silence": 40.0}, "quiet streams", "proxy_buffering off;"),
        ({"socket": 426}, "WebSocket", "proxy_http_version 1.1;"),
        ({"socket": None}, "WebSocket", "proxy_http_version 1.1;"),
        ({"claimed": "192.0.2.77"}, "client address", "proxy_set_header X-Forwarded-For"),
        ({"seen": Seen("127.0.0.1", "https", forwarded=False)}, "client address", "proxy_set_header"),
        ({"seen": Seen("198.51.100.7", "http", forwarded=True)}, "TLS", "proxy_set_header"),
        ({"seen": None, "failed": "The server answered 421."}, "reachable", "proxy_set_header Host $host;"),
        ({"seen": None, "failed": "The server cannot be reached: refused."}, "reachable", ""),
    ],
)
def test_each_fault_is_named_with_the_line_that_mends_it(
    facts: dict[str, Any], topic: str, line: str
) -> None:
    found = ill(**facts)
    assert set(found) == {topic}
    assert found[topic].startswith(line)


def test_a_direct_connection_may_claim_its_address() -> None:
    assert ill(seen=Seen("127.0.0.1", "https", forwarded=False), proxy=None, claimed="192.0.2.77") == {}
