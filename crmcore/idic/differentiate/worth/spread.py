"""How unevenly value is spread: Gini, share of the top, Lorenz curve, deciles, ABC, with intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import EmptyInput
from crmcore.metrics.columns import SAME, held_floats, numbers
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.scalars import share_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Concentration", "concentration", "gini_moments"]

Floats = NDArray[np.float64]


def gini_moments(ascending: Floats, /) -> tuple[float, float]:
    """Gini coefficient of sorted values and its standard error; NaN where they do not sum to more than 0.

    G = sum((2i - n - 1) x_i) / (n sum(x)); error by linearisation (Davidson 2009, J. Econometrics 150).
    """
    x, n = ascending, len(ascending)
    total = float(x.sum())
    if n == 0 or total <= 0:
        return math.nan, math.nan
    rank = np.arange(1, n + 1)
    g = float(((2 * rank - n - 1) * x).sum()) / (n * total)
    z = -(g + 1) * x + (2 * rank - 1) / n * x - 2 / n * np.cumsum(x)
    return g, float(np.std(z)) / (total / n) / math.sqrt(n)


def _top_share(ascending: Floats, share: float) -> tuple[float, float]:
    """Share of value of the top customers, a part of a customer counted in part, and its standard error."""
    x, n = ascending, len(ascending)
    total = float(x.sum())
    if n == 0 or total <= 0:
        return math.nan, math.nan
    curve = np.concatenate([[0.0], np.cumsum(x)]) / total
    s = 1 - float(np.interp((1 - share) * n, np.arange(n + 1), curve))
    line = float(x[min(math.floor((1 - share) * n + 1e-9), n - 1)])
    spread = np.where(x > line, x - line, 0.0) + line * share - s * x
    return s, float(np.std(spread)) / (total / n) / math.sqrt(n)


@attrs.frozen(hash=False, kw_only=True, repr=False)
class Concentration:
    """How value is spread over customers.

    Attributes
    ----------
    gini : 0 = all alike, near 1 = one holds all; above 1 is possible where some values are negative
    top_share : share of value that the top `top` of customers bring
    values : (n,) ascending
    """

    gini: Estimate
    top_share: Estimate
    top: float
    values: Floats = attrs.field(converter=held_floats, eq=SAME)

    @property
    def negative(self) -> int:
        """Customers with a value below 0."""
        return int((self.values < 0).sum())

    def lorenz(self) -> tuple[Floats, Floats]:
        """Shares of customers and of value, each (n + 1,), the poorest first."""
        total = self.values.sum()
        curve = np.concatenate([[0.0], np.cumsum(self.values)])
        return np.linspace(0, 1, len(curve)), curve / total if total > 0 else np.full(len(curve), np.nan)

    def deciles(self) -> Floats:
        """(10,) share of value of each tenth of the customers, the best first; parts of a customer count in part."""
        x, y = self.lorenz()
        made: Floats = np.diff(np.interp(np.linspace(0, 1, 11), x, y))[::-1]
        return made

    def abc(self, *, a: float = 0.8, b: float = 0.95) -> dict[str, int]:
        """Number of customers in A (the fewest that bring the share `a`), B (up to `b`) and C.

        Customers of equal value share a class: the better of those that they would have.
        """
        best = self.values[::-1]
        total = best.sum()
        share_of("a", a, hint="0.8 is usual")
        if total <= 0:
            return {"A": 0, "B": 0, "C": len(best)}
        before = (np.cumsum(best) - best) / total
        first = np.searchsorted(-best, -best, side="left")  # first of its equals
        start = before[first]
        in_a, in_b = start < a - 1e-12, start < b - 1e-12
        return {"A": int(in_a.sum()), "B": int((in_b & ~in_a).sum()), "C": int((~in_b & ~in_a).sum())}

    def __str__(self) -> str:
        lost = f"\n{self.negative} cost more than they bring" if self.negative else ""
        return f"Gini {self.gini}\ntop {self.top:.0%} bring {self.top_share}{lost}"

    def __repr__(self) -> str:
        return f"Concentration({len(self.values)} customers, Gini {self.gini.value:.3g})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a decile: decile (1 = the best), share, cumulative."""
        shares = self.deciles()
        rows = [
            {"decile": i + 1, "share": float(s), "cumulative": float(c)}
            for i, (s, c) in enumerate(zip(shares, np.cumsum(shares), strict=True))
        ]
        return frame_of(rows, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the customers' values are left out."""
        return {"gini": self.gini.to_dict(), "top": self.top, "top_share": self.top_share.to_dict()}

    def chart(self) -> Chart:
        """The Lorenz curve."""
        from crmcore.idic.differentiate.worth.charts import lorenz_chart

        x, y = self.lorenz()
        return lorenz_chart(x, y, title="How value is spread", description=str(self))

    def _repr_html_(self) -> str:
        rows = [{"decile": i + 1, "share of value": f"{s:.1%}"} for i, s in enumerate(self.deciles())]
        return html_table(rows, caption=str(self).replace("\n", "; "))


def concentration(values: ArrayLike, /, *, top: float = 0.2, level: float = 0.95) -> Concentration:
    """Measure how unevenly value is spread over customers.

    Parameters
    ----------
    values : (n,) numbers
        One a customer, in one unit; may be negative; NaN is missing and left out.
    top : share
        Of customers, for `top_share`.
    level : share
        Coverage of the intervals: normal, by linearisation, for customers drawn from many alike.

    Returns
    -------
    Concentration

    Examples
    --------
    >>> spread = concentration([500, 200, 150, 100, 50])
    >>> round(spread.gini.value, 3), spread.top_share.value
    (0.4, 0.5)
    """
    check_level(level)
    share_of("top", top, hint="write 20 % as top=0.2")
    column = numbers("values", values, infinite_ok=False)
    x = np.sort(column[~np.isnan(column)])
    if not len(x):
        raise EmptyInput("values", "pass the value of at least one customer")
    z = normal_quantile(level)
    made = []
    for (value, error), rule in ((gini_moments(x), "Gini"), (_top_share(x, top), f"value of the top {top:.0%}")):
        low, high = max(value - z * error, 0.0), value + z * error
        if x[0] >= 0:
            high = min(high, 1.0)
        made.append(estimate_of(value, low, high, level=level, n=len(x), rule=rule, method="linearised"))
    return Concentration(gini=made[0], top_share=made[1], top=top, values=x)
