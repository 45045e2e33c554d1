"""Season as a warp of time: a week before Christmas counts as more than a week.

Durations are measured in exposure, the integral of a seasonal index, instead of days; models then see a steady world.
The index comes from the caller or from past orders, never from days after the split.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange
from crmcore.metrics.columns import columns_frame, numbers, refuse, same_length

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["SeasonIndex"]

Floats = NDArray[np.float64]
YEAR = 365.2425


@attrs.frozen(repr=False)
class SeasonIndex(Document):
    """Relative rate of orders by week of the year (52 parts of a year of 365.2425 days, from 1 January), mean 1.

    Examples
    --------
    >>> busy = SeasonIndex.of([1.0] * 47 + [2.0] * 5)
    >>> year = busy.exposure(np.array(["2020-01-01"], "datetime64[D]"), np.array(["2024-01-01"], "datetime64[D]"))
    >>> round(float(year[0] / (4 * 365.25)), 3)    # whole years keep their length
    1.0
    """

    weeks: tuple[float, ...]

    def __attrs_post_init__(self) -> None:
        column = np.array(self.weeks, np.float64)
        if len(column) != 52:
            raise OutOfRange("len(weeks)", len(column), "52", "give one relative rate a week of the year")
        refuse("SeasonIndex", "rates are positive", weeks=(~(np.isfinite(column) & (column > 0)), "not positive"))

    @classmethod
    def of(cls, weeks: ArrayLike, /) -> SeasonIndex:
        """Index from 52 relative rates, all positive; scaled to mean 1."""
        given = cls(tuple(numbers("weeks", weeks).tolist())).weeks
        return cls(tuple((np.array(given) / np.mean(given)).tolist()))

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
            count = np.bincount(week_of(inside.astype(np.float64)), minlength=52) + shrink
            rates += count / count.sum()
        return cls.of(rates)

    def exposure(self, start: ArrayLike, end: ArrayLike, /) -> Floats:
        """Seasonal days from each start to each end; in a year as many as there are days."""
        a, b = np.asarray(start, "datetime64[D]"), np.asarray(end, "datetime64[D]")
        same_length("exposure", start=np.atleast_1d(a), end=np.atleast_1d(b))
        return np.asarray(self.clock(b.astype(np.float64)) - self.clock(a.astype(np.float64)))

    def clock(self, day: ArrayLike, /) -> Floats:
        """Seasonal days since 1970 at each day number (days since 1970, parts of days too); NaN stays NaN.

        Whole years keep their length: at midnight of 1 January the two clocks agree.
        """
        at = np.asarray(day, np.float64)
        first, length = _years(at)
        return np.asarray(first + length * np.interp((at - first) / length, EDGES, self._run()))

    def day_at(self, clock: ArrayLike, /) -> Floats:
        """Day number at which the seasonal clock shows each value: the inverse of `clock`."""
        at = np.asarray(clock, np.float64)
        first, length = _years(at)
        return np.asarray(first + length * np.interp((at - first) / length, self._run(), EDGES))

    def rate_at(self, day: ArrayLike, /) -> Floats:
        """The index on each day number: how many seasonal days that day has."""
        return np.asarray(self.weeks, np.float64)[week_of(day)]

    @property
    def flat(self) -> bool:
        """Whether all weeks are alike."""
        return max(self.weeks) - min(self.weeks) < 1e-12

    def __repr__(self) -> str:
        return f"SeasonIndex({self})"

    def __str__(self) -> str:
        if self.flat:
            return "no season"
        high, low = int(np.argmax(self.weeks)), int(np.argmin(self.weeks))
        return f"{self.weeks[high]:.2f} in week {high + 1}, {self.weeks[low]:.2f} in week {low + 1} of the year"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a week of the year: week (1 to 52), index."""
        return columns_frame({"week": np.arange(1, 53), "index": np.array(self.weeks)}, backend=backend)

    def chart(self) -> Chart:
        """The index over the year."""
        from crmcore.charts import line

        return line(
            [float(w) for w in range(1, 53)], list(self.weeks), title="How busy the weeks of a year are",
            description=str(self), axis="relative rate of purchases",
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [{"weeks": f"{w + 1}-{w + 4}", "index": float(np.mean(self.weeks[w : w + 4]))} for w in range(0, 52, 4)]
        return html_table(rows, caption=f"Season: {self}")

    def _run(self) -> Floats:
        return np.asarray(np.concatenate([[0.0], np.cumsum(self.weeks)]) / np.sum(self.weeks))


EDGES = np.linspace(0.0, 1.0, 53)


def _years(day: Floats) -> tuple[Floats, Floats]:
    """Day number of 1 January of the year of each day, and the length of that year."""
    year = np.floor(day).astype("datetime64[D]").astype("datetime64[Y]")
    first = year.astype("datetime64[D]").astype(np.float64)
    return first, (year + 1).astype("datetime64[D]").astype(np.float64) - first


def week_of(day: ArrayLike, /) -> NDArray[np.intp]:
    """Week of the year, 0 to 51, of each day number."""
    at = np.asarray(day, np.float64)
    first, length = _years(at)
    return np.asarray(np.minimum((at - first) / length * 52, 51).astype(np.intp))
