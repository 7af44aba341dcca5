"""Which of Twisted's own tests our reactor is held to, as data: the modules, and the tests in
them that cannot apply to a transport that is uvloop's, each with its reason.

A listed test that passes fails our suite, and so does one that fails unlisted.
`docs/reference/reactor.md` has the same table, and a test compares the two.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

MODULES = (
    "test_core", "test_fdset", "test_newtls", "test_process", "test_sigchld", "test_socket", "test_stdio",
    "test_tcp", "test_threads", "test_time", "test_tls", "test_udp", "test_unix",
)  # fmt: skip

_MOVES = "takes a live transport's `socket` away with `removeReader`; a descriptor of one's own can be adopted"
_NUMBER = "reads `transport.sessionno`"
_MEMBRANE = "reads the private `producer._producer` of Twisted's transport"
_ADOPT = "test_tcp.AdoptStreamConnectionTestsBuilder_UvloopReactorTests"
_TCP = "test_tcp.TCPTransportTestsBuilder_UvloopReactorTests"
_PRODUCER = "test_newtls.ProducerTestsMixin_UvloopReactorTests"

NOT_APPLICABLE = {
    f"{_ADOPT}.test_serverAddressTCP4": _MOVES,
    f"{_ADOPT}.test_serverAddressTCP6": _MOVES,
    f"{_ADOPT}.test_nonStreamingProducer": _MOVES,
    f"{_ADOPT}.test_streamingProducer": _MOVES,
    f"{_ADOPT}.test_writeSequeceWithoutWrite": _MOVES,
    f"{_ADOPT}.test_writeSequenceWithUnicodeRaisesException": _MOVES,
    f"{_TCP}.test_serverAddressTCP4": _NUMBER,
    f"{_TCP}.test_serverAddressTCP6": _NUMBER,
    f"{_PRODUCER}.test_startTLSAfterRegisterProducerNonStreaming": _MEMBRANE,
    f"{_PRODUCER}.test_startTLSAfterRegisterProducerStreaming": _MEMBRANE,
}


def not_applicable() -> frozenset[str]:
    """Return what cannot pass on this machine."""
    if os.getuid() == 0 and not _open_to_all(Path(sys.executable).resolve()):
        return frozenset((*NOT_APPLICABLE, *NEED_OPEN_INTERPRETER))
    return frozenset(NOT_APPLICABLE)


NEED_OPEN_INTERPRETER = frozenset(
    f"test_process.{kind}TestsBuilder_UvloopReactorTests.test_changeUID"
    for kind in ("Process", "PTYProcess")
)  # they start our interpreter as another user, and that user has to be able to


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.parents)
