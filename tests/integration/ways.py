"""One room read over every transport, wherever a test put something between client and server."""

from __future__ import annotations

from contextlib import closing

from kodama.client import Room, Transport, Wants


def every_transport_reads(room: Room) -> None:
    """Read the room over each transport: what was there before, and what comes meanwhile."""
    for transport in Transport:
        room.send(f"before {transport.name}")
        reading = room.read(Wants(since="last:1", transports=(transport,)))
        with closing(iter(reading)) as events:  # it is a generator
            assert next(events).text == f"before {transport.name}"
            room.send(f"over {transport.name}")
            assert next(events).text == f"over {transport.name}"
            assert reading.state.transport == transport.value
