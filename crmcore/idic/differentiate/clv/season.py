"""Season as a warp of time: a week before Christmas counts as more than a week.

Durations are measured in exposure, the integral of a seasonal index, instead of days; models then see a steady world.
The index comes from the caller or from whole past years of the log, never from days after the split.
"""

from __future__ import annotations

from datetime import date

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange
from crmcore.metrics.columns import numbers, refuse, same_length

__all__ = ["SeasonIndex"]

Floats = NDArray[np.float64]
YEAR = 365.2425


@attrs.frozen
class SeasonIndex:
    """Relative rate of orders by week of the year (52 parts of a year of 365.2425 days, from 1 January), mean 1.

    Examples
    --------
    >>> busy = SeasonIndex.of([1.0] * 47 + [2.0] * 5)
    >>> year = busy.exposure(np.array(["2020-01-01"], "datetime64[D]"), np.array(["2024-01-01"], "datetime64[D]"))
    >>> round(float(year[0] / (4 * 365.25)), 3)    # whole years keep their length
    1.0
    """

    weeks: tuple[float, ...]

    @classmethod
    def of(cls, weeks: ArrayLike, /) -> SeasonIndex:
        """Index from 52 relative rates, all positive; scaled to mean 1."""
        column = numbers("weeks", weeks)
        if len(column) != 52:
            raise OutOfRange("len(weeks)", len(column), "52", "give one relative rate a week of the year")
        refuse("SeasonIndex", "rates are positive", weeks=(~(np.isfinite(column) & (column > 0)), "not positive"))
        return cls(tuple((column / column.mean()).tolist()))

    @classmethod
    def from_orders(cls, days: ArrayLike, /, *, until: date, shrink: float = 20.0) -> SeasonIndex:
        """Index from the orders of the last whole years before `until`; growth from year to year does not count.

        Parameters
        ----------
        days : (n,) dates
            One an order; those on or after `until` are never read.
        until : date
            End of the calibration: the split.
        shrink : orders
            Pseudo-orders a week at the mean rate: few orders give an index near 1.

        Raises
        ------
        EmptyInput
            Less than one whole year lies before `until`: season cannot be told from trend.
        """
        stamp = np.asarray(days, "datetime64[D]")
        end = np.datetime64(until.isoformat()[:10], "D")
        if np.isnat(stamp).any():
            rows = tuple(np.flatnonzero(np.isnat(stamp)).tolist())
            raise BadRows("SeasonIndex.from_orders", (BadRow("days", "missing", rows),), "drop orders without a date")
        stamp = stamp[stamp < end]
        years = int((end - stamp.min()).astype(int) / YEAR) if len(stamp) else 0
        if years < 1:
            raise EmptyInput("whole years before the split", "give the index yourself: SeasonIndex.of(52 numbers)")
        rates = np.zeros(52)
        for k in range(years):
            age = (end - stamp).astype(float) - k * YEAR
            inside = stamp[(age > 0) & (age <= YEAR)]
            count = np.bincount(_week(inside), minlength=52) + shrink
            rates += count / count.sum()
        return cls.of(rates)

    def exposure(self, start: ArrayLike, end: ArrayLike, /) -> Floats:
        """Seasonal days from each start to each end; in a year as many as there are days."""
        a, b = np.asarray(start, "datetime64[D]"), np.asarray(end, "datetime64[D]")
        same_length("exposure", start=np.atleast_1d(a), end=np.atleast_1d(b))
        return np.asarray(self._clock(b) - self._clock(a))

    def _clock(self, day: NDArray[np.datetime64]) -> Floats:
        year = day.astype("datetime64[Y]")
        first = year.astype("datetime64[D]")
        length = ((year + 1).astype("datetime64[D]") - first).astype(float)
        part = (day - first).astype(float) / length
        whole = (first - np.datetime64("1970-01-01", "D")).astype(float)
        run = np.concatenate([[0.0], np.cumsum(self.weeks)]) / 52.0
        return np.asarray(whole + length * np.interp(part, np.linspace(0, 1, 53), run))


def _week(day: NDArray[np.datetime64]) -> NDArray[np.intp]:
    year = day.astype("datetime64[Y]")
    first = year.astype("datetime64[D]")
    length = ((year + 1).astype("datetime64[D]") - first).astype(float)
    return np.asarray(np.minimum((day - first).astype(float) / length * 52, 51).astype(np.intp))
