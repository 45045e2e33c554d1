"""A policy applied to a log: which promise every case is under at every moment, and how all clocks stand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import write_frame
from crmcore.calendars.clocks.columns import ClockTable, clock_columns
from crmcore.calendars.clocks.event_table import ClockEventTable
from crmcore.calendars.clocks.events import RANK, USUAL_ACTOR, ClockHistory, EventKind
from crmcore.calendars.clocks.policy import ClockName
from crmcore.calendars.clocks.reading import CaseClocks, read_clocks
from crmcore.errors import UnknownName
from crmcore.recovery.service.policies import FIELDS, NO_PROMISE, ServicePolicy
from crmcore.recovery.service.service_log import ServiceLog
from crmcore.tables import TextColumn
from crmcore.zones import to_us

if TYPE_CHECKING:
    from crmcore.calendars.clocks.explanation import ClockExplanation

__all__ = ["ServiceClocks", "last_words", "service_clocks", "under_promises"]

Places = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False, slots=False)
class ServiceClocks:
    """Clocks of all cases of a log under a policy, as they stood at one instant.

    Parameters
    ----------
    log : ServiceLog
    policy : ServicePolicy
    events : ClockEventTable
        Those of the log with the promises that applied, as events of kind "policy".
    table : ClockTable
        One row a cycle of a clock.
    """

    log: ServiceLog
    policy: ServicePolicy
    events: ClockEventTable
    table: ClockTable

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Service{self.table!r}".replace("ClockTable", "Clocks", 1)

    def __str__(self) -> str:
        return f"{self.policy!s}\n{self.table}"

    @property
    def now(self) -> datetime:
        """Instant that was asked about."""
        return self.table.now

    def case(self, name: str) -> CaseClocks:
        """All clocks of one case, read from its history: the same as its rows of the table."""
        if name not in self._place:
            raise UnknownName("case", name, self.log.cases[:1000])
        rows = np.flatnonzero(self.events.case == self._place[name])
        history = ClockHistory.of((self.events[i] for i in rows.tolist()), case=name)
        return read_clocks(history, self.policy.clock_policy, now=self.now)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.log.cases)}

    def explain(self, case: str, clock: ClockName | str) -> ClockExplanation:
        """Every counted and skipped span of a clock of one case with its reason, and what makes its deadline."""
        return self.case(case).explain(clock)

    @cached_property
    def promise(self) -> TextColumn:
        """(n,) promise under which each cycle stands or stopped; missing where none applied."""
        found = self._last(EventKind.POLICY)
        none = found.values.index(NO_PROMISE) if NO_PROMISE in found.values else -2
        return TextColumn(np.where(found.codes == none, -1, found.codes).astype(np.int32), found.values)

    @cached_property
    def owner(self) -> TextColumn:
        """(n,) agent who had the case when the cycle stopped, or has it now: the fact "agent" where no event says."""
        found = self._last(EventKind.ASSIGNED)
        stated = self.log.facts.get("agent")
        return found if stated is None else _filled(found, stated.take(self.table.case))

    @property
    def channel(self) -> TextColumn:
        """(n,) channel of the case of each cycle."""
        return self.log.facts.get("channel", TextColumn.empty(len(self.log))).take(self.table.case)

    def _last(self, kind: EventKind) -> TextColumn:
        until = np.where(self.table.open, np.datetime64(to_us(self.now), "us"), self.table.stopped_at)
        return last_words(self.events, kind, self.table.case, until)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> ServiceClocks:
        """Select cycles by position or mask."""
        return attrs.evolve(self, table=self.table.take(rows))

    def of(self, clock: ClockName | str) -> ServiceClocks:
        """Cycles of one clock."""
        return attrs.evolve(self, table=self.table.of(clock))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a cycle: what `ClockTable` has, with promise, owner and facts."""
        columns = dict(attrs.evolve(self.table, backend=None).to_frame())
        facts = {k: v.take(self.table.case).to_list() for k, v in self.log.facts.items() if k != "priority"}
        more = {**facts, "promise": self.promise.to_list(), "owner": self.owner.to_list()}
        return write_frame({**columns, **more}, backend=backend or self.table.backend)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def _filled(column: TextColumn, other: TextColumn) -> TextColumn:
    words = {w: i for i, w in enumerate(column.values)}
    to = np.array([*(words.setdefault(w, len(words)) for w in other.values), -1], np.int32)
    return TextColumn(np.where(column.codes < 0, to[other.codes], column.codes), tuple(words))


