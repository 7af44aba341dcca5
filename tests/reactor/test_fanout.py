"""Writing to many at once: every connection gets every byte once and in order, whatever else it is sent."""

from __future__ import annotations

import errno
import socket
from array import array
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.reactor import fanout as module
from kodama.reactor import ring as ring_module
from kodama.reactor.fanout import FEW, NO_SEAT, Fanout
from kodama.reactor.ring import ENTRIES, Ring
from tests.reactor.test_native import run

MORE_THAN_A_BATCH = ENTRIES + 76


def can() -> bool:
    """Return whether this kernel lets us have a ring."""
    try:
        Ring(1).close()
    except OSError:
        return False
    return True


ring = pytest.mark.skipif(not can(), reason="the kernel gives no io_uring: readers are written to one by one")


class Pairs:
    """Connected sockets, one end of each on a seat."""

    def __init__(self, count: int) -> None:
        self.fanout = Fanout()
        self.ours, self.theirs = zip(*[socket.socketpair() for _ in range(count)], strict=True)
        for one in (*self.ours, *self.theirs):
            one.setblocking(False)
        self.seats = array("i", [self.fanout.seat(one.fileno()) for one in self.ours])

    def got(self, index: int) -> bytes:
        """Return what has come to one and was not read yet."""
        found = b""
        try:
            while piece := self.theirs[index].recv(1 << 20):
                found += piece
        except BlockingIOError:
            pass
        return found

    def close(self) -> None:
        self.fanout.close()
        for one in (*self.ours, *self.theirs):
            one.close()


@pytest.fixture
def many() -> Iterator[Pairs]:
    pairs = Pairs(MORE_THAN_A_BATCH)
    yield pairs
    pairs.close()


@ring
def test_everybody_gets_what_is_written_to_all_in_order(many: Pairs) -> None:
    pieces = [b"%d;" % number for number in range(5)]
    for piece in pieces:
        assert many.fanout.write(many.seats, piece) == []
    assert {many.got(index) for index in range(MORE_THAN_A_BATCH)} == {b"".join(pieces)}


@ring
def test_who_takes_nothing_is_named(many: Pairs) -> None:
    stuck, gone = MORE_THAN_A_BATCH - 3, 7
    while True:
        try:
            many.ours[stuck].send(b"f" * 1000)
        except BlockingIOError:
            break
    many.theirs[gone].close()
    left = many.fanout.write(many.seats, b"news")
    assert left == [(gone, 0), (stuck, 0)]
    assert many.got(stuck).strip(b"f") == b""
    assert many.got(stuck - 1) == b"news"


@ring
def test_a_large_piece_is_taken_as_far_as_there_is_room(many: Pairs) -> None:
    piece = bytes(range(256)) * 40_000
    some = many.seats[:FEW]
    left = many.fanout.write(some, piece)
    assert [index for index, _ in left] == list(range(FEW))
    for index, took in left:
        assert many.got(index) == piece[:took]


@ring
@given(sizes=st.lists(st.integers(FEW, 90), min_size=1, max_size=60))
def test_the_ring_goes_round(sizes: list[int]) -> None:
    pairs = Pairs(90)
    try:
        for number, size in enumerate(sizes):
            assert pairs.fanout.write(pairs.seats[:size], b"%d;" % number) == []
        for index in range(90):
            expected = b"".join(b"%d;" % number for number, size in enumerate(sizes) if index < size)
            assert pairs.got(index) == expected
    finally:
        pairs.close()


@ring
def test_a_seat_that_was_given_back_and_no_seat_at_all_reach_nobody(many: Pairs) -> None:
    some = many.seats[: FEW + 1]
    many.fanout.leave(some[1])
    some[2] = NO_SEAT
    assert many.fanout.write(some, b"news") == [(1, 0), (2, 0)]
    assert [many.got(index) for index in range(FEW + 1)] == [b"news", b"", b"", *[b"news"] * (FEW - 2)]


