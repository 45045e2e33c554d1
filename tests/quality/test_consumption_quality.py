"""Dates of running out lie in their intervals as often as these say, on simulated supplies whose dates are known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.metrics.consumption import forecast_consumption

DAY_US, SPAN = 86_400_000_000, 200.0
START, NOW = np.datetime64("2026-01-01", "us"), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=SPAN)
Story = tuple[list[str], list[float], list[float], dict[str, float], dict[str, float]]


def purchases(rng: np.random.Generator, supplies: int) -> Story:
    """Amounts of 1, 2 or 4 that last 30 days a piece in the mean, by supply with a coefficient of variation of 0.4."""
    names, at, amounts, ends = [], [], [], {}
    for i in range(supplies):
        name, t, beta = f"s{i}", rng.uniform(0, 0.9 * SPAN), rng.gamma(6) * 4 / 180
        while t < SPAN:
            q = float(rng.choice([1, 2, 4]))
            names, at, amounts = [*names, name], [*at, t], [*amounts, q]
            t += rng.gamma(4 * q) / beta
        ends[name] = t
    return names, at, amounts, ends, {}


def readings(rng: np.random.Generator, supplies: int) -> Story:
    """A meter read every 5 to 40 days; due after 10 to 60 days of its usual use."""
    names, at, amounts, ends, due = [], [], [], {}, {}
    for i in range(supplies):
        name, t, meter, rate = f"s{i}", rng.uniform(0, 0.9 * SPAN), 0.0, 30 / rng.gamma(6)
        while t < SPAN:
            names, at, amounts = [*names, name], [*at, t], [*amounts, meter]
            gap = rng.uniform(5, 40)
            meter, t = meter + rng.gamma(0.15 * gap) * rate / 0.15, t + gap
        due[name], ends[name], meter = amounts[-1] + rate * rng.uniform(10, 60), at[-1], amounts[-1]
        while meter < due[name]:
            meter, ends[name] = meter + rng.gamma(0.15 * 0.25) * rate / 0.15, ends[name] + 0.25
    return names, at, amounts, ends, due


@pytest.mark.parametrize("story", [purchases, readings])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_of_dates_cover_what_they_say(story: object, level: float) -> None:
    inside: list[float] = []
    for rng in np.random.default_rng(17).spawn(25):
        names, at, amounts, ends, due = story(rng, 60)  # type: ignore[operator]
        when = START + (np.array(at) * DAY_US).astype("timedelta64[us]")
        got = forecast_consumption(names, when, amounts, unit="kg", now=NOW, due=due or None, level=level)
        low, high = ((c - START).astype(np.int64) / DAY_US for c in (got.runs_out_low, got.runs_out_high))
        truth = np.array([ends[name] for name in got.names])
        inside += ((low <= truth) & ((truth <= high) | np.isnat(got.runs_out_high))).tolist()
    assert np.mean(inside) == pytest.approx(level, abs=0.025)
