"""What a publish costs the link between a worker and its writer: our frames beside Twisted's AMP.

python -m benchmarks.link
Both sides in one process, without sockets: only what is packed, taken apart and matched.
"""

import time
from collections.abc import Callable
from statistics import median

import click
import msgspec
from msgspec import Raw
from twisted.internet.testing import StringTransport
from twisted.protocols import amp

from kodama.core.change import Nonce, Publish
from kodama.core.event import Author
from kodama.link.frames import Message, frame, messages, pack
from kodama.store.linked.shapes import pack_change, unpack_change

CHANGE = Publish(
    room="lobby", author=Author(id="u_0123456789", name="Aiko", kind="guest"), text="x" * 128, data=None,
    nonce=Nonce(sender="u_0123456789", text="0123456789abcdef", digest=b"x" * 32),
)  # fmt: skip


class Append(amp.Command):
    """The same change as AMP would carry it; one value, so that AMP looks at no field of it."""

    arguments = ((b"change", amp.String()),)
    response = ((b"offset", amp.Integer()),)


class Writer(amp.AMP):
    """Answers at once."""

    @Append.responder
    def append(self, change: bytes) -> dict[str, int]:
        """Take a change."""
        unpack_change(Raw(change))
        return {"offset": 7}


def by_frames(together: int) -> None:
    """Say ``together`` changes in one turn, and hear the answers in one."""
    there = frame([Message(0, "append", Raw(pack((n, Raw(pack_change(CHANGE)))))) for n in range(together)])
    said = messages(there[4:])
    for message in said:
        _, packed = _append(message.given)
        unpack_change(packed)
    back = frame([Message(0, "group", Raw(pack([(n, 7) for n in range(together)])))])
    for message in messages(back[4:]):
        _answers(message.given)


def by_amp(together: int) -> None:
    """Call ``together`` times, and hear the answers."""
    client, server = amp.AMP(), Writer()
    there, back = StringTransport(), StringTransport()
    client.makeConnection(there)
    server.makeConnection(back)
    for _ in range(together):
        client.callRemote(Append, change=pack_change(CHANGE))
    server.dataReceived(there.value())
    client.dataReceived(back.value())


_append = msgspec.msgpack.Decoder(tuple[int, Raw]).decode
_answers = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode


def cost(what: Callable[[int], None], together: int) -> float:
    """Return the CPU of one publish in microseconds."""
    spent = []
    for _ in range(7):
        began = time.process_time_ns()
        for _ in range(2000 // together):
            what(together)
        spent.append((time.process_time_ns() - began) / 1000 / (2000 // together * together))
    return median(spent)


@click.command()
def main() -> None:
    """Print microseconds of CPU for one publish, both sides together."""
    for together in (1, 10, 100):
        frames, boxes = cost(by_frames, together), cost(by_amp, together)
        click.echo(f"{together:4} in a turn: frames {frames:6.1f}, AMP {boxes:6.1f}")


if __name__ == "__main__":
    main()