def last_words(
    events: ClockEventTable, kind: EventKind, case: NDArray[np.int32], until: NDArray[np.datetime64]
) -> TextColumn:
    """(n,) word that the last event of a kind named, up to an instant of each case; missing where there was none."""
    rows = np.flatnonzero(events.kind == RANK[kind])
    rank = np.argsort(np.argsort(np.array(events.to.values, object), kind="stable"), kind="stable").astype(np.int64)
    rank = np.append(rank, -1)  # an event that names nothing
    k, n = len(rows), len(case)
    tie = np.concatenate((rank[events.to.codes[rows]], np.full(n, len(rank))))
    at = np.concatenate((events.time[rows], until))
    order = np.lexsort((tie, at, np.concatenate((events.case[rows], case))))
    told = np.where(order < k, np.arange(len(order)), -1)
    last = np.maximum.accumulate(told) if len(told) else told
    source = order[np.maximum(last, 0)] if len(order) else order
    asked = np.flatnonzero(order >= k)
    place = order[asked] - k
    found = np.full(n, -1, np.int32)
    ok = (last[asked] >= 0) & (events.case[rows][np.minimum(source[asked], k - 1)] == case[place]) if k else None
    if ok is not None:
        found[place[ok]] = events.to.codes[rows][source[asked][ok]]
    return TextColumn(found, events.to.values)


# --- promises as events ----------------------------------------------------------------------------------------------


def under_promises(log: ServiceLog, policy: ServicePolicy) -> ClockEventTable:
    """Events of a log with the promise that applies to each case from its first event on, and after each priority.

    A case whose log itself says "policy" is under what it says from there on, whatever priority follows.

    Raises
    ------
    UnknownName
        A promise that the policy does not have.
    """
    events, n = log.events, len(log)
    _check_stated(events, policy)
    stated = events.kind == RANK[EventKind.PRIORITY]
    first = _first_times(events.case, events.time, n)
    some = np.flatnonzero(first < _NEVER)
    told = log.facts.get("priority", TextColumn.empty(n))
    words = {w: i for i, w in enumerate(events.to.values)}
    to = np.array([*(words.setdefault(w, len(words)) for w in told.values), -1], np.int32)
    priority = to[told.codes]
    at_once = _first_times(events.case[stated], events.time[stated], n) == first
    rows = np.flatnonzero(stated)
    points = _Points(
        np.concatenate((some.astype(np.int32), events.case[rows])),
        np.concatenate((first[some], events.time[rows].astype(np.int64))),
        np.concatenate((priority[some], events.to.codes[rows])),
    )
    points = points.ordered(tuple(words))
    promised = _promised(points, log, policy, tuple(words))
    pinned = _first_times(*_of_kind(events, EventKind.POLICY), n)
    before = np.append(-9, promised[:-1])
    heads = np.append(True, points.case[1:] != points.case[:-1])[: len(points.case)]
    new = (heads | (promised != before[: len(promised)])) & (points.at < pinned[points.case])
    names = np.array([words.setdefault(w, len(words)) for w in (*(p.name for p in policy.promises), NO_PROMISE)])
    given = some[(priority[some] >= 0) & ~at_once[some]]
    return _with(
        events,
        (points.case[new], points.at[new], names[promised[new]].astype(np.int32), EventKind.POLICY),
        (given.astype(np.int32), first[given], priority[given], EventKind.PRIORITY),
        words=tuple(words),
    )


_NEVER = np.iinfo(np.int64).max


