"""Files come in pieces, are served as what they are, and go with their message."""

from __future__ import annotations

import json
import signal
import socket
from base64 import b64encode
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_server import Server
from tests.unit.test_pictures import SAMPLES, SECRET

ROOM = "/v1/rooms/ops"
PIECE = "application/offset+octet-stream"


class Files(Server):
    """A server, and a client of its files."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.start()
        self.aiko = self.sign_in("Aiko")
        assert self.ask("PUT", ROOM, {"title": "Ops"}, **self.aiko)[0] == 201

    def memory(self) -> int:
        """Return how many bytes the server has in memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096

    def sign_in(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.ask('POST', '/v1/session', {'name': name})[1]['token']}"}

    def raw(self, method: str, target: str, body: bytes = b"", **fields: str) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, target, body, {name.replace("_", "-"): value for name, value in fields.items()})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def begin(self, name: str, size: int, **fields: str) -> tuple[int, dict[str, str], bytes]:
        metadata = f"filename {b64encode(name.encode()).decode()}"
        return self.raw("POST", f"{ROOM}/files", Upload_Length=str(size), Upload_Metadata=metadata, **(fields or self.aiko))

    def add(self, place: str, piece: bytes, offset: int, **fields: str) -> tuple[int, dict[str, str], bytes]:
        return self.raw("PATCH", place, piece, Content_Type=PIECE, Upload_Offset=str(offset), **(fields or self.aiko))

    def put(self, name: str, data: bytes) -> Any:
        """Send a file in pieces; return what is said of it."""
        _, fields, _ = self.begin(name, len(data))
        place = fields["location"]
        for offset in range(0, len(data), 300):
            status, said, _ = self.add(place, data[offset : offset + 300], offset)
            assert (status, said["upload-offset"]) == (204, str(min(len(data), offset + 300)))
        return self.ask("GET", place, **self.aiko)[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    one = Files(tmp_path_factory.mktemp("files") / "data")
    yield one
    one.stop(signal.SIGTERM)


def test_a_picture_comes_in_pieces_and_loses_its_secrets(server: Files) -> None:
    said = server.put("写真.jpg", SAMPLES["jpeg"])
    assert (said["type"], said["width"], said["height"], said["whole"], said["name"]) == ("image/jpeg", 40, 20, True, "写真.jpg")
    status, fields, body = server.raw("GET", said["url"], **server.aiko)
    assert (status, fields["content-type"]) == (200, "image/jpeg")
    assert SECRET not in body
    assert len(body) == said["size"]
    assert fields["content-disposition"].startswith("inline")
    assert "sandbox" in fields["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.html", b"<script>alert(1)</script>"), ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("cat.png", b"<html>no cat</html>"), ("empty.txt", b""), ("x.pdf", b"%PDF-1.7"),
    ],
)  # fmt: skip
def test_whatever_is_no_picture_is_to_be_saved(server: Files, name: str, data: bytes) -> None:
    said = server.put(name, data)
    status, fields, body = server.raw("GET", said["url"], **server.aiko)
    assert (status, fields["content-type"], body) == (200, "application/octet-stream", data)
    assert fields["content-disposition"].startswith("attachment")
    assert fields["x-content-type-options"] == "nosniff"


def test_a_cut_costs_one_piece(server: Files) -> None:
    _, fields, _ = server.begin("a.bin", 10)
    place = fields["location"]
    assert server.add(place, b"01234", 0)[0] == 204
    status, head, _ = server.raw("HEAD", place, **server.aiko)
    assert (status, head["upload-offset"], head["upload-length"], head["cache-control"]) == (200, "5", "10", "no-store")
    assert server.add(place, b"01234", 0)[0] == 409, "it came already"
    assert server.add(place, b"789", 7)[0] == 409, "a piece is missing"
    assert server.add(place, b"567890", 5)[0] == 409, "it is more than was announced"
    assert server.add(place, b"56789", 5)[0] == 204
    assert server.add(place, b"x", 10)[0] == 409, "it is whole"
    said = server.ask("GET", place, **server.aiko)[1]
    assert server.raw("GET", said["url"], **server.aiko)[2] == b"0123456789"


def test_what_was_begun_goes_on_after_a_crash(tmp_path: Path) -> None:
    server = Files(tmp_path / "data")
    try:
        place = server.begin("a.bin", 6)[1]["location"]
        server.add(place, b"abc", 0)
        server.stop(signal.SIGKILL)
        server.start()
        assert server.raw("HEAD", place, **server.aiko)[1]["upload-offset"] == "3"
        assert server.add(place, b"def", 3)[0] == 204
        assert server.raw("GET", server.ask("GET", place, **server.aiko)[1]["url"], **server.aiko)[2] == b"abcdef"
    finally:
        server.stop(signal.SIGTERM)


