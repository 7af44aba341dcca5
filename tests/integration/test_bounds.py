"""What one person, one room and the server as a whole may have at most, and what waits with a message that waits."""

from __future__ import annotations

import signal
from base64 import b64encode
from typing import Any

import pytest

from tests.integration.test_files import PIECE, ROOM, Files
from tests.integration.test_moderation import ROOM as LOBBY
from tests.integration.test_moderation import Square
from tests.integration.test_site import Got, Kodama

DAY_MS = 86_400_000


class Sending(Kodama):
    """A server without a socket, and Aiko, who sends files."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.say("hello")
        token = self.ask("POST", "/v1/session", body={"name": "Aiko"}).got.json["token"]
        self.aiko = {"Authorization": f"Bearer {token}"}

    def begin(self, size: int) -> Got:
        name = f"filename {b64encode(b'a.bin').decode()}"
        return self.ask("POST", f"{LOBBY}/files", Upload_Length=str(size), Upload_Metadata=name, **self.aiko).got

    def piece(self, place: str, data: bytes, offset: int) -> Got:
        fields = {"Content_Type": PIECE, "Upload_Offset": str(offset), **self.aiko}
        return self.ask("PATCH", place, body=data, **fields).got


def test_one_person_has_only_so_many_bytes_of_files() -> None:
    server = Sending(files_each=10_000)
    first = server.begin(6000)
    assert first.status == 201
    assert (server.begin(6000).status, server.begin(6000).json["code"]) == (413, "too_large")
    assert server.begin(4000).status == 413  # a file counts 4 KiB at least
    assert server.ask("DELETE", first.fields["location"], **server.aiko).got.status == 204
    assert [server.begin(1).status for _ in range(3)] == [201, 201, 413]


def test_bytes_of_files_come_only_so_fast_and_the_upload_goes_on_where_it_was() -> None:
    server = Sending(limit_exempt="", upload_burst=10, upload_rate=2)
    place = server.begin(100).fields["location"]
    assert server.piece(place, b"x" * 8, 0).status == 204
    late = server.piece(place, b"x" * 8, 8)
    assert (late.status, late.json["code"]) == (429, "rate_limited")
    server.reactor.advance(int(late.fields["retry-after"]))
    assert server.piece(place, b"x" * 8, 8).status == 204


def test_all_rooms_together_have_only_so_many_webhooks() -> None:
    server = Square(hooks_limit=2)
    for room, status in (("a", 201), ("b", 201), ("c", 409)):
        assert server.as_("PUT", "Aiko", f"/v1/rooms/{room}", {"title": "A"}).status == 201
        hook = {"kind": "incoming", "name": "Deploy"}
        assert server.as_("POST", "Aiko", f"/v1/rooms/{room}/hooks", hook).status == status


def test_old_lines_of_the_audit_log_go_and_young_ones_stay() -> None:
    server = Square(audit_days=3)
    assert server.as_("PUT", "Ben", f"{LOBBY}/mutes/{{Chie}}", {"minutes": 5}).status == 200
    assert server.as_("PUT", "Aiko", "/v1/rooms/lobby0", {"title": "beside"}).status == 201
    server.advance(2 * DAY_MS)
    assert server.as_("PUT", "Ben", f"{LOBBY}/mutes/{{Dan}}", {"minutes": 5}).status == 200
    pump(server)
    assert server.did() == ["mute", "mute", "add"]
    server.advance(2 * DAY_MS)
    pump(server)
    assert server.did() == ["mute"]


def test_a_room_keeps_only_so_many_lines_of_its_audit_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kodama.order.pruning.PAGE", 2)
    server = Square(audit_lines=3)
    assert server.as_("PUT", "Aiko", "/v1/rooms/yard", {}).status == 201
    for room in (LOBBY, "/v1/rooms/yard"):
        for _ in range(3):
            assert server.as_("PUT", "Aiko", f"{room}/mutes/{{Dan}}", {}).status == 200
            assert server.as_("DELETE", "Aiko", f"{room}/mutes/{{Dan}}").status == 204
    server.advance(DAY_MS)
    pump(server)
    assert server.did() == ["unmute", "mute", "unmute"]
    yard = server.as_("GET", "Aiko", "/v1/rooms/yard/audit").json["entries"]
    assert [one["did"] for one in yard] == ["unmute", "mute", "unmute"]


def pump(server: Square) -> None:
    """Let the server look after what it looks after twice a second."""
    for _ in range(10):
        server.reactor.advance(0.5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    one = Files(tmp_path_factory.mktemp("held") / "data")
    assert one.ask("PUT", ROOM, {"hold": True}, **one.aiko)[0] == 200
    yield one
    one.stop(signal.SIGTERM)


def send(server: Files, who: dict[str, str]) -> tuple[str, str]:
    """Send a file and a message that shows it, which waits; return the file's address and the message."""
    _, shown = server.ask("POST", f"{ROOM}/files?name=a.txt", {"held": "this is held"}, **who)
    data = {"files": [{"file": shown["file"], "name": "a.txt"}]}
    status, waits = server.ask("POST", f"{ROOM}/messages", {"data": data}, **who)
    assert status == 202
    return shown["url"], waits["held"]


def test_a_file_waits_with_its_message_and_comes_in_with_it(server: Files) -> None:
    chie, dan = server.sign_in("Chie"), server.sign_in("Dan")
    url, held = send(server, chie)
    assert [server.raw("GET", url, **who)[0] for who in (dan, {}, server.aiko, chie)] == [404, 404, 200, 200]
    assert server.raw("GET", f"/v1/files/{url.split('/')[2]}", **dan)[0] == 404
    assert server.ask("POST", f"{ROOM}/held/{held}", {"do": "release"}, **server.aiko)[0] == 200
    assert [server.raw("GET", url, **who)[0] for who in (dan, server.aiko, chie)] == [200, 200, 200]
    server.stop(signal.SIGTERM)
    server.start()
    assert server.raw("GET", url, **server.sign_in("Emi"))[0] == 200


def test_a_file_goes_with_the_message_that_is_refused(server: Files) -> None:
    fumi = server.sign_in("Fumi")
    url, held = send(server, fumi)
    assert server.ask("POST", f"{ROOM}/held/{held}", {"do": "refuse"}, **server.aiko)[0] == 204
    assert server.raw("GET", url, **fumi)[0] == 404
