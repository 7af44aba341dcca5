"""Autobahn's cases 1 to 7, against RFC 6455; each fed whole, octet by octet and cut in two."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from kodama.http.websocket import SocketLimits
from tests.http.sockets import EchoSite, Frame, close, frame, text

OPEN, TEXT, BINARY, PING, PONG = 0, 1, 2, 9, 10


@dataclass(frozen=True)
class Case:
    """What a client sends, what comes back before the close, and the close's code (None: stays open)."""

    sent: bytes
    back: tuple[Frame, ...] = ()
    code: int | None = None


def echoed(*texts: str) -> tuple[Frame, ...]:
    return tuple(Frame(TEXT, one.encode()) for one in texts)


LIMITS = SocketLimits(message=300_000)
CASES: dict[str, Case] = {}
BYE = close(1000)


def case(name: str, sent: bytes, *back: Frame, code: int | None = 1000) -> None:
    CASES[name] = Case(sent + (BYE if code == 1000 else b""), back, code)


def broken(name: str, sent: bytes, *back: Frame, code: int = 1002) -> None:
    # what follows a violation is never answered
    CASES[name] = Case(sent + frame(PING, b"too late"), back, code)


# 1: sizes
for number, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
    case(f"1.1.{number}", text("*" * size), Frame(TEXT, b"*" * size))
    case(f"1.2.{number}", frame(BINARY, b"\xfe" * size), Frame(BINARY, b"\xfe" * size))

# 2: pings and pongs
case("2.1", frame(PING), Frame(PONG, b""))
case("2.2", frame(PING, b"Hello, world!"), Frame(PONG, b"Hello, world!"))
BYTES = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
case("2.3", frame(PING, BYTES), Frame(PONG, BYTES))
case("2.4", frame(PING, b"\xfe" * 125), Frame(PONG, b"\xfe" * 125))
broken("2.5", frame(PING, b"\xfe" * 126))
case("2.6", frame(PING, b"\xfe" * 125) * 2, *[Frame(PONG, b"\xfe" * 125)] * 2)
case("2.7", frame(PONG))
case("2.8", frame(PONG, b"unsolicited pong payload"))
case("2.9", frame(PONG, b"unsolicited") + frame(PING, b"ping"), Frame(PONG, b"ping"))
case("2.10", b"".join(frame(PING, b"payload-%d" % n) for n in range(10)),
     *(Frame(PONG, b"payload-%d" % n) for n in range(10)))  # fmt: skip
case("2.11", b"".join(frame(PING, b"payload-%d" % n) for n in range(10)),
     *(Frame(PONG, b"payload-%d" % n) for n in range(10)))  # fmt: skip

# 3: reserved bits
HELLO = text("Hello, world!")
broken("3.1", text("Hello", rsv=1))
broken("3.2", HELLO + text("Hello", rsv=2), *echoed("Hello, world!"))
broken("3.3", HELLO + text("Hello", rsv=3), *echoed("Hello, world!"))
broken("3.4", HELLO + text("Hello", rsv=4), *echoed("Hello, world!"))
broken("3.5", frame(BINARY, b"\0\xff", rsv=5))
broken("3.6", frame(PING, b"a", rsv=6))
broken("3.7", frame(8, b"\x03\xe8", rsv=7))

# 4: opcodes
for number, opcode in enumerate((3, 4), 1):
    broken(f"4.1.{number}", frame(opcode, b"" if number == 1 else b"reserved opcode payload"))
for number, opcode in enumerate((5, 6, 7), 3):
    broken(f"4.1.{number}", HELLO + frame(opcode, b"x"), *echoed("Hello, world!"))
for number, opcode in enumerate((11, 12), 1):
    broken(f"4.2.{number}", frame(opcode, b"" if number == 1 else b"reserved opcode payload"))
for number, opcode in enumerate((13, 14, 15), 3):
    broken(f"4.2.{number}", HELLO + frame(opcode, b"x"), *echoed("Hello, world!"))

# 5: fragments
ONE, TWO = text("fragment1", final=False), frame(0, b"fragment2")
WHOLE = echoed("fragment1fragment2")
broken("5.1", frame(PING, b"fragment1", final=False) + frame(0, b"fragment2"))
broken("5.2", frame(PONG, b"fragment1", final=False) + frame(0, b"fragment2"))
case("5.3", ONE + TWO, *WHOLE)
case("5.4", ONE + TWO, *WHOLE)
case("5.5", ONE + TWO, *WHOLE)
case("5.6", ONE + frame(PING, b"ping payload") + TWO, Frame(PONG, b"ping payload"), *WHOLE)
case("5.7", ONE + frame(PING, b"ping payload") + TWO, Frame(PONG, b"ping payload"), *WHOLE)
case("5.8", ONE + frame(PING, b"ping payload") + TWO, Frame(PONG, b"ping payload"), *WHOLE)
for number, final in ((9, True), (10, True), (11, True), (12, False), (13, False), (14, False)):
    broken(f"5.{number}", frame(0, b"non-continuation payload", final=final) + HELLO)