@ring
def test_a_descriptor_that_is_used_again_is_not_meant(many: Pairs) -> None:
    number = many.ours[0].fileno()
    many.ours[0].close()
    other, its_peer = socket.socketpair()
    with other, its_peer:
        assert other.fileno() == number
        its_peer.setblocking(False)
        assert many.fanout.write(many.seats[:FEW], b"news") == []
        with pytest.raises(BlockingIOError):
            its_peer.recv(1)
        assert many.theirs[0].recv(10) == b"news"
        many.fanout.leave(many.seats[0])
        assert many.theirs[0].recv(10) == b"", "closed only now"


@ring
@pytest.mark.parametrize("taken", [0, 10])
def test_what_the_kernel_has_no_memory_for_is_left(
    many: Pairs, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    call = ring_module._call

    def scarce(number: int, *args: int) -> int:
        if number != ring_module._ENTER:
            return call(number, *args)
        if not taken:
            raise OSError(errno.ENOMEM, "no memory")
        return call(number, args[0], taken, taken, *args[3:])

    some = many.seats[: FEW + 8]
    with monkeypatch.context() as patch:
        patch.setattr(ring_module, "_call", scarce)
        assert many.fanout.write(some, b"one;") == [(index, 0) for index in range(taken, FEW + 8)]
    assert many.fanout.write(some, b"two;") == []
    assert [many.got(index) for index in range(FEW + 8)] == [b"one;two;"] * taken + [b"two;"] * (FEW + 8 - taken)


@ring
def test_a_seat_is_taken_again() -> None:
    pairs = Pairs(FEW)
    try:
        before = sorted(pairs.seats)
        for seat in pairs.seats:
            pairs.fanout.leave(seat)
        seats = array("i", [pairs.fanout.seat(one.fileno()) for one in pairs.ours])
        assert sorted(seats) == before
        assert pairs.fanout.write(seats, b"again") == []
        assert pairs.got(0) == b"again"
    finally:
        pairs.close()


@ring
def test_whoever_finds_no_seat_left_is_written_to_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEATS", FEW)
    pairs = Pairs(FEW + 2)
    try:
        assert list(pairs.seats) == [*range(FEW), NO_SEAT, NO_SEAT]
        assert pairs.fanout.write(pairs.seats, b"news") == [(FEW, 0), (FEW + 1, 0)]
        pairs.fanout.leave(1)
        assert [pairs.fanout.seat(one.fileno()) for one in pairs.ours[-2:]] == [1, NO_SEAT]
    finally:
        pairs.close()


@ring
def test_what_is_no_socket_has_no_seat() -> None:
    fanout = Fanout()
    assert fanout.seat(10_000_000) == NO_SEAT
    fanout.close()


def test_without_a_ring_everything_is_left_to_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_: int) -> Ring:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(module, "Ring", forbidden)
    fanout = Fanout()
    assert fanout.seat(0) == NO_SEAT
    assert fanout.write(array("i", [NO_SEAT] * 5), b"news") == [(index, 0) for index in range(5)]
    fanout.close()


