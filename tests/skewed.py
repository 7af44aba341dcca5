"""Kodama with a wall clock that is wrong by what a file says, in seconds, while it runs:
`python -m tests.skewed FILE serve`. Only the wall clock: intervals are measured as ever."""

from __future__ import annotations

import sys
import time
from pathlib import Path

_file = Path(sys.argv.pop(1))
_right = time.time


def _wrong() -> float:
    return _right() + float(_file.read_text())


if __name__ == "__main__":
    time.time = _wrong  # before anything of ours asks for it by name
    from kodama.app.main import main

    sys.exit(main())
