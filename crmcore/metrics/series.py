"""One share a day, week or month: counts that add up, with an interval for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore.errors import OutOfRange, UnknownName
from crmcore.metrics.columns import SAME, columns_frame, held_whole
from crmcore.metrics.days import Period, check_period, period_starts
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.intervals import wilson_interval

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["RateSeries"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, repr=False, hash=False)
class RateSeries:
    """k of n in each local period, with a Wilson interval each.

    Attributes
    ----------
    number : (m,) of the period
        Ascending; see `days.local_periods`.
    k, n : (m,) counts
        0 <= k <= n.
    rule : text
        What k and n count.
    period, zone : text
        What a period is, and where.

    Examples
    --------
    >>> series = RateSeries(number=[673, 674], k=[5, 8], n=[50, 40], rule="lost / active before", period="month")
    >>> print(series)
    2026-02-01  0.1 [0.0435, 0.214] (n = 50)
    2026-03-01  0.2 [0.105, 0.348] (n = 40)
    """

    number: Ints = attrs.field(converter=held_whole, eq=SAME)
    k: Ints = attrs.field(converter=held_whole, eq=SAME)
    n: Ints = attrs.field(converter=held_whole, eq=SAME)
    rule: str
    period: Period = "month"
    zone: str = "UTC"

    def __attrs_post_init__(self) -> None:
        check_period(self.period)
        if not len(self.number) == len(self.k) == len(self.n):
            lengths = (len(self.number), len(self.k), len(self.n))
            raise OutOfRange("len(number), len(k), len(n)", lengths, "one length", "one entry a period")
        if not ((self.k >= 0) & (self.k <= self.n)).all():
            raise OutOfRange("k", int(self.k.max(initial=0)), "0 to n in each period", "k counts a part of n")

    @property
    def starts(self) -> list[date]:
        """First local day of each period."""
        return period_starts(self.number, period=self.period)

    def __len__(self) -> int:
        return len(self.number)

    def __repr__(self) -> str:
        return f"RateSeries({len(self)} {self.period}s, {self.rule})"

    def __str__(self) -> str:
        rows = zip(self.starts, self.estimates(), strict=True)
        return "\n".join(f"{day}  {str(e).partition(' (')[0]} (n = {e.n})" for day, e in rows)

    def __getitem__(self, start: date) -> Estimate:
        known = self.starts
        if start not in known:
            raise UnknownName("start of a period", str(start), tuple(map(str, known)))
        return self.estimates()[known.index(start)]

    def __add__(self, other: RateSeries) -> RateSeries:
        """Trials of both, where no trial stands in both."""
        if (self.rule, self.period, self.zone) != (other.rule, other.period, other.zone):
            theirs = (other.rule, other.period, other.zone)
            raise OutOfRange("rule, period, zone", theirs, str((self.rule, self.period, self.zone)), "count both alike")
        number = np.union1d(self.number, other.number)
        k, n = np.zeros((2, len(number)), np.int64)
        for part in (self, other):
            at = np.searchsorted(number, part.number)
            k[at] += part.k
            n[at] += part.n
        return attrs.evolve(self, number=number, k=k, n=n)

    def band(self, *, level: float = 0.95) -> tuple[Floats, Floats]:
        """Wilson low and high (m,) of each period."""
        return wilson_interval(self.k, self.n, level=level)

    def estimates(self, *, level: float = 0.95) -> tuple[Estimate, ...]:
        """One estimate a period, in the order of time; NaN where n is 0."""
        value = np.divide(self.k, self.n, out=np.full(len(self), np.nan), where=self.n > 0)
        columns = (value, *self.band(level=level), self.n)
        return tuple(
            Estimate(
                value=float(v), low=float(a), high=float(b), level=level, n=int(n), rule=self.rule, method="wilson"
            )
            for v, a, b, n in zip(*columns, strict=True)
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        columns = {name: getattr(self, name).tolist() for name in ("number", "k", "n")}
        return {**columns, "rule": self.rule, "period": self.period, "zone": self.zone}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> RateSeries:
        """Read what `to_dict` wrote."""
        return cls(**fields)

    def to_frame(self, *, level: float = 0.95, backend: Any = None) -> Any:
        """One row a period: start, k, n, value, low, high, level, rule, method."""
        made = self.estimates(level=level)
        columns: dict[str, Any] = {"start": self.starts, "k": self.k, "n": self.n}
        for name in ("value", "low", "high"):
            columns[name] = np.array([getattr(e, name) for e in made])
        text = {"level": [level] * len(made), "rule": [self.rule] * len(made), "method": ["wilson"] * len(made)}
        return columns_frame(columns | text, backend=backend)

    def chart(self, *, level: float = 0.95, title: str = "") -> Chart:
        """A line with its band; periods without trials are left out."""
        from crmcore.charts import line

        made = [(day, e) for day, e in zip(self.starts, self.estimates(level=level), strict=True) if e.n]
        return line(
            [day for day, _ in made],
            [e.value for _, e in made],
            low=[e.low for _, e in made],
            high=[e.high for _, e in made],
            title=title or self.rule,
            description=f"{self.rule}, by {self.period}, {100 * level:g} % Wilson",
            percent=True,
        )

    def _repr_html_(self) -> str:
        rows = [
            {
                "start": day,
                "share": number_text(e.value),
                "low": number_text(e.low),
                "high": number_text(e.high),
                "n": e.n,
            }
            for day, e in zip(self.starts, self.estimates(), strict=True)
        ]
        return html_table(rows, caption=f"{self.rule}, by {self.period} ({self.zone})")
