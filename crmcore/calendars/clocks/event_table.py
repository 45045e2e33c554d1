"""Clock events of many cases as columns, read from any log."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import MISSING_WORDS, read_frame, write_frame
from crmcore.calendars.clocks.events import (
    ACTORS,
    CLASH,
    KINDS,
    NAMING,
    RANK,
    USUAL_ACTOR,
    VISIBILITIES,
    Activities,
    Actor,
    ClockEvent,
    ClockHistory,
    EventKind,
    Meaning,
    meanings,
)
from crmcore.errors import DuplicateIds, UnknownName
from crmcore.tables import TextColumn
from crmcore.tables._cells import micros, when
from crmcore.tables._door import Door, codes, frozen, instants, same_length
from crmcore.values.words import word

__all__ = ["ClockEventTable", "Creation", "words_at"]


class Creation(enum.StrEnum):
    """Where the creation of a case comes from."""

    STATED = "stated"  # the log says it
    FIRST_EVENT = "first event"  # a case of which it does not say it was created by its first event


def _small(value: Any) -> NDArray[np.int8]:
    return frozen(np.asarray(value, np.int8))


_USUAL = np.array([ACTORS.index(USUAL_ACTOR[k]) for k in KINDS], np.int8)
_NAMING = np.array([k in NAMING for k in KINDS])


@attrs.frozen(eq=False, repr=False)
class ClockEventTable:
    """Clock events of many cases; row i of every column is the same event, in the order in which they were read.

    Examples
    --------
    >>> table = ClockEventTable.from_frame(
    ...     {"case": ["7", "7"], "time": ["2026-06-01T09:00", "2026-06-01T09:30"], "activity": ["Open", "Wait"]},
    ...     activities={"Open": "created", "Wait": "status: pending"}, zone="Asia/Bangkok",
    ... )
    >>> table, table[1]
    (ClockEventTable(2 events, 1 case), ClockEvent(at=2026-06-01T02:30:00+00:00, kind='status', to='pending', \
actor='agent'))
    """

    case: NDArray[np.int32] = attrs.field(converter=codes)  # (n,) code into cases
    time: NDArray[np.datetime64] = attrs.field(converter=instants)  # (n,) datetime64[us], UTC
    kind: NDArray[np.int8] = attrs.field(converter=_small)  # (n,) place in EventKind, which is the order of ties
    to: TextColumn  # what it changed to
    actor: NDArray[np.int8] = attrs.field(converter=_small)  # (n,) place in Actor
    visibility: NDArray[np.int8] = attrs.field(converter=_small)  # (n,) place in Visibility
    id: TextColumn
    cases: tuple[str, ...]  # code -> name, sorted
    backend: str | None = None  # flavour of the frame that was read

    def __attrs_post_init__(self) -> None:
        columns = {"time": self.time, "kind": self.kind, "to": self.to, "actor": self.actor}
        same_length("ClockEventTable", len(self), {**columns, "visibility": self.visibility, "id": self.id})

    def __len__(self) -> int:
        return len(self.case)

    def __repr__(self) -> str:
        plural = "" if len(self.cases) == 1 else "s"
        return f"ClockEventTable({len(self)} events, {len(self.cases)} case{plural})"

    def __getitem__(self, row: int) -> ClockEvent:
        at = when(self.time, row)
        assert at is not None  # the door refuses events without time
        return ClockEvent(
            at,
            KINDS[self.kind[row]],
            self.to[row],
            actor=ACTORS[self.actor[row]],
            visibility=VISIBILITIES[self.visibility[row]],
            id=self.id[row],
        )

    def __add__(self, other: ClockEventTable) -> ClockEventTable:
        """Events of both, each id of a case once; a case may stand in both."""
        cases = tuple(sorted({*self.cases, *other.cases}))
        place = {name: i for i, name in enumerate(cases)}
        parts = [(t, np.array([place[name] for name in t.cases], np.int32)) for t in (self, other)]
        return _once(
            ClockEventTable(
                np.concatenate([to[t.case] for t, to in parts]) if cases else self.case,
                np.concatenate((self.time, other.time)),
                np.concatenate((self.kind, other.kind)),
                _both(self.to, other.to),
                np.concatenate((self.actor, other.actor)),
                np.concatenate((self.visibility, other.visibility)),
                _both(self.id, other.id),
                cases,
                self.backend or other.backend,
            )
        )

    def history(self, case: int | str) -> ClockHistory:
        """History of one case, by its code or name."""
        code = case if isinstance(case, int) else self._code(case)
        rows = np.flatnonzero(self.case == code)
        return ClockHistory.of((self[int(i)] for i in rows), case=self.cases[code])

    def histories(self) -> list[ClockHistory]:
        """Histories of all cases, in the order of their names."""
        order = np.argsort(self.case, kind="stable")
        bounds = np.searchsorted(self.case[order], np.arange(len(self.cases) + 1)).tolist()
        return [
            ClockHistory.of((self[i] for i in order[a:b].tolist()), case=name)
            for name, a, b in zip(self.cases, bounds[:-1], bounds[1:], strict=True)
        ]

    def _code(self, case: str) -> int:
        if case not in self.cases:
            raise UnknownName("case", case, self.cases[:1000])
        return self.cases.index(case)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        zone: str | ZoneInfo | None = None,
        case: str = "case",
        time: str = "time",
        activity: str = "activity",
        to: str = "to",
        actor: str = "actor",
        visibility: str = "visibility",
        id: str = "id",
        activities: Activities | None = None,
        creation: Creation | str = Creation.STATED,
        missing: Iterable[str] = MISSING_WORDS,
    ) -> ClockEventTable:
        """Read a log; arguments that are not explained below are names of columns.

        `case`, `time` and `activity` must be there; the others may be absent under their default name.

        Parameters
        ----------
        frame
            Any frame, a dict of columns, or a list of dicts.
        zone
            Zone in which times without offset were written; without it they are refused. It is never guessed.
        activities : mapping, optional
            What each activity means: `{"Wait": "status: pending", "Note": None}`. None leaves an activity out; one that
            is not named is refused. Without a mapping activities must be the words of `EventKind`.
        creation : Creation
            "first event" lets a case of which the log states no creation begin with its first event (one that is left
            out counts too).
        missing
            Text that means "missing", in exactly this spelling.

        Raises
        ------
        MissingColumn, NaiveDatetime, UnknownName, BadRows
            What cannot be read, all bad rows at once.
        DuplicateIds
            One id on two different events of a case; repeats of the same event are dropped.
        """
        door = Door(read_frame(frame, missing=missing), "ClockEventTable", zone=zone)
        rule = word(Creation, creation, "creation")
        code, index = door.customers(case, None)
        door.required(case, code < 0, "give every event its case")
        at = door.times(time, required=True)
        done = door.text(activity)
        door.required(activity, done.codes < 0, "say what happened")
        plain: Activities = dict.fromkeys(done.values, None) | {k.value: Meaning(k, _ANY) for k in KINDS}
        if activities is None:
            for name in done.values:
                word(EventKind, name, "event kind")
        means = meanings(plain if activities is None else activities, done.values)
        kind, target, who, seen = _columns(door, done, means, (to, actor, visibility))
        names = door.optional_text(id, "id")
        lacking = (kind >= 0) & _NAMING[kind] & (target.codes < 0)
        door.problem(activity, "a change that does not say to what", np.flatnonzero(lacking), f"fill the column {to!r}")
        door.close()
        made = cls(code, at, kind, target, who, seen, names, index.ids, door.frame.backend)
        if rule is Creation.FIRST_EVENT:
            made = _with_creations(made)
        return _once(made.take(made.kind >= 0))

    @classmethod
    def of(cls, histories: Iterable[ClockHistory]) -> ClockEventTable:
        """Build a table from histories; each needs a name of its own."""
        held = list(histories)
        names = [h.case for h in held]
        if len(set(names)) != len(names):
            again = tuple(i for i, n in enumerate(names) if n in names[:i])
            raise DuplicateIds("histories", len(again), again, "name each case: ClockHistory.of(events, case='7')")
        cases = tuple(sorted(names))
        place = {name: i for i, name in enumerate(cases)}
        events = [e for h in held for e in h]
        return cls(
            case=np.array([place[h.case] for h in held for _ in h], np.int32),
            time=micros(e.at for e in events),
            kind=np.array([RANK[e.kind] for e in events], np.int8),
            to=TextColumn.of([e.to for e in events]),
            actor=np.array([ACTORS.index(e.actor or Actor.AGENT) for e in events], np.int8),
            visibility=np.array([VISIBILITIES.index(e.visibility) for e in events], np.int8),
            id=TextColumn.of([e.id for e in events]),
            cases=cases,
        )

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> ClockEventTable:
        """Select rows by position or mask; cases and dictionaries are shared."""
        return ClockEventTable(
            self.case[rows],
            self.time[rows],
            self.kind[rows],
            self.to.take(rows),
            self.actor[rows],
            self.visibility[rows],
            self.id.take(rows),
            self.cases,
            self.backend,
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """Write one row per event, in the flavour that was read unless `backend` names another."""
        return write_frame(
            {
                "case": words_at(self.cases, self.case),
                "time": self.time,
                "activity": words_at([k.value for k in KINDS], self.kind),
                "to": self.to.to_list(),
                "actor": words_at([a.value for a in ACTORS], self.actor),
                "visibility": words_at([v.value for v in VISIBILITIES], self.visibility),
                "id": self.id.to_list(),
            },
            backend=backend or self.backend,
        )


_ANY = "\x00"  # `to` of a plain word: read it from the column


def _both(first: TextColumn, second: TextColumn) -> TextColumn:
    """Two columns, one below the other."""
    words = {word: i for i, word in enumerate(first.values)}
    to = np.array([*(words.setdefault(w, len(words)) for w in second.values), -1], np.int32)
    return TextColumn(np.concatenate((first.codes, to[second.codes])), tuple(words))


def words_at(values: Iterable[str], places: NDArray[np.integer]) -> list[str | None]:
    """Words of codes, None where one is -1."""
    return list(np.array([*values, None], dtype=object)[places])


def _columns(
    door: Door, done: TextColumn, means: dict[str, Meaning | None], names: tuple[str, str, str]
) -> tuple[NDArray[np.int8], TextColumn, NDArray[np.int8], NDArray[np.int8]]:
    """Kind (-1: left out), target, actor and visibility of every row: from the columns, else from the meaning."""
    to, actor, visibility = names
    of = [means[name] for name in done.values]

    def by_meaning(values: list[int]) -> NDArray[np.int8]:
        found: NDArray[np.int8] = np.array([*values, -1], np.int8)[done.codes]
        return found

    kind = by_meaning([-1 if m is None else RANK[m.kind] for m in of])
    stated = by_meaning([-1 if m is None or m.actor is None else ACTORS.index(m.actor) for m in of])
    stated = np.where(stated < 0, _USUAL[kind], stated)
    seen = by_meaning([0 if m is None else VISIBILITIES.index(m.visibility) for m in of])
    who = _places(door.words(actor, "actor", [a.value for a in ACTORS]), [a.value for a in ACTORS])
    shown = _places(
        door.words(visibility, "visibility", [v.value for v in VISIBILITIES]), [v.value for v in VISIBILITIES]
    )
    own = [None if m is None or m.to == _ANY else m.to for m in of]
    given = door.optional_text(to, "to")
    words: dict[str, int] = {w: i for i, w in enumerate(given.values)}
    fixed = np.array([*(-1 if w is None else words.setdefault(w, len(words)) for w in own), -1], np.int32)[done.codes]
    target = TextColumn(np.where(fixed >= 0, fixed, given.codes), tuple(words))
    return kind, target, np.where(who < 0, stated, who), np.where(shown < 0, np.maximum(seen, 0), shown)


def _places(column: TextColumn, words: list[str]) -> NDArray[np.int8]:
    to = np.array([*(words.index(v) if v in words else -1 for v in column.values), -1], np.int8)
    return to[column.codes]


def _with_creations(table: ClockEventTable) -> ClockEventTable:
    """Add a creation at the first event of every case that has none."""
    n = len(table.cases)
    has = np.zeros(n, bool)
    has[table.case[table.kind == RANK[EventKind.CREATED]]] = True
    first = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(first, table.case, table.time.astype(np.int64))
    lacking = np.flatnonzero(~has & (first < np.iinfo(np.int64).max))
    k = len(lacking)
    more = np.full(k, -1, np.int32)
    return ClockEventTable(
        np.concatenate((table.case, lacking.astype(np.int32))),
        np.concatenate((table.time, first[lacking].astype("datetime64[us]"))),
        np.concatenate((table.kind, np.full(k, RANK[EventKind.CREATED], np.int8))),
        TextColumn(np.concatenate((table.to.codes, more)), table.to.values),
        np.concatenate((table.actor, np.full(k, ACTORS.index(Actor.CUSTOMER), np.int8))),
        np.concatenate((table.visibility, np.zeros(k, np.int8))),
        TextColumn(np.concatenate((table.id.codes, more)), table.id.values),
        table.cases,
        table.backend,
    )


def _once(table: ClockEventTable) -> ClockEventTable:
    """Drop repeats of an event by its id; refuse ids that stand on different events of one case."""
    named = np.flatnonzero(table.id.codes >= 0)
    if not len(named):
        return table
    key = table.case[named].astype(np.int64) * (len(table.id.values) + 1) + table.id.codes[named]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    if len(first) == len(named):
        return table
    original = named[first[inverse]]
    columns = (table.time, table.kind, table.to.codes, table.actor, table.visibility)
    clash = np.zeros(len(named), bool)
    for column in columns:
        clash |= column[named] != column[original]
    if clash.any():
        raise DuplicateIds("the log", int(clash.sum()), tuple(named[clash].tolist()), CLASH)
    keep = np.ones(len(table), bool)
    keep[named[named != original]] = False
    return table.take(keep)
