"""A room on the pages of other sites, as the server answers for it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kodama.app.settings import BadSetting, Settings
from kodama.core.names import room_name
from kodama.web.embed import lean
from tests.integration.test_site import Got, Kodama

ROOT = Path(__file__).parents[2]
LOADER_LIMIT = 4096
TEA = "/v1/rooms/tea"
SAY_IN_PYTHON = "import runpy; print(runpy.run_path('site.py')['token']('42', 'Aiko'))"


@pytest.fixture
def server() -> Kodama:
    return Kodama(embed_sites=("https://shop.example",))


def ancestors(got: Got) -> list[str]:
    directives = [one.split() for one in got.fields["content-security-policy"].split(";")]
    (found,) = [words for name, *words in directives if name == "frame-ancestors"]
    return found


def test_only_this_server_and_the_sites_that_were_named_may_show_a_room(server: Kodama) -> None:
    assert ancestors(Kodama().get("/embed/tea")) == ["'self'"]
    assert ancestors(server.get("/embed/tea")) == ["'self'", "https://shop.example"]
    owner = server.sign_in("Aiko")
    sites = ["https://Blog.example:443", "https://shop.example", "http://*.lab.example:81"]
    put = server.ask("PUT", TEA, body={"sites": sites}, **owner).got
    assert put.status == 201
    assert put.json["sites"] == ["https://blog.example", "https://shop.example", "http://*.lab.example:81"]
    shown = ancestors(server.get("/embed/TEA"))
    assert shown == ["'self'", "https://shop.example", "https://blog.example", "http://*.lab.example:81"]
    assert ancestors(server.get("/embed/coffee")) == ["'self'", "https://shop.example"]
    server.ask("PUT", TEA, body={"sites": []}, **owner)
    assert ancestors(server.get("/embed/tea")) == ["'self'", "https://shop.example"]


def test_the_frame_has_the_same_strict_page_and_the_page_itself_is_never_framed(server: Kodama) -> None:
    page, frame = server.get("/r/tea", Accept="text/html"), server.get("/embed/tea")
    assert page.fields["x-frame-options"] == "DENY"
    assert ancestors(page) == ["'none'"]
    assert "x-frame-options" not in frame.fields
    cut = [one.fields["content-security-policy"].rpartition("; frame-ancestors")[0] for one in (page, frame)]
    assert cut[0] == cut[1]
    assert "require-trusted-types-for 'script'" in cut[0]
    assert frame.fields["cache-control"] == "no-store"
    assert b'<html class="embed" ' in frame.body
    assert b"noscript" not in frame.body
    assert "set-cookie" not in frame.fields
    assert server.get("/embed/not a room".replace(" ", "%20")).status == 400
    assert server.get("/embed").status == 404


def test_only_an_owner_names_sites_and_only_sites(server: Kodama) -> None:
    owner, guest = server.sign_in("Aiko"), server.sign_in("Ben")
    server.ask("PUT", TEA, body={}, **owner)
    assert server.ask("PUT", TEA, body={"sites": ["https://a.example"]}, **guest).got.status == 403
    member = server.get("/v1/session", **guest).json["user"]["id"]
    server.ask("PUT", f"{TEA}/members/{member}", body={"role": "moderator", "name": "Ben"}, **owner)
    assert server.ask("PUT", TEA, body={"locked": True}, **guest).got.status == 200
    assert server.ask("PUT", TEA, body={"sites": ["https://a.example"]}, **guest).got.status == 403
    for bad in (["https://a.example; script-src *"], ["*"], ["https://a.example/x"], "https://a.example"):
        assert server.ask("PUT", TEA, body={"sites": bad}, **owner).got.status == 400, bad
    many = [f"https://{number}.example" for number in range(21)]
    assert server.ask("PUT", TEA, body={"sites": many}, **owner).got.status == 400
    assert server.ask("PUT", TEA, body={"sites": many[:20]}, **owner).got.status == 200
    server.ask("PUT", TEA, body={"slow": 5}, **owner)
    assert len(server.get(TEA).json["sites"]) == 20


def test_a_setting_that_is_no_site_is_refused_at_the_start() -> None:
    read = Settings.load(
        {"HOME": "/nonexistent", "KODAMA_EMBED_SITES": "https://A.example, http://b.example:81"}
    )
    assert read.embed_sites == ("https://a.example", "http://b.example:81")
    with pytest.raises(BadSetting, match="EMBED_SITES"):
        Settings.load({"HOME": "/nonexistent", "KODAMA_EMBED_SITES": "a.example"})


def test_the_loader_is_small_may_be_used_by_any_page_and_is_what_was_written(server: Kodama) -> None:
    got = server.get("/widget.js", Accept_Encoding="gzip")
    assert got.status == 200
    assert len(got.body) <= LOADER_LIMIT
    assert got.fields["cross-origin-resource-policy"] == "cross-origin"
    assert got.fields["access-control-allow-origin"] == "*"
    assert got.fields["content-type"] == "text/javascript; charset=utf-8"
    source = (ROOT / "src" / "kodama" / "web" / "static" / "widget.js").read_bytes()
    assert gzip.decompress(got.body) == lean(source)
    for forbidden in (
        b"eval(",
        b"Function(",
        b"innerHTML",
        b"insertAdjacent",
        b"document.write",
        b'"*"',
        b"cookie",
    ):
        assert forbidden not in source
    assert server.get("/widget.js", If_None_Match=got.fields["etag"], Accept_Encoding="gzip").status == 304


def test_lean_takes_away_comments_and_indentation_alone() -> None:
    assert lean(
        b'/**\n * Why.\n */\n(() => {\n  /** One. */\n  const a = "/** no */ b";\n\n  f(`x\n    y`);\n})();\n'
    ) == (b'(() => {\nconst a = "/** no */ b";\nf(`x\ny`);\n})();')


def test_the_room_of_a_page_has_a_name_that_is_taken_as_it_is() -> None:
    samples = json.loads((ROOT / "docs" / "spec" / "vectors" / "page-rooms.json").read_text("utf-8"))
    for sample in samples:
        assert room_name(sample["room"]) == sample["room"]
    assert len({sample["room"] for sample in samples}) == len(samples) - 1, "two are one page"


@pytest.mark.parametrize(
    "command", [(sys.executable, "-c", SAY_IN_PYTHON), ("node", "site.mjs", "token"), ("php", "token.php")]
)
def test_the_examples_sign_what_the_server_takes(command: tuple[str, ...], tmp_path: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not here")
    secret = "a secret that only the two of them know"
    run = subprocess.run(
        command, cwd=ROOT / "examples" / "widget", env={**os.environ, "CHAT_SECRET": secret},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (tmp_path / "secret").write_text(secret)
    server = Kodama(jwt_keys=(f"http://localhost:8000 HS256 file:{tmp_path}/secret",))
    opened = server.ask("POST", "/v1/session", body={"jwt": run.stdout.strip()}).got
    assert (opened.status, opened.json["user"]["name"], opened.json["user"]["kind"]) == (201, "Aiko", "host")
