"""Points of a control chart, checked at the door: values in order of time with labels, phases and a baseline."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date, datetime

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import number_text
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange, SmallSample
from crmcore.metrics.columns import numbers

__all__ = ["FEW_POINTS", "Points", "counted", "points_of"]

Floats = NDArray[np.float64]
Label = str | date | datetime | float

FEW_POINTS = 12
"""Limits from fewer points are soft: with 12 the standard error of sigma is about a fifth of it."""


@attrs.frozen(eq=False)
class Points:
    """Checked input of a chart.

    Parameters
    ----------
    values, counts : (n,)
        What is drawn, and the counts behind it (the values themselves where there are none).
    labels : (n,) text
    phase : (n,) positions in `phase_names`
    baseline : (n,) truth
    """

    values: Floats
    counts: Floats
    labels: tuple[str, ...]
    phase: NDArray[np.int64]
    phase_names: tuple[str, ...]
    baseline: NDArray[np.bool_]


def points_of(
    values: ArrayLike,
    /,
    *,
    labels: Sequence[Label] | None,
    phases: Sequence[object] | None,
    baseline: int | Sequence[bool] | None,
    small_sample_ok: bool,
    counts: Floats | None = None,
) -> Points:
    """Check one column of values.

    Raises
    ------
    EmptyInput, BadRows, OutOfRange

    Examples
    --------
    >>> made = points_of([1, 2, 3], labels=None, phases=["a", "a", "b"], baseline=1, small_sample_ok=True)
    >>> made.labels, made.phase.tolist(), made.baseline.tolist()
    (('1', '2', '3'), [0, 0, 1], [True, False, True])
    """
    column = numbers("values", values)
    n = len(column)
    if not n or np.isnan(column).all():
        raise EmptyInput("the column of values", "give at least one point that has a value")
    infinite = np.flatnonzero(np.isinf(column))
    if len(infinite):
        problem = BadRow("values", "not finite", tuple(infinite.tolist()))
        raise BadRows("the control chart", (problem,), "write NaN where a point has no value")
    for name, given in (("labels", labels), ("phases", phases)):
        if given is not None and len(given) != n:
            raise OutOfRange(name, f"{len(given)} entries", f"{n} entries", "give one for each point")
    said = [str(i + 1) for i in range(n)] if labels is None else [_label(x) for x in labels]
    names = [""] * n if phases is None else ["" if p is None else _label(p) for p in phases]
    known = tuple(dict.fromkeys(names))
    phase = np.array([known.index(p) for p in names], np.int64)
    mask = _baseline(baseline, phase, ~np.isnan(column))
    bare = [name for i, name in enumerate(known) if not mask[phase == i].any()]
    if bare:
        allowed = "at least one baseline point with a value in each phase"
        raise OutOfRange("baseline", f"no point in {', '.join(bare[:5])}", allowed, "mark some, or join the phases")
    _warn(mask, phase, known, small_sample_ok)
    return Points(column, column if counts is None else counts, tuple(said), phase, known, mask)


def _label(x: object) -> str:
    if isinstance(x, date):
        return x.isoformat()
    return number_text(x) if isinstance(x, float) else str(x)


def _baseline(
    baseline: int | Sequence[bool] | None, phase: NDArray[np.int64], known: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark the points that set the limits: all, the first so many of each phase that have a value, or those marked."""
    if baseline is None:
        return known
    if isinstance(baseline, int | np.integer) and not isinstance(baseline, bool):
        if baseline < 1:
            raise OutOfRange("baseline", baseline, "1 or more points", "leave it out to use all points")
        out = np.zeros(len(phase), bool)
        for number in np.unique(phase):
            out[np.flatnonzero((phase == number) & known)[:baseline]] = True
        return out
    mask = np.asarray(baseline, bool).ravel()
    if len(mask) != len(phase):
        raise OutOfRange(
            "baseline", f"{len(mask)} entries", f"{len(phase)} entries", "mark each point, or give a count"
        )
    if not (mask & known).any():
        raise OutOfRange("baseline", "no point with a value", "at least one", "mark the points that set the limits")
    return np.asarray(mask & known)


def _warn(mask: NDArray[np.bool_], phase: NDArray[np.int64], names: tuple[str, ...], ok: bool) -> None:
    few = [
        f"{names[p] or 'all points'} ({k})" for p in np.unique(phase) if (k := int(mask[phase == p].sum())) < FEW_POINTS
    ]
    if few and not ok:
        risk = f"limits from fewer than {FEW_POINTS} points are soft: {', '.join(few[:5])}."
        warnings.warn(f"{risk}\n  hint: wait for more points, or say small_sample_ok=True", SmallSample, stacklevel=4)


def counted(
    counts: ArrayLike,
    size: ArrayLike,
    labels: Sequence[Label] | None,
    phases: Sequence[object] | None,
    baseline: int | Sequence[bool] | None,
    small_sample_ok: bool,
    /,
    *,
    whole: bool,
) -> tuple[Points, Floats]:
    """Check counts and what they are counted in; `whole`: no more counts than size.

    Raises
    ------
    BadRows, OutOfRange, EmptyInput
    """
    k, n = numbers("counts", counts), numbers("sizes", size)
    if len(k) != len(n):
        raise OutOfRange("counts and sizes", f"{len(k)} and {len(n)} entries", "one length", "give both for each point")
    wrong = ~((k >= 0) & np.isfinite(k) & (n >= 0) & np.isfinite(n))
    wrong |= (k > n) if whole else (k > 0) & (n == 0)
    if wrong.any():
        reason = "below zero, not finite, or more than there were cases"
        problem = BadRow("counts", reason, tuple(np.flatnonzero(wrong).tolist()))
        raise BadRows("the control chart", (problem,), "count events, and the cases that could have them")
    values = np.where(n > 0, k / np.where(n > 0, n, 1.0), np.nan)
    made = points_of(values, labels=labels, phases=phases, baseline=baseline, small_sample_ok=small_sample_ok, counts=k)
    return made, n
