"""Autobahn's cases 9, 10, 12 and 13 (sizes, chops, compression), and what a bomb may not do."""

from __future__ import annotations

import random
import zlib

import pytest

from kodama.http.deflate import agree, deflated
from kodama.http.websocket import SocketLimits
from tests.http.sockets import EchoSite, Frame, Socket, close, frame, text

SIXTEEN = 16 * 1024 * 1024
LIMITS = SocketLimits(message=SIXTEEN)
NO_TAKEOVER = b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"
OFFERS = {
    "13.1": (b"permessage-deflate; client_no_context_takeover; client_max_window_bits", b""),
    "13.2": (b"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits", b""),
    "13.3": (b"permessage-deflate; client_no_context_takeover; client_max_window_bits; server_max_window_bits=9", b"9"),
    "13.4": (b"permessage-deflate; client_no_context_takeover; client_max_window_bits; server_max_window_bits=15", b"15"),
    "13.5": (b"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits; server_max_window_bits=9", b"9"),
    "13.6": (b"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits; server_max_window_bits=15", b"15"),
    "13.7": (
        b"permessage-deflate; server_no_context_takeover; client_max_window_bits; server_max_window_bits=9, "
        b"permessage-deflate; server_no_context_takeover; client_max_window_bits, "
        b"permessage-deflate; client_max_window_bits", b"9"),
    "12, browsers": (b"permessage-deflate; client_max_window_bits", b""),
    "bare": (b"permessage-deflate", b""),
    "quoted": (b'permessage-deflate; server_max_window_bits="10"', b"10"),
    "the second": (b"x-webkit-deflate-frame, permessage-deflate; nonsense, permessage-deflate", b""),
    "not 8, but the next": (b"permessage-deflate; server_max_window_bits=8, permessage-deflate", b""),
}  # fmt: skip
REFUSED = (
    b"", b"x-webkit-deflate-frame", b"permessage-deflate; server_max_window_bits", b"permessage-deflate; unknown",
    b"permessage-deflate; server_max_window_bits=16", b"permessage-deflate; server_max_window_bits=7",
    b"permessage-deflate; server_max_window_bits=010", b"permessage-deflate; client_max_window_bits=0",
    b"permessage-deflate; server_no_context_takeover=1", b"permessage-deflate; server_max_window_bits=8",
    b"permessage-deflate; client_max_window_bits; client_max_window_bits", b"permessage-deflate;", b";=,;",
    b"permessage-deflate; server_max_window_bits=\xb9",
)  # fmt: skip


def packed(payload: bytes, *, bits: int = 15, level: int = 6) -> bytes:
    pack = zlib.compressobj(level, zlib.DEFLATED, -bits)
    return (pack.compress(payload) + pack.flush(zlib.Z_SYNC_FLUSH))[:-4]


def unpacked(one: Frame, *, bits: int = 15) -> bytes:
    """Return a message as a client with such a window reads it, alone."""
    if not one.rsv:
        return one.payload
    assert one.rsv == 4
    return zlib.decompressobj(-bits).decompress(one.payload + b"\0\0\xff\xff")


def deflating(limits: SocketLimits = LIMITS) -> Socket:
    return EchoSite(limits).socket(b"Sec-WebSocket-Extensions: permessage-deflate")


