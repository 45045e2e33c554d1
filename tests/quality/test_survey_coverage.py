"""Intervals of survey measures cover what they say: summed over all possible samples, so no seed can flatter them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.metrics_survey import DEFAULT_BAR, EVEN, NOTED, SHAPES, SIZES, coverage, outcomes, probability
from crmcore.metrics.survey.nps_counts import NpsCounts, nps_interval
from crmcore.metrics.survey.nps_score import nps
from crmcore.metrics.survey.scales import alpha_interval


def test_probabilities_of_all_samples_sum_to_one() -> None:
    for shares in SHAPES:
        assert probability(outcomes(50), shares).sum() == pytest.approx(1)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shares", SHAPES)
def test_the_default_interval_of_a_score_reaches_its_bar_in_every_cell(n: int, shares: tuple[float, float]) -> None:
    assert coverage(n, shares, "mover-wilson") >= DEFAULT_BAR


@pytest.mark.parametrize("shares", EVEN)
def test_ten_answers_from_an_even_split_are_a_known_weak_spot(shares: tuple[float, float]) -> None:
    assert 0.925 < coverage(10, shares, "mover-wilson") < DEFAULT_BAR
    assert min(coverage(n, shares, "mover-wilson") for n in SIZES[1:]) >= DEFAULT_BAR


@pytest.mark.parametrize(("n", "least"), [(10, 0.855), (20, 0.915), (50, 0.93), (100, 0.93)])
def test_over_all_shapes_the_default_dips_in_small_samples_only(n: int, least: float) -> None:
    every = [(p / 20, d / 20) for p in range(21) for d in range(21 - p)]
    found = np.array([coverage(n, shares, "mover-wilson") for shares in every])
    wald = np.array([coverage(n, shares, "wald") for shares in every])
    assert found.min() >= least
    assert found.mean() >= 0.945
    assert wald.min() < found.min()


def test_exact_coverage_agrees_with_what_was_simulated_elsewhere() -> None:
    for (n, p, d), noted in NOTED.items():
        for method, share in zip(("wald", "adjusted-wald", "mover-wilson"), noted, strict=True):
            # 20,000 draws: four standard errors
            assert coverage(n, (p, d), method) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 20_000))


def test_the_default_never_covers_much_less_where_wald_breaks_down() -> None:
    assert coverage(10, (0.95, 0.01), "wald") < 0.5 < 0.93 < coverage(10, (0.95, 0.01), "mover-wilson")


def test_the_interval_of_a_difference_covers() -> None:
    rng = np.random.default_rng(12)
    shapes = np.array([[0.80, 0.18, 0.02], [0.45, 0.35, 0.20]])
    truth = 100 * ((0.80 - 0.02) - (0.45 - 0.20))
    held = 0
    for _ in range(1500):
        a, b = (NpsCounts(*rng.multinomial(40, shape).tolist()) for shape in shapes)
        d = a.minus(b).difference
        held += d.low <= truth <= d.high
    assert held / 1500 >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 1500)


def test_the_exact_interval_of_alpha_covers_its_level() -> None:
    rng = np.random.default_rng(13)
    n, k, samples = 25, 5, 4000
    answers = rng.normal(size=(samples, n, 1)) + rng.normal(size=(samples, n, k))
    total, parts = answers.sum(axis=2).var(axis=1, ddof=1), answers.var(axis=1, ddof=1).sum(axis=1)
    low, high = alpha_interval(k / (k - 1) * (1 - parts / total), n, k)
    truth = k * 0.5 / (1 + (k - 1) * 0.5)
    covered = ((low <= truth) & (truth <= high)).mean()
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / samples))


def test_the_bootstrap_agrees_with_the_default_where_answers_are_many() -> None:
    drawn = nps_interval(50_000, 30_000, 20_000, method="bootstrap", seed=3)
    made = nps_interval(50_000, 30_000, 20_000)
    assert [float(x) for x in drawn] == pytest.approx([float(x) for x in made], abs=0.03)


def test_answers_of_one_customer_are_covered_when_the_customer_is_named() -> None:
    rng = np.random.default_rng(3)
    named = ignored = 0
    for _ in range(300):
        happy = rng.beta(2, 2, 40)  # customers differ, and answer up to seven times
        who = np.repeat(np.arange(40), rng.integers(1, 8, 40))
        scores = np.where(rng.random(len(who)) < happy[who], 10, 3)
        named += not nps(scores, clusters=who).score.excludes(0)
        ignored += not nps(scores).score.excludes(0)
    assert named / 300 >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 300)
    assert ignored / 300 < 0.88
