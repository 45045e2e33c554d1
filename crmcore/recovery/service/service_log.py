"""What happened to cases and what is known about each: the events that clocks read, beside facts of the cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.calendars.clocks.event_table import ClockEventTable
from crmcore.calendars.clocks.policy import ClockPolicy
from crmcore.calendars.clocks.rows import case_rows
from crmcore.documents import Document
from crmcore.errors import OutOfRange, WrongType
from crmcore.tables import TextColumn
from crmcore.tables._cells import when
from crmcore.zones import to_us

if TYPE_CHECKING:
    from crmcore.recovery.service.log_checks import LogFinding

__all__ = ["LogSummary", "ServiceLog", "Trace"]


@attrs.frozen(eq=False, repr=False)
class Trace:
    """Rows of the log as it was read, in its own words: for variants, also of activities that no clock reads."""

    case: NDArray[np.int32]  # (m,) code into the cases of the log
    time: NDArray[np.datetime64]  # (m,) datetime64[us], UTC
    activity: TextColumn  # (m,)

    def variants(self, n_cases: int) -> NDArray[np.int32]:
        """(n_cases,) code of the sequence of activities of each case; equal sequences share one, -1 has none."""
        return self._coded(n_cases)[0]

    def _coded(self, n_cases: int) -> tuple[NDArray[np.int32], list[bytes]]:
        words = np.argsort(np.argsort(np.array(self.activity.values, object), kind="stable"), kind="stable")
        rank = words.astype(np.int32)[self.activity.codes]  # ties go by name, so that the order of rows does not matter
        order = np.lexsort((rank, self.time, self.case))
        step = self.activity.codes[order].astype(np.int32)
        bounds = np.searchsorted(self.case[order], np.arange(n_cases + 1)).tolist()
        raw, seen = step.tobytes(), {b"": -1}
        codes = [seen.setdefault(raw[4 * a : 4 * b], len(seen) - 1) for a, b in pairwise(bounds)]
        return np.array(codes, np.int32), list(seen)[1:]

    def counts(self, n_cases: int) -> dict[tuple[str, ...], int]:
        """Sequences with their number of cases, the most frequent first, ties by name."""
        codes, found = self._coded(n_cases)
        n = Counter(codes[codes >= 0].tolist())
        named = [
            (tuple(self.activity.values[c] for c in np.frombuffer(b, np.int32)), n[i]) for i, b in enumerate(found)
        ]
        return dict(sorted(named, key=lambda pair: (-pair[1], pair[0])))


@attrs.frozen(kw_only=True)
class LogSummary(Document):
    """What a log holds.

    Parameters
    ----------
    events, cases : counts
    first, last : aware datetime, optional
        None where the log is empty.
    resolved, reopened, ever_waiting : counts of cases
        Ever resolved, ever back from it, ever in a status that pauses.
    variants : count
        Different sequences of activities.
    commonest : text
        The most frequent sequence.
    """

    events: int
    cases: int
    first: datetime | None
    last: datetime | None
    resolved: int
    reopened: int
    ever_waiting: int
    variants: int
    commonest: str

    def __str__(self) -> str:
        span = f", {self.first:%Y-%m-%d} to {self.last:%Y-%m-%d}" if self.first and self.last else ""
        return (
            f"{self.events:,} events of {self.cases:,} cases{span}: {self.resolved:,} resolved, {self.reopened:,} "
            f"reopened, {self.ever_waiting:,} ever waiting; {self.variants:,} variants, most often {self.commonest}"
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row."""
        return write_frame({name: [value] for name, value in attrs.asdict(self).items()}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([attrs.asdict(self)], caption="Service log")


def _facts(value: Mapping[str, TextColumn | Iterable[str | None]]) -> dict[str, TextColumn]:
    return {k: v if isinstance(v, TextColumn) else TextColumn.of(list(v)) for k, v in value.items()}


def _event_table(_instance: object, _attribute: object, value: Any) -> None:
    if not isinstance(value, ClockEventTable):
        hint = "read one with read_events, or ClockEventTable.of(histories)"
        raise WrongType("events", f"a {type(value).__name__}", "a ClockEventTable", hint)


@attrs.frozen(eq=False, repr=False, slots=False)
class ServiceLog:
    """Events of cases and facts of the cases.

    Parameters
    ----------
    events : ClockEventTable
    facts : mapping of name to one text a case, in the order of `events.cases`
        "priority", "segment", "account" and "channel" decide which promise applies; reports go by these and any other,
        such as "team" and "agent".
    trace : Trace, optional
        The log in its own words; None: variants are those of the events.
    findings : several LogFinding
        What looked odd when it was read.

    Examples
    --------
    >>> events = ClockEventTable.from_frame({"case": ["7"], "time": ["2026-06-01T09:00Z"], "activity": ["created"]})
    >>> ServiceLog(events, {"channel": ["mail"]})
    ServiceLog(1 event of 1 case, facts ['channel'])
    """

    events: ClockEventTable = attrs.field(validator=_event_table)
    facts: Mapping[str, TextColumn] = attrs.field(factory=dict, converter=_facts)
    trace: Trace | None = None
    findings: tuple[LogFinding, ...] = ()

    def __attrs_post_init__(self) -> None:
        odd = {k: len(v) for k, v in self.facts.items() if len(v) != len(self.cases)}
        if odd:
            name, n = next(iter(odd.items()))
            hint = "give one cell a case, in the order of events.cases"
            raise OutOfRange(f"facts[{name!r}]", f"{n} cells", f"{len(self.cases)} cells", hint)

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of the cases, sorted: row i of every fact is case i."""
        return self.events.cases

    def __len__(self) -> int:
        return len(self.cases)

    def __repr__(self) -> str:
        n, k = len(self.events), len(self.cases)
        of = f"{n:,} event{'s' * (n != 1)} of {k:,} case{'s' * (k != 1)}"
        return f"ServiceLog({of}, facts {list(self.facts)})"

    def with_facts(self, **facts: TextColumn | Iterable[str | None]) -> ServiceLog:
        """The log with more or other facts."""
        return attrs.evolve(self, facts={**self.facts, **facts})

    def take(self, cases: NDArray[np.bool_]) -> ServiceLog:
        """Events of some cases; the others stay known, without events."""
        trace = self.trace
        if trace is not None:
            keep = cases[trace.case]
            trace = Trace(trace.case[keep], trace.time[keep], trace.activity.take(keep))
        return attrs.evolve(self, events=self.events.take(cases[self.events.case]), trace=trace)

    @cached_property
    def _trace(self) -> Trace:
        if self.trace is not None:
            return self.trace
        events = self.events
        words = [k if to is None else f"{k}: {to}" for k, to in zip(_kinds(events), events.to.to_list(), strict=True)]
        return Trace(events.case, events.time, TextColumn.of(words))

    @property
    def variants(self) -> dict[tuple[str, ...], int]:
        """Sequences of activities with their number of cases, the most frequent first."""
        return self._trace.counts(len(self.cases))

    def summary(self, policy: ClockPolicy, *, now: datetime) -> LogSummary:
        """What the log holds up to `now`; the policy says what pauses and what resolves."""
        rows = case_rows(self.events, policy, now=to_us(now, "now"))
        paused = rows.live & ~rows.active & ~rows.resolved
        variants = self.variants
        seen = np.sort(self.events.time)
        at = {"first": when(seen, 0), "last": when(seen, -1)} if len(seen) else {"first": None, "last": None}
        return LogSummary(
            events=len(self.events),
            cases=len(self.cases),
            **at,
            resolved=_cases(rows.case[rows.resolved]),
            reopened=_cases(rows.case[rows.number > 1]),
            ever_waiting=_cases(rows.case[paused]),
            variants=len(variants),
            commonest=" > ".join(next(iter(variants), ())),
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a case: case, and its facts."""
        columns = {name: column.to_list() for name, column in self.facts.items()}
        return write_frame({"case": list(self.cases), **columns}, backend=backend or self.events.backend)


def _cases(codes: NDArray[np.int32]) -> int:
    return len(np.unique(codes))


def _kinds(events: ClockEventTable) -> list[str]:
    from crmcore.calendars.clocks.events import KINDS

    return [KINDS[k].value for k in events.kind.tolist()]
