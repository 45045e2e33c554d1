"""Forecasts of every customer with intervals, and how a forecast compares with what came."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.buying.model import BuyingModel
from crmcore.idic.differentiate.buying.posterior import posterior
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.metrics import mean
from crmcore.metrics.columns import columns_frame, numbers
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Forecast", "ForecastCheck", "forecast"]

Floats = NDArray[np.float64]
KNOTS = (-4.0, -1.5, 1.5, 4.0)  # standard errors along each main axis at which outputs are computed
EXACT = 3_000  # distinct rows up to which outputs are computed at every draw, not between knots
DRAWS = 240  # of them, so that it takes a second
CHUNK = 10_000  # customers whose draws are held at once
SHOWN = 7  # frequencies that are told apart; the rest together


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Forecast:
    """Expected purchases and chance of being there of every customer, with intervals of the expectation.

    Attributes
    ----------
    expected, p_alive : (n,), each with `_low` and `_high`
        The interval says how well the expectation is known, not how much a single customer scatters around it.
    total : Estimate
        Of the purchases of all customers.
    """

    purchases: Purchases
    model: BuyingModel
    horizon: float
    expected: Floats
    expected_low: Floats
    expected_high: Floats
    p_alive: Floats
    p_alive_low: Floats
    p_alive_high: Floats
    total: Estimate

    def __len__(self) -> int:
        return len(self.expected)

    def __str__(self) -> str:
        return (
            f"{len(self):,} customers, next {self.horizon:g} {self.purchases.unit}s by {self.model.title}: {self.total}"
        )

    def __repr__(self) -> str:
        return f"Forecast({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: customer (where known), expected, p_alive, each with its ends."""
        ids = {} if self.purchases.customers is None else {"customer": list(self.purchases.customers.ids)}
        names = ("expected", "expected_low", "expected_high", "p_alive", "p_alive_low", "p_alive_high")
        return columns_frame({**ids, **{n: getattr(self, n) for n in names}}, backend=backend)

    def against(self, actual: ArrayLike, /) -> ForecastCheck:
        """Compare with the purchases that came, (n,) counts in the same order: see `Purchases.bought_after`."""
        came = numbers("actual", actual, infinite_ok=False)
        if len(came) != len(self):
            raise OutOfRange("len(actual)", len(came), f"{len(self)}, one a customer", "use Purchases.bought_after")
        error = np.abs(self.expected - came)
        told = f"absolute error of purchases in {self.horizon:g} {self.purchases.unit}s"
        x = self.purchases.frequency[self.purchases.row]
        group = np.minimum(x, SHOWN).astype(np.int64)
        rows = []
        for g in np.unique(group).tolist():
            here = group == g
            rows.append(
                {
                    "frequency": f"{g}" if g < SHOWN else f"{g}+", "customers": int(here.sum()),
                    "expected": float(self.expected[here].mean()),
                    "actual": mean(came[here], rule="purchases a customer", small_sample_ok=True),
                }
            )  # fmt: skip
        return ForecastCheck(
            title=self.model.title, error=mean(error, rule=told, small_sample_ok=True),
            root_mean_square=float(np.sqrt(np.mean((self.expected - came) ** 2))),
            expected_total=float(self.expected.sum()), actual_total=float(came.sum()), by_frequency=tuple(rows),
        )  # fmt: skip

    def chart(self) -> Chart:
        """How many customers have which chance of being there."""
        from crmcore.charts import histogram

        return histogram(
            self.p_alive.tolist(), title="Chance that a customer is still there", description=str(self), bins=10,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [{"what": "purchases expected", "value": str(self.total)}, {"what": "customers still there", "value": f"{self.p_alive.sum():,.0f}"}]  # noqa: E501  # fmt: skip
        return html_table(rows, caption=str(self))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ForecastCheck:
    """A forecast beside what came."""

    title: str
    error: Estimate
    root_mean_square: float
    expected_total: float
    actual_total: float
    by_frequency: tuple[Mapping[str, Any], ...]

    @property
    def total_off(self) -> float:
        """Expected total / actual total - 1."""
        return self.expected_total / self.actual_total - 1 if self.actual_total else float("nan")

    def __str__(self) -> str:
        total = f"total {self.expected_total:,.0f} of {self.actual_total:,.0f}"
        head = f"{self.title}: mean absolute error {self.error}; {total}"
        lines = [
            f"  {r['frequency']:>3} repeats  {r['customers']:>7,} customers  "
            f"expected {r['expected']:>7.3f}  actual {r['actual'].value:>7.3f}"
            for r in self.by_frequency
        ]
        return "\n".join([f"{head} ({self.total_off:+.1%})", *lines])

    def __repr__(self) -> str:
        return f"ForecastCheck({self.title}, error {self.error.value:.4g}, total {self.total_off:+.1%})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a frequency: frequency, customers, expected, actual, low, high."""
        rows = [
            {
                "frequency": r["frequency"], "customers": r["customers"], "expected": r["expected"],
                "actual": r["actual"].value, "low": r["actual"].low, "high": r["actual"].high,
            }
            for r in self.by_frequency
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Purchases that came, with intervals, and that were expected, by what was seen before."""
        from crmcore.charts import line

        rows, n = self.by_frequency, len(self.by_frequency)
        place = list(range(n))
        return line(
            [*place, *place], [*(r["actual"].value for r in rows), *(r["expected"] for r in rows)],
            low=[*(r["actual"].low for r in rows), *(r["expected"] for r in rows)],
            high=[*(r["actual"].high for r in rows), *(r["expected"] for r in rows)],
            series=["came"] * n + ["expected"] * n, title="Purchases by repeat purchases before", description=str(self),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [
            {
                "repeats before": r["frequency"],
                "customers": r["customers"],
                "expected": r["expected"],
                "came": r["actual"].value,
            }
            for r in self.by_frequency
        ]
        return html_table(rows, caption=str(self).split("\n")[0])


def forecast(
    model: BuyingModel, purchases: Purchases, /, *, horizon: float, level: float = 0.9, seed: int = 0
) -> Forecast:
    """Expected purchases and chance of being there of every customer.

    Parameters
    ----------
    model : BuyingModel
    purchases : Purchases
        In the unit of the model; those that it was fitted to, or others.
    horizon : units
        How far ahead, in calendar time; with a calendar the season of that time counts.
    level : coverage of the intervals
        Of the posterior of the parameters, moved along the log of purchases and the logit of the chance. With the
        purchases that the model was fitted to, the exact likelihood shapes it (see `method` of the total: "posterior");
        with others it is Laplace's normal. At a boundary, parameters that cannot be seen are held fixed.
    seed : of the draws of the parameters

    Examples
    --------
    >>> from crmcore.idic.differentiate.buying import RepeatBuying
    >>> bought = Purchases.of([2, 0, 5, 1, 0, 3], [30, 0, 35, 5, 0, 20], [39, 39, 39, 38, 38, 37])
    >>> found = forecast(RepeatBuying(model="nbd").fit(bought), bought, horizon=10)
    >>> round(found.total.value, 2)
    2.87
    """
    check_level(level)
    if not 0 < horizon < math.inf:
        raise OutOfRange("horizon", horizon, "a finite number above 0", f"in {model.unit}s")
    if purchases.unit != model.unit:
        raise OutOfRange("unit", purchases.unit, f"{model.unit!r}, as the model", "read the purchases in that unit")
    if purchases.calendar != model.calendar:
        got, allowed = (str(c.calendar or "no calendar") for c in (purchases, model))
        raise OutOfRange("calendar", got, f"{allowed}, as the model", "read the purchases with that calendar")
    ahead = purchases.ahead(horizon)
    x, t, end = (np.asarray(c) for c in (purchases.frequency, purchases.recency, purchases.age))
    w = np.asarray(purchases.weight)
    value, alive = _outputs(model, x, t, end, ahead)
    ends = (1 - level) / 2, (1 + level) / 2
    low, high = (value, alive), (value, alive)
    total = float(w @ value)
    total_ends, found = (total, total), posterior(model, purchases, seed=seed)
    if found is not None:
        exact = len(x) <= EXACT
        thin = found.u[np.linspace(0, len(found.u) - 1, DRAWS).astype(np.int64)]
        steps = thin if exact else np.array([row * k for row in np.eye(found.u.shape[1]) for k in KNOTS])
        moved = [_outputs(model.with_vector(model.vector() + found.root @ step), x, t, end, ahead) for step in steps]
        logs = np.log(np.array([m[0] for m in moved]) + 1e-300) - np.log(value + 1e-300)
        logits = _logit(np.array([m[1] for m in moved])) - _logit(alive)
        sums = np.log(np.array([[w @ m[0] + 1e-300] for m in moved])) - np.log(total + 1e-300)
        bends = None if exact else _bends(found.u)
        up_to = [_ends(bends, c, ends) for c in (logs, logits, sums)]
        low, high = ((value * np.exp(up_to[0][i]), _expit(_logit(alive) + up_to[1][i])) for i in range(2))
        total_ends = total * float(np.exp(up_to[2][0, 0])), total * float(np.exp(up_to[2][1, 0]))
    r = purchases.row
    return Forecast(
        purchases=purchases, model=model, horizon=horizon, expected=value[r], expected_low=low[0][r],
        expected_high=high[0][r], p_alive=alive[r], p_alive_low=np.minimum(low[1], alive)[r],
        p_alive_high=np.maximum(high[1], alive)[r],
        total=estimate_of(
            total, *total_ends, level=level, n=len(purchases), rule="purchases expected",
            method="none: at a boundary" if found is None else found.method,
        ),
    )  # fmt: skip


def _bends(u: Floats) -> Floats:
    """(n, d * knots) shares of what is known at the knots of each axis, so that shares @ outputs is a broken line."""
    line = np.array([*KNOTS[:2], 0.0, *KNOTS[2:]])
    hats = np.eye(5)[[0, 1, 3, 4]]
    return np.stack([np.interp(axis, line, hat) for axis in u.T for hat in hats], axis=1)


def _ends(bends: Floats | None, outputs: Floats, ends: tuple[float, float]) -> Floats:
    """(2, m) ends of how far outputs move from their value, on their scale, over draws of the parameters.

    `outputs` are those of the draws, or those at the knots, which `bends` makes into those of the draws.
    """
    parts = []
    for start in range(0, max(outputs.shape[1], 1), CHUNK):
        part = outputs[:, start : start + CHUNK]
        parts.append(np.quantile(part if bends is None else bends @ part, ends, axis=0))
    low, high = np.concatenate(parts, axis=1)
    return np.stack([np.clip(np.minimum(low, 0.0), -50, 0), np.clip(np.maximum(high, 0.0), 0, 50)])


def _outputs(model: BuyingModel, x: Floats, t: Floats, end: Floats, ahead: float) -> tuple[Floats, Floats]:
    from crmcore.idic.differentiate.buying import forecasting

    p = np.exp(model.theta)
    return (
        forecasting.expected(model.model, model.k, p, x, t, end, ahead),
        forecasting.p_alive(model.model, model.k, p, x, t, end, 0.0),
    )


def _logit(p: Floats) -> Floats:
    inside = np.clip(p, 1e-15, 1 - 1e-15)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _expit(z: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-z)))