broken("5.15", ONE + TWO + frame(0, b"fragment3", final=False) + text("fragment4"), *WHOLE)
broken("5.16", (frame(0, b"fragment1", final=False) + text("fragment2", final=False) + frame(0, b"fragment3")) * 2)
broken("5.17", (frame(0, b"fragment1") + text("fragment2", final=False) + frame(0, b"fragment3")) * 2)
broken("5.18", ONE + text("fragment2"))
FIVE = (
    text("fragment1", final=False) + frame(0, b"fragment2", final=False) + frame(PING, b"pongme 1!"),
    frame(0, b"fragment3", final=False) + frame(0, b"fragment4", final=False) + frame(PING, b"pongme 2!")
    + frame(0, b"fragment5"),
)  # fmt: skip
case("5.19", b"".join(FIVE), Frame(PONG, b"pongme 1!"), Frame(PONG, b"pongme 2!"),
     *echoed("fragment1fragment2fragment3fragment4fragment5"))  # fmt: skip
case("5.20", b"".join(FIVE), Frame(PONG, b"pongme 1!"), Frame(PONG, b"pongme 2!"),
     *echoed("fragment1fragment2fragment3fragment4fragment5"))  # fmt: skip

# 6: UTF-8
case("6.1.1", text(""), *echoed(""))
case("6.1.2", text("", final=False) + frame(0, final=False) + frame(0), *echoed(""))
case("6.1.3", text("", final=False) + frame(0, b"middle frame payload", final=False) + frame(0),
     *echoed("middle frame payload"))  # fmt: skip
GREEK = "Hello-µ@ßöäüàá-UTF-8!!"
case("6.2.1", text(GREEK), *echoed(GREEK))
case("6.2.2", text(GREEK.encode()[:12], final=False) + frame(0, GREEK.encode()[12:]), *echoed(GREEK))
case("6.2.3", text(GREEK.encode()[:1], final=False)
     + b"".join(frame(0, GREEK.encode()[at : at + 1], final=False) for at in range(1, len(GREEK.encode())))
     + frame(0), *echoed(GREEK))  # fmt: skip
KOSME = "κόσμε"
case("6.2.4", b"".join(
    frame(0 if at else TEXT, KOSME.encode()[at : at + 1], final=at == len(KOSME.encode()) - 1)
    for at in range(len(KOSME.encode()))), *echoed(KOSME))  # fmt: skip
BAD = "κόσμε".encode() + b"\xed\xa0\x80edited"
broken("6.3.1", text(BAD), code=1007)
broken("6.3.2", b"".join(frame(0 if at else TEXT, BAD[at : at + 1], final=at == len(BAD) - 1)
                         for at in range(len(BAD))), code=1007)  # fmt: skip
GOOD_UTF8 = {
    "6.5": ("Hello\x00World", "\x00"),
    "6.6": ("κ", "κό", "κόσ", "κόσμ", "κόσμε"),
    "6.7": ("\x00", "\x80", "\u0800", "\U00010000"),
    "6.9": ("\x7f", "\u07ff", "\uffff", "\U0010ffff"),
    "6.11": ("\ud7ff", "\ue000", "\ufffd", "\U0010ffff"),
    "6.22": tuple(
        chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)
    ),
    "6.23": tuple(chr(one) for one in range(0xFFF9, 0x10000)),
}  # fmt: skip
for group, samples in GOOD_UTF8.items():
    for number, sample in enumerate(samples, 1):
        case(f"{group}.{number}", text(sample), *echoed(sample))