@ring
def test_it_mixes_with_what_the_transports_write_and_nothing_overtakes() -> None:
    assert run("""
        from array import array
        from kodama.reactor.fanout import NO_SEAT
        N, MESSAGES = 120, 400
        there = []
        class P(Protocol):
            unwrapped = True
            full = False
            def connectionMade(self):
                self.transport.registerProducer(self, True)
                self.seat = self.transport.takeSeat(self)
                self.owed = []
                there.append(self)
                if len(there) == N: reactor.callLater(0, go)
            def pauseProducing(self): self.full = True
            def resumeProducing(self):
                self.full = False
                while self.owed and not self.full: self.transport.write(self.owed.pop(0))
            def stopProducing(self): pass
        def piece(number): return b"%06d" % number + b"x" * (number * 97 % 9000) + b"\\n"
        number = 0
        def go():
            global number
            now, later = [], []
            for p in there: (later if p.full or p.owed else now).append(p)
            data = piece(number)
            for p in later: p.owed.append(data)
            if number % 5 == 4:
                for p in now: p.transport.write(data)
            else:
                for index, took in reactor.fanout.write(array("i", [p.seat for p in now]), data):
                    now[index].transport.write(data[took:])
            number += 1
            if number < MESSAGES: reactor.callLater(0, go)
            else:
                for p in there: p.owed.append(b"end")
                for p in there:
                    if not p.full: p.resumeProducing()
        def client(n):
            socks = [socket.create_connection(("127.0.0.1", n)) for _ in range(N)]
            expected = b"".join(piece(k) for k in range(MESSAGES)) + b"end"
            # Half of them read as it comes; the others begin when those are done.
            for s in socks[::2] + socks[1::2]:
                got = b""
                while not got.endswith(b"end"): got += s.recv(1 << 16)
                assert got == expected, len(got)
                s.close()
            print("whole", NO_SEAT in [p.seat for p in there]); reactor.callFromThread(done)
        serve(P, client)
    """).splitlines() == ["whole False"]


@ring
def test_a_protocol_behind_another_is_not_reached_directly() -> None:
    assert run("""
        from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
        class P(Protocol):
            def connectionMade(self):
                print(self.transport.takeSeat(self))
                self.transport.loseConnection()
                print(self.transport.wrappedProtocol.transport.transport.takeSeat(self.transport))
            def connectionLost(self, reason): done()
        port = reactor.listenTCP(0, WrappingFactory(Factory.forProtocol(P)), interface="127.0.0.1")
        deferToThread(lambda n: socket.create_connection(("127.0.0.1", n)).recv(1), port.getHost().port)
    """).split() == ["-1", "-1"]


@ring
def test_the_producer_is_paused_as_soon_as_anything_is_left() -> None:
    assert run("""
        from array import array
        from threading import Event
        from kodama.reactor.fanout import FEW
        tried = Event()
        class P(Protocol):
            unwrapped, full = True, False
            def connectionMade(self):
                self.transport.registerProducer(self, True)
                seat = self.transport.takeSeat(self)
                unwritten = self.transport._raw.get_write_buffer_size
                while not unwritten():
                    assert not self.full
                    for _, took in reactor.fanout.write(array("i", [seat] + [-1] * FEW), b"x" * 100)[:-FEW]:
                        self.transport.write(b"x" * (100 - took))
                print(unwritten() <= 100, self.full)
                self.transport.abortConnection()
                tried.set()
            def pauseProducing(self): self.full = True
            def resumeProducing(self): pass
            def stopProducing(self): pass
        def client(n):
            with socket.create_connection(("127.0.0.1", n)) as s:
                tried.wait(20)
            reactor.callFromThread(done)
        serve(P, client)
    """).split() == ["True", "True"]


@ring
def test_who_has_something_unwritten_gets_no_seat() -> None:
    assert run("""
        class P(Protocol):
            def connectionMade(self):
                self.transport.write(b"x" * 8_000_000)
                print(self.transport.takeSeat(self))
                self.transport.loseConnection()
        def client(n):
            with socket.create_connection(("127.0.0.1", n)) as s:
                while s.recv(65536): pass
            reactor.callFromThread(done)
        serve(P, client)
    """).split() == ["-1"]


@ring
def test_seats_are_given_back_with_the_connection() -> None:
    assert run("""
        class P(Protocol):
            def connectionMade(self):
                print(self.transport.takeSeat(self), self.transport.takeSeat(self))
                self.transport.write(b"x")
            def dataReceived(self, data): self.transport.loseConnection()
        def client(n):
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", n)) as s:
                    s.recv(1); s.send(b"y")
                    assert s.recv(1) == b""
            reactor.callFromThread(done)
        serve(P, client)
    """).split() == ["0"] * 6
