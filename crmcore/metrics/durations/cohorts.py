"""Cohort retention: who of those that began together came back, and which cells are still too young to tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics.columns import (
    SAME,
    cells_of,
    columns_frame,
    held_whole,
    instant,
    instants,
    moment,
    people,
    same_length,
    some,
)
from crmcore.metrics.days import Period, check_period, local_periods, period_ends, period_starts
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.intervals import wilson_interval
from crmcore.zones import zone_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["RULES", "RetentionTable", "retention"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Rule = Literal["active", "unbounded", "bracket"]

RULES: Mapping[str, str] = MappingProxyType(
    {
        "active": "active in just that period (classic, N-day)",
        "unbounded": "active in that period or any later one (rolling): rises as time passes, also for old cohorts",
        "bracket": "active at least once in a range of periods",
    }
)
"""What "retained" means, by name. The three give different numbers for the same customers."""


@attrs.frozen(kw_only=True, repr=False, hash=False)
class RetentionTable:
    """Counts of who came back, by cohort and age; shards of disjoint customers add up.

    A cell is *censored* where its last period had not ended at `until`: its count is not final, so it has no share.

    Attributes
    ----------
    cohort : (c,) number of the period in which a cohort began
        Ascending, without gaps; see `days.local_periods`.
    size : (c,) customers
    active : (c, a) customers
        Of the cohort, retained at each age.
    first_age, last_age : (a,) periods since the beginning
        Of each column; equal but for brackets. Age 0 is the period of the beginning.
    over : number of the last period that had ended at `until`
    until : instant up to which events are known, UTC
    left_out : count
        Events without a customer, or after `until`, or before the customer's own beginning.

    Examples
    --------
    >>> days = ["2026-01-05", "2026-02-03", "2026-01-20", "2026-02-10", "2026-03-02"]
    >>> table = retention([0, 0, 1, 2, 2], np.array(days, "datetime64[us]"), until=np.datetime64("2026-03-10"))
    >>> print(table)
    cohort      size     0     1     2
    2026-01-01     2  100%   50%     …
    2026-02-01     1  100%     …
    2026-03-01     0     …
    """

    cohort: Ints = attrs.field(converter=held_whole, eq=SAME)
    size: Ints = attrs.field(converter=held_whole, eq=SAME)
    active: Ints = attrs.field(converter=held_whole, eq=SAME)
    first_age: Ints = attrs.field(converter=held_whole, eq=SAME)
    last_age: Ints = attrs.field(converter=held_whole, eq=SAME)
    over: int
    until: datetime
    rule: Rule = "active"
    period: Period = "month"
    zone: str = "UTC"
    left_out: int = 0

    @property
    def complete(self) -> Bools:
        """(c, a) whether a cell's last period had ended: only then its count is final."""
        mask: Bools = self.cohort[:, None] + self.last_age[None, :] <= self.over
        return mask

    @property
    def starts(self) -> list[date]:
        """First local day of each cohort."""
        return period_starts(self.cohort, period=self.period)

    @property
    def ages(self) -> list[str]:
        """Names of the columns: "3", or "1-7" for a bracket."""
        pairs = zip(self.first_age.tolist(), self.last_age.tolist(), strict=True)
        return [str(a) if a == b else f"{a}-{b}" for a, b in pairs]

    @property
    def share(self) -> Floats:
        """(c, a) retained share of each cohort; NaN where censored or nobody began."""
        known = self.complete & (self.size[:, None] > 0)
        size = np.broadcast_to(self.size[:, None], self.active.shape)
        made: Floats = np.divide(self.active, size, out=np.full(self.active.shape, np.nan), where=known)
        return made

    def __repr__(self) -> str:
        people = f"{int(self.size.sum())} customers"
        return f"RetentionTable({len(self.cohort)} {self.period} cohorts, {len(self.ages)} ages, {people}, {self.rule})"

    def __str__(self) -> str:
        ages = self.ages[:_PRINTED]
        wide = max(5, *(len(age) + 1 for age in ages))
        head = f"{'cohort':10}  {'size':>4}" + "".join(f" {age:>{wide}}" for age in ages)
        lines = [
            f"{day!s:10}  {size:>4}" + "".join(f" {_cell(s):>{wide}}" for s in row[:_PRINTED])
            for day, size, row in zip(self.starts, self.size.tolist(), self._shown(), strict=True)
        ]
        more = len(self.ages) - len(ages)
        return "\n".join([head, *lines, *([f"... {more} more ages"] if more else [])])

    def _shown(self) -> list[list[float]]:
        """Shares of each cohort up to its first cell that no event can have reached yet."""
        begun = self.cohort[:, None] + self.first_age[None, :] <= self.over + 1
        return [row[seen].tolist() for row, seen in zip(self.share, begun, strict=True)]

    def __add__(self, other: RetentionTable) -> RetentionTable:
        """Customers of both, where nobody stands in both."""
        mine = (self.rule, self.period, self.zone, self.until)
        if mine != (other.rule, other.period, other.zone, other.until):
            got = (other.rule, other.period, other.zone, other.until.isoformat())
            raise OutOfRange("rule, period, zone, until", got, f"those of the first table, {mine[:3]}", "count alike")
        if self.rule == "bracket" and self.ages != other.ages:
            raise OutOfRange("brackets", other.ages, f"{self.ages}, as in the first table", "count alike")
        longer = self if len(self.first_age) >= len(other.first_age) else other
        begin = min(self.cohort[0], other.cohort[0])
        cohort = np.arange(begin, max(self.cohort[-1], other.cohort[-1]) + 1)
        size, active = np.zeros(len(cohort), np.int64), np.zeros((len(cohort), len(longer.first_age)), np.int64)
        for part in (self, other):
            at = slice(part.cohort[0] - begin, part.cohort[-1] - begin + 1)
            size[at] += part.size
            active[at, : part.active.shape[1]] += part.active
        return attrs.evolve(
            self,
            cohort=cohort,
            size=size,
            active=active,
            first_age=longer.first_age,
            last_age=longer.last_age,
            left_out=self.left_out + other.left_out,
        )

    def rate(self, cohort: date, age: int, *, level: float = 0.95) -> Estimate:
        """Retained share of one cohort at one age (position of the column), with its Wilson interval.

        Censored cells have the value NaN and the interval [0, 1].
        """
        starts = self.starts
        if cohort not in starts:
            raise UnknownName("cohort", str(cohort), tuple(map(str, starts)))
        row = starts.index(cohort)
        if not 0 <= age < len(self.first_age):
            raise OutOfRange("age", age, f"0 to {len(self.first_age) - 1}", "positions of the columns, see .ages")
        if not self.complete[row, age]:
            return self._estimate(0, 0, age, level=level, note="too young to tell")
        return self._estimate(int(self.active[row, age]), int(self.size[row]), age, level=level)

    def curve(self, *, level: float = 0.95) -> tuple[Estimate, ...]:
        """Retained share by age, over all cohorts that are old enough; ages that none has reached are left out."""
        known = self.complete
        k = np.where(known, self.active, 0).sum(axis=0)
        n = np.where(known, self.size[:, None], 0).sum(axis=0)
        return tuple(self._estimate(int(k[a]), int(n[a]), a, level=level) for a in range(len(k)) if known[:, a].any())

    def _estimate(self, k: int, n: int, age: int, *, level: float, note: str = "") -> Estimate:
        low, high = wilson_interval(k, n, level=level)
        rule = f"{self.rule} at {self.period} {self.ages[age]} / began" + (f" ({note})" if note else "")
        value = k / n if n else math.nan
        return Estimate(value=value, low=float(low), high=float(high), level=level, n=n, rule=rule, method="wilson")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        columns = {name: getattr(self, name).tolist() for name in _COLUMNS}
        words = {"rule": self.rule, "period": self.period, "zone": self.zone, "left_out": self.left_out}
        return {**columns, "over": self.over, "until": self.until.isoformat(), **words}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> RetentionTable:
        """Read what `to_dict` wrote."""
        return cls(**{**fields, "until": datetime.fromisoformat(fields["until"])})

    def to_frame(self, *, level: float = 0.95, backend: Any = None) -> Any:
        """One row a cell: cohort, size, age, active, value, low, high, state ("complete" or "censored").

        Cells that are censored have no active, value, low and high.
        """
        c, a = self.active.shape
        known = self.complete.ravel()
        size = np.repeat(self.size, a)
        low, high = wilson_interval(np.where(known, self.active.ravel(), 0), size, level=level)
        columns = {
            "value": self.share.ravel(),
            "low": np.where(known, low, np.nan),
            "high": np.where(known, high, np.nan),
        }
        counts = [k if ok else None for k, ok in zip(self.active.ravel().tolist(), known.tolist(), strict=True)]
        named = {"cohort": [day for day in self.starts for _ in range(a)], "size": size, "age": self.ages * c}
        states = {"state": np.where(known, "complete", "censored").tolist()}
        return columns_frame({**named, "active": counts, **columns, **states}, backend=backend)

    def chart(self, *, title: str = "Who came back", latest: int = 24) -> Chart:
        """Heat map of the shares of the latest cohorts, up to as many ages; censored cells stay empty."""
        from crmcore.charts import heat_map

        begun = np.flatnonzero(self.complete[:, 0] & (self.size > 0))[-latest:]
        cells = [[None if math.isnan(s) else s for s in row[:latest]] for row in self.share[begun].tolist()]
        starts = [str(self.starts[i])[: 7 if self.period == "month" else 10] for i in begun]
        return heat_map(
            starts,
            self.ages[:latest],
            cells,
            title=title,
            description=f"{RULES[self.rule]}; empty cells are too young to tell",
            row_title="began",
            column_title=f"{self.period}s since",
        )

    def _repr_html_(self) -> str:
        rows = [
            {"cohort": day, "size": size, **{age: _cell(s) for age, s in zip(self.ages, row, strict=True)}}
            for day, size, row in zip(self.starts, self.size.tolist(), self.share.tolist(), strict=True)
        ]
        return html_table(rows, caption=f"retention: {RULES[self.rule]}; … is too young to tell")