def test_a_small_file_is_sent_whole(server: Files) -> None:
    status, fields, _ = server.raw("POST", f"{ROOM}/files?name=note.txt", b"hello", **server.aiko)
    assert status == 201
    said = server.ask("GET", fields["location"], **server.aiko)[1]
    assert (said["whole"], said["size"]) == (True, 5)


def test_a_file_goes_with_the_message_that_shows_it(server: Files) -> None:
    said = server.put("a.bin", b"secret")
    shown = {"text": "look", "data": {"files": [{"file": said["file"]}]}}
    stored = server.ask("POST", f"{ROOM}/messages", shown, **server.aiko)[1]
    assert server.raw("GET", said["url"], **server.aiko)[0] == 200
    assert server.ask("DELETE", f"{ROOM}/messages/{stored['offset']}", **server.aiko)[0] == 200
    until(lambda: server.raw("GET", said["url"], **server.aiko)[0] == 404)
    assert not any(b"secret" in path.read_bytes() for path in (server.data / "files").iterdir())


def test_nobody_makes_somebody_elses_file_go(server: Files) -> None:
    said = server.put("a.bin", b"mine")
    ben = server.sign_in("Ben")
    shown = {"text": "x", "data": {"files": [{"file": said["file"]}]}}
    stored = server.ask("POST", f"{ROOM}/messages", shown, **ben)[1]
    assert server.ask("DELETE", f"{ROOM}/messages/{stored['offset']}", **ben)[0] == 200
    own = server.put("b.bin", b"another")
    own_message = server.ask("POST", f"{ROOM}/messages", {"text": "x", "data": {"files": [{"file": own["file"]}]}}, **server.aiko)[1]
    server.ask("DELETE", f"{ROOM}/messages/{own_message['offset']}", **server.aiko)
    until(lambda: server.raw("GET", own["url"], **server.aiko)[0] == 404)
    assert server.raw("GET", said["url"], **server.aiko)[0] == 200
    assert server.ask("DELETE", f"/v1/files/{said['file']}", **ben)[0] == 403
    assert server.ask("DELETE", f"/v1/files/{said['file']}", **server.aiko)[0] == 204
    assert server.raw("GET", said["url"], **server.aiko)[0] == 404


def test_who_may_not_read_the_room_may_not_fetch_its_files(server: Files) -> None:
    said = server.put("a.bin", b"x")
    server.ask("PUT", ROOM, {"access": "secret"}, **server.aiko)
    try:
        assert server.raw("GET", said["url"])[0] == 404
        assert server.ask("GET", f"/v1/files/{said['file']}")[0] == 404
        assert server.begin("b.bin", 1, **server.sign_in("Ben"))[0] == 404
        ticket = server.ask("POST", "/v1/tickets", {"rooms": ["ops"]}, **server.aiko)[1]["ticket"]
        assert server.raw("GET", f"{said['url']}?ticket={ticket}")[0] == 200
    finally:
        server.ask("PUT", ROOM, {"access": "public"}, **server.aiko)


def test_who_may_not_write_puts_no_files_and_who_is_banned_fetches_none(server: Files) -> None:
    ben = server.sign_in("Ben")
    person = server.ask("GET", "/v1/session", **ben)[1]["user"]["id"]
    said = server.put("a.bin", b"x")
    assert server.raw("GET", said["url"], **ben)[0] == 200
    assert server.ask("PUT", f"{ROOM}/mutes/{person}", {"minutes": 5}, **server.aiko)[0] == 200
    assert server.begin("b.bin", 1, **ben)[0] == 403
    assert server.raw("GET", said["url"], **ben)[0] == 200
    assert server.ask("PUT", f"{ROOM}/bans/{person}", {"minutes": 5}, **server.aiko)[0] == 200
    assert server.raw("GET", said["url"], **ben)[0] == 403


def test_a_moderator_removes_other_peoples_files(server: Files) -> None:
    ben = server.sign_in("Ben")
    place = server.raw("POST", f"{ROOM}/files?name=a.txt", b"x", **ben)[1]["location"]
    assert server.ask("DELETE", place, **server.sign_in("Cleo"))[0] == 403
    assert server.ask("DELETE", place, **server.aiko)[0] == 204


