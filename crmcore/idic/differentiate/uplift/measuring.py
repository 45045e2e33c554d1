"""What a score of uplift is worth: Qini with intervals, a named random baseline, deciles, and the value of a policy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress, html_table, number_text, reporter
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.uplift import qini
from crmcore.metrics.columns import SAME, held, held_floats, numbers, refuse, same_length, some, truths
from crmcore.metrics.estimates import Estimate, check_level, frame_of
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.means import Moments
from crmcore.metrics.scalars import count_of, real, seeded

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["UpliftBin", "UpliftReport", "measure_uplift"]

Floats = NDArray[np.float64]
GRID = np.linspace(0.0, 1.0, 101)


@attrs.frozen(kw_only=True)
class UpliftBin:
    """Customers of similar score: what was predicted and what the experiment showed."""

    customers: int
    predicted: float
    observed: Estimate


@attrs.frozen(kw_only=True, repr=False, hash=False)
class UpliftReport:
    """Quality of a score of uplift on a randomised experiment that it was not fitted on.

    Attributes
    ----------
    area : Qini area a customer: between the curve and a random order, in the outcome's unit; 0 is random
    random : the same of orders drawn at random: their mean and the range that holds `level` of them
    total : mean difference between treated and rest: treating all, against nobody
    p_value : share of random orders that do as well
    bins : by score, the highest first
    shares, gain, low, high : (101,) the Qini curve with its pointwise interval
    """

    n: int
    treated: int
    area: Estimate
    random: Estimate
    total: Estimate
    p_value: float
    bins: tuple[UpliftBin, ...]
    shares: Floats = attrs.field(converter=held_floats, eq=SAME)
    gain: Floats = attrs.field(converter=held_floats, eq=SAME)
    low: Floats = attrs.field(converter=held_floats, eq=SAME)
    high: Floats = attrs.field(converter=held_floats, eq=SAME)
    _group: NDArray[np.int64] = attrs.field(alias="group", converter=held, eq=SAME, repr=False)
    _outcome: Floats = attrs.field(alias="outcome", converter=held_floats, eq=SAME, repr=False)
    _side: NDArray[np.bool_] = attrs.field(alias="side", converter=held, eq=SAME, repr=False)

    def __repr__(self) -> str:
        return f"UpliftReport(n = {self.n}, Qini area {number_text(self.area.value)})"

    def __str__(self) -> str:
        return (
            f"Qini area a customer: {self.area}\n"
            f"random order: {self.random}; as good by chance: p = {self.p_value:.3g}\n"
            f"treating all: {self.total}"
        )

    def policy(self, share: float, *, value: float = 1.0, cost: float = 0.0, level: float = 0.95) -> Estimate:
        """What treating the `share` of customers with the highest score gains a customer, against treating nobody.

        share · (value · (mean of the treated among them − mean of the rest among them) − cost). Rows tied at the line
        count with the part that fits.

        Parameters
        ----------
        value : money
            Of one unit of the outcome.
        cost : money
            Of treating one customer.
        """
        check_level(level)
        if not 0 < real("share", share) <= 1:
            raise OutOfRange("share", share, "above 0, at most 1", "write the top fifth as 0.2")
        weight = self._inside(share)
        sides = []
        for side in (self._side, ~self._side):
            w, y = weight[side], self._outcome[side]
            size = float(w.sum())
            if size < 2:
                return Estimate(value=math.nan, low=-math.inf, high=math.inf, level=level, n=self.n,
                                rule="gain a customer", method="normal")  # fmt: skip
            mean = float(w @ y) / size
            sides.append((mean, float(w @ (y - mean) ** 2) / (size - 1) / size))
        gain = share * (value * (sides[0][0] - sides[1][0]) - cost)
        half = normal_quantile(level) * share * abs(value) * math.sqrt(sides[0][1] + sides[1][1])
        rule = f"gain a customer, the top {number_text(100 * share)} % treated, against nobody"
        return Estimate(
            value=gain, low=gain - half, high=gain + half, level=level, n=self.n, rule=rule, method="normal"
        )

    def best_share(self, *, value: float = 1.0, cost: float = 0.0) -> float:
        """Share of customers whose treatment gains most, among hundredths; 0 where every share loses.

        The maximum of a noisy curve flatters itself: judge the share that you choose on fresh customers.
        """
        gains = [self.policy(s, value=value, cost=cost).value for s in GRID[1:]]
        best = int(np.nanargmax(gains)) if not all(map(math.isnan, gains)) else 0
        return float(GRID[1:][best]) if gains[best] > 0 else 0.0

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a bin, the highest score first: bin, customers, predicted, observed, low, high."""
        rows = [
            {"bin": i + 1, "customers": b.customers, "predicted": b.predicted, "observed": b.observed.value,
             "low": b.observed.low, "high": b.observed.high} for i, b in enumerate(self.bins)
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def chart(self, which: str = "qini") -> Chart:
        """`"qini"`: the curve with its interval and the random line; `"bins"`: observed uplift by score."""
        from crmcore.idic.differentiate.uplift import charts

        return charts.uplift_chart(self, which)

    def _repr_html_(self) -> str:
        rows = [
            {"score": f"tenth {i + 1}" if len(self.bins) == 10 else f"bin {i + 1}", "customers": b.customers,
             "predicted": b.predicted, "observed": str(b.observed)} for i, b in enumerate(self.bins)
        ]  # fmt: skip
        return html_table(rows, caption=f"Qini area a customer {self.area}; random order {self.random}")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values of the numbers, bins and curves; rows of customers are left out."""
        from crmcore.documents import to_dict

        whole: dict[str, Any] = to_dict(self)
        return {name: value for name, value in whole.items() if name.lstrip("_") not in ("group", "outcome", "side")}

    def _inside(self, share: float) -> Floats:
        """(n,) part of each row that lies in the top share."""
        often = np.bincount(self._group)
        end = np.cumsum(often)
        room = np.clip((share * self.n - (end - often)) / often, 0.0, 1.0)
        found: Floats = room[self._group]
        return found


def measure_uplift(
    score: ArrayLike,
    outcome: ArrayLike,
    *,
    treated: ArrayLike,
    seed: int | np.random.Generator,
    resamples: int = 500,
    bins: int = 10,
    level: float = 0.95,
    progress: Progress | bool = False,
) -> UpliftReport:
    """Judge a score of uplift on a randomised experiment.

    Parameters
    ----------
    score : (n,) numbers
        The higher, the more the treatment should change; equal scores are treated together.
    outcome : (n,) numbers
        0 and 1, or money.
    treated : (n,) truths
        Who was treated, by chance.
    seed, resamples
        Of the bootstrap over customers (treated and rest apart) that makes the intervals, given the score, and of the
        random orders.
    bins : count
        Of about equal size.

    Examples
    --------
    >>> sent = [True, False] * 200
    >>> bought = [i < 100 and s for i, s in enumerate(sent)]
    >>> report = measure_uplift([400 - i for i in range(400)], bought, treated=sent, seed=1)
    >>> round(report.area.value, 3), report.random.excludes(report.area.value)
    (0.047, True)
    """
    check_level(level)
    resamples = count_of("resamples", resamples, least=2, hint="500 are plenty")
    bins = count_of("bins", bins, least=1, hint="10 are usual")
    u, y = numbers("score", score, infinite_ok=False), numbers("outcome", outcome, infinite_ok=False)
    t = truths("treated", treated)
    n = same_length("measure_uplift", score=u, outcome=y, treated=t)
    some("score", n, "pass at least one treated and one other customer")
    hint = "leave rows without them out"
    refuse("measure_uplift", hint, score=(np.isnan(u), "missing"), outcome=(np.isnan(y), "missing"))
    if not 1 < t.sum() < n - 1:
        raise OutOfRange("treated", "one side only", "at least two rows of each side", "keep a control group")
    held_order = qini.order_by(u)
    share, gain = qini.curve_of(held_order, y, t, np.ones(n))
    rng = seeded(seed)
    report = reporter(progress)
    areas, random = np.empty(resamples), np.empty(resamples)
    curves = np.empty((resamples, len(GRID)))
    sides = [np.flatnonzero(t), np.flatnonzero(~t)]
    for i in range(resamples):
        weight = np.zeros(n)
        for rows in sides:
            weight[rows] = np.bincount(rng.integers(len(rows), size=len(rows)), minlength=len(rows))
        resampled = qini.curve_of(held_order, y, t, weight)
        areas[i], curves[i] = qini.area_of(*resampled), np.interp(GRID, *resampled)
        shuffled = qini.Ordered(rng.permutation(held_order.group), held_order.k)
        random[i] = qini.area_of(*qini.curve_of(shuffled, y, t, np.ones(n)))
        report("resamples", i + 1, resamples)
    ends = [(1 - level) / 2, (1 + level) / 2]
    area = qini.area_of(share, gain)

    def number(value: float, ends: NDArray[Any], rule: str, method: str) -> Estimate:
        low, high = map(float, ends)
        return Estimate(value=value, low=low, high=high, level=level, n=n, rule=rule, method=method)

    low, high = np.quantile(curves, ends, axis=0)
    total = Moments.of(y[t]).minus(Moments.of(y[~t]), level=level).difference
    return UpliftReport(
        n=n, treated=int(t.sum()), area=number(area, np.quantile(areas, ends), "Qini area a customer", "bootstrap"),
        random=number(float(random.mean()), np.quantile(random, ends), "Qini area of random orders", "permutation"),
        total=total, p_value=float((1 + np.sum(random >= area)) / (1 + resamples)), bins=_bins(u, y, t, bins, level),
        shares=GRID, gain=np.interp(GRID, share, gain), low=low, high=high, group=held_order.group, outcome=y, side=t,
    )  # fmt: skip


def _bins(u: Floats, y: Floats, t: NDArray[np.bool_], bins: int, level: float) -> tuple[UpliftBin, ...]:
    _, where, often = np.unique(-u, return_inverse=True, return_counts=True)
    middle = (np.cumsum(often) - often / 2) / len(u)
    group = np.minimum((middle * bins).astype(np.int64), bins - 1)[where]
    made = []
    for g in np.unique(group):
        rows = group == g
        a, b = Moments.of(y[rows & t]), Moments.of(y[rows & ~t])
        if min(a.n, b.n) < 2:
            observed = Estimate(value=math.nan, low=-math.inf, high=math.inf, level=level, n=int(rows.sum()),
                                rule="treated − rest", method="welch")  # fmt: skip
        else:
            observed = a.minus(b, level=level).difference
        made.append(UpliftBin(customers=int(rows.sum()), predicted=float(u[rows].mean()), observed=observed))
    return tuple(made)
