"""The page's files as they are sent."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kodama.web.modules import reached, without_comments
from tests.integration.test_site import Kodama

ROOT = Path(__file__).parents[2]
SCRIPT_LIMIT = 60_000
STYLE_LIMIT = 12_000


@pytest.fixture(scope="module")
def page() -> tuple[Kodama, str]:
    kodama = Kodama()
    return kodama, kodama.get("/r/lobby", Accept="text/html").body.decode()


def test_every_file_that_the_page_names_is_there_and_may_be_kept_for_good(page: tuple[Kodama, str]) -> None:
    kodama, text = page
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
    assert len(names) > 20
    assert any(name.endswith("/client/kodama.js") for name in names)
    for name in names:
        got = kodama.get(name)
        assert got.status == 200, name
        assert got.fields["cache-control"] == "public, max-age=31536000, immutable"
        again = kodama.get(name, If_None_Match=got.fields["etag"])
        assert (again.status, again.fields["cache-control"]) == (304, got.fields["cache-control"])


def test_the_same_files_are_asked_for_again_under_their_plain_names_and_old_versions(
    page: tuple[Kodama, str],
) -> None:
    kodama, _ = page
    for name in ("/static/js/main.js", "/static/@0123456789abcdef/js/main.js"):
        got = kodama.get(name)
        assert (got.status, got.fields["cache-control"]) == (200, "no-cache")
    for name in (
        "/static/@",
        "/static/@/",
        "/static/@0123456789abcdef",
        "/static/@0123456789abcdef/../index.html",
    ):
        assert kodama.get(name).status == 404


def test_the_first_load_is_at_most_60_kb_of_script_and_12_kb_of_style(page: tuple[Kodama, str]) -> None:
    kodama, text = page

    def weight(names: list[str]) -> int:
        bodies = [kodama.get(name, Accept_Encoding="gzip") for name in names]
        assert all(gzip.decompress(one.body) for one in bodies)
        return sum(len(one.body) for one in bodies)

    modules = re.findall(r'rel="modulepreload" href="([^"]+)"', text)
    words = [f"/static/js/words/{language}.js" for language in ("en", "ja")]
    assert weight(modules) + max(weight([one]) for one in words) <= SCRIPT_LIMIT
    assert weight(re.findall(r'rel="stylesheet" href="([^"]+)"', text)) <= STYLE_LIMIT


def test_a_page_may_run_and_load_nothing_but_its_own(page: tuple[Kodama, str]) -> None:
    kodama, text = page
    policy = kodama.get("/", Accept="text/html").fields["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?! type=\"module\" src=\"/static/)|<style|\son\w+=|\sstyle=", text)


def test_what_is_vendored_is_byte_for_byte_what_its_manifest_says() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "scripts" / "vendor"], check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_modules_are_found_through_the_imports_that_come_at_once() -> None:
    files = {
        "js/a.js": b'import { b } from "./b.js";\nimport {\n  c,\n} from "../lib/c.mjs";\nimport("./later.js");\n',
        "js/b.js": b'export { c } from "../lib/c.mjs";\n// from "./comment.js"\n',
        "lib/c.mjs": b"const text = \"from './none.js'\";\n",
    }
    assert reached("js/a.js", files) == ["js/a.js", "js/b.js", "lib/c.mjs"]


def test_a_module_loses_its_comments_and_keeps_its_lines() -> None:
    source = b'/**\n * What it is.\n */\n\nconst a = "/** no */"; // kept\n  /** @type {x} */\nconst b = /** @type {y} */ (a);\n'
    bare = without_comments(source)
    assert bare == b'\n\n\n\nconst a = "/** no */"; // kept\n\nconst b = /** @type {y} */ (a);\n'
    assert bare.count(b"\n") == source.count(b"\n")