BAD_UTF8 = {
    "6.6 cut": (b"\xce", b"\xce\xba\xe1", b"\xce\xba\xe1\xbd", b"\xce\xba\xe1\xbd\xb9\xcf"),
    "6.8": (b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),
    "6.10": (b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
    "6.11": (b"\xf4\x90\x80\x80",),
    "6.12": (b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\x80\xbf\x80\xbf", b"\x80\xbf\x80\xbf\x80",
             b"\x80\xbf\x80\xbf\x80\xbf", bytes(range(0x80, 0xC0))),
    "6.13": (b" ".join(bytes((one,)) for one in range(0xC0, 0xE0)), b" ".join(bytes((one,)) for one in range(0xE0, 0xF0)),
             b" ".join(bytes((one,)) for one in range(0xF0, 0xF8)), b"\xf8 \xf9 \xfa \xfb ", b"\xfc \xfd "),
    "6.14": (b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80", b"\xdf",
             b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"),
    "6.15": (b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf",),
    "6.16": (b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"),
    "6.17": (b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"),
    "6.18": (b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"),
    "6.19": (b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"),
    "6.20": (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbe\x80",
             b"\xed\xbf\xbf"),
    "6.21": (b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xa0\x80\xed\xbf\xbf", b"\xed\xad\xbf\xed\xb0\x80",
             b"\xed\xad\xbf\xed\xbf\xbf", b"\xed\xae\x80\xed\xb0\x80", b"\xed\xae\x80\xed\xbf\xbf",
             b"\xed\xaf\xbf\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf"),
}  # fmt: skip
for group, wrong in BAD_UTF8.items():
    for number, octets in enumerate(wrong, 1):
        broken(f"{group} bad {number}", text(octets), code=1007)

# 7: closing
case("7.1.1", HELLO, *echoed("Hello, world!"))
CASES["7.1.2"] = Case(BYE + BYE, (), 1000)
CASES["7.1.3"] = Case(BYE + frame(PING), (), 1000)
CASES["7.1.4"] = Case(BYE + HELLO, (), 1000)
CASES["7.1.5"] = Case(ONE + BYE + TWO, (), 1000)
CASES["7.1.6"] = Case(text("x" * 262144) + HELLO + BYE + frame(PING), echoed("x" * 262144, "Hello, world!"), 1000)
CASES["7.3.1"] = Case(close(), (), 1005)
broken("7.3.2", frame(8, b"\x03"))
CASES["7.3.3"] = Case(close(1000), (), 1000)
CASES["7.3.4"] = Case(close(1000, b"Hello World!"), (), 1000)
CASES["7.3.5"] = Case(close(1000, b"*" * 123), (), 1000)
broken("7.3.6", close(1000, b"*" * 124))
broken("7.5.1", close(1000, BAD), code=1007)
for number, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
    CASES[f"7.7.{number}"] = Case(close(code), (), code)
for number, code in enumerate((0, 999, 1004, 1005, 1006, 1012, 1013, 1014, 1015, 1016, 1100, 2000, 2999), 1):
    broken(f"7.9.{number}", close(code))
broken("7.13.1", close(5000))
broken("7.13.2", close(65535))

# Not Autobahn's, of the same kind
broken("unmasked", text("Hello", mask=None))
broken("unmasked ping", frame(PING, b"a", mask=None))
broken("unmasked close", frame(8, b"", mask=None))
broken("fragmented close", frame(8, b"", final=False))
broken("long form of 125", b"\x81\xfe\x00\x7d" + b"\0" * 129)
broken("longest form of 65535", b"\x81\xff" + (65535).to_bytes(8, "big") + b"\0" * 9)
broken("sign bit", b"\x81\xff" + (1 << 63).to_bytes(8, "big") + b"\0" * 9)
broken("huge", b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"\0" * 9, code=1009)
case("zero mask", text("abc", mask=b"\0\0\0\0"), *echoed("abc"))


def check(name: str, pieces: list[bytes]) -> None:
    case = CASES[name]
    site = EchoSite(LIMITS)
    socket = site.socket()
    socket.feed(pieces)
    site.clock.pump([0] * (len(case.sent) // 300 + 1))
    *back, last = socket.frames
    assert tuple(back) == case.back
    assert last.opcode == 8
    assert socket.code == case.code
    assert socket.ended
    assert site.faults == []
    assert site.echoes.sockets == set()




@pytest.mark.parametrize("name", CASES)
def test_a_case_fed_whole(name: str) -> None:
    check(name, [CASES[name].sent])


@pytest.mark.parametrize("name", CASES)
def test_a_case_fed_in_pieces(name: str) -> None:
    sent = CASES[name].sent
    step = max(1, len(sent) // 4000)
    check(name, [sent[at : at + step] for at in range(0, len(sent), step)])


@pytest.mark.parametrize("name", [name for name, one in CASES.items() if len(one.sent) < 400])
def test_a_case_cut_in_two_at_every_octet(name: str) -> None:
    sent = CASES[name].sent
    for at in range(1, len(sent)):
        check(name, [sent[:at], sent[at:]])


@pytest.mark.parametrize("name", ["6.4.1", "6.4.2", "6.4.3", "6.4.4"])
def test_bad_text_fails_at_the_octet_that_shows_it(name: str) -> None:
    start, bad = "κόσμε".encode(), {"6.4.1": b"\xf4\x90", "6.4.2": b"\xf4\x90"}.get(name, b"\xed\xa0")
    site = EchoSite()
    socket = site.socket()
    if name in ("6.4.1", "6.4.2"):
        socket.send(text(start, final=False))
        socket.send(frame(0, bad[:1], final=False))
        assert socket.code is None
        socket.send(frame(0, bad[1:], final=False))
    else:
        whole = text(start + bad + b"edited" * 10)
        head = 6 + len(start) + 1
        socket.send_slowly(whole[:head])
        assert socket.code is None
        socket.send(whole[head : head + 1])
    assert socket.code == 1007
    assert socket.ended
