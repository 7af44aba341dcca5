"""The native reactor in a process of its own: hot path, backpressure, endings, children."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap

import pytest

_OPENING = """
import socket, sys
from kodama.reactor.uvloop import install
reactor = install()
from twisted.internet.protocol import Factory, Protocol, ProcessProtocol
from twisted.internet import error, threads
from twisted.internet.threads import deferToThread
reactor.callLater(20, reactor.stop)

def done(why=None):
    if why is not None:
        why.printTraceback(file=sys.stdout)
    reactor.stop()

def serve(protocol, client):
    port = reactor.listenTCP(0, Factory.forProtocol(protocol), interface="127.0.0.1")
    deferToThread(client, port.getHost().port).addErrback(done)
"""


def run(body: str) -> str:
    """What ``body`` prints, run on a fresh native reactor."""
    code = _OPENING + textwrap.dedent(body) + "\nreactor.run()\n"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_nothing_stands_between_uvloop_and_a_protocol_that_wants_nothing() -> None:
    assert (
        run("""
        class P(Protocol):
            unwrapped = True
            def connectionMade(self):
                t = self.transport
                print(t.write.__self__ is t._raw, t.data_received == self.dataReceived)
                print(hasattr(t, "__dict__"))
                t.loseConnection()
            def connectionLost(self, reason):
                print(reason.type.__name__); done()
        serve(P, lambda n: socket.create_connection(("127.0.0.1", n)).recv(1))
    """)
        == "True True\nFalse\nConnectionDone"
    )


def test_a_big_write_pauses_the_producer_and_arrives_whole() -> None:
    assert (
        run("""
        class P(Protocol):
            paused = resumed = 0
            def connectionMade(self):
                self.transport.registerProducer(self, True)
                self.transport.write(b"x" * 8_000_000)
            def pauseProducing(self): P.paused += 1
            def resumeProducing(self):
                P.resumed += 1
                self.transport.unregisterProducer(); self.transport.loseConnection()
            def stopProducing(self): pass
        def client(n):
            with socket.create_connection(("127.0.0.1", n)) as s:
                total = 0
                while piece := s.recv(65536): total += len(piece)
            print(total, P.paused, P.resumed); reactor.callFromThread(done)
        serve(P, client)
    """)
        == "8000000 1 1"
    )


def test_a_pull_producer_is_asked_until_it_ends() -> None:
    assert (
        run("""
        class P(Protocol):
            left = 5
            def connectionMade(self):
                self.transport.registerProducer(self, False); self.transport.loseConnection()
            def resumeProducing(self):
                self.transport.write(b"%d" % self.left)
                self.left -= 1
                if not self.left: self.transport.unregisterProducer()
            def stopProducing(self): pass
        def client(n):
            with socket.create_connection(("127.0.0.1", n)) as s:
                got = b""
                while piece := s.recv(100): got += piece
            print(got.decode()); reactor.callFromThread(done)
        serve(P, client)
    """)
        == "54321"
    )


def test_an_abort_resets_the_peer_and_says_so() -> None:
    assert run("""
        class P(Protocol):
            def connectionMade(self): self.transport.abortConnection()
            def connectionLost(self, reason): print(reason.type.__name__)
        def client(n):
            try: socket.create_connection(("127.0.0.1", n)).recv(1)
            except ConnectionResetError: print("reset")
            reactor.callFromThread(done)
        serve(P, client)
    """).split() in (["ConnectionAborted", "reset"], ["reset", "ConnectionAborted"])


def test_a_half_closed_peer_still_gets_its_answer() -> None:
    assert (
        run("""
        from zope.interface import implementer
        from twisted.internet.interfaces import IHalfCloseableProtocol
        @implementer(IHalfCloseableProtocol)
        class P(Protocol):
            def readConnectionLost(self):
                self.transport.write(b"late"); self.transport.loseConnection()
            def writeConnectionLost(self): pass
        def client(n):
            with socket.create_connection(("127.0.0.1", n)) as s:
                s.shutdown(socket.SHUT_WR); print(s.recv(9).decode())
            reactor.callFromThread(done)
        serve(P, client)
    """)
        == "late"
    )


def test_a_taken_port_is_refused_and_a_stopped_one_is_free() -> None:
    assert (
        run("""
        def again(_, n):
            reactor.listenTCP(n, Factory(), interface="127.0.0.1"); print("free"); done()
        port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        n = port.getHost().port
        try: reactor.listenTCP(n, Factory(), interface="127.0.0.1")
        except error.CannotListenError: print("taken")
        port.stopListening().addCallback(again, n).addErrback(done)
    """)
        == "taken\nfree"
    )


def test_a_descriptor_of_ones_own_can_be_adopted() -> None:
    assert (
        run("""
        class P(Protocol):
            def connectionMade(self): self.transport.write(b"hello")
            def dataReceived(self, data):
                self.transport.write(data.upper()); self.transport.loseConnection()
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        ours.setblocking(False)
        reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, Factory.forProtocol(P))
        ours.close()
        def client(there):
            there.settimeout(10); print(there.recv(5).decode()); there.sendall(b"echo")
            print(there.recv(5).decode(), there.recv(5)); reactor.callFromThread(done)
        deferToThread(client, theirs).addErrback(done)
    """)
        == "hello\nECHO b''"
    )


def test_a_protocol_is_named_in_the_log_while_it_reads() -> None:
    assert run("""
        from twisted.python import context, log
        class P(Protocol):
            def dataReceived(self, data):
                print(context.get(log.ILogContext)["system"]); done()
            def logPrefix(self): return "Echo"
        serve(P, lambda n: socket.create_connection(("127.0.0.1", n)).sendall(b"x"))
    """).startswith("Echo,127.0.0.1")


def test_a_child_process_is_seen_to_end() -> None:
    assert (
        run("""
        class Child(ProcessProtocol):
            def processEnded(self, reason): print(reason.value.exitCode); done()
        reactor.spawnProcess(Child(), sys.executable, [sys.executable, "-c", "raise SystemExit(3)"])
    """)
        == "3"
    )


@pytest.mark.reactor
def test_twistd_starts_on_it_and_ends_on_sigterm(tmp_path: object) -> None:
    code = [
        sys.executable,
        "-m",
        "twisted",
        "--reactor=kodama-uvloop",
        "--log-format=text",
        "web",
        "--listen=tcp:0:interface=127.0.0.1",
    ]
    with subprocess.Popen(
        code, stdout=subprocess.PIPE, text=True, cwd=str(tmp_path), env=dict(os.environ)
    ) as server:
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if "Site starting on" in line:
                port = int(line.split()[-1])
                with socket.create_connection(("127.0.0.1", port), 30) as client:
                    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    assert client.recv(4) == b"HTTP"
                server.terminate()
        assert server.wait(30) in (0, -15), "".join(lines)
    assert any("Port" in line and "Closed" in line for line in lines), lines
