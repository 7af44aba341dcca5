"""Made-up requests, right and wrong ones, against a real server and what its document says of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)  # fmt: skip

from kodama.web.openapi.operating import describe

EXAMPLES = 300 if os.environ.get("KODAMA_TEST_SIZE") == "soak" else 10
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
schema = schemathesis.openapi.from_dict(describe())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kodama", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, env={**os.environ, "KODAMA_STORE": "memory"},
    )  # fmt: skip
    assert process.stdout is not None
    yield process.stdout.readline().split()[-1].rstrip("/")
    process.kill()
    process.wait(30)
    process.stdout.close()


def hold_nothing(case: Any) -> None:
    """Let a poll that would be held with what was made up be answered at once."""
    given = case.body if case.method == "POST" else case.query
    if case.path in ("/v1/events", "/v1/rooms/{room}/events", "/r/{room}") and isinstance(given, dict):
        wait = given.get("wait")
        if wait is None or re.fullmatch(r"[0-9.]+", str(wait)):
            given["wait"] = 0


@schema.exclude(path="/").parametrize()  # the door of 2011 waits without limit
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck),
          phases=[Phase.explicit, Phase.generate])  # fmt: skip
def test_every_answer_is_one_that_the_document_names(case: Any, address: str) -> None:
    hold_nothing(case)
    case.call_and_validate(base_url=address, timeout=20, checks=CHECKS)
