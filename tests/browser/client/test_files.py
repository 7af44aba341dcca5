"""What is published of the JavaScript client: small, made from its sources, and without what a strict policy forbids."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import kodama

ROOT = Path(__file__).parents[3]
CLIENT = ROOT / "src" / "kodama" / "web" / "static" / "client"
SOURCES = sorted((CLIENT / "src").glob("*.js"))
LIMIT = 8192


def test_the_whole_client_is_at_most_8_kb_compressed() -> None:
    assert len(gzip.compress((CLIENT / "kodama.js").read_bytes(), mtime=0)) <= LIMIT


def test_the_module_needs_no_other_file() -> None:
    text = (CLIENT / "kodama.js").read_text("utf-8")
    assert "from\"" not in text
    assert "import(" not in text


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here; CI has it")
def test_the_published_files_are_made_from_the_sources(tmp_path: Path) -> None:
    run = subprocess.run([ROOT / "scripts" / "client", tmp_path], check=False, capture_output=True, text=True)
    if run.returncode and os.environ.get("CI") != "true" and "network" in run.stderr:
        pytest.skip("npm cannot bring esbuild and typescript here; CI can")
    assert run.returncode == 0, run.stderr
    made = {file.relative_to(tmp_path): file.read_text("utf-8") for file in tmp_path.rglob("*.*s")}
    kept = {name: (CLIENT / name).read_text("utf-8") for name in made}
    assert len(made) == len(SOURCES) + 1
    assert made == kept, "run scripts/client"
    assert {file.name for file in (CLIENT / "types").iterdir()} == {f"{file.stem}.d.ts" for file in SOURCES}


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.stem)
def test_a_source_is_small_and_says_what_it_decides(file: Path) -> None:
    text = file.read_text("utf-8")
    assert text.startswith("/**")
    assert "Decided here" in text.partition("*/")[0]
    assert text.count("\n") <= 350
    for forbidden in ("eval(", "Function(", "innerHTML", "document.write", "TODO"):
        assert forbidden not in text


def test_the_package_has_the_servers_version_and_publishes_what_is_there() -> None:
    package = json.loads((CLIENT / "package.json").read_text("utf-8"))
    assert package["version"] == kodama.__version__
    assert "dependencies" not in package
    for name in package["files"]:
        assert (CLIENT / name).exists()
