"""Every way in, by the file that serves it: how one asks, and what the bytes mean."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, urlencode

from kodama.core.names import room_name
from tests.conformance.transports.house import Wire, request
from tests.conformance.transports.reader import Adapter, Record
from tests.http import sockets

TARGET = "/v1/events"


class Head:
    """An answer's head, if it is whole, and what has come of its body."""

    def __init__(self, got: bytes) -> None:
        head, end, self.raw = got.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n") if end else [""]
        self.whole = bool(end)
        self.status = int(lines[0].split(" ")[1]) if end else 0
        pairs = [line.partition(": ") for line in lines[1:]]
        self.fields = {name.lower(): value for name, _, value in pairs}
        self.size = len(head) + 4
        self.length = int(self.fields.get("content-length", "0"))

    @property
    def body(self) -> bytes:
        """Return what has come of the body, without its chunks' sizes."""
        if self.fields.get("transfer-encoding") != "chunked":
            return self.raw
        rest, body = self.raw, b""
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            if int(size, 16) == 0:  # the answer ends here, whatever a server may send after it
                assert rest in (b"\r\n", b"\r", b""), rest
                break
            body += rest[: int(size, 16)]
            rest = rest[int(size, 16) + 2 :]
        return body

    @property
    def complete(self) -> bool:
        """Return whether an answer of known length has come in full."""
        return self.whole and "content-length" in self.fields and len(self.raw) >= self.length


class Http(Adapter):
    """What all but WebSocket share: a GET."""

    accept = "application/json"

    def connect(self, since: str, wire: Wire | None) -> Wire:
        asked = request("GET", self.target(since), **self.fields(since))
        if wire is None:
            return Wire(self.house, asked)
        wire.send(asked)
        return wire

    def fields(self, since: str) -> dict[str, str]:
        return {
            "Accept": self.accept,
            **{name: value for name, value in self.wish.who.items() if name != "ticket"},
        }

    def target(self, since: str) -> str:
        wish = self.wish
        asked: list[tuple[str, str]] = [("room", room) for room in wish.rooms]
        asked += [("since", since), *self.more()]
        asked += [("presence", "1")] if wish.presence else []
        asked += [("limit", str(wish.limit))] if wish.limit else []
        asked += [("wait", str(wish.hold))] if wish.hold is not None else []
        asked += [("client", wish.client)] if wish.client else []
        if len(wish.rooms) == 1:
            return f"/v1/rooms/{quote(wish.rooms[0])}/events?{urlencode(asked[1:])}"
        return f"{TARGET}?{urlencode(asked)}"

    def more(self) -> list[tuple[str, str]]:
        return []

    def records(self, got: bytes) -> list[Record]:
        head = Head(got)
        if not head.whole:
            return []
        if head.status != 200:
            return [Record(problem=json.loads(head.raw))] if head.complete else []
        return self.told(head)

    def told(self, head: Head) -> list[Record]:
        raise NotImplementedError

    def length(self, got: bytes) -> int | None:
        head = Head(got)
        return head.size + head.length if head.complete else None

    def reply(self, wire: Wire, got: bytes) -> None:
        pass

    def goodbye(self, wire: Wire) -> None:
        pass  # the server closes


class LongPoll(Http):
    """An answer when there is something."""

    name = "longpoll"
    polls = True

    def told(self, head: Head) -> list[Record]:
        return [answered(json.loads(head.raw))] if head.complete else []


class Jsonp(Http):
    """The same as a call. A script sends no header fields: who it is, a ticket says."""

    name = "jsonp"
    polls = True
    accept = "*/*"

    def fields(self, since: str) -> dict[str, str]:
        return {"Accept": self.accept, "Sec_Fetch_Dest": "script"}

    def more(self) -> list[tuple[str, str]]:
        ticket = self.wish.who.get("ticket")
        if ticket is None and self.wish.who:
            _, made = self.house.ask("POST", "/v1/tickets", body={"rooms": self.wish.rooms}, **self.wish.who)
            ticket = made.get("ticket")
        return [("callback", "kodama.take"), *([("ticket", ticket)] if ticket else [])]

    def told(self, head: Head) -> list[Record]:
        if not head.complete:
            return []
        called = re.fullmatch(rb"/\*\*/kodama\.take\((.*)\);", head.raw)
        assert called, head.raw
        value = json.loads(called[1])
        return [Record(problem=value["error"])] if "error" in value else [answered(value)]


class Sse(Http):
    """What a browser's EventSource does (WHATWG HTML 9.2.6), with ``Last-Event-ID`` when it comes back."""

    name = "sse"
    accept = "text/event-stream"

    def fields(self, since: str) -> dict[str, str]:
        known = {"Last_Event_ID": since} if since.startswith("k1.") else {}
        return {**super().fields(since), **known}

    def target(self, since: str) -> str:
        return super().target(self.wish.since)

    def told(self, head: Head) -> list[Record]:
        found, fields = [], {}
        lines = re.split(r"\r\n|\r|\n", head.body.decode("utf-8", "ignore"))
        for line in lines[:-1]:
            if line:
                name, _, value = line.partition(":")
                fields[name] = (
                    fields.get(name, "")
                    + ("\n" if name == "data" and name in fields else "")
                    + value.removeprefix(" ")
                )
            else:
                found += [one_told(json.loads(fields["data"]), fields.get("id"))] if "data" in fields else []
                assert fields.get("event", "") == (
                    json.loads(fields["data"])["type"] if "data" in fields else ""
                )
                fields = {}
        return found


