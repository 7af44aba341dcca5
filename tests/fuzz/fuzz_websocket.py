"""Random bytes against the WebSocket layer: ``python tests/fuzz/fuzz_websocket.py --seconds 60``.

The invariants: however a byte sequence is cut, the same messages are heard and the same close
code is given; no exception escapes; no more is kept than a message may have.
"""

from __future__ import annotations

import random
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kodama.http.websocket import SocketLimits
from tests.fuzz.drive import main
from tests.http.sockets import EchoSite, Frame, close, frame, text

LIMIT = 600


def packed(payload: bytes) -> bytes:
    pack = zlib.compressobj(wbits=-15)
    return (pack.compress(payload) + pack.flush(zlib.Z_SYNC_FLUSH))[:-4]


CORPUS = (
    text("hello"), text("木霊".encode()), text("a" * 126), text("", final=False), frame(0, b"on", final=False),
    frame(0, b"end"), frame(9, b"ping"), frame(10), close(1000, b"bye"), frame(2, b"\x00\xff" * 40),
    frame(1, packed(b"hello, hello, hello"), rsv=4), frame(1, packed(b"x" * 2000), rsv=4), text("y" * 590),
    frame(1, packed("木霊 ".encode() * 20)[:9], rsv=4, final=False), frame(0, packed("木霊 ".encode() * 20)[9:]),
)  # fmt: skip


def mutated(rng: random.Random) -> bytes:
    """Return a few frames in a row, with a few octets changed."""
    data = bytearray(b"".join(rng.choices(CORPUS, k=rng.randint(1, 8))))
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        at = rng.randrange(len(data) + 1)
        data[at : at + rng.choice((0, 0, 1, 3))] = rng.choice((rng.randbytes(1), rng.choice(CORPUS)[:2], b""))
    return bytes(data)


def fed(data: bytes, *, cuts: list[int], fields: tuple[bytes, ...]) -> tuple[list[Frame], int | None]:
    """Feed ``data`` cut at ``cuts``; return what came back, and the close code."""
    site = EchoSite(SocketLimits(message=LIMIT))
    socket = site.socket(*fields)
    start = 0
    for end in [*cuts, len(data)]:
        socket.send(data[start:end])
        site.clock.pump([0, 0])
        start = end
        for one in site.echoes.sockets:
            assert one._reader is None or len(one._reader._message) <= LIMIT
    assert site.faults == []
    assert (socket.code is None) == (not socket.ended)
    # A close may name what was seen first: the octet that breaks a rule, or the length that does.
    failed = socket.code in (1002, 1007, 1009)
    frames = [one for one in socket.frames if not (failed and one.opcode == 8)]
    return frames, 1002 if failed else socket.code


def check(rng: random.Random) -> None:
    """Compare the whole with random pieces of it."""
    data = mutated(rng)
    fields = rng.choice(((), (b"Sec-WebSocket-Extensions: permessage-deflate",)))
    whole = fed(data, cuts=[], fields=fields)
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(0, 6)))
    assert fed(data, cuts=cuts, fields=fields) == whole, (data, cuts, fields)


if __name__ == "__main__":
    main(check, about=__doc__)