def test_a_large_file_is_sent_in_pieces_to_whoever_takes_its_time(server: Files) -> None:
    size, memory = 2_000_000, server.memory()
    url = large(server, size)["url"]
    _, head, body = server.raw("HEAD", url, **server.aiko)
    assert (head["content-length"], body) == (str(size), b"")
    fields = "".join(f"{name}: {value}\r\n" for name, value in server.aiko.items())
    asking = f"GET {url} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode()
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    for one in slow[1:]:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for one in slow:
        one.sendall(asking)
    status, got, body = server.raw("GET", url, **server.aiko)
    assert (status, got["content-length"], body) == (200, str(size), b"x" * size)
    assert server.memory() - memory < 40_000_000, "fifty clients cost fifty files"
    for one in slow[1:]:
        one.close()
    taken = b""
    while len(taken.partition(b"\r\n\r\n")[2]) < size:
        taken += slow[0].recv(65536)
    slow[0].sendall(asking.replace(b"Host:", b"Connection: close\r\nHost:"))
    assert slow[0].recv(12) == b"HTTP/1.1 200", "the connection serves the next request"
    slow[0].close()


def large(server: Files, size: int) -> Any:
    """Put a file of many pieces."""
    _, fields, _ = server.begin("large.bin", size)
    for offset in range(0, size, 65536):
        assert server.add(fields["location"], b"x" * min(65536, size - offset), offset)[0] == 204
    return server.ask("GET", fields["location"], **server.aiko)[1]


def test_what_cannot_be_is_refused_with_a_code(server: Files) -> None:
    place = server.begin("a.bin", 5)[1]["location"]
    assert server.begin("big.bin", 11 * 1024 * 1024)[0] == 413
    assert server.begin("...", 1)[0] == 400
    assert server.raw("POST", f"{ROOM}/files", Upload_Length="x", Upload_Metadata="filename YQ==", **server.aiko)[0] == 400
    assert server.raw("POST", f"{ROOM}/files", Upload_Length="1", Upload_Metadata="filename !", **server.aiko)[0] == 400
    assert server.raw("POST", f"{ROOM}/files", Upload_Length="1", **server.aiko)[0] == 400
    assert server.raw("POST", f"{ROOM}/files?name=a", b"x")[0] == 403, "without a session"
    assert server.raw("POST", "/v1/rooms/nowhere/files?name=a", b"x", **server.aiko)[0] == 404
    assert server.raw("PATCH", place, b"x", Upload_Offset="0", **server.aiko)[0] == 415
    assert server.raw("PATCH", place, b"x", Content_Type=PIECE, **server.aiko)[0] == 400
    assert server.add(place, b"x", 0, **server.sign_in("Ben"))[0] == 403
    assert server.raw("PATCH", place, b"x", Content_Type=PIECE, Upload_Offset="0", Origin="https://evil.example", **server.aiko)[0] == 403
    for path in ("/v1/files/../../etc", "/files/..%2f..%2fetc/passwd", "/v1/files/" + "A" * 22, "/files/x"):
        assert server.raw("GET", path, **server.aiko)[0] == 404
    assert server.raw("GET", f"/files/{place.rpartition('/')[2]}/a.bin", **server.aiko)[0] == 404, "it is not whole"


def until(condition: Any) -> None:
    import time

    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_files_are_put_by_whoever_may_write_and_go_with_what_a_moderator_takes_back(server: Files) -> None:
    den, ben = "/v1/rooms/den", server.sign_in("Ben")
    who = server.ask("GET", "/v1/session", **ben)[1]["user"]["id"]
    assert server.ask("PUT", den, {"access": "members"}, **server.aiko)[0] == 201
    assert server.raw("POST", f"{den}/files?name=a.txt", b"secret", **ben)[0] == 403
    assert server.ask("PUT", f"{den}/members/{who}", {}, **server.aiko)[0] == 200
    status, _, body = server.raw("POST", f"{den}/files?name=a.txt", b"secret", **ben)
    assert status == 201
    shown = json.loads(body)
    said = server.ask("POST", f"{den}/messages", {"text": "x", "data": {"files": [shown]}}, **ben)
    assert said[0] == 201, said
    assert server.raw("GET", shown["url"], **ben)[2] == b"secret"
    assert server.ask("PUT", f"{den}/mutes/{who}", {}, **server.aiko)[0] == 200
    assert server.raw("POST", f"{den}/files?name=b.txt", b"more", **ben)[0] == 403
    assert server.ask("POST", f"{den}/purge", {"user": who, "minutes": 5}, **server.aiko)[1] == {"removed": 1}
    until(lambda: server.raw("GET", shown["url"], **ben)[0] == 404)
    assert server.ask("PUT", f"{den}/bans/{who}", {}, **server.aiko)[0] == 200
    assert server.raw("GET", shown["url"], **ben)[0] in (403, 404)
