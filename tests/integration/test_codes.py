"""The codes that the page draws, against a library that draws them, too."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import segno

MODULE = Path(__file__).parents[2] / "src" / "kodama" / "web" / "static" / "js" / "qr.js"
DRAW = "import {{ qr }} from {0}; console.log(JSON.stringify(JSON.parse(process.argv[1]).map(qr)))"
FULL = (  # bytes that fill versions 1 to 40 at level M (ISO/IEC 18004, table 7)
    14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666, 711, 779, 857, 911,
    997, 1059, 1125, 1190, 1264, 1370, 1452, 1538, 1628, 1722, 1809, 1911, 1989, 2099, 2213, 2331,
)  # fmt: skip


def test_every_size_of_code_is_drawn_square_by_square_as_the_library_does() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here")
    texts = ["木霊の部屋" + "x" * (length - 15) if length > 15 else "x" * length for length in FULL]
    code = DRAW.format(json.dumps(MODULE.as_uri()))
    command = [node, "--input-type=module", "-e", code, json.dumps(texts)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    for version, (text, got) in enumerate(zip(texts, json.loads(run.stdout), strict=True), start=1):
        want = segno.make(
            text, error="m", boost_error=False, micro=False, mode="byte", encoding="utf-8", mask=got["mask"]
        )
        assert want.version == version
        assert got["rows"] == [[bool(one) for one in row] for row in want.matrix], version
