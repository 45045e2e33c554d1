"""Fitted repeat-buying models: what they expect of customers, old and new."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.errors import BadDocument, OutOfRange, UnknownName
from crmcore.idic.differentiate.buying import erlang, forecasting, pareto
from crmcore.idic.differentiate.buying.purchases import UNITS, Purchases
from crmcore.idic.differentiate.buying.season import SeasonIndex
from crmcore.idic.differentiate.contracts.fitting import draws, fit_log
from crmcore.metrics.columns import numbers
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.wald import standard_errors, wald_estimates

__all__ = ["MODELS", "BuyingModel", "RepeatBuying"]

Floats = NDArray[np.float64]
Covariance = tuple[tuple[float, ...], ...]

MANY = 80_000  # rows above which a quarter of so many shows the way and gives the standard errors
MODELS = ("nbd", "bg", "mbg", "pareto")
NAMES: Mapping[str, tuple[str, ...]] = {
    "nbd": ("r", "alpha"), "bg": ("r", "alpha", "a", "b"), "mbg": ("r", "alpha", "a", "b"),
    "pareto": ("r", "alpha", "s", "beta"),
}  # fmt: skip
DROPOUT = {"nbd": "none", "bg": "repeat", "mbg": "any"}
TITLES = {"nbd": "NBD", "bg": "BG/NBD", "mbg": "MBG/NBD", "pareto": "Pareto/NBD"}


def _known(_: object, field: attrs.Attribute[str], value: str) -> None:
    if value not in MODELS:
        raise UnknownName("model", value, MODELS)


@attrs.frozen(kw_only=True)
class RepeatBuying:
    """Recipe of a repeat-buying model.

    Attributes
    ----------
    model : {"nbd", "bg", "mbg", "pareto"}
        "nbd": nobody leaves. "bg": one may leave after each repeat purchase. "mbg": also after the first. "pareto": one
        may leave at any time, unseen.
    k : stages
        Regularity of gaps, 1 (as it comes) and up; Pareto takes 1 only.

    Examples
    --------
    >>> bought = Purchases.of([2, 0, 5, 1, 0, 3], [30, 0, 35, 5, 0, 20], [39, 39, 39, 38, 38, 37])
    >>> RepeatBuying(model="nbd").fit(bought)
    BuyingModel(NBD, r = 1.72, alpha = 36, n = 6)
    """

    model: str = attrs.field(default="bg", validator=_known)
    k: int = 1

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.k, int) or not 1 <= self.k <= 12 or (self.model == "pareto" and self.k != 1):
            allowed = "1" if self.model == "pareto" else "1 to 12"
            raise OutOfRange("k", self.k, allowed, "2 is a little regular, 4 much")

    def fit(self, purchases: Purchases, /) -> BuyingModel:
        """Maximum likelihood; never fails on sound purchases. At a boundary there is no covariance."""
        scale = float(purchases.weight @ purchases.age / purchases.weight.sum()) or 1.0
        shrunk = attrs.evolve(
            purchases, recency=purchases.recency / scale, age=purchases.age / scale,
            log_gaps=purchases.log_gaps - purchases.weight * purchases.frequency * math.log(scale),
        )  # fmt: skip
        begin = np.log([1.0, 0.5, 1.0, 0.5 if self.model == "pareto" else 2.5])[: len(NAMES[self.model])]
        sample, share = None, 1.0
        if len(shrunk.frequency) > MANY:  # rows are sorted: an even sample shows the way
            thin = shrunk.thinned(MANY // 4)
            sample, share = self._likelihood(thin), float(thin.weight.sum() / shrunk.weight.sum())
        found = fit_log(self._likelihood(shrunk), begin, sample=sample, share=share)
        theta = found.theta.copy()
        theta[1] += math.log(scale)
        if self.model == "pareto":
            theta[3] += math.log(scale)
        # densities of gaps are per unit of time
        unscaled = found.log_likelihood - purchases.repeats * math.log(scale)
        if purchases.log_rates is not None:  # and seasonal time runs at the rate of the index
            unscaled += float(purchases.log_rates.sum())
        return BuyingModel(
            model=self.model, k=self.k, theta=tuple(theta.tolist()), covariance=found.covariance,
            log_likelihood=unscaled, n=len(purchases), unit=purchases.unit, calendar=purchases.calendar,
        )  # fmt: skip

    def _likelihood(self, purchases: Purchases) -> Callable[[Floats], tuple[float, Floats]]:
        if self.model == "pareto":
            rows = pareto.Sample.of(purchases)
            return lambda theta: pareto.log_likelihood(theta, rows)
        sample, dropout, k = erlang.Sample.of(purchases), DROPOUT[self.model], self.k
        return lambda theta: erlang.log_likelihood(theta, sample, dropout=dropout, k=k)


@attrs.frozen(kw_only=True, repr=False)
class BuyingModel:
    """A fitted model: plain numbers, in one unit of time.

    Attributes
    ----------
    theta : log parameters
    covariance : of theta; None at a boundary, where some behaviour (dropout, variation) cannot be seen
    log_likelihood : of the purchases, gaps included; models with any k compare by it, with and without a calendar
    calendar : index of the season; times are then in seasonal units (`Purchases.ahead` makes them of calendar ones)
    source : {"likelihood", "pooled"}
        Whether theta is the optimum for its own customers, or leans on others (`pool_segments`).
    """

    model: str
    k: int
    theta: tuple[float, ...]
    covariance: Covariance | None
    log_likelihood: float
    n: int
    unit: str
    calendar: SeasonIndex | None = None
    source: str = "likelihood"

    @property
    def title(self) -> str:
        """Name as the literature writes it."""
        if self.k == 1:
            return TITLES[self.model]
        return {"nbd": "CNBD", "bg": "BG/CNBD", "mbg": "MBG/CNBD"}[self.model] + f"-{self.k}"

    @property
    def parameters(self) -> Mapping[str, float]:
        """Names and values."""
        return dict(zip(NAMES[self.model], np.exp(self.theta).tolist(), strict=True))

    @property
    def boundary(self) -> bool:
        """Whether the likelihood is largest at the edge of what the model can say."""
        return self.covariance is None

    @property
    def aic(self) -> float:
        """Akaike's criterion; smaller is better. k counts as a choice, not as a parameter."""
        return 2 * len(self.theta) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Bayesian criterion; smaller is better."""
        return len(self.theta) * math.log(self.n) - 2 * self.log_likelihood

    def __repr__(self) -> str:
        told = ", ".join(f"{k} = {number_text(v)}" for k, v in self.parameters.items())
        return f"BuyingModel({self.title}, {told}, n = {self.n})"

    def __str__(self) -> str:
        told = ", ".join(f"{k} {number_text(v)}" for k, v in self.parameters.items())
        edge = "; at a boundary: no standard errors" if self.boundary else ""
        likely = f"log-likelihood {self.log_likelihood:,.2f}"
        per = self.unit if self.calendar is None else f"seasonal {self.unit}"
        return f"{self.title} of {self.n:,} customers: {told} (per {per}), {likely}{edge}"

    def vector(self) -> Floats:
        """Log parameters: the scale of `covariance`."""
        return np.array(self.theta)

    def with_vector(self, vector: ArrayLike, /) -> BuyingModel:
        """The same model at other log parameters."""
        return attrs.evolve(self, theta=tuple(np.asarray(vector, np.float64).tolist()))

    def expected(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, /, *, horizon: float) -> Floats:
        """(n,) purchases expected of customers in the next `horizon` units, given what was seen of them.

        Examples
        --------
        >>> model = BuyingModel(
        ...     model="bg", k=1, theta=tuple(np.log([0.243, 4.414, 0.793, 2.426])), covariance=None,
        ...     log_likelihood=0.0, n=2357, unit="week",
        ... )
        >>> model.expected([2], [30.43], [38.86], horizon=39).round(3).tolist()
        [1.226]
        """
        x, t, end = self._rows(frequency, recency, age)
        _positive("horizon", horizon)
        return forecasting.expected(self.model, self.k, np.exp(self.theta), x, t, end, horizon)

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, /, *, ahead: float = 0.0) -> Floats:
        """(n,) probability that customers have not left, `ahead` units after the end of observation."""
        x, t, end = self._rows(frequency, recency, age)
        if not 0 <= ahead < math.inf:
            raise OutOfRange("ahead", ahead, "a finite number from 0", "0 is now")
        return forecasting.p_alive(self.model, self.k, np.exp(self.theta), x, t, end, ahead)

    def expected_new(self, times: ArrayLike, /) -> Floats:
        """(n,) purchases expected of a new customer by each time after the first one, which is not counted."""
        t = numbers("times", times)
        if not (np.isfinite(t) & (t >= 0)).all():
            raise OutOfRange("times", t.tolist()[:5], "finite numbers from 0", "units since the first purchase")
        return forecasting.expected_new(self.model, self.k, np.exp(self.theta), t)

    def count_probability(self, counts: ArrayLike, /, *, time: float) -> Floats:
        """(n,) probability that a new customer makes so many repeat purchases within a time."""
        _positive("time", time)
        c = numbers("counts", counts)
        if not (np.isfinite(c) & (c >= 0) & (c == np.floor(c))).all():
            raise OutOfRange("counts", c.tolist()[:5], "whole numbers from 0", "0 is no repeat purchase")
        return forecasting.count_probability(self.model, self.k, np.exp(self.theta), c, time)

    def _rows(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> tuple[Floats, Floats, Floats]:
        rows = Purchases.of(frequency, recency, age, unit=self.unit)
        r = rows.row
        return rows.frequency[r], rows.recency[r], rows.age[r]

    def draws(self, n: int, /, *, seed: int | np.random.Generator = 0) -> Floats | None:
        """(n, k) log parameters from their Laplace posterior; None at a boundary."""
        return draws(self.vector(), self.covariance, n=n, rng=np.random.default_rng(seed))

    def parameters_table(self, *, level: float = 0.95) -> tuple[Estimate, ...]:
        """Parameters with log-normal Wald intervals; NaN ends at a boundary."""
        return wald_estimates(self.parameters, self.covariance, n=self.n, level=level)

    @property
    def standard_errors(self) -> dict[str, float]:
        """Of the parameters on their own scale (delta method); NaN at a boundary."""
        return standard_errors(self.parameters, self.covariance)

    def to_frame(self, *, backend: Any = None) -> Any:
        """Parameters with intervals, one a row."""
        return frame_of([attrs.asdict(e) for e in self.parameters_table()], backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        from crmcore.documents import to_dict

        found: dict[str, Any] = to_dict(self)
        return found

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> BuyingModel:
        """Read what `to_dict` wrote."""
        from crmcore.documents import from_dict

        made = from_dict(cls, dict(document))
        if made.model not in MODELS or len(made.theta) != len(NAMES[made.model]) or made.unit not in UNITS:
            raise BadDocument("BuyingModel", ("model, theta, unit: do not belong together",), "pass what to_dict wrote")
        return made

    def _repr_html_(self) -> str:
        rows = [{"parameter": e.rule, "value": e.value, "low": e.low, "high": e.high} for e in self.parameters_table()]
        return html_table(rows, caption=str(self))


def _positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise OutOfRange(name, value, "a finite number above 0", "in the unit of the model")
