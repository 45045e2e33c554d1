"""Timing and spend joined: expected orders, P(alive), spend and discounted value, all with intervals.

Two kinds of interval, by name. "expectation": where the expected value lies, given that parameters are estimated
(Laplace posterior of the parameters, outputs linearised on the log or logit scale). "predictive": what will happen to
this customer: the same, plus the randomness of the individual. A customer is alive with P(alive); then the orders
are negative binomial with shape r + frequency and the mean matched to the model; spend is drawn from its posterior.
"""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange, UnknownName
from crmcore.idic.differentiate.clv.discounting import continuous_rate, discounted
from crmcore.idic.differentiate.clv.parts import CustomerRows, Timing
from crmcore.idic.differentiate.clv.table import ValueTable
from crmcore.idic.differentiate.spending.gamma_gamma import GammaGammaModel
from crmcore.metrics.estimates import check_level

__all__ = ["CustomerValueModel"]

Floats = NDArray[np.float64]
_TINY = 1e-300
_CHUNK = 4_000
_STEP = 1e-4
_OUTPUTS = ("expected", "p_alive", "spend", "clv")


@attrs.frozen(kw_only=True)
class CustomerValueModel:
    """A timing model and a spend model.

    Parameters
    ----------
    timing : Timing
        Any fitted model with expected orders and P(alive).
    spend : GammaGammaModel
    margin : share
        Of spend that stays.
    """

    timing: Timing
    spend: GammaGammaModel
    margin: float = 1.0

    def __str__(self) -> str:
        told = ", ".join(f"{k} = {v:.4g}" for k, v in self.timing.parameters.items())
        return f"{type(self.timing).__name__}({told}); {self.spend}"

    def value(
        self,
        rows: CustomerRows,
        /,
        *,
        horizon_days: float,
        annual_discount: float = 0.10,
        kind: str = "expectation",
        level: float = 0.9,
        draws: int = 500,
        seed: int = 0,
    ) -> ValueTable:
        """Expected orders, P(alive), spend per order and discounted value of each row, with intervals.

        Parameters
        ----------
        rows : CustomerRows
        horizon_days : days
            `inf` needs a discount above 0; expected orders are then counted discounted.
        annual_discount : rate a year
            Converted to continuous time: ln(1 + rate).
        kind : {"expectation", "predictive"}
            See the module. P(alive) always has the interval of the expectation.
        level, draws, seed :
            Of the intervals.
        """
        check_level(level)
        if kind not in ("expectation", "predictive"):
            raise UnknownName("kind of interval", kind, ("expectation", "predictive"))
        if not horizon_days > 0:
            raise OutOfRange("horizon_days", horizon_days, "more than 0", "a year is 365")
        if kind == "predictive" and not math.isfinite(horizon_days):
            raise OutOfRange("horizon_days", horizon_days, "finite for predictive intervals", "say until when")
        if not draws >= 100:
            raise OutOfRange("draws", draws, "100 or more", "few draws make rough interval ends")
        horizon, rate = horizon_days / rows.unit_days, continuous_rate(annual_discount, unit_days=rows.unit_days)
        point = self._outputs(self.timing, self.spend, rows, horizon, rate)
        rng = np.random.default_rng(seed)
        moves = self._moves(rows, horizon, rate, n=draws, rng=rng)
        columns: dict[str, Floats] = {}
        ends = [(1 - level) / 2, (1 + level) / 2]
        drawn_total = np.zeros(draws)
        parts: dict[str, list[Floats]] = {name: [] for name in _OUTPUTS}
        for start in range(0, len(rows), _CHUNK):
            cut = slice(start, start + _CHUNK)
            drawn = {name: _moved(point[name][cut], moves, name, cut, draws) for name in _OUTPUTS}
            w = rows.weights[cut]
            drawn_total += drawn["clv"] @ w
            if kind == "predictive":
                lucky = self._happen(rows, cut, drawn, point, rng)
                own = np.maximum(lucky["clv"].var(0) - drawn["clv"].var(0), 0.0)
                drawn_total += math.sqrt(float(w @ own)) * rng.standard_normal(draws)
                drawn |= lucky
            for name, cells in drawn.items():
                parts[name].append(np.quantile(cells, ends, axis=0))
        for name, chunks in parts.items():
            low, high = np.concatenate(chunks, axis=1)
            columns |= {name: point[name], f"{name}_low": low, f"{name}_high": high}
        total_low, total_high = np.quantile(drawn_total, ends)
        known = self.timing.covariance is not None and self.spend.covariance is not None
        return ValueTable(
            columns=columns,
            weights=rows.weights,
            total_low=float(total_low),
            total_high=float(total_high),
            level=level,
            kind=kind,
            method=("laplace" if known else "parts of the parameters at a boundary are held fixed") + f", {kind}",
        )

    def _outputs(
        self, timing: Timing, spend: GammaGammaModel, rows: CustomerRows, horizon: float, rate: float
    ) -> dict[str, Floats]:
        x, t, age = rows.frequency, rows.recency, rows.age
        orders = discounted(lambda h: timing.expected(x, t, age, horizon=h), horizon=horizon, rate=rate)
        expected = timing.expected(x, t, age, horizon=horizon) if math.isfinite(horizon) else orders
        each = spend.expected(x, rows.mean_spend)
        return {
            "expected": expected,
            "p_alive": timing.p_alive(x, t, age),
            "spend": each,
            "clv": orders * each * self.margin,
        }

    def _moves(
        self, rows: CustomerRows, horizon: float, rate: float, *, n: int, rng: np.random.Generator
    ) -> list[tuple[Floats, dict[str, Floats]]]:
        """For timing and spend: (n, k) posterior draws of parameters, and (k, rows) slopes of each scaled output."""
        moves = []
        for part, covariance in ((self.timing, self.timing.covariance), (self.spend, self.spend.covariance)):
            if covariance is None:
                continue
            at = part.vector()
            shift = rng.multivariate_normal(np.zeros(len(at)), np.asarray(covariance), size=n, method="eigh")
            slopes: dict[str, list[Floats]] = {name: [] for name in _OUTPUTS}
            for h in np.eye(len(at)) * _STEP:
                up, down = (self._at(part, at + side, rows, horizon, rate) for side in (h, -h))
                for name, cells in slopes.items():
                    cells.append((_scaled(up[name], name) - _scaled(down[name], name)) / (2 * _STEP))
            moves.append((shift, {name: np.array(cells) for name, cells in slopes.items()}))
        return moves

    def _at(
        self, part: Timing | GammaGammaModel, vector: Floats, rows: CustomerRows, horizon: float, rate: float
    ) -> dict[str, Floats]:
        if isinstance(part, GammaGammaModel):
            return self._outputs(self.timing, part.with_vector(vector), rows, horizon, rate)
        return self._outputs(part.with_vector(vector), self.spend, rows, horizon, rate)

    def _happen(
        self,
        rows: CustomerRows,
        cut: slice,
        drawn: dict[str, Floats],
        point: dict[str, Floats],
        rng: np.random.Generator,
    ) -> dict[str, Floats]:
        x = rows.frequency[cut]
        shape = float(self.timing.parameters.get("r", 1.0)) + x
        mean = drawn["expected"] / np.maximum(drawn["p_alive"], 1e-12)
        alive = rng.random(mean.shape) < drawn["p_alive"]
        count = np.where(alive, rng.poisson(np.minimum(rng.gamma(shape, size=mean.shape) * mean / shape, 1e9)), 0.0)
        each = np.stack([self.spend.draw(x, rows.mean_spend[cut], rng=rng) for _ in range(len(mean))])
        per_order = point["clv"][cut] / np.maximum(point["expected"][cut] * point["spend"][cut], _TINY)
        return {"expected": count, "spend": each, "clv": count * each * per_order}


def _scaled(value: Floats, name: str) -> Floats:
    if name == "p_alive":
        p = np.clip(value, 1e-12, 1 - 1e-12)
        return np.asarray(np.log(p) - np.log1p(-p))
    return np.asarray(np.log(np.maximum(np.abs(value), _TINY)))


def _moved(value: Floats, moves: list[tuple[Floats, dict[str, Floats]]], name: str, cut: slice, draws: int) -> Floats:
    """(draws, rows) outputs at posterior draws: shifted on the logit scale (p_alive) or the log of their size."""
    shift = np.zeros((draws, len(value)))
    for drawn, slopes in moves:
        shift += drawn @ slopes[name][:, cut]
    shift = np.clip(shift, -300, 300)
    if name == "p_alive":
        p = np.clip(value, 1e-12, 1 - 1e-12)
        return np.asarray(1.0 / (1.0 + (1 - p) / p * np.exp(-shift)))
    return np.asarray(value * np.exp(shift))
