"""Rooms leave as files and come back, and other programs' rooms come in with their people and times."""

from __future__ import annotations

import json
import re
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kodama.app.main import main
from kodama.archive.mattermost import mattermost
from kodama.archive.past import NoArchive, as_name, as_room
from kodama.archive.slack import slack

AIKO = "アイコ"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def put(place: Path, value: Any) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(value), "utf-8")


@pytest.fixture
def of_slack(tmp_path: Path) -> Path:
    root = tmp_path / "slack"
    put(root / "users.json", [
        {"id": "U1", "name": "aiko", "profile": {"display_name": AIKO}}, {"id": "U2", "name": "ken", "profile": {"real_name": "Ken"}},
    ])  # fmt: skip
    put(root / "channels.json", [{"id": "C1", "name": "general", "topic": {"value": "All of us"}}, {"id": "C2", "name": "empty"}])
    put(root / "groups.json", [{"id": "G1", "name": "private"}])
    put(root / "general/2020-01-02.json", [
        {"type": "message", "user": "U2", "ts": "1577923300.000200", "text": "hi <@U1>", "thread_ts": "1577836900.000100"},
        {"type": "message", "subtype": "channel_join", "user": "U2", "ts": "1577923200.0", "text": "joined"},
        {"type": "message", "bot_id": "B1", "username": "CI", "ts": "1577923400.0", "text": "", "attachments": [{"text": "*green*"}]},
        {"type": "message", "user": "U9", "ts": "1577923500.0", "text": "", "files": [{"name": "a.png", "permalink": "https://f.example/a.png"}]},
    ])  # fmt: skip
    put(root / "general/2020-01-01.json", [
        {"type": "message", "user": "U1", "ts": "1577836900.000100", "text": "first &amp; *bold* &lt;script&gt;", "reactions": [{"name": "tada", "users": ["U2", "U8"]}]},
    ])  # fmt: skip
    put(root / "private/2020-01-01.json", [{"type": "message", "user": "U1", "ts": "1577836900.0", "text": "secret"}])
    return root


@pytest.fixture
def of_mattermost(tmp_path: Path) -> Path:
    lines: list[Any] = [
        {"type": "version", "version": 1},
        {"type": "channel", "channel": {"team": "t", "name": "town-square", "display_name": "Town Square", "type": "O", "header": "Hello"}},
        {"type": "channel", "channel": {"team": "t", "name": "den", "type": "P"}},
        {"type": "user", "user": {"username": "aiko", "nickname": AIKO}},
        {"type": "post", "post": {"team": "t", "channel": "town-square", "user": "ken", "message": "later", "create_at": 1600000001000}},
        {"type": "post", "post": {
            "team": "t", "channel": "town-square", "user": "aiko", "message": "sooner", "create_at": 1600000000000,
            "reactions": [{"user": "ken", "emoji_name": "+1", "create_at": 1}],
            "replies": [{"user": "ken", "message": "a reply", "create_at": 1600000002000}],
        }},
        {"type": "post", "post": {"team": "t", "channel": "den", "user": "aiko", "message": "", "create_at": 1}},
    ]  # fmt: skip
    place = tmp_path / "bulk.jsonl"
    place.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n", "utf-8")
    return place


def exported(data: Path, target: Path, room: str) -> list[Any]:
    assert run("export", target, "--data", data).exit_code == 0
    return [json.loads(line) for line in (target / f"{room}.jsonl").read_text("utf-8").splitlines()]


