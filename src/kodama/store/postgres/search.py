"""Search in the database: first among the newest messages, then by the index.

The one decision here: what is said often is found among the newest messages, in their order, and
the index is asked for what is not, so neither costs more than a bounded part of the log. What the
index offers is looked at once more (`kodama.core.search.fits`), and messages that have no words yet
are looked at as far as they are among the newest. An engine without that index is looked through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from kodama.core.event import Entry
from kodama.core.search import Place, Wanted, fits
from kodama.core.who import Who, admits
from kodama.store.found import cut, look_through
from kodama.store.interface import Found
from kodama.store.postgres.reads import BELOW, FACTS, Extent, facts_of, some
from kodama.store.postgres.server import Connection, has_partitions
from kodama.store.postgres.terms import expression

NAMED: Final = 50  # rooms that the index is asked for by name
NEWEST: Final = 1_000  # messages that are looked at before the index is asked: some ms
WINDOW: Final = 8_000  # at most at a time, if the index knows none of what is asked
OFFERED: Final = 200  # messages that are taken from the index at first
STEP_ROWS: Final = 500
ALL: Final = 2**62

# In all questions, e is a message and kodama_rooms its room.
_FOUND: Final = 'SELECT name, e."offset", e.epoch, e.time, e.kind, e.json'
_ORDER: Final = 'ORDER BY e.time DESC, name DESC, e."offset" DESC'
_MESSAGES: Final = (
    "e.kind = 'message' AND e.time >= %(since)s AND e.time < %(before)s AND e.\"offset\" < %(below)s"
)
_ALLOWED: Final = (
    'e."offset" > swept AND (%(open)s::bigint[] IS NULL OR e.room_id = ANY(%(open)s)) '
    "AND e.room_id <> ALL(%(shut)s::bigint[]) AND (%(past_time)s::bigint IS NULL "
    'OR (e.time, name, e."offset") < (%(past_time)s, %(past_room)s COLLATE "C", %(past_offset)s))'
)
_ASKED: Final = "e.words @@ %(asked)s::tsquery"
# Written so that no other index looks as good to the planner, which guesses badly at bounds of time.
_OFFERED: Final = (
    f"{_ASKED} AND e.time + 0 >= %(since)s AND e.time + 0 < %(before)s AND e.\"offset\" + 0 < %(below)s"
)


class _Candidate(NamedTuple):
    """A message that may be wanted, and where it stands among all."""

    place: Place
    entry: Entry


def search(db: Connection, wanted: Wanted, *, who: Who, limit: int, size: int) -> Found:
    """Return the newest messages that are wanted."""
    where, values = ("", ()) if wanted.room is None else ("WHERE name = %s", (wanted.room,))
    rows = db.execute(f"SELECT {FACTS}, id, swept, top, epoch FROM kodama_rooms {where}".encode(), values)  # noqa: S608
    found = [(facts_of(row[:-4]), Extent(*row[-4:])) for row in rows]
    open_ = [(facts.name, room) for facts, room in found if admits(facts, who)]
    if not open_:
        return Found((), more=False)
    if not has_partitions(db):
        looked = look_through([_placed(db, name, room) for name, room in open_], wanted)
        return cut((entry for entry in looked if entry is not None), limit=limit, size=size)
    numbers = {room.id for _, room in open_}
    shut = [room.id for _, room in found if room.id not in numbers]
    return cut(_Search(db, wanted, open_=sorted(numbers), shut=shut).found(), limit=limit, size=size)


class _Search:
    """A search of the rooms ``open_``, and not of those that are ``shut``: along the time, or in one
    room along its offsets."""

    def __init__(self, db: Connection, wanted: Wanted, *, open_: Sequence[int], shut: Sequence[int]) -> None:
        self._db = db
        self._wanted = wanted
        if wanted.room is None:
            self._axis, self._inside = "e.time", _MESSAGES
        else:
            self._axis, self._inside = 'e."offset"', f"e.room_id = {open_[0]} AND {_MESSAGES}"
        named = len(open_) <= NAMED and (bool(shut) or wanted.room is not None)
        by_open = len(open_) < len(shut)
        self._asked = expression(wanted, only=open_ if named else ())
        self._values: dict[str, Any] = {
            "asked": self._asked, "open": open_ if by_open else None, "shut": [] if by_open else shut,
            "since": wanted.since or 0, "before": ALL if wanted.before is None else wanted.before,
            "below": ALL if wanted.below is None else wanted.below,
        }  # fmt: skip

    def found(self) -> Iterator[Entry]:
        """Yield what is wanted, the newest first."""
        high: int | None = ALL
        if self._wanted.past is not None and self._axis == "e.time":
            high = self._wanted.past.time
        rows = NEWEST
        while high is not None:
            low = self._low(high, rows)
            yield from self._fitting(self._between(low, high))
            high, rows = low, min(rows * 2, WINDOW)
            if self._asked:
                break
        if high is not None:
            yield from self._offered(high)

    def _low(self, high: int, rows: int) -> int | None:
        """Return where a stretch of ``rows`` messages up to ``high`` begins, itself not included; None
        if there are no more."""
        ((lowest, count),) = self._ask(
            f"SELECT min(place), count(*) FROM (SELECT {self._axis} AS place FROM kodama_events AS e "  # noqa: S608
            f"WHERE {self._inside} AND {self._axis} <= %(high)s ORDER BY {self._axis} DESC LIMIT %(rows)s) "
            "AS newest",
            past=None, high=high, rows=rows,
        )  # fmt: skip
        if count < rows:
            return None
        return int(lowest) if lowest < high else high - 1  # one moment may hold more than that

    def _between(self, low: int | None, high: int) -> Iterable[_Candidate]:
        """Return what may be wanted above ``low`` up to ``high``."""
        words = f"AND (e.words IS NULL OR {_ASKED})" if self._asked else ""
        return _candidates(self._ask(
            f"{_FOUND} FROM kodama_events AS e JOIN kodama_rooms ON id = room_id WHERE {self._inside} "
            f"AND {self._axis} > %(low)s AND {self._axis} <= %(high)s AND {_ALLOWED} {words} {_ORDER}",
            past=self._wanted.past, low=-1 if low is None else low, high=high,
        ))  # fmt: skip

    def _offered(self, high: int) -> Iterator[Entry]:
        """Yield what the index offers up to ``high`` and is wanted."""
        past, rows = self._wanted.past, OFFERED
        while True:
            offered = list(_candidates(self._ask(
                'WITH hits AS MATERIALIZED (SELECT room_id, "offset", time FROM kodama_events AS e '  # noqa: S608
                f"WHERE {_OFFERED} AND {self._axis} + 0 <= %(high)s), "
                'best AS (SELECT name, e.room_id, e."offset", e.time FROM hits AS e '
                f"JOIN kodama_rooms ON id = room_id WHERE {_ALLOWED} {_ORDER} LIMIT %(rows)s) "
                f'{_FOUND} FROM best JOIN kodama_events AS e USING (room_id, "offset", time) {_ORDER}',
                past=past, high=high, rows=rows,
            )))  # fmt: skip
            yield from self._fitting(offered)
            if len(offered) < rows:
                return
            past, rows = offered[-1].place, rows * 2

    def _ask(self, question: str, *, past: Place | None, **values: int) -> list[tuple[Any, ...]]:
        place = past or (None, None, None)
        names = ("past_time", "past_room", "past_offset")
        return self._db.execute(
            question.encode(), {**self._values, **values, **dict(zip(names, place, strict=True))}
        ).fetchall()

    def _fitting(self, candidates: Iterable[_Candidate]) -> Iterator[Entry]:
        for place, entry in candidates:
            if fits(entry, self._wanted, room=place.room):
                yield entry


def _candidates(rows: Iterable[Sequence[Any]]) -> Iterator[_Candidate]:
    for name, *row in rows:
        entry = Entry(*row)
        yield _Candidate(Place(entry.time, name, entry.offset), entry)


def _placed(db: Connection, name: str, room: Extent) -> Iterator[tuple[Place, Entry]]:
    before, more = room.top + 1, True
    while more:
        below, more = some(db, BELOW, room=room, offset=before, limit=STEP_ROWS)
        for entry in below:
            yield Place(entry.time, name, entry.offset), entry
            before = entry.offset
