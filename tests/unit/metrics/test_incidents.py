"""Incidents: planted windows are found, clean days stay silent as often as promised, bad input is refused."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange
from crmcore.metrics.incidents import Incidents, find_incidents

START = date(2026, 1, 1)


def days(seed: int, *, n: int = 60, share: float = 0.3, length: int = 150) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    tried = rng.poisson(n, length)
    return rng.binomial(tried, share), tried


@pytest.mark.slow
def test_clean_families_give_about_as_many_alarms_as_promised() -> None:
    found = [
        len(
            find_incidents(
                {f"s{i}": days(100 * k + i) for i in range(4)}, start=START, alarms_a_year=2, draws=40, longest=30
            )
        )
        for k in range(40)
    ]
    expected = 2 * 150 / 365.2425
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.sqrt(expected / 40))


@pytest.mark.parametrize("planted", [0.1, 0.6])
def test_a_planted_window_is_found_within_two_days(planted: float) -> None:
    won, tried = days(3)
    rng = np.random.default_rng(4)
    won[70:85] = rng.binomial(tried[70:85], planted)
    found = find_incidents({"paid": (won, tried), "clean": days(5)}, start=START, alarms_a_year=0.2)
    worst = found[0]
    assert worst.series == "paid"
    assert abs((worst.start - date(2026, 3, 12)).days) <= 2
    assert abs((worst.end - date(2026, 3, 26)).days) <= 2
    assert worst.direction == ("less" if planted < 0.3 else "more")
    assert worst.within.excludes(0.3)


def test_slow_change_is_no_incident() -> None:
    rng = np.random.default_rng(8)
    share = np.linspace(0.3, 0.36, 150)
    tried = np.full(150, 60)
    assert not len(
        find_incidents({"drift": (rng.binomial(tried, share), tried)}, start=START, longest=21, alarms_a_year=0.2)
    )


def test_two_windows_of_one_series_are_two_incidents_and_overlaps_are_one() -> None:
    won, tried = days(11)
    rng = np.random.default_rng(12)
    for a in (30, 110):
        won[a : a + 8] = rng.binomial(tried[a : a + 8], 0.02)
    also = tried - won
    found = find_incidents({"paid": (won, tried), "lost": (also, tried)}, start=START, alarms_a_year=0.2, longest=30)
    assert len(found) == 2
    assert found[0].also == (({"paid", "lost"} - {found[0].series}).pop(),)


def test_results_read_and_write_themselves() -> None:
    won, tried = days(3)
    won[20:30] = 0
    found = find_incidents({"paid": (won, tried)}, start=START, longest=30)
    assert Incidents.from_dict(found.to_dict()) == found
    assert found.to_frame(backend="polars")["series"].to_list()[0] == "paid"
    assert "<table" in found._repr_html_()
    assert len(found.chart().rows) == len(found)
    with pytest.raises(EmptyInput, match="nothing was different"):
        Incidents(rows=(), threshold=1.0, alarms_a_year=1.0, series=1, days=9).chart()


def test_what_cannot_be_scanned_is_refused() -> None:
    with pytest.raises(EmptyInput):
        find_incidents({}, start=START)
    with pytest.raises(BadRows, match="above the trials"):
        find_incidents({"a": ([5] * 90, [4] * 90)}, start=START)
    with pytest.raises(OutOfRange, match="days of b"):
        find_incidents({"a": ([1] * 90, [4] * 90), "b": ([1], [4])}, start=START)
    with pytest.raises(OutOfRange, match="longest"):
        find_incidents({"a": ([1] * 20, [4] * 20)}, start=START)
    with pytest.raises(OutOfRange, match="alarms_a_year"):
        find_incidents({"a": ([1] * 90, [4] * 90)}, start=START, alarms_a_year=0)
