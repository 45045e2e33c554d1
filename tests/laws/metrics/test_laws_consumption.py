"""Laws of forecasts of consumption: order, time, unit, and a slow twin of both predictive laws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.metrics.consumption import ConsumptionForecast, _Cohort, forecast_consumption

START, DAY_US = np.datetime64("2026-01-01", "us"), 86_400_000_000
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROW = st.tuples(st.sampled_from("abc"), st.integers(0, 90 * 24), st.sampled_from([0.5, 1.0, 2.0]))
ROWS = st.lists(ROW, max_size=12).map(lambda rows: [("a", 0, 1.0), ("a", 200, 1.0), *rows])


def made(rows: list[tuple[str, int, float]], now: datetime = NOW, scale: float = 1.0) -> ConsumptionForecast:
    names, hours, amounts = zip(*rows, strict=True)
    at = START + (np.array(hours) * (DAY_US // 24)).astype("timedelta64[us]")
    return forecast_consumption(list(names), at, np.array(amounts) * scale, unit="kg", now=now)


@given(ROWS, st.randoms())
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_does_not_matter(rows: list[tuple[str, int, float]], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert made(mixed).to_dict() == made(rows).to_dict()


@given(ROWS)
@settings(max_examples=25, deadline=None)
def test_what_comes_later_changes_nothing_of_a_supply_that_was_known(rows: list[tuple[str, int, float]]) -> None:
    hours = (NOW - datetime(2026, 1, 1, tzinfo=UTC)) // timedelta(hours=1)
    known = made([row for row in rows if row[1] <= hours])
    whole = made(rows)
    mine = [whole.names.index(name) for name in known.names]
    assert (whole.rate[mine] == known.rate).all()
    assert (whole.runs_out[mine] == known.runs_out).all()


@given(ROWS)
@settings(max_examples=25, deadline=None)
def test_another_unit_scales_rates_and_moves_no_date(rows: list[tuple[str, int, float]]) -> None:
    kilos, grams = made(rows), made(rows, scale=1000.0)
    np.testing.assert_allclose(grams.rate, kilos.rate * 1000, rtol=1e-3)
    moved = (grams.runs_out - kilos.runs_out).astype(np.int64) / DAY_US
    assert np.nan_to_num(np.abs(moved[~np.isnat(kilos.runs_out)])).max(initial=0) < 0.5


@pytest.mark.parametrize("p", [0.1, 0.5, 0.975])
def test_quantiles_are_those_of_draws(p: float) -> None:
    rng = np.random.default_rng(5)
    a, b, kappa, left, since = 6.0, 40.0, 1.5, 3.0, 8.0
    one = {"kappa": kappa, "a": np.array([a]), "b": np.array([b]), "usual": 1.0}
    beta = rng.gamma(a, 1 / b, 400_000)
    drawn = rng.gamma(kappa * left, 1 / beta)
    days = _Cohort(metered=False, **one).days(np.array([left]), np.array([since]), p)
    assert days == pytest.approx(np.quantile(drawn[drawn > since], p), rel=0.02)
    reached = _Cohort(metered=True, **one).days(np.array([left]), np.array([0.0]), p)
    assert (rng.gamma(kappa * reached, 1 / beta) >= left).mean() == pytest.approx(p, abs=0.005)