class Ndjson(Http):
    """One record a line."""

    name = "ndjson"
    accept = "application/x-ndjson"

    def told(self, head: Head) -> list[Record]:
        found = []
        for line in head.body.split(b"\n")[:-1]:
            if line:
                value = json.loads(line)
                found.append(one_told(value, value.pop("cursor", None)))
        return found


class Text(Http):
    """Lines for people; a reader of them has no cursor and begins where it wants."""

    name = "text"
    accept = "text/plain"
    resumes = False
    _line = re.compile(r"\d\d:\d\d (?:\[(?P<room>[^\]]*)\] )?(?P<name>[^:]*): (?P<text>.*)", re.DOTALL)

    def told(self, head: Head) -> list[Record]:
        found: list[str] = []
        for line in head.body.decode("utf-8", "ignore").split("\n")[:-1]:
            if line.startswith("      "):
                found[-1] += "\n" + line[6:]
            elif line:
                found.append(line)
        return [self._one(line) for line in found]

    def _one(self, line: str) -> Record:
        if after := re.fullmatch(r"-- The server goes down; come back in ([\d.]+) s\.", line):
            return Record(after=float(after[1]))
        if lost := re.fullmatch(r"-- events(?: (\d+) to (\d+))? of (.*) are gone \((.*)\)", line):
            first, last = (None if end is None else int(end) for end in lost.groups()[:2])
            return Record(
                events=[{"type": "gap", "room": lost[3], "from": first, "to": last, "reason": lost[4]}]
            )
        said = self._line.fullmatch(line)
        if said is not None:
            room = said["room"] or room_name(self.wish.rooms[0])
            return Record(
                events=[{"type": "message", "room": room, "text": said["text"], "name": said["name"]}]
            )
        return (
            Record(problem={"detail": line[3:]})
            if line.startswith("-- ")
            else Record(events=[{"type": "line", "line": line}])
        )


class Door(Http):
    """What a client of 2011 does that keeps its cookies: one message a poll, of the lobby, from now on."""

    name = "legacy"
    polls = True
    resumes = False

    def target(self, since: str) -> str:
        return "/?callback=fn"

    def fields(self, since: str) -> dict[str, str]:
        return {"Cookie": f"theme=dark; kodama_2011={since}"} if since.startswith("k1.") else {}

    def told(self, head: Head) -> list[Record]:
        if not head.complete:
            return []
        called = re.fullmatch(rb"fn\((.*)\)", head.raw)
        assert called, head.raw
        cookie = re.fullmatch(r"kodama_2011=(k1\.[^;]*); Path=/; .*", head.fields["set-cookie"])
        assert cookie
        return [Record(events=[json.loads(called[1])], cursor=cookie[1])]


class WebSocket(Adapter):
    """One connection that is spoken on."""

    name = "websocket"
    _pongs = 0

    def connect(self, since: str, wire: Wire | None) -> Wire:
        wish = self.wish
        self._pongs = 0
        asked = request(
            "GET", "/v1/ws", Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Version="13",
            Sec_WebSocket_Key=sockets.KEY.decode(), Sec_WebSocket_Protocol="kodama.v1", **wish.who,
        )  # fmt: skip
        wire = Wire(self.house, asked)
        if wire.got.startswith(b"HTTP/1.1 101 "):
            wire.send(
                command("subscribe", rooms=dict.fromkeys(wish.rooms, since), presence=wish.presence, ref=1)
            )
        return wire

    def records(self, got: bytes) -> list[Record]:
        head = Head(got)
        if not head.whole:
            return []
        if head.status != 101:
            return [Record(problem=json.loads(head.raw))]
        return [
            self._told(json.loads(one.payload)) for one in sockets.frames(whole(head.raw)) if one.opcode == 1
        ]

    def length(self, got: bytes) -> int | None:
        return None

    def reply(self, wire: Wire, got: bytes) -> None:
        head = Head(got)
        pings = (
            [one for one in sockets.frames(whole(head.raw)) if one.opcode == 9] if head.status == 101 else []
        )
        for one in pings[self._pongs :]:
            wire.send(sockets.frame(10, one.payload))
        self._pongs = len(pings)

    def goodbye(self, wire: Wire) -> None:
        wire.send(sockets.close(1001))
        wire.hang_up()

    def _told(self, value: dict[str, Any]) -> Record:
        if "ok" in value:
            return Record(cursor=value["ok"]["cursor"], started=value["ok"].get("started", {}))
        return Record(
            events=value.get("events", ()),
            cursor=value.get("cursor"),
            problem=value.get("error"),
            after=value.get("after"),
        )


def answered(value: dict[str, Any]) -> Record:
    """Return a poll's answer."""
    return Record(
        events=value["events"], cursor=value["cursor"], started=value.get("started", {}), after=value.get("after"),
        ticket=value.get("ticket"),
    )  # fmt: skip


def one_told(value: dict[str, Any], cursor: str | None) -> Record:
    """Return one record of a stream."""
    match value["type"]:
        case "ready":
            return Record(cursor=value["cursor"] if cursor is None else cursor, started=value["started"])
        case "problem":
            return Record(problem=value)
        case "come-back":
            return Record(after=value["after"], cursor=cursor)
    return Record(events=[value], cursor=cursor)


def command(do: str, **more: object) -> bytes:
    """Return a command as a frame."""
    return sockets.text(json.dumps({"do": do, **more}))


def whole(data: bytes) -> bytes:
    """Return the frames that are whole."""
    at = 0
    while len(data) >= at + 2:
        size, start = data[at + 1], at + 2
        if size > 125:
            start += 2 if size == 126 else 8
            size = int.from_bytes(data[at + 2 : start], "big")
        if len(data) < start + size:
            break
        at = start + size
    return data[:at]
