"""What intervals promise they hold: false alarms over a hundred looks, coverage where textbook intervals fail."""

from __future__ import annotations

import pytest

from benchmarks.quality.metrics_inference import (
    ALARM_BAR,
    VALUES,
    WIDTH_BAR,
    clustered_coverage,
    exact_pairs,
    mean_looks,
    median_coverage,
    share_looks,
    spend,
    spend_coverage,
    two_share_looks,
)

RUNS = 600  # at a true rate of 2 % the measured one has a standard error of 0.6 points


@pytest.mark.parametrize("n", [1000, 10_000])
@pytest.mark.parametrize("p", [0.01, 0.1, 0.5])
def test_shares_looked_at_a_hundred_times_raise_few_false_alarms(p: float, n: int) -> None:
    for looks in (share_looks, two_share_looks):
        alarms, width = looks(p, n, RUNS, 21)
        assert alarms <= ALARM_BAR
        assert width <= WIDTH_BAR


@pytest.mark.parametrize("name", VALUES)
def test_means_looked_at_a_hundred_times_raise_few_false_alarms(name: str) -> None:
    alarms, width = mean_looks(*VALUES[name], 1000, RUNS, 22)
    assert alarms <= ALARM_BAR
    assert width <= WIDTH_BAR


def test_the_mean_of_skewed_spend_is_safe_to_look_at_once_the_planned_n_is_large() -> None:
    alarms, _ = mean_looks(*spend(0.3, 1.0), 10_000, RUNS, 23)
    assert alarms <= ALARM_BAR


def test_halls_interval_of_spend_covers_where_students_does_not() -> None:
    students, _ = spend_coverage(100, 0.3, 1.0, "t", RUNS)
    halls, _ = spend_coverage(100, 0.3, 1.0, "hall", RUNS)
    assert halls > 0.92 > students


def test_clusters_repair_the_coverage_of_a_share_with_several_answers_of_one_person() -> None:
    blind, _ = clustered_coverage(0.1, 40, 5, 0.3, False, RUNS)
    aware, _ = clustered_coverage(0.1, 40, 5, 0.3, True, RUNS)
    assert aware > 0.92 > 0.88 > blind


@pytest.mark.parametrize("n", [15, 100])
def test_differences_in_medians_cover_by_both_methods(n: int) -> None:
    for method in ("price-bonett", "bootstrap"):
        assert median_coverage(n, method, RUNS // 2)[0] > 0.91


@pytest.mark.parametrize("sizes", [(20, 20), (30, 90)])
def test_intervals_of_two_shares_cover_their_level_on_average_and_nearly_everywhere(sizes: tuple[int, int]) -> None:
    for case, mean, least in exact_pairs(*sizes):
        assert mean > 0.95, case
        assert least > 0.93, case
