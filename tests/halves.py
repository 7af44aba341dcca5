"""A fan-out that does its work by halves: what it leaves must be written by whoever asked it."""

from __future__ import annotations

from array import array
from typing import Any

from twisted.internet.testing import StringTransport

from kodama.http.fanout import NO_SEAT


class Halves:
    """Writes all of it to the first of three seats, half to the second, and nothing to the third."""

    def __init__(self) -> None:
        self.transports: list[Seated] = []
        self.calls = 0

    def write(self, seats: array[int], data: bytes) -> list[tuple[int, int]]:
        self.calls += 1
        left: list[tuple[int, int]] = []
        for index, seat in enumerate(seats):
            takes = 0 if seat < 0 else (len(data), len(data) // 2, 0)[seat % 3]
            if takes:
                self.transports[seat].write(data[:takes])
            if takes < len(data):
                left.append((index, takes))
        return left


class Seated(StringTransport):
    """A transport in memory that takes a seat for its own protocol."""

    def __init__(self, fanout: Halves, **given: Any) -> None:
        super().__init__(**given)
        self.fanout = fanout
        self.seat = NO_SEAT
        self.fails = False

    def write(self, data: bytes) -> None:
        if self.fails:
            raise RuntimeError("this one cannot be written to")
        super().write(data)

    def takeSeat(self, protocol: object) -> int:
        if self.seat == NO_SEAT:
            self.seat = len(self.fanout.transports)
            self.fanout.transports.append(self)
        return self.seat
