"""The strongest dated change among the values of all attributes, and its test given a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.recovery.process.causes.case_columns import CaseColumns
from crmcore.recovery.process.causes.counting import Block
from crmcore.recovery.process.causes.fitting import Fit, Patterns, fit_patterns, saddlepoint_z, totals
from crmcore.recovery.process.causes.regions import Literal, Region
from crmcore.recovery.process.causes.scanning import Profile, bridges, change_log_p, profile_of

__all__ = ["Shift", "best_shift", "dated_again", "shift_given", "shifting_regions"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CELLS = 1_000_000
"""Values by periods that are scanned at once."""


@attrs.frozen(eq=False)
class Shift:
    """A region whose failures change at a period.

    Parameters
    ----------
    region : Region
        With its `since`.
    base, rows : (n,) truth
        Cases of the region at any time, and from the change on.
    trials : count
        Cases from the change on.
    first, last : shares
        Of the region's variance before the first and the last period that could be the change.
    profile : Profile
        Likelihood of each period.
    """

    region: Region
    base: Bools
    rows: Bools
    trials: float
    first: float
    last: float
    profile: Profile


def shifting_regions(cases: CaseColumns, singles: Sequence[Block], min_cases: int, /) -> list[Region]:
    """Values with enough cases for a before and an after, and all cases together."""
    out: list[Region] = []
    if float(cases.trials.sum()) >= 2 * min_cases:
        out.append(Region(()))
    for block in singles:
        column = cases.attributes[block.attributes[0]]
        big = np.flatnonzero(block.trials >= 2 * min_cases)
        out += [Region((Literal(column.name, column.values[v]),)) for v in block.values[big, 0]]
    return out


def _series(
    cases: CaseColumns, singles: Sequence[Block], pairs: Sequence[Region]
) -> Iterator[tuple[list[Region], NDArray[np.int32], int]]:
    """Groups of disjoint regions: their names, the region of each row (its number where it lies in none)."""
    periods = cases.periods
    if periods is None:
        return
    for region in pairs:
        yield [region], np.where(region.rows(cases), 0, 1).astype(np.int32), 1
    at_once = max(1, CELLS // max(len(periods.starts), 1))
    for block in singles:
        column, cell = cases.attributes[block.attributes[0]], block.cells(cases.attributes)
        names = [Region((Literal(column.name, column.values[v]),)) for v in block.values[:, 0]]
        for start in range(0, len(block), at_once):
            end = min(start + at_once, len(block))
            inside = (cell >= start) & (cell < end)
            yield names[start:end], np.where(inside, cell - start, end - start).astype(np.int32), end - start


def best_shift(
    cases: CaseColumns,
    singles: Sequence[Block],
    fit: Fit,
    pairs: Sequence[Region],
    min_cases: int,
    /,
    *,
    all_cases: bool = True,
) -> Shift | None:
    """Find the region and period of the largest bridge, by its p-value; None where no region can be asked."""
    periods = cases.periods
    if periods is None:
        return None
    t = len(periods.starts)
    p, w = (fit.p[fit.patterns.code] * cases.trials, fit.weight[fit.patterns.code] * cases.trials)
    best: tuple[float, float, str, Region, int, Bools, float, float] | None = None
    for names, cell, m in _series(cases, singles, [Region(()), *pairs] if all_cases else pairs):
        packed = cell * np.int32(t) + periods.codes
        tables = [
            totals(packed, column, (m + 1) * t).reshape(m + 1, t)[:m] for column in (p, w, cases.failures, cases.trials)
        ]
        z, first, last = _largest(*tables, min_cases=min_cases)
        peak = np.nanmax(np.abs(np.where(np.isnan(z), 0.0, z)), axis=1)
        usable = (peak > 0) & (first > 0) & (last < 1) & (first <= last)
        log_p = np.where(usable, change_log_p(peak, np.where(usable, first, 0.1), np.where(usable, last, 0.9)), 0.0)
        i = int(np.argmin(log_p))
        key = (round(float(log_p[i]), 6), float(tables[3][i].sum()), str(names[i]))
        if usable[i] and (best is None or key < best[:3]):
            at = int(np.nanargmax(np.abs(z[i])))
            best = (*key, names[i], at, cell == i, float(first[i]), float(last[i]))
    if best is None:
        return None
    return _shift(cases, fit, best[3], best[5], best[6:], min_cases)


def _largest(
    expected: Floats, variance: Floats, failures: Floats, trials: Floats, *, min_cases: int
) -> tuple[Floats, Floats, Floats]:
    """Bridges where both sides hold enough cases, and the shares of variance before the first and the last of them."""
    z = bridges(expected, variance, failures)
    before = np.cumsum(trials, axis=1) - trials
    allowed = (before >= min_cases) & (trials.sum(axis=1, keepdims=True) - before >= min_cases)
    z = np.where(allowed, z, np.nan)
    total = variance.sum(axis=1, keepdims=True)
    share = (np.cumsum(variance, axis=1) - variance) / np.where(total > 0, total, 1.0)
    first = np.min(np.where(allowed, share, np.inf), axis=1)
    last = np.max(np.where(allowed, share, -np.inf), axis=1)
    return z, np.where(np.isfinite(first), first, 1.0), np.where(np.isfinite(last), last, 0.0)


def _shift(
    cases: CaseColumns,
    fit: Fit,
    region: Region,
    base: Bools,
    ends: tuple[float, float],
    min_cases: int,
    window: tuple[int, int] | None = None,
) -> Shift:
    """Date the change of a region: the median of the likelihood over the periods of a window."""
    periods = cases.periods
    if periods is None:
        raise AssertionError("changes are asked only where there is a time")  # pragma: no cover
    start, stop = window or (0, len(periods.starts))
    inside = base & (periods.codes >= start) & (periods.codes < stop)
    t, g = stop - start, len(fit.p)
    packed = fit.patterns.code[inside].astype(np.int64) * t + (periods.codes[inside] - start)
    trials = totals(packed, cases.trials[inside], g * t).reshape(g, t)
    failures = totals(periods.codes[inside] - start, cases.failures[inside], t)
    before = np.cumsum(trials.sum(axis=0))
    places = np.arange(1, t)
    places = places[(before[:-1] >= min_cases) & (before[-1] - before[:-1] >= min_cases)]
    found = profile_of(fit, trials, failures, places)
    profile = Profile(found.periods + start, found.log_likelihood)
    at = profile.centre
    rows = base & (periods.codes >= at)
    dated = attrs.evolve(region, since=periods.period(at))
    return Shift(dated, base, rows, float(cases.trials[rows].sum()), *ends, profile)


def dated_again(
    shift: Shift, cases: CaseColumns, fit: Fit, min_cases: int, /, *, others: Sequence[Shift] = ()
) -> Shift:
    """Date a change by another model of all that is not the change, between the other changes of its own region.

    Bai (1997), Econometric Theory 13:315: where one change was found before another was known, its date is drawn
    towards the other; dated again between its neighbours, it is as sure as if it were alone.
    """
    at = shift.profile.centre
    mine = [o.profile.centre for o in others if np.array_equal(o.base, shift.base)]
    start = max((p for p in mine if p <= at), default=0)
    stop = min((p for p in mine if p > at), default=len(cases.periods.starts) if cases.periods else 0)
    inside = shift.base & (cases.periods.codes >= start) & (cases.periods.codes < stop) if cases.periods else shift.base
    if start == at or float(cases.trials[inside].sum()) < 4 * min_cases:
        return shift  # no room between its neighbours
    region = attrs.evolve(shift.region, since=None)
    return _shift(cases, fit, region, shift.base, (shift.first, shift.last), min_cases, (start, stop))


def shift_given(shift: Shift, cases: CaseColumns, masks: Sequence[Bools], /) -> tuple[float, float]:
    """Deviate and log p of a change given regions of a model, the level of its own region among them."""
    mine = shift.base
    known = [*masks] if mine.all() or any(np.array_equal(m, mine) for m in masks) else [*masks, mine]
    fit = fit_patterns(Patterns.of(known, cases.trials, cases.failures))
    trials = totals(fit.patterns.code, cases.trials * shift.rows, len(fit.p))[None]
    z = saddlepoint_z(fit, trials, np.array([cases.failures[shift.rows].sum()]))[0]
    if not np.isfinite(z):
        return 0.0, 0.0
    ends = np.array([shift.first]), np.array([shift.last])
    return float(z), float(change_log_p(np.array([z]), *ends)[0])