_PRINTED = 13  # ages on a line of a terminal
_COLUMNS = ("cohort", "size", "active", "first_age", "last_age")


def _cell(share: float) -> str:
    return "…" if math.isnan(share) else f"{100 * share:.0f}%"


def retention(
    customer: ArrayLike,
    time: ArrayLike,
    *,
    until: datetime | np.datetime64,
    joined: ArrayLike | None = None,
    period: Period = "month",
    zone: str | ZoneInfo = "UTC",
    rule: Rule = "active",
    brackets: Sequence[tuple[int, int]] | None = None,
) -> RetentionTable:
    """Count who came back, by the period in which each customer began.

    Parameters
    ----------
    customer : (n,) codes or names
        Of orders or events; -1 (a missing name) is a customer whom nobody knows, and is left out.
    time : (n,) instants
        `datetime64` in UTC or aware datetimes.
    until : instant
        Up to when events are known (now, or the end of the data); later events are left out.
    joined : (k,) instants, optional
        When customer 0 to k − 1 began, such as the sign-up; NaT is never. None takes the first event of each, which
        makes old customers look new where the data begin in the middle of their story.
    period : text
        "day", "week" (from Monday) or "month", on the wall clock of `zone`.
    rule : text
        "active" (default), "unbounded" or "bracket": see `RULES`.
    brackets : pairs of ages, only with "bracket"
        First and last age of each column, ascending, not overlapping: ``[(0, 0), (1, 7), (8, 30)]``.

    Returns
    -------
    RetentionTable

    Raises
    ------
    UnknownName, OutOfRange, BadRows, EmptyInput
        An unknown word or zone; brackets that overlap; missing times; nobody who began before `until`.

    Examples
    --------
    >>> orders = np.array(["2026-01-05", "2026-01-25", "2026-03-02"], "datetime64[us]")
    >>> march = retention([0, 1, 0], orders, until=np.datetime64("2026-04-01"), rule="unbounded")
    >>> [str(e).partition(" (")[0] for e in march.curve()]
    ['1 [0.342, 1]', '0.5 [0.0945, 0.905]', '0.5 [0.0945, 0.905]']
    """
    check_period(period)
    if rule not in tuple(RULES):
        raise UnknownName("retention rule", rule, tuple(RULES))
    place, last = zone_of(zone), instant("until", until)
    if joined is not None and cells_of("customer", customer).dtype.kind not in "iuf":
        hint = "joined[i] is the sign-up of the customer with the code i"
        raise WrongType("customer", "a column of names beside joined", "codes", hint)
    code, at = people("customer", customer), instants("time", time)
    some("events", same_length("retention", customer=code, time=at), "pass at least one order or event")
    known = (code >= 0) & (at < last)
    code, number = code[known], local_periods(at[known], place, period=period)
    began = _beginnings(code, number, joined, last, place, period)
    beginning = began[code]
    counted = number >= beginning  # also drops those who never began
    code, age, beginning = code[counted], number[counted] - beginning[counted], beginning[counted]
    members = began[began < _NEVER]
    some("cohorts", len(members), "nobody began before `until`")
    now = int(local_periods(np.array([last]) - np.timedelta64(1, "us"), place, period=period)[0])
    over = now if period_ends([now], place, period=period)[0] <= last else now - 1
    first = int(members.min())
    cohort = np.arange(first, now + 1)
    firsts, lasts = _ages(rule, brackets, len(cohort))
    cells = _count_cells(code, beginning - first, age, rule, firsts, lasts, len(cohort))
    return RetentionTable(
        cohort=cohort,
        size=np.bincount(members - first, minlength=len(cohort)),
        active=cells,
        first_age=firsts,
        last_age=lasts,
        over=over,
        until=moment(last),
        rule=rule,
        period=period,
        zone=place.key,
        left_out=int(len(known) - counted.sum()),
    )


