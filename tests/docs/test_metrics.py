"""Every metric that a node reports is explained, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from kodama.metrics import Metrics
from kodama.store.memory import MemoryStore
from kodama.web.operations import Operations

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


def test_the_reference_explains_every_metric_and_no_other() -> None:
    operations = Operations(
        Metrics(),
        MemoryStore(lambda: 0),
        waiting=lambda: {"longpoll": 1},
        connections=lambda: 0,
        present=lambda: (0, 0),
    )
    reported = {family.name for family in operations.collect()}
    explained = re.findall(r"^\| `(kodama_\w+)` \|", REFERENCE.read_text("utf-8"), re.MULTILINE)
    assert sorted(explained) == sorted(reported)
