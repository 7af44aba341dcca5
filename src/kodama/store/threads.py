"""The threads of a store: one that writes in groups, a few that read.

The one decision here: a group is whatever was appended while the last commit ran. One publisher
alone waits for one commit, a thousand share one. If a group fails because of what is in it, its
halves are tried by themselves, so that one poisoned append harms nobody else; if the database
fails, everybody in the group is told at once and the next group tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from twisted.internet.defer import Deferred

from kodama.core.change import Change
from kodama.store.interface import Commit, Group, Settle, Stored, StoreUnavailable

GROUP_LIMIT: Final = 1_000

AGAIN: Final = object()  # a task that is not done

Answer = Callable[[Any], None]
Steps = Iterator[Any]
C = TypeVar("C")
Question = Callable[[C], Any]  # what is asked of a connection
Answering = Callable[[Question[C]], Any]  # one connection: answers a question from one moment


class FromThread(Protocol):
    """The part of `twisted.internet.interfaces.IReactorFromThreads` that is used."""

    def callFromThread(self, callable: Callable[..., Any], *args: Any) -> Any:  # noqa: A002, N802
        """Call on the reactor's thread."""
        ...


class Faults(Protocol):
    """How a database fails. ``fault`` is the exception it raises."""

    @property
    def fault(self) -> type[Exception]: ...  # noqa: D102 - the class says it

    def outage(self, error: BaseException) -> bool:
        """Return whether the database failed, rather than what was to be written."""
        ...

    def unavailable(self, error: BaseException) -> StoreUnavailable:
        """Return what the caller is told about ``error``."""
        ...


class Writing(Faults, Protocol):
    """The writer's side of a log."""

    def write(self, changes: Sequence[Change]) -> tuple[list[Commit], list[Stored | Exception]]:
        """Commit ``changes`` durably, or raise ``fault`` and leave no trace of them."""
        ...

    def close(self) -> None:
        """Let go of the database; nothing is written any more."""
        ...


class _Waiting(NamedTuple):
    """A change that is to be committed with the next group."""

    change: Change
    settle: Settle


class _Task(NamedTuple):
    """Other work for the writer, done in steps between groups; the last step is the answer."""

    steps: Steps
    answer: Answer


class _Ask(NamedTuple, Generic[C]):
    """A question for a reader."""

    question: Question[C]
    answer: Answer


class Threads(Generic[C]):
    """The writer and the readers of one opened store, as the reactor's thread sees them.

    ``deliver`` is called on that thread, once for each group. ``reading`` opens the connection of
    one reader, on its own thread.
    """

    def __init__(
        self, log: Writing, *, reading: Callable[[], AbstractContextManager[Answering[C]]], readers: int,
        reactor: FromThread, deliver: Callable[[Group], None], waiting_limit: int,
    ) -> None:  # fmt: skip
        self._log = log
        self._reactor = reactor
        self._deliver = deliver
        self._waiting_limit = waiting_limit
        self._waiting = 0
        self._held: list[_Task] = []
        self._ended: Deferred[None] = Deferred()
        self._questions: SimpleQueue[_Ask[C] | None] = SimpleQueue()
        self._readers = [_Reader(reading, self._questions, log, number=n) for n in range(readers)]
        self.asked = 0
        self._writer = _Writer(log, deliver=self._committed, ended=self._end)
        self.open = False

    @property
    def healthy(self) -> bool:
        """Return whether it is open and the last attempt to write succeeded."""
        return self.open and self._writer.healthy

    def start(self) -> None:
        """Begin."""
        self.open = True
        self._writer.start()
        for reader in self._readers:
            reader.start()

    def stop(self) -> Deferred[None]:
        """Finish what was appended and asked, deliver it, and close the log."""
        if self.open:
            self.open = False
            for _ in self._readers:
                self._questions.put(None)
            self._let_go()
            self._writer.put(None)
        return self._ended

    def append(self, change: Change, settle: Settle) -> None:
        """Write ``change`` with the next group. Raises `StoreUnavailable`."""
        if not self.open:
            raise StoreUnavailable("The store is closed.")
        if self._waiting >= self._waiting_limit:
            raise StoreUnavailable("Too much is waiting to be written.")
        self._waiting += 1
        self._writer.put(_Waiting(change, settle))

    def ask(self, question: Question[C]) -> Deferred[Any]:
        """Return the answer to ``question``, all of it from one moment."""
        self.asked += 1
        answered: Deferred[Any] = Deferred()
        if self.open:
            self._questions.put(_Ask(question, self._firing(answered)))
        else:
            answered.errback(StoreUnavailable("The store is closed."))
        return answered

    def do(self, steps: Steps) -> Deferred[Any]:
        """Do ``steps`` on the writer's thread, between groups while they yield `AGAIN`.

        They begin when the group under way is delivered: begun right after its commit, they would take
        the interpreter from the thread that is to deliver it (0.45 ms, 2 % of messages at 1,000/s).
        """
        done: Deferred[Any] = Deferred()
        if self.open:
            task = _Task(steps, self._firing(done))
            if self._waiting:
                self._held.append(task)
            else:
                self._writer.put(task)
        else:
            done.errback(StoreUnavailable("The store is closed."))
        return done

    def do_now(self, steps: Steps) -> Any:
        """Do ``steps`` on the writer's thread and wait for the end: for the start only."""
        if not self.open:
            raise StoreUnavailable("The store is closed.")
        answers: SimpleQueue[Any] = SimpleQueue()
        self._writer.put(_Task(steps, answers.put))
        answer = answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def aside(self, work: Callable[[], Any]) -> Deferred[Any]:
        """Do ``work`` on a thread of its own, with a connection of its own, however long it takes."""
        done: Deferred[Any] = Deferred()
        fire = self._firing(done)

        def run() -> None:
            try:
                result = work()
            except self._log.fault as failure:
                result = self._log.unavailable(failure)
            except Exception as failure:  # noqa: BLE001 - whoever asked is told, whatever it is
                result = failure
            fire(result)

        Thread(target=run, name="kodama-aside", daemon=True).start()
        return done

    def _firing(self, deferred: Deferred[Any]) -> Answer:
        """Return what a thread calls to fire ``deferred`` on the reactor's thread."""

        def fire(result: Any) -> None:
            deliver = deferred.errback if isinstance(result, Exception) else deferred.callback
            self._reactor.callFromThread(deliver, result)

        return fire

    def _committed(self, group: Group) -> None:
        self._reactor.callFromThread(self._delivered, group)

    def _delivered(self, group: Group) -> None:
        self._waiting -= len(group.settled)
        self._deliver(group)
        self._let_go()

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for task in held:
            self._writer.put(task)

    def _end(self) -> None:
        """Close on the writer's thread, after the readers."""
        for reader in self._readers:
            reader.join()
        self._log.close()
        self._reactor.callFromThread(self._closed)

    def _closed(self) -> None:
        self._writer.join()
        self._ended.callback(None)


