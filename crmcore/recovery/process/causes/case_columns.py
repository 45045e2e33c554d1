"""Cases read as columns: attributes as codes, the outcome as failures of trials, time as periods in order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import number_text
from crmcore._frames import Frame, read_frame
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange
from crmcore.metrics.days import local_periods, period_starts
from crmcore.recovery.process.causes.regions import Period
from crmcore.tables._door import Door, frozen
from crmcore.values.words import YES_OR_NO

__all__ = ["Attribute", "CaseColumns", "Periods"]

Floats = NDArray[np.float64]

MISSING = "(missing)"
"""Value of an attribute that a case does not have: it may be a cause as any other."""

FEW = 12
"""Numbers of more distinct values than this are cut into parts that hold about as many cases each."""

MOST_PERIODS = 2000
"""More distinct times than this are joined to periods of as many cases each."""

_OUTCOMES = {**YES_OR_NO, "failed": True, "failure": True, "ok": False, "fine": False}
_ODD = "neither yes nor no"  # stands for a cell that is no word, number or truth
_OUTCOME = "write True or False, 1 or 0, yes or no; None where the outcome is not known yet"


@attrs.frozen(eq=False, repr=False)
class Attribute:
    """One attribute of n cases: `values[codes[i]]` is that of case i; values are sorted, a missing one is last.

    Examples
    --------
    >>> carrier = Attribute.of("carrier", ["C7", None, "C1"])
    >>> carrier, carrier.codes.tolist(), carrier.values
    (Attribute('carrier', 3 cases, 3 values), [1, 2, 0], ('C1', 'C7', '(missing)'))
    """

    name: str
    codes: NDArray[np.int32]
    values: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"Attribute({self.name!r}, {len(self)} cases, {len(self.values)} values)"

    @classmethod
    def of(cls, name: str, cells: Iterable[object], /) -> Attribute:
        """Code the cells of a column as text."""
        return cls._coded(name, *read_frame({name: list(cells)}).text(name))

    @classmethod
    def _coded(cls, name: str, codes: NDArray[np.int32], words: tuple[str, ...]) -> Attribute:
        order = sorted(range(len(words)), key=words.__getitem__)
        to = np.empty(len(words) + 1, np.int32)
        to[order] = np.arange(len(words), dtype=np.int32)
        to[-1] = len(words)  # missing: code -1
        values = tuple(words[i] for i in order)
        return cls(name, frozen(to[codes]), (*values, MISSING) if (codes < 0).any() else values)

    @classmethod
    def in_parts(cls, name: str, numbers: Floats, parts: int, /) -> Attribute:
        """Cut numbers at their quantiles; ties stay together, NaN is missing.

        Examples
        --------
        >>> Attribute.in_parts("wait", np.array([1.0, 2.0, 3.0, 40.0]), 2).values
        ('up to 2.5', 'above 2.5')
        """
        known = numbers[~np.isnan(numbers)]
        cuts = np.unique(np.quantile(known, np.arange(1, parts) / parts)) if len(known) else np.zeros(0)
        cuts = cuts[cuts < known.max()] if len(known) else cuts
        codes = np.searchsorted(cuts, numbers, side="left").astype(np.int32)
        said = [number_text(float(c)) for c in cuts]
        if len(set(said)) < len(said):
            said = [repr(float(c)) for c in cuts]
        middle = [f"above {a} up to {b}" for a, b in pairwise(said)]
        words = [f"up to {said[0]}", *middle, f"above {said[-1]}"] if said else ["any number"]
        missing = np.isnan(numbers)
        codes[missing] = len(words)
        return cls(name, frozen(codes), (*words, MISSING) if missing.any() else tuple(words))

    def take(self, rows: NDArray[np.bool_]) -> Attribute:
        """Cases of a mask; values that none of them has stay."""
        return Attribute(self.name, frozen(self.codes[rows]), self.values)


@attrs.frozen(eq=False, repr=False)
class Periods:
    """When n cases happened: `starts[codes[i]]` is the period of case i, in order of time."""

    name: str
    codes: NDArray[np.int32]
    starts: tuple[date | float, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def period(self, position: int, /) -> Period:
        """Period at a position, with its name."""
        return Period.of(self.name, self.starts[position])

    def position(self, period: Period, /) -> int:
        """Count of the periods before one."""
        return sum(Period.of(self.name, start).rank < period.rank for start in self.starts)

    def __repr__(self) -> str:
        return f"Periods({self.name!r}, {len(self)} cases, {len(self.starts)} periods)"

    @classmethod
    def of(cls, name: str, at: NDArray[Any], /, *, zone: ZoneInfo | None = None) -> Periods:
        """Days of instants (of the zone, else of UTC), or numbers as they are.

        Examples
        --------
        >>> Periods.of("day", np.array([3.0, 1.0, 3.0])).codes.tolist()
        [1, 0, 1]
        """
        if at.dtype.kind == "M":
            kinds, codes = np.unique(local_periods(at, zone or "UTC"), return_inverse=True)
            starts: tuple[date | float, ...] = tuple(period_starts(kinds))
        else:
            kinds, codes = np.unique(at, return_inverse=True)
            starts = tuple(float(x) for x in kinds)
        codes = codes.reshape(-1)
        if len(starts) > MOST_PERIODS:
            ends = np.cumsum(np.bincount(codes))
            joined = ((ends - 1) * MOST_PERIODS // ends[-1]).astype(np.int64)
            used, first, to = np.unique(joined, return_index=True, return_inverse=True)
            codes, starts = to.reshape(-1)[codes], tuple(starts[i] for i in first[: len(used)])
        return cls(name, frozen(codes.astype(np.int32)), starts)


@attrs.frozen(eq=False, repr=False)
class CaseColumns:
    """Cases with their attributes and outcome, as the search reads them.

    Parameters
    ----------
    attributes : tuple of Attribute
    trials, failures : (n,) counts
        One row is one case (trials 1, failures 0 or 1), or many alike.
    periods : Periods, optional
    unknown : count
        Rows that were left out because their outcome or time is not known.

    Examples
    --------
    >>> frame = {"carrier": ["C1", "C7", "C7"], "late": [False, True, None]}
    >>> CaseColumns.from_frame(frame, failed="late")
    CaseColumns(2 cases, 1 failed, 1 attributes, 1 rows unknown)
    """

    attributes: tuple[Attribute, ...]
    trials: Floats
    failures: Floats
    periods: Periods | None = None
    unknown: int = 0

    def __len__(self) -> int:
        return len(self.trials)

    def __repr__(self) -> str:
        cases, failed = number_text(float(self.trials.sum())), number_text(float(self.failures.sum()))
        rest = f"{len(self.attributes)} attributes, {self.unknown} rows unknown"
        return f"CaseColumns({cases} cases, {failed} failed, {rest})"

    @cached_property
    def single(self) -> bool:
        """Whether every row is one case."""
        return bool((self.trials == 1).all())

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        /,
        *,
        failed: str,
        trials: str | None = None,
        time: str | None = None,
        attributes: Iterable[str] | None = None,
        zone: str | ZoneInfo | None = None,
        parts: int = 5,
    ) -> CaseColumns:
        """Read any frame by the names of its columns.

        Parameters
        ----------
        frame
            One row a case, or a row for many cases alike with `trials`.
        failed : column
            Whether the case failed (truth, 1 or 0, yes or no), or with `trials` how many of them failed. None is a
            case whose outcome is not known yet: it is left out and counted in `unknown`.
        trials : column, optional
            Cases behind each row.
        time : column, optional
            When the case happened: dates, datetimes (naive ones need `zone`) or numbers that rise with time.
        attributes : columns, optional
            What may be a cause; by default every other column.
        zone : name, optional
            Zone of naive times; days are those of its calendar.
        parts : count
            Numbers of more than 12 distinct values are cut into this many parts of about as many cases each.

        Raises
        ------
        MissingColumn, BadRows, EmptyInput, OutOfRange
            Columns that are not there, outcomes that are no outcome, no cases at all.
        """
        if parts < 2:
            raise OutOfRange("parts", parts, "2 or more", "cut numbers into thirds or fifths")
        door = Door(read_frame(frame), "cases", zone=zone)
        n_trials = door.numbers(trials) if trials is not None else np.ones(len(door))
        failures = door.numbers(failed) if trials is not None else _outcomes(door, failed)
        _check_counts(door, failed, trials, failures, n_trials)
        at, dated = _times(door, time) if time is not None else (None, False)
        read = [] if attributes is None else [attributes] if isinstance(attributes, str) else list(attributes)
        names = [c for c in door.frame.columns if c not in door.used] if attributes is None else read
        columns = [_attribute(door, name, parts) for name in dict.fromkeys(names)]
        door.close()
        known = ~np.isnan(failures) & ~np.isnan(n_trials) & (n_trials > 0)
        if at is not None:
            known &= ~(np.isnat(at) if at.dtype.kind == "M" else np.isnan(at))
        if not known.any():
            raise EmptyInput("the table of cases with a known outcome", _OUTCOME)
        periods = None if at is None else Periods.of(str(time), at[known], zone=None if dated else door.zone)
        return cls(
            tuple(c.take(known) for c in columns),
            frozen(np.asarray(n_trials, np.float64)[known]),
            frozen(failures[known]),
            periods,
            int((~known).sum()),
        )


def _outcomes(door: Door, name: str) -> Floats:
    """1 where a case failed, 0 where not, NaN where it is not known."""
    if name not in door.frame.columns:
        raise MissingColumn(name, door.frame.columns)
    door.used.add(name)
    numbers = _numbers(door.frame, name)
    if numbers is not None:
        wrong = ~np.isnan(numbers) & (numbers != 0) & (numbers != 1)
        door.problem(name, "no outcome of yes or no", np.flatnonzero(wrong), _OUTCOME)
        return numbers
    cells = door.frame.column(name)
    plain = [c if isinstance(c, str | bool | int | float | None) else _ODD for c in cells]
    known = {key: _outcome(key[1]) for key in {(type(c), c) for c in plain}}
    out = np.fromiter((known[type(c), c] for c in plain), np.float64, len(plain))
    odd = [i for i in np.flatnonzero(np.isnan(out)).tolist() if cells[i] is not None]
    door.problem(name, "no outcome of yes or no", odd, _OUTCOME)
    return out


def _outcome(cell: object) -> float:
    """1 for a failure, 0 for none, NaN for what says neither."""
    if isinstance(cell, str):
        return float(_OUTCOMES.get(cell.strip().casefold(), "nan"))
    return float(cell) if isinstance(cell, int | float) and cell in (0, 1) else float("nan")


def _check_counts(door: Door, failed: str, trials: str | None, failures: Floats, n: Floats) -> None:
    if trials is None:
        return
    door.problem(trials, "below zero or not finite", np.flatnonzero((n < 0) | np.isinf(n)), "count cases")
    wrong = (failures < 0) | (failures > n) | np.isinf(failures)
    door.problem(failed, "failures below zero or above the cases", np.flatnonzero(wrong), "count failures of the cases")
    for name, column in ((trials, n), (failed, failures)):
        parted = np.flatnonzero(np.isfinite(column) & (np.floor(column) != column))
        door.problem(name, "not a whole number", parted, "count cases; a rate is its failures and its cases")


def _times(door: Door, name: str) -> tuple[NDArray[Any], bool]:
    """When each case happened, and whether these are days that need no zone."""
    if name not in door.frame.columns:
        raise MissingColumn(name, door.frame.columns)
    numbers = _numbers(door.frame, name)
    if numbers is not None:
        door.used.add(name)
        door.problem(name, "not finite", np.flatnonzero(np.isinf(numbers)), "give a time that orders the cases")
        return numbers, False
    cells = door.frame.column(name)
    numeric = all(c is None or (isinstance(c, int | float) and not isinstance(c, bool)) for c in cells)
    if numeric:
        found = door.numbers(name)
        door.problem(name, "not finite", np.flatnonzero(np.isinf(found)), "give a time that orders the cases")
        return found, False
    days = _dates(cells)
    if days is None:
        return door.times(name, required=False), False
    door.used.add(name)
    return days, True


def _numbers(frame: Frame, name: str) -> Floats | None:
    """Numbers (or truth as 0 and 1) of a column that a frame library holds as such; None for another column."""
    series = frame.series(name)
    if series is None:
        return None
    import narwhals.stable.v2 as nw

    if series.dtype == nw.Boolean or (series.dtype.is_numeric() and not series.dtype.is_decimal()):
        return np.array(series.cast(nw.Float64).fill_null(float("nan")).to_numpy(), np.float64)
    return None


def _dates(cells: list[object]) -> NDArray[Any] | None:
    """Days of a column of nothing but dates (or their ISO text), which need no zone; None for another column."""
    try:
        days = [date.fromisoformat(c) if isinstance(c, str) and len(c) == 10 else c for c in cells]
    except ValueError:
        return None
    if not all(d is None or (isinstance(d, date) and not isinstance(d, datetime)) for d in days):
        return None
    return np.array(days, "datetime64[D]").astype("datetime64[us]")


def _attribute(door: Door, name: str, parts: int) -> Attribute:
    """Text as it is, numbers of many values in parts."""
    frame: Frame = door.frame
    column = door.text(name)
    if len(column.values) > FEW and _is_numeric(frame, name):
        numbers = door.numbers(name)
        infinite = np.flatnonzero(np.isinf(numbers))
        door.problem(name, "not finite", infinite, "write None where a number is not known")
        return Attribute.in_parts(name, numbers, parts)
    return Attribute._coded(name, np.asarray(column.codes), column.values)


def _is_numeric(frame: Frame, name: str) -> bool:
    series = frame.series(name)
    if series is not None:
        return bool(series.dtype.is_numeric())
    return all(c is None or (isinstance(c, int | float) and not isinstance(c, bool)) for c in frame.column(name))
