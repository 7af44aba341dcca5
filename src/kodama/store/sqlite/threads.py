"""The threads: one that writes in groups, a few that read.

The one decision here: a group is whatever was appended while the last commit ran. One publisher
alone waits for one commit, a thousand share one. If a group fails because of what is in it, its
halves are tried by themselves, so that one poisoned append harms nobody else; if the disk
fails, everybody in the group is told at once and the next group tries again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, NamedTuple

from kodama.core.change import Change
from kodama.store.interface import Group, Settle, StoreUnavailable
from kodama.store.sqlite.file import outage, reading, unavailable
from kodama.store.sqlite.log import Log

GROUP_LIMIT: Final = 1_000

AGAIN: Final = object()  # a task that is not done

Answer = Callable[[Any], None]


class Waiting(NamedTuple):
    """A change that is to be committed with the next group."""

    change: Change
    settle: Settle


class Task(NamedTuple):
    """Other work for the writer, done in steps between groups; the last step is the answer."""

    steps: Iterator[Any]
    answer: Answer


class Ask(NamedTuple):
    """A question for a reader."""

    question: Callable[[sqlite3.Connection], Any]
    answer: Answer


class Writer:
    """The thread that writes. ``deliver`` and all answers are called on that thread."""

    def __init__(self, log: Log, *, deliver: Callable[[Group], None], closed: Callable[[], None]) -> None:
        self._log = log
        self._deliver = deliver
        self._closed = closed
        self._queue: SimpleQueue[Waiting | Task | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="kodama-writer", daemon=True)
        self.healthy = True

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, item: Waiting | Task) -> None:
        """Do ``item`` after what was put before."""
        self._queue.put(item)

    def finish(self) -> None:
        """Do what was put before, then call ``closed`` and end."""
        self._queue.put(None)

    def join(self) -> None:
        """Wait for the thread to be gone."""
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            item = self._queue.get()
            group: list[Waiting] = []
            while isinstance(item, Waiting):
                group.append(item)
                if len(group) == GROUP_LIMIT:
                    break
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
            if group:
                self._commit(group)
            if isinstance(item, Task):
                self._step(item)
            going = item is not None
        self._refuse_the_rest()
        self._closed()

    def _commit(self, group: Sequence[Waiting]) -> None:
        try:
            commits, results = self._log.write([one.change for one in group])
        except Exception as failure:  # noqa: BLE001 - all of the group are told, whatever it is
            self._failed(group, failure)
            return
        self.healthy = True
        settled = [(one.settle, result) for one, result in zip(group, results, strict=True)]
        self._deliver(Group(commits, settled))

    def _failed(self, group: Sequence[Waiting], failure: Exception) -> None:
        if outage(failure):
            self.healthy = False
            told = unavailable(failure)
            self._deliver(Group((), [(one.settle, told) for one in group]))
        elif len(group) == 1:
            self._deliver(Group((), [(group[0].settle, failure)]))
        else:
            middle = len(group) // 2
            self._commit(group[:middle])
            self._commit(group[middle:])

    def _step(self, task: Task) -> None:
        try:
            result = next(task.steps)
        except sqlite3.Error as failure:
            self.healthy = self.healthy and not outage(failure)
            task.answer(unavailable(failure))
        except Exception as failure:  # noqa: BLE001 - whoever asked is told, whatever it is
            task.answer(failure)
        else:
            if result is AGAIN:
                self._queue.put(task)
            else:
                self.healthy = True
                task.answer(result)

    def _refuse_the_rest(self) -> None:
        """End what stepped aside for others and was overtaken by the end."""
        while not self._queue.empty():
            item = self._queue.get()
            if isinstance(item, Task):
                item.answer(StoreUnavailable("The store is closed."))


class Readers:
    """Threads that read, each with a connection of its own."""

    def __init__(self, path: Path, *, count: int) -> None:
        self._path = path
        self._queue: SimpleQueue[Ask | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._run, name=f"kodama-reader-{number}", daemon=True) for number in range(count)
        ]

    def start(self) -> None:
        """Begin to read."""
        for thread in self._threads:
            thread.start()

    def put(self, ask: Ask) -> None:
        """Answer ``ask`` as soon as a thread is free."""
        self._queue.put(ask)

    def finish(self) -> None:
        """Answer what was put before, then end."""
        for _ in self._threads:
            self._queue.put(None)

    def join(self) -> None:
        """Wait for the threads to be gone."""
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        with reading(self._path) as connection:
            while (ask := self._queue.get()) is not None:
                ask.answer(_answer(connection, ask))


def _answer(connection: sqlite3.Connection, ask: Ask) -> Any:
    """Return the answer, all of it from one moment, or the exception."""
    try:
        connection.execute("BEGIN")
        try:
            return ask.question(connection)
        finally:
            connection.execute("COMMIT")
    except sqlite3.Error as failure:
        return unavailable(failure)
    except Exception as failure:  # noqa: BLE001 - whoever asked is told, whatever it is
        return failure
