"""A client of the public protocol, with an asyncio and a blocking face; it imports nothing of the server.

Everything but `aio` and `blocking` has no I/O and is the same for both.
"""

from __future__ import annotations

from kodama.client.aio import AsyncClient, AsyncReading, AsyncRoom
from kodama.client.answers import Page, Presence, RoomEntry, Session, Stored
from kodama.client.blocking import Client, Room, RoomReading
from kodama.client.bot import Bot, Order
from kodama.client.event import Author, Event
from kodama.client.faults import BadAddress, ClientFault, Refused, Superseded, Unreachable
from kodama.client.ladder import Transport
from kodama.client.outbox import CursorFile
from kodama.client.protocol import State
from kodama.client.wants import Wants

__all__ = [
    "AsyncClient", "AsyncReading", "AsyncRoom", "Author", "BadAddress", "Bot", "Client", "ClientFault",
    "CursorFile", "Event", "Order", "Page", "Presence", "Refused", "Room", "RoomEntry", "RoomReading",
    "Session", "State", "Stored", "Superseded", "Transport", "Unreachable", "Wants",
]  # fmt: skip