@attrs.frozen(eq=False)
class _Points:
    """Moments at which a case gets a priority (-1: that of a new case)."""

    case: NDArray[np.int32]
    at: Places
    priority: NDArray[np.int32]

    def ordered(self, words: tuple[str, ...]) -> _Points:
        """By case and instant; of several at one instant the one that takes effect last, which goes by name."""
        rank = np.append(np.argsort(np.argsort(np.array(words, object), kind="stable"), kind="stable"), -1)
        order = np.lexsort((rank[self.priority], self.at, self.case))
        case, at = self.case[order], self.at[order]
        last = np.append((case[1:] != case[:-1]) | (at[1:] != at[:-1]), True)[: len(order)]
        return _Points(case[last], at[last], self.priority[order][last])


def _of_kind(events: ClockEventTable, kind: EventKind) -> tuple[NDArray[np.int32], NDArray[np.datetime64]]:
    rows = events.kind == RANK[kind]
    return events.case[rows], events.time[rows]


def _first_times(case: NDArray[np.int32], time: NDArray[np.datetime64], n: int) -> Places:
    out = np.full(n, _NEVER)
    np.minimum.at(out, case, time.astype(np.int64))
    return out


def _check_stated(events: ClockEventTable, policy: ServicePolicy) -> None:
    stated = events.to.codes[events.kind == RANK[EventKind.POLICY]]
    names = tuple(p.name for p in policy.promises)
    for code in np.unique(stated).tolist():
        if events.to.values[code] not in (*names, NO_PROMISE):
            raise UnknownName("promise", events.to.values[code], names)


def _promised(points: _Points, log: ServiceLog, policy: ServicePolicy, words: tuple[str, ...]) -> NDArray[np.int32]:
    facts = {k: log.facts[k].take(points.case) for k in FIELDS[1:] if k in log.facts}
    return policy.promises_of({"priority": TextColumn(points.priority, words), **facts}, len(points.case))


_Added = tuple[NDArray[np.int32], Places, NDArray[np.int32], EventKind]


def _with(events: ClockEventTable, *added: _Added, words: tuple[str, ...]) -> ClockEventTable:
    from crmcore.calendars.clocks.events import ACTORS

    k = sum(len(a[0]) for a in added)
    kinds = [np.full(len(a[0]), RANK[a[3]], np.int8) for a in added]
    actor = ACTORS.index(USUAL_ACTOR[EventKind.POLICY])
    return attrs.evolve(
        events,
        case=np.concatenate((events.case, *(a[0] for a in added))),
        time=np.concatenate((events.time, *(a[1].astype("datetime64[us]") for a in added))),
        kind=np.concatenate((events.kind, *kinds)),
        to=TextColumn(np.concatenate((events.to.codes, *(a[2] for a in added))).astype(np.int32), words),
        actor=np.concatenate((events.actor, np.full(k, actor, np.int8))),
        visibility=np.concatenate((events.visibility, np.zeros(k, np.int8))),
        id=TextColumn(np.concatenate((events.id.codes, np.full(k, -1, np.int32))), events.id.values),
    )


def service_clocks(
    log: ServiceLog, policy: ServicePolicy, *, now: datetime, names: Iterable[ClockName | str] | None = None
) -> ServiceClocks:
    """Read the clocks of all cases of a log under a policy, as they stood at `now`.

    Parameters
    ----------
    log : ServiceLog
    policy : ServicePolicy
    now : aware datetime
        Later events have not happened yet.
    names : clocks, optional
        None: the four response clocks and the resolution that bears the target.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import Targets
    >>> from crmcore.recovery.service import Promise, Scope, read_events
    >>> log = read_events({"case": ["7", "8"], "time": ["2026-06-01T09:00Z"] * 2, "activity": ["created"] * 2,
    ...                    "via": ["phone", "mail"]}, zone="UTC", facts={"channel": "via"})
    >>> policy = ServicePolicy(BusinessCalendar.always("UTC"), [
    ...     Promise("phone", Scope(channels=["phone"]), Targets(first_response_minutes=60)),
    ...     Promise("rest", Scope.everything(), Targets(first_response_minutes=240))])
    >>> read = service_clocks(log, policy, now=datetime(2026, 6, 1, 11, tzinfo=UTC)).of("first response")
    >>> read.promise.to_list(), read.table.breached.tolist()
    (['phone', 'rest'], [True, False])
    """
    events = under_promises(log, policy)
    return ServiceClocks(log, policy, events, clock_columns(events, policy.clock_policy, now=now, names=names))
