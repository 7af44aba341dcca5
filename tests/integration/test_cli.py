"""The commands as people run them, against a real server process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest


def kodama(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kodama", *words], input=typed, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "kodama", "serve", "--port", "0", "--data", str(tmp_path / "data")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            assert line.startswith("Kodama is open at http://127.0.0.1:"), line
            yield line.split()[-1]
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(30)
    assert code == 0


def test_what_is_sent_is_shown_once_and_the_state_file_goes_on_after_it(url: str, tmp_path: Path) -> None:
    state = str(tmp_path / "cursor")
    assert kodama("send", "lobby", "-", "--url", url, "--name", "Aiko", typed="one\ntwo\x1b[2J\n").returncode == 0
    first = kodama("tail", "lobby", "--url", url, "--no-follow", "--state", state)
    assert first.returncode == 0, first.stderr
    assert first.stdout[5:] == " Aiko: one\n      two\\x1b[2J\n"
    assert kodama("send", "lobby", "three\x9b", "--url", url).returncode == 0
    second = kodama("tail", "lobby", "--url", url, "--no-follow", "--state", state, "--json")
    assert [json.loads(line)["text"] for line in second.stdout.splitlines()] == ["three\x9b"]
    assert "\x9b" not in second.stdout


def test_a_refusal_is_one_sentence_and_exit_code_1(url: str) -> None:
    refused = kodama("send", "no[/]room", "x", "--url", url)
    assert refused.returncode == 1
    assert refused.stderr.startswith("kodama: Not sent: ")
    assert "Traceback" not in refused.stderr


def test_a_taken_port_is_said_without_a_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        failed = kodama("serve", "--port", str(taken.getsockname()[1]), "--data", str(tmp_path))
    assert failed.returncode == 1
    assert "kodama: " in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_data_directory_that_is_a_file_is_said_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    failed = kodama("serve", "--port", "0", "--data", str(tmp_path / "data"))
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr


def test_wrong_usage_exits_2() -> None:
    assert kodama("send", "lobby").returncode == 2
    assert kodama("sing").returncode == 2


def test_a_link_made_beside_a_running_server_makes_an_owner_once(url: str, tmp_path: Path) -> None:
    made = kodama("owner", "--data", str(tmp_path / "data"), "--url", url)
    assert made.returncode == 0, made.stderr
    address, _, code = made.stdout.strip().partition("#owner=")
    assert address == url

    def post(path: str, body: object, **fields: str) -> tuple[int, dict[str, object]]:
        asked = urllib.request.Request(f"{url}v1/{path}", json.dumps(body).encode(), fields)
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    token = post("session", {"name": "Aiko"})[1]["token"]
    who = {"Authorization": f"Bearer {token}"}
    assert post("owner", {"code": "guessed"}, **who)[0] == 404
    assert post("owner", {"code": code}, **who)[0] == 200
    assert post("owner", {"code": code}, **who)[0] == 404


def asked(url: str, path: str, body: dict[str, str], **fields: str) -> tuple[int, dict[str, object]]:
    head = {"Content-Type": "application/json", **fields}
    request = urllib.request.Request(f"{url.rstrip('/')}{path}", json.dumps(body).encode(), head)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_an_account_whose_codes_are_lost_is_opened_by_the_operator_beside_the_server(
    url: str, tmp_path: Path
) -> None:
    data = ("--data", str(tmp_path / "data"))
    status, made = asked(url, "/v1/accounts", {"login": "aiko", "password": "a long sentence", "name": "Aiko"})
    assert status == 201
    reset = kodama("account", "reset", " AIKO ", *data)
    assert reset.returncode == 0, reset.stderr
    code = reset.stdout.strip()
    recover = {"login": "aiko", "code": code, "password": "another sentence"}
    assert asked(url, "/v1/accounts/recover", recover)[0] == 200
    assert asked(url, "/v1/accounts/recover", recover)[0] == 401
    assert asked(url, "/v1/session", {"login": "aiko", "password": "a long sentence"})[0] == 401
    assert asked(url, "/v1/session", {"login": "aiko", "password": "another sentence"})[0] == 201
    assert asked(url, "/v1/tickets", {}, Authorization=f"Bearer {made['token']}")[0] == 401
    for wrong in ("nobody", "no body"):
        unknown = kodama("account", "reset", wrong, *data)
        assert unknown.returncode == 1
        assert unknown.stderr.startswith("kodama: ")
        assert "Traceback" not in unknown.stderr