@pytest.mark.parametrize("name", OFFERS)
def test_an_offer_is_agreed_to_and_every_message_stands_alone(name: str) -> None:
    offers, bits = OFFERS[name]
    site = EchoSite(LIMITS)
    socket = site.socket(b"Sec-WebSocket-Extensions: " + offers)
    agreed = NO_TAKEOVER + (b"; server_max_window_bits=" + bits if bits else b"")
    assert b"Sec-WebSocket-Extensions: " + agreed in socket.answer
    rng = random.Random(name)
    sizes = (0, 1, 16, 64, 125, 256, 512, 513, 1024, 4096, 8192, 16384, 32768, 65536, 131072)
    for number, size in enumerate(sizes):
        words = b" ".join(rng.choice((b"alpha", b"beta", b"gamma", b"%d" % rng.randrange(999))) for _ in range(size // 5 + 1))
        said = words[:size]
        opcode = 1 if number % 2 else 2
        sent = packed(said)
        if number % 3 == 2:
            cut = len(sent) // 2
            socket.send(frame(opcode, sent[:cut], rsv=4, final=False) + frame(9) + frame(0, sent[cut:]))
        else:
            socket.send(frame(opcode, sent, rsv=4))
        back = [one for one in socket.frames if one.opcode in (1, 2)][-1]
        assert back.opcode == opcode
        assert unpacked(back, bits=int(bits or 15)) == said
        assert size < 1000 or (back.rsv and len(back.payload) < size)
    assert len([one for one in socket.frames if one.opcode in (1, 2)]) == len(sizes)
    socket.send(text("not compressed") + close(1000))
    assert socket.frames[-2] == Frame(1, b"not compressed")
    assert socket.code == 1000


@pytest.mark.parametrize("offer", REFUSED)
def test_an_offer_that_cannot_be_kept_is_declined_and_messages_go_plain(offer: bytes) -> None:
    socket = EchoSite().socket(b"Sec-WebSocket-Extensions: " + offer)
    assert not any(line.startswith(b"Sec-WebSocket-Ext") for line in socket.answer)
    socket.send(text("x" * 1000))
    assert socket.frames == [Frame(1, b"x" * 1000)]
    socket.send(frame(1, packed(b"a"), rsv=4))
    assert socket.code == 1002


def test_offers_in_several_fields_are_one_list() -> None:
    socket = EchoSite().socket(b"Sec-WebSocket-Extensions: foo", b"Sec-WebSocket-Extensions: permessage-deflate")
    assert b"Sec-WebSocket-Extensions: " + NO_TAKEOVER in socket.answer


@pytest.mark.parametrize("size", [65536, 262144, 1048576, 4194304, 8388608, SIXTEEN])
def test_9_1_and_9_2_large_messages_in_one_frame(size: int) -> None:
    socket = EchoSite(LIMITS).socket()
    for opcode in (1, 2):
        sent = frame(opcode, b"*" * size, mask=b"\0\0\0\0")
        socket.feed(sent[at : at + 65536] for at in range(0, len(sent), 65536))
        assert socket.frames[-1] == Frame(opcode, b"*" * size)


@pytest.mark.parametrize("size", [64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304])
def test_9_3_and_9_4_a_large_message_in_fragments(size: int) -> None:
    whole = b"*" * (4 * 1024 * 1024 if size >= 1024 else 262144)
    site = EchoSite(LIMITS)
    socket = site.socket()
    for opcode in (1, 2):
        sent = b"".join(
            frame(0 if at else opcode, whole[at : at + size], final=at + size >= len(whole), mask=b"\0\0\0\0")
            for at in range(0, len(whole), size)
        )
        socket.feed(sent[at : at + 65536] for at in range(0, len(sent), 65536))
        site.clock.pump([0] * 300)
        assert socket.frames[-1] == Frame(opcode, whole)


@pytest.mark.parametrize("chop", [64, 128, 256, 512, 1024, 2048])
def test_9_5_and_9_6_a_large_message_in_small_reads(chop: int) -> None:
    socket = EchoSite(LIMITS).socket()
    for opcode in (1, 2):
        sent = frame(opcode, b"*" * 1048576)
        socket.feed(sent[at : at + chop] for at in range(0, len(sent), chop))
        assert socket.frames[-1] == Frame(opcode, b"*" * 1048576)


@pytest.mark.parametrize("size", [0, 16, 64, 256, 1024, 4096])
def test_9_7_and_9_8_a_thousand_messages(size: int) -> None:
    site = EchoSite(LIMITS)
    socket = site.socket()
    for opcode in (1, 2):
        sent = frame(opcode, b"*" * size) * 1000
        socket.feed(sent[at : at + 65536] for at in range(0, len(sent), 65536))
        site.clock.pump([0] * 20)
    assert [one.payload for one in socket.frames] == [b"*" * size] * 2000


def test_10_1_1_a_message_of_fifty_fragments() -> None:
    whole = b"*" * 65536
    pieces = [whole[at : at + 1300] for at in range(0, 65536, 1300)]
    socket = EchoSite(LIMITS).socket()
    socket.feed(frame(0 if at else 1, one, final=at == len(pieces) - 1) for at, one in enumerate(pieces))
    assert socket.frames == [Frame(1, whole)]


@pytest.mark.parametrize("kind", ["text", "binary", "noise"])
def test_12_a_thousand_compressed_messages(kind: str) -> None:
    rng = random.Random(kind)
    said = rng.randbytes(4096) if kind == "noise" else b"0123456789abcdef" * 256
    site = EchoSite(LIMITS)
    socket = site.socket(b"Sec-WebSocket-Extensions: permessage-deflate")
    sent = frame(1 if kind == "text" else 2, packed(said), rsv=4)
    for _ in range(1000):
        socket.send(sent)
    assert [unpacked(one) for one in socket.frames] == [said] * 1000


def test_a_compressed_message_may_be_cut_at_every_octet() -> None:
    said = "木霊 calls back, 木霊 calls back.".encode()
    sent = frame(1, packed(said), rsv=4)
    for at in range(1, len(sent)):
        socket = deflating()
        socket.feed((sent[:at], sent[at:]))
        assert [unpacked(one) for one in socket.frames] == [said]


def test_all_samples_of_rfc_7692_section_7_2_3_are_hello() -> None:
    samples = (
        "f248cdc9c90700", "f248cdc9c90700",  # one block
        "000500faff48656c6c6f00",  # not compressed
        "f348cdc9c9070000",  # a final block
        "f248050000 00ffffcac9c90700",  # two blocks
    )  # fmt: skip
    for sample in samples:
        socket = deflating()
        socket.send(frame(1, bytes.fromhex(sample), rsv=4))
        assert socket.texts == ["Hello"], sample
    socket = deflating()
    socket.send(frame(1, bytes.fromhex("f248cd"), rsv=4, final=False) + frame(0, bytes.fromhex("c9c90700")))
    assert socket.texts == ["Hello"]
    for empty in (b"\0", b""):
        socket = deflating()
        socket.send(frame(1, empty, rsv=4))
        assert socket.texts == [""]


BROKEN = {
    "reserved block": (b"\x07", 1007),
    "noise": (b"\xff" * 40, 1007),
    "ends within a block": (packed(b"hello, hello, hello" * 9)[:-8], 1007),
    "not UTF-8 inside": (packed(b"\xed\xa0\x80"), 1007),
    "a character is cut": (packed(b"\xce"), 1007),
    "one over the limit": (packed(b"x" * 70_001), 1009),
    "a bomb": (packed(b"\0" * 50_000_000), 1009),
    "many final blocks": (b"\x03\x00" * 30_000, 1007),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("cuts", [1, 64, 1 << 20])
def test_what_does_not_unpack_as_agreed_ends_the_connection(name: str, cuts: int) -> None:
    payload, code = BROKEN[name]
    socket = deflating(SocketLimits(message=70_000))
    socket.send_slowly(frame(1, payload, rsv=4), cuts=cuts)
    assert socket.code == code
    assert socket.frames[:-1] == []
    assert socket.ended


def test_reserved_bits_stay_reserved_where_compression_gives_them_no_meaning() -> None:
    for sent in (
        frame(9, b"", rsv=4), frame(8, b"", rsv=4), frame(1, b"", rsv=2), frame(1, b"", rsv=5),
        frame(1, b"\0", rsv=4, final=False) + frame(0, b"\0", rsv=4),
    ):  # fmt: skip
        socket = deflating()
        socket.send(sent)
        assert socket.code == 1002


def test_a_message_is_compressed_once_for_all_whose_window_reaches() -> None:
    from kodama.http.frames import Message

    short, long = Message(b"abc " * 100), Message(b"abc " * 1000)
    wide, narrow = agree(b"permessage-deflate"), agree(b"permessage-deflate; server_max_window_bits=9")
    assert wide is not None
    assert narrow is not None
    assert short.framed(wide) is short.framed(wide)
    assert short.framed(narrow) is short.framed(wide)
    assert long.framed(narrow) is not long.framed(wide)
    assert long.framed(None) is long.plain


def test_a_window_of_each_size_reads_what_was_packed_for_it() -> None:
    rng = random.Random(4)
    block = rng.randbytes(600)
    for bits in range(9, 16):
        said = block * 80
        assert zlib.decompressobj(-bits).decompress(deflated(said, bits=bits) + b"\0\0\xff\xff") == said
