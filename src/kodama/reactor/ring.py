"""Many sends by one system call: io_uring(7), as far as that needs.

Decided here: only sends that end at once are handed over (the sockets do not block, and each send
says so again). The kernel is done with all of them when the call returns, so the bytes need not live
on, nothing is ever under way, and there are no completions to wait for.

There is no library for it that installs without a compiler; what is used of the interface are three
system calls and five structures, which Linux keeps as they are. A socket is named by its place in a
table of the ring, which holds the open file itself: a descriptor that was closed and given to another
connection meanwhile cannot be meant.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from array import array
from contextlib import suppress
from typing import Final

ENTRIES: Final = 1024  # sends handed over at a time: 64 KiB of shared memory

# <linux/io_uring.h>; the numbers of the calls are the same on every architecture but Alpha.
_SETUP, _ENTER, _REGISTER = 425, 426, 427
_SUBMIT_ALL, _COOP_TASKRUN, _SINGLE_ISSUER, _DEFER_TASKRUN = 1 << 7, 1 << 8, 1 << 12, 1 << 13
_FLAGS: Final = _SUBMIT_ALL | _COOP_TASKRUN | _SINGLE_ISSUER | _DEFER_TASKRUN
_SINGLE_MMAP: Final = 1 << 0
_AT_RING, _AT_ENTRIES = 0, 0x10000000
_GETEVENTS: Final = 1
_FILES_UPDATE, _FILES2, _SPARSE = 6, 13, 1
_SEND, _FIXED_FILE = 26, 1 << 0
_DONTWAIT, _NOSIGNAL = 0x40, 0x4000
_PARAMS: Final = struct.Struct("=6I I3I 8IQ 8IQ")  # struct io_uring_params
_ENTRY: Final = struct.Struct("=BBHi Q Q I I Q HHi QQ")  # struct io_uring_sqe
_OUTCOME: Final = struct.Struct("=QiI")  # struct io_uring_cqe
_TABLE: Final = struct.Struct("=IIQQQ")  # struct io_uring_rsrc_register
_UPDATE: Final = struct.Struct("=IIQ")  # struct io_uring_files_update
_WORDS: Final = _ENTRY.size // 4
_FILE, _ADDRESS, _LENGTH = 1, 4, 6  # the words of an entry that differ from one call to the next

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.syscall.argtypes = [ctypes.c_long] * 7


class Ring:
    """One ring with a table of ``places``, of the thread that makes it. Raises OSError where the kernel
    has none: it is older than Linux 6.1, or a filter or a setting forbids it."""

    def __init__(self, places: int) -> None:
        params = ctypes.create_string_buffer(_PARAMS.pack(0, 0, _FLAGS, *[0] * 25), _PARAMS.size)
        self._ring = _call(_SETUP, ENTRIES, ctypes.addressof(params))
        try:
            self._share(*_PARAMS.unpack(params.raw))
            table = ctypes.create_string_buffer(_TABLE.pack(places, _SPARSE, 0, 0, 0), _TABLE.size)
            _call(_REGISTER, self._ring, _FILES2, ctypes.addressof(table), _TABLE.size)
        except BaseException:
            os.close(self._ring)
            raise
        self._file = ctypes.c_int()
        self._update = ctypes.create_string_buffer(_UPDATE.size)
        self._submitted = 0  # ever, modulo 2**32, as the kernel counts
        # Entries are made here and copied to where the kernel looks: all but four words stay the same.
        self._template = array("i")
        for number in range(ENTRIES):
            entry = (_SEND, _FIXED_FILE, 0, 0, 0, 0, 0, _DONTWAIT | _NOSIGNAL, number, 0, 0, 0, 0, 0)
            self._template.frombytes(_ENTRY.pack(*entry))

    def put(self, place: int, descriptor: int) -> None:
        """Have the socket ``descriptor`` at ``place``, nothing if it is -1. Raises OSError."""
        self._file.value = descriptor
        _UPDATE.pack_into(self._update, 0, place, 0, ctypes.addressof(self._file))
        _call(_REGISTER, self._ring, _FILES_UPDATE, ctypes.addressof(self._update), 1)

    def send(self, places: array[int], data: bytes) -> list[tuple[int, int]]:
        """Send ``data`` to the sockets at ``places`` (of the type "i", at most `ENTRIES`). Return which of
        them, by index, did not take all of it, each with how many bytes it took."""
        count = len(places)
        self._fill(places, data)
        self._words[self._tail] = (self._submitted + count) % 2**32
        try:
            taken = _call(_ENTER, self._ring, count, count, _GETEVENTS)
        except OSError:
            taken = 0  # for want of memory, say
        self._submitted = (self._submitted + taken) % 2**32
        self._await(taken)
        return self._outcome(taken, size=len(data)) + [(index, 0) for index in range(taken, count)]

    def close(self) -> None:
        """Let go of the ring and of every socket in its table."""
        os.close(self._ring)

    def _share(self, *params: int) -> None:
        """Map what the kernel made, at the offsets that ``params`` say."""
        entries, outcomes, _, _, _, features = params[:6]
        _, tail, _, _, _, _, numbers, _, _ = params[10:19]
        outcome_head, outcome_tail, _, _, _, self._at_outcomes, _, _, _ = params[19:28]
        if not features & _SINGLE_MMAP or entries != ENTRIES:
            raise OSError("This io_uring is of another kind.")
        self._tail, self._outcomes = tail // 4, outcomes
        self._outcome_head, self._outcome_tail = outcome_head // 4, outcome_tail // 4
        size = max(numbers + 4 * entries, self._at_outcomes + outcomes * _OUTCOME.size)
        self._shared = mmap.mmap(self._ring, size, offset=_AT_RING)
        self._entries = mmap.mmap(self._ring, entries * _ENTRY.size, offset=_AT_ENTRIES)
        self._words = memoryview(self._shared).cast("I")
        self._words[numbers // 4 : numbers // 4 + entries] = memoryview(array("I", range(entries)))

    def _fill(self, places: array[int], data: bytes) -> None:
        """Make an entry for each of ``places``."""
        count = len(places)
        template, end = self._template, count * _WORDS
        address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        first, second = struct.unpack("=ii", struct.pack("=Q", address))
        template[_FILE:end:_WORDS] = places
        template[_ADDRESS:end:_WORDS] = array("i", (first,)) * count
        template[_ADDRESS + 1 : end : _WORDS] = array("i", (second,)) * count
        template[_LENGTH:end:_WORDS] = array("i", (len(data),)) * count
        made = memoryview(template).cast("B")
        size, at = count * _ENTRY.size, self._submitted % ENTRIES * _ENTRY.size
        split = min(size, len(self._entries) - at)
        self._entries[at : at + split] = made[:split]
        self._entries[: size - split] = made[split:size]

    def _await(self, count: int) -> None:
        """Return once the kernel has said what came of ``count`` sends. It has already, as none waits for
        anything, unless a signal came between; what it said long ago must not be taken for it."""
        while (self._words[self._outcome_tail] - self._words[self._outcome_head]) % 2**32 < count:
            with suppress(InterruptedError):
                _call(_ENTER, self._ring, 0, count, _GETEVENTS)

    def _outcome(self, count: int, *, size: int) -> list[tuple[int, int]]:
        """Take what came of ``count`` sends of ``size`` bytes; return those that took less."""
        head, width, at = self._words[self._outcome_head], _OUTCOME.size, self._at_outcomes
        begin = head % self._outcomes
        split = min(count, self._outcomes - begin)
        said = self._shared[at + begin * width : at + (begin + split) * width]
        said += self._shared[at : at + (count - split) * width]
        self._words[self._outcome_head] = (head + count) % 2**32
        if array("i", said)[2 :: width // 4] == array("i", (size,)) * count:
            return []
        return [(index, max(0, took)) for index, took, _ in _OUTCOME.iter_unpack(said) if took < size]


def _call(number: int, *args: int) -> int:
    """Make a system call. Raises OSError."""
    done: int = _libc.syscall(number, *args, *[0] * (6 - len(args)))
    if done < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return done
