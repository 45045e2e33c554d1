"""Row 20: what customers are worth, with intervals, and how far a forecast was off."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from crmcore.idic.differentiate.clv import CustomerRows, CustomerValueModel, holdout_report
from crmcore.idic.differentiate.spending import GammaGamma


@attrs.frozen
class Steady:
    """Customers who never leave, rates Gamma(r, alpha): the simplest timing model that fits the protocol."""

    r: float
    alpha: float
    covariance: Any = None

    @property
    def parameters(self) -> dict[str, float]:
        return {"r": self.r, "alpha": self.alpha}

    def vector(self) -> Any:
        return np.log([self.r, self.alpha])

    def with_vector(self, vector: Any, /) -> Steady:
        return Steady(*np.exp(vector).tolist(), self.covariance)

    def expected(self, frequency: Any, _recency: Any, age: Any, /, *, horizon: float) -> Any:
        return (self.r + frequency) / (self.alpha + age) * horizon

    def p_alive(self, frequency: Any, _recency: Any, _age: Any, /) -> Any:
        return np.ones(len(frequency))


def test_row_020_predictive_intervals_cover_and_the_holdout_is_reported() -> None:
    rng, n = np.random.default_rng(20), 3000
    rate, v = rng.gamma(1.5, 1 / 10.0, n), rng.gamma(4.0, 1 / 15.0, n)
    x, later = rng.poisson(rate * 40), rng.poisson(rate * 30)
    z = rng.gamma(6.0 * np.maximum(x, 1), 1 / (v * np.maximum(x, 1)))
    rows = CustomerRows.of(x, 40.0 * (x > 0), np.full(n, 40.0), mean_spend=z * (x > 0), unit_days=7)
    model = CustomerValueModel(timing=Steady(1.5, 10.0), spend=GammaGamma().fit(x, z))
    table = model.value(rows, horizon_days=210, annual_discount=0.0, kind="predictive")
    covered = np.mean((table["expected_low"] <= later) & (later <= table["expected_high"]))
    assert 0.88 <= covered <= 0.98
    worth = later * rng.gamma(6.0 * np.maximum(later, 1), 1 / (v * np.maximum(later, 1)))
    assert table.total.low <= worth.sum() <= table.total.high
    report = holdout_report(table["expected"], later)
    assert report.total_error.low <= 0 <= report.total_error.high
