"""The Net Promoter Score of one group over time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore import documents
from crmcore._base import number_text
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import instants
from crmcore.metrics.days import Period, check_period, local_periods, period_starts
from crmcore.metrics.estimates import Estimate, check_level
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.survey.nps_counts import NPS_RULE, NpsCounts, nps_groups, nps_standard_error
from crmcore.metrics.survey.nps_tables import NpsTable, table_of_groups
from crmcore.zones import zone_of

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.metrics.comparing import ComparisonTable

__all__ = ["NpsTrend", "nps_trend"]

Floats = NDArray[np.float64]


@attrs.frozen(hash=False, repr=False, kw_only=True)
class NpsTrend:
    """Net Promoter Score by period, in order of time.

    `table` has one entry for each period with answers, labelled by its first day; `slope` is the change in points from
    one period to the next, by the straight line through all answers.
    """

    table: NpsTable
    period: str
    zone: str
    slope: Estimate

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"NpsTrend({len(self)} {self.period}s, slope {number_text(self.slope.value)} points a {self.period})"

    def __str__(self) -> str:
        return f"{self.table}\nslope  {self.slope} points a {self.period}"

    def changes(self, *, adjust: str = "holm") -> ComparisonTable:
        """Each period against the one before it in the table, p-values adjusted for the number of looks.

        Raises
        ------
        EmptyInput
            Fewer than two periods.
        """
        from crmcore.metrics.comparing import ComparisonTable
        from crmcore.metrics.multiplicity import FAMILY_WISE
        from crmcore.metrics.multiplicity import adjust as adjusted

        counts = [NpsCounts(*row) for row in self.table.counts.tolist()]
        if len(counts) < 2:
            raise EmptyInput("the trend of a single period", "take shorter periods or more answers")
        level = self.table.level
        each = 1 - (1 - level) / (len(counts) - 1) if adjust in FAMILY_WISE else level
        made = tuple(b.minus(a, level=each) for a, b in pairwise(counts))
        p = adjusted([c.p_value for c in made], method=adjust)
        return ComparisonTable(
            labels=self.table.labels[1:],
            comparisons=made,
            p_adjusted=tuple(p.tolist()),
            against=f"the {self.period} before",
            adjustment=adjust,
            level=level,
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a period; the columns of `NpsTable.to_frame`."""
        return self.table.to_frame(backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        fields: dict[str, Any] = documents.to_dict(self)
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> NpsTrend:
        """Read what `to_dict` wrote."""
        made = documents.from_dict(cls, fields)
        table = attrs.evolve(made.table, counts=made.table.counts.reshape(-1, 3))
        return attrs.evolve(made, table=table)

    def chart(self, *, title: str = "Net Promoter Score over time") -> Chart:
        """The scores as a line over time with the band of their intervals."""
        from crmcore.charts import line

        dates = [datetime.fromisoformat(label).date() for label in self.table.labels]
        t = self.table
        band = {"low": t.low.tolist(), "high": t.high.tolist()}
        return line(dates, t.score.tolist(), title=title, description=str(self.slope), axis="NPS in points", **band)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def nps_trend(
    scores: ArrayLike,
    times: ArrayLike,
    /,
    *,
    period: Period = "month",
    zone: str | ZoneInfo = "UTC",
    level: float = 0.95,
    method: str = "mover-wilson",
    seed: int | np.random.Generator | None = None,
    rule: str = NPS_RULE,
) -> NpsTrend:
    """Net Promoter Score by calendar period, and how fast it moves.

    Parameters
    ----------
    scores : (n,) whole numbers
        From 0 to 10; None and NaN are not answered.
    times : (n,) datetime64, UTC, or aware datetimes
        As in a `ResponseTable`; NaT and None (unknown) belong to no period.
    period : text
        `"day"`, `"week"` (from Monday), `"month"` (default), `"quarter"`, `"year"`.
    zone : zone or its name
        Whose calendar cuts the periods.
    level, method, seed, rule
        As in `nps`.

    Returns
    -------
    NpsTrend
        Its slope is that of least squares over answers, Σ nₜ (t − t̄)(xₜ − x̄) / Σ nₜ (t − t̄)² for the score xₜ of nₜ
        answers in period t, with the variance Σ (nₜ (t − t̄) eₜ)² / (Σ nₜ (t − t̄)²)² from the standard error eₜ of
        each period (White 1980, Econometrica 48:817), taken after Rocks added 3/4 promoters, 3/4 detractors and 3
        answers, so that few answers that are all alike do not look certain. NaN where there is one period.

    Raises
    ------
    UnknownName
        No such period or zone.
    BadRows, NaiveDatetime
        Scores off the scale, cells that are no times; times without a zone.
    EmptyInput
        No answer has a time.

    Examples
    --------
    >>> times = np.array(["2026-01-05", "2026-02-03"], "datetime64[us]").repeat(200)
    >>> print(nps_trend([10, 9, 8, 3] * 50 + [9, 9, 9, 1] * 50, times))
    2026-01-01  25 [13.2, 36] (95 %, n = 200, mover-wilson)
    2026-02-01  50 [37.1, 61] (95 %, n = 200, mover-wilson)
    slope  25 [8.52, 41.5] (95 %, n = 400, least squares, adjusted) points a month
    """
    check_period(period)
    check_level(level)
    place = zone_of(zone)
    group = nps_groups(scores)
    at = instants("times", times, missing_ok=True)
    if at.shape != group.shape:
        raise OutOfRange("len(times)", at.shape, f"{len(group)}, one a score", "pass the time of every answer")
    counted = (group >= 0) & ~np.isnat(at)
    if not counted.any():
        raise EmptyInput("answers with a time", "pass scores and the times they were given at")
    numbers, codes = np.unique(local_periods(at[counted], place, period=period), return_inverse=True)
    names = tuple(day.isoformat() for day in period_starts(numbers, period=period))
    table = table_of_groups(group[counted], codes, names, level=level, method=method, seed=seed, rule=rule)
    untimed = NpsCounts.of_groups(group[~counted])
    slope = _slope(numbers.astype(np.float64), table, period)
    return NpsTrend(table=attrs.evolve(table, elsewhere=untimed), period=period, zone=place.key, slope=slope)


def _slope(t: Floats, table: NpsTable, period: str) -> Estimate:
    n = table.n.astype(np.float64)
    off = t - (n @ t) / n.sum()
    spread = float(n @ off**2)
    value, half = math.nan, math.nan
    if spread > 0:
        value = float((n * off) @ table.score) / spread
        errors = nps_standard_error(*(table.counts + np.array([0.75, 1.5, 0.75])).T)
        error = float(np.sqrt(np.sum((n * off * errors) ** 2))) / spread
        half = normal_quantile(table.level) * error
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        level=table.level,
        n=int(n.sum()),
        rule=f"change of NPS in points a {period}",
        method="least squares, adjusted",
    )