class _Writer:
    """The thread that writes. ``deliver`` and all answers are called on that thread."""

    def __init__(self, log: Writing, *, deliver: Callable[[Group], None], ended: Callable[[], None]) -> None:
        self._log = log
        self._deliver = deliver
        self._ended = ended
        self._queue: SimpleQueue[_Waiting | _Task | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="kodama-writer", daemon=True)
        self.start = self._thread.start
        self.join = self._thread.join
        self.put = self._queue.put
        self.healthy = True

    def _run(self) -> None:
        going = True
        while going:
            item = self._queue.get()
            group: list[_Waiting] = []
            while isinstance(item, _Waiting):
                group.append(item)
                if len(group) == GROUP_LIMIT:
                    break
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
            if group:
                self._commit(group)
            if isinstance(item, _Task):
                self._step(item)
            going = item is not None
        self._refuse_the_rest()
        self._ended()

    def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            commits, results = self._log.write([one.change for one in group])
        except Exception as failure:  # noqa: BLE001 - all of the group are told, whatever it is
            self._failed(group, failure)
            return
        self.healthy = True
        settled = [(one.settle, result) for one, result in zip(group, results, strict=True)]
        self._deliver(Group(commits, settled))

    def _failed(self, group: Sequence[_Waiting], failure: Exception) -> None:
        if self._log.outage(failure):
            self.healthy = False
            told = self._log.unavailable(failure)
            self._deliver(Group((), [(one.settle, told) for one in group]))
        elif len(group) == 1:
            self._deliver(Group((), [(group[0].settle, failure)]))
        else:
            middle = len(group) // 2
            self._commit(group[:middle])
            self._commit(group[middle:])

    def _step(self, task: _Task) -> None:
        try:
            result = next(task.steps)
        except self._log.fault as failure:
            self.healthy = self.healthy and not self._log.outage(failure)
            task.answer(self._log.unavailable(failure))
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
            if isinstance(item, _Task):
                item.answer(StoreUnavailable("The store is closed."))


class _Reader(Generic[C]):
    """A thread that reads, with a connection of its own."""

    def __init__(
        self, reading: Callable[[], AbstractContextManager[Answering[C]]],
        questions: SimpleQueue[_Ask[C] | None], faults: Faults, *, number: int,
    ) -> None:  # fmt: skip
        self._reading = reading
        self._questions = questions
        self._faults = faults
        self._thread = Thread(target=self._run, name=f"kodama-reader-{number}", daemon=True)
        self.start = self._thread.start
        self.join = self._thread.join

    def _run(self) -> None:
        with self._reading() as answering:
            while (ask := self._questions.get()) is not None:
                ask.answer(self._answer(answering, ask.question))

    def _answer(self, answering: Answering[C], question: Question[C]) -> Any:
        try:
            return answering(question)
        except self._faults.fault as failure:
            return self._faults.unavailable(failure)
        except Exception as failure:  # noqa: BLE001 - whoever asked is told, whatever it is
            return failure