def test_slacks_rooms_come_in_with_people_times_replies_and_reactions(of_slack: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = run("import", of_slack, "--from", "slack", "--data", data)
    assert done.exit_code == 0, done.output
    about, *events = exported(data, tmp_path / "out", "general")
    assert (about["title"], about["topic"], about["access"]) == ("general", "All of us", "public")
    first, reaction, second, third, fourth = events
    assert (first["text"], first["author"]["name"], first["time"]) == ("first & **bold** <script>", AIKO, "2020-01-01T00:01:40.000Z")
    assert (reaction["emoji"], reaction["target"], reaction["author"]["name"]) == ("tada", 1, "Ken")
    assert (second["text"], second["data"]) == (f"hi @{AIKO}", {"reply": 1})
    assert (third["text"], third["author"]["kind"], third["author"]["name"]) == ("**green**", "bot", "CI")
    assert fourth["text"] == "https://f.example/a.png"
    private, *_ = exported(data, tmp_path / "out", "private")
    assert private["access"] == "secret"


def test_a_second_import_takes_only_what_is_new(of_slack: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run("import", of_slack, "--from", "slack", "--data", data)
    put(of_slack / "general/2020-01-03.json", [{"type": "message", "user": "U1", "ts": "1578009700.0", "text": "news"}])
    again = run("import", of_slack, "--from", "slack", "--data", data)
    assert "general: 1 of 5 messages are new." in again.output
    assert len(exported(data, tmp_path / "out", "general")) == 1 + 6


def test_a_zip_is_read_as_a_folder_is(of_slack: Path, tmp_path: Path) -> None:
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in of_slack.rglob("*.json"):
            archive.write(file, file.relative_to(of_slack))
    assert list(slack(packed)) == list(slack(of_slack))


def test_mattermosts_rooms_come_in(of_mattermost: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run("import", of_mattermost, "--from", "mattermost", "--data", data).exit_code == 0
    about, *events = exported(data, tmp_path / "out", "town-square")
    assert (about["title"], about["topic"]) == ("Town Square", "Hello")
    said = [(event["text"], event["author"]["name"], event["data"]) for event in events if event["type"] == "message"]
    assert said == [("sooner", AIKO, None), ("later", "ken", None), ("a reply", "ken", {"reply": 1})]
    assert [event["emoji"] for event in events if event["type"] == "reaction"] == ["+1"]
    packed = tmp_path / "bulk.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(of_mattermost, "import.jsonl")
    assert list(mattermost(packed)) == list(mattermost(of_mattermost))


def test_what_we_wrote_we_read(of_slack: Path, tmp_path: Path) -> None:
    run("import", of_slack, "--from", "slack", "--data", tmp_path / "data")
    before = exported(tmp_path / "data", tmp_path / "out", "general")
    assert run("import", tmp_path / "out", "--from", "kodama", "--data", tmp_path / "other").exit_code == 0
    after = exported(tmp_path / "other", tmp_path / "again", "general")
    assert [message(event) for event in before[1:]] == [message(event) for event in after[1:]]


def message(event: Any) -> Any:
    return {key: event.get(key) for key in ("type", "offset", "time", "author", "text", "data", "target", "emoji", "op")}


def test_a_page_needs_nothing_else_and_runs_nothing_that_was_written(of_slack: Path, tmp_path: Path) -> None:
    run("import", of_slack, "--from", "slack", "--data", tmp_path / "data")
    assert run("export", tmp_path / "out", "--html", "--data", tmp_path / "data").exit_code == 0
    page = (tmp_path / "out/general.html").read_text("utf-8")
    assert page.count("<script>") == 1
    assert "first &amp; **bold** &lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!#|https://f\.example)', page)
    assert "tada 1" in page
    assert AIKO in page


def test_files_are_their_owners_only(of_slack: Path, tmp_path: Path) -> None:
    run("import", of_slack, "--from", "slack", "--data", tmp_path / "data")
    run("export", tmp_path / "out", "--data", tmp_path / "data")
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "out").iterdir()} == {0o600}


def test_one_room_can_be_chosen_and_one_that_is_not_there_is_said(of_slack: Path, tmp_path: Path) -> None:
    run("import", of_slack, "--from", "slack", "--data", tmp_path / "data")
    done = run("export", tmp_path / "out", "--room", "General", "--room", "nowhere", "--data", tmp_path / "data")
    assert done.exit_code == 1
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["general.jsonl"]


@pytest.mark.parametrize("kind", ["slack", "mattermost", "kodama"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"PK\x03\x04broken", b"\xff\xfe", b'{"type":"post","post":{}}\n'])
def test_what_is_no_export_is_said_and_nothing_is_written(kind: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    done = run("import", tmp_path / "file", "--from", kind, "--data", tmp_path / "data")
    assert done.exit_code == 1
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert not (tmp_path / "data/kodama.sqlite3").exists()


def test_there_is_nothing_to_export_where_nothing_is(tmp_path: Path) -> None:
    assert run("export", tmp_path / "out", "--data", tmp_path / "data").exit_code == 1


@pytest.mark.parametrize(("given", "room"), [("General", "general"), ("a b/c", "a-b-c"), ("..x", "x"), ("会議", "会議"), ("x" * 80, "x" * 64)])
def test_any_name_becomes_a_rooms(given: str, room: str) -> None:
    assert as_room(given) == room


def test_a_name_that_has_nothing_left_is_refused_or_unknown() -> None:
    with pytest.raises(NoArchive):
        as_room("///")
    assert as_name("\u200b") == "Unknown"
    assert as_name("x" * 80) == "x" * 40