_NEVER = np.iinfo(np.int64).max


def _beginnings(
    code: Ints, number: Ints, joined: ArrayLike | None, last: np.datetime64, zone: ZoneInfo, period: Period
) -> Ints:
    """(k,) number of the period in which each customer began, `_NEVER` for those who did not."""
    if joined is None:
        began = np.full(int(code.max(initial=-1)) + 1, _NEVER)
        np.minimum.at(began, code, number)
        return began
    signed = instants("joined", joined, missing_ok=True)
    if code.max(initial=-1) >= len(signed):
        raise OutOfRange(
            "customer", int(code.max()), f"below {len(signed)}, the length of joined", "one date a customer"
        )
    began = np.full(len(signed), _NEVER)
    there = ~np.isnat(signed) & (signed < last)
    began[there] = local_periods(signed[there], zone, period=period)
    return began


def _ages(rule: str, brackets: Sequence[tuple[int, int]] | None, n: int) -> tuple[Ints, Ints]:
    """First and last age of every column."""
    if rule != "bracket":
        if brackets is not None:
            raise OutOfRange("brackets", brackets, "None with this rule", "say rule='bracket'")
        return np.arange(n), np.arange(n)
    if not brackets:
        raise EmptyInput("brackets", "pass pairs of ages such as [(0, 0), (1, 7), (8, 30)]")
    hint = "such as [(0, 0), (1, 7)]"
    try:
        pairs = np.array([(int(first), int(last)) for first, last in brackets], np.int64)
    except (TypeError, ValueError):
        raise WrongType("brackets", "no pairs of ages", "pairs of whole numbers", hint) from None
    if (pairs < 0).any() or (pairs[:, 1] < pairs[:, 0]).any() or (pairs[1:, 0] <= pairs[:-1, 1]).any():
        raise OutOfRange("brackets", brackets, "ascending pairs that do not overlap", hint)
    return pairs[:, 0], pairs[:, 1]


def _count_cells(code: Ints, row: Ints, age: Ints, rule: str, firsts: Ints, lasts: Ints, n: int) -> Ints:
    """(n, a) customers of each cohort retained in each column."""
    width = len(firsts)
    column = age
    if rule == "bracket":
        column = np.searchsorted(firsts, age, side="right") - 1
        inside = (column >= 0) & (age <= lasts[column])
        code, row, column = code[inside], row[inside], column[inside]
    if rule == "unbounded":
        latest = np.full(int(code.max(initial=-1)) + 1, -1)
        np.maximum.at(latest, code, column)
        cohort_of = np.zeros(len(latest), np.int64)
        cohort_of[code] = row
        seen = latest >= 0
        cells = np.bincount(cohort_of[seen] * width + latest[seen], minlength=n * width).reshape(n, width)
        return cells[:, ::-1].cumsum(axis=1)[:, ::-1]
    once = np.sort(code * width + column)
    once = once[np.concatenate([[True], once[1:] != once[:-1]])] if len(once) else once
    cohort_of = np.zeros(int(code.max(initial=-1)) + 1, np.int64)
    cohort_of[code] = row
    return np.bincount(cohort_of[once // width] * width + once % width, minlength=n * width).reshape(n, width)
