"""A process that may open few files takes few connections, and one that may ask for more does."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CODE = """
import resource, sys
from kodama.app.descriptors import fitted
from kodama.app.settings import Settings
soft, hard = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
settings = fitted(Settings.load({}, overrides={"connections": 1000}))
print(settings.connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "told"), [(256, 512, "384 512"), (256, 4096, "1000 1128"), (2000, 4096, "1000 2000")]
)
def test_connections_fit_what_may_be_opened(soft: int, hard: int, told: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _CODE, str(soft), str(hard)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert ended.stdout.strip() == told
