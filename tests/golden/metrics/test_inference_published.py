"""Published numbers of tests, intervals and sample sizes; the source stands beside each."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

from crmcore.metrics import Counts, Moments, adjust, compare, paired_difference, power, rate
from crmcore.metrics.exact import fisher_exact
from crmcore.metrics.paired import PairedCounts
from crmcore.metrics.power import Means, Proportions, sample_ratio, sample_size
from crmcore.metrics.ranks import mann_whitney, paired_shift, shift, signed_rank
from crmcore.metrics.sequential import always_valid_p, anytime_half_width, beta_binomial_sequence

# Student (1908), Biometrika 6:1: hours of sleep gained by ten patients under two drugs.
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_sleep_as_two_groups_gives_the_welch_test_of_the_r_manual() -> None:
    got = compare(Moments.of(SLEEP_1), Moments.of(SLEEP_2), small_sample_ok=True)
    assert round(got.p_value, 5) == 0.07939
    assert (round(got.difference.low, 7), round(got.difference.high, 7)) == (-3.3654832, 0.2054832)


def test_sleep_as_pairs_gives_the_paired_test_of_the_r_manual() -> None:
    got = paired_difference(SLEEP_2, SLEEP_1, small_sample_ok=True)
    assert round(got.p_value, 6) == 0.002833
    assert (round(got.difference.low, 7), round(got.difference.high, 7)) == (-2.4598858, -0.7001142)


def test_signed_ranks_of_hollander_and_wolfe_1973_page_29() -> None:
    first = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    second = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    w, p, how = signed_rank(np.subtract(first, second))
    assert (w, round(p, 4), how) == (40.0, 0.0391, "exact")
    assert paired_shift(second, first, small_sample_ok=True).difference.value == pytest.approx(0.46)


def test_rank_sums_of_hollander_and_wolfe_1973_page_69() -> None:
    term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    early = [1.15, 0.88, 0.90, 0.74, 1.21]
    u, p, how = mann_whitney(term, early)
    assert (u, round(p / 2, 4), how) == (35.0, 0.1272, "exact")
    assert shift(term, early, small_sample_ok=True).difference.value == pytest.approx(0.305)


def test_fishers_tea() -> None:
    # Fisher (1935), The Design of Experiments, chapter 2: three of four cups right.
    assert float(fisher_exact(3, 4, 1, 4)) == pytest.approx(34 / 70)


# Newcombe (1998), Statistics in Medicine 17:2635, table II, method 10.
PAIRED = [
    ((36, 12, 2, 0), 0.0569, 0.3404),
    ((0, 0, 0, 54), -0.0664, 0.0664),
    ((54, 0, 0, 0), -0.0664, 0.0664),
]


@pytest.mark.parametrize(("cells", "low", "high"), PAIRED)
def test_paired_differences_of_newcombe_1998(cells: tuple[int, int, int, int], low: float, high: float) -> None:
    got = PairedCounts(*cells).compare().difference
    assert (round(got.low, 4), round(got.high, 4)) == (low, high)


def test_benjamini_and_hochberg_1995_reject_four_where_bonferroni_rejects_three() -> None:
    # JRSS B 57:289, section 4: thrombolysis after myocardial infarction.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1,
    ]
    assert sum(adjust(p, method="benjamini-hochberg") <= 0.05) == 4
    assert sum(adjust(p, method="bonferroni") <= 0.05) == 3


@pytest.mark.parametrize(
    ("events", "low", "high"), [(0, 0.0, 3.689), (1, 0.025, 5.572), (10, 4.795, 18.390), (50, 37.111, 65.919)]
)
def test_poisson_limits_of_garwood_1936(events: int, low: float, high: float) -> None:
    got = rate(events, 1, small_sample_ok=True)
    assert (round(got.low, 3), round(got.high, 3)) == (low, high)


def test_sample_sizes_of_cohen_1988_table_2_4_1() -> None:
    # Two-sided 5 %, power 80 %: 393 for d = 0.2, 64 for 0.5, 26 for 0.8.
    assert [sample_size(Means(difference=d, sd=1)).n_new for d in (0.2, 0.5, 0.8)] in ([393, 64, 26], [394, 64, 26])


@pytest.mark.parametrize("d", [0.1, 0.3, 0.7, 1.5])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_power_of_means_equals_statsmodels(d: float, ratio: float) -> None:
    for n in (10, 50, 400):
        # A significant difference in the wrong direction is no success, so one tail of 2.5 % it is.
        wanted = TTestIndPower().power(d, n, 0.025, ratio=ratio, alternative="larger")
        got = power.power_of(Means(difference=d, sd=1), n=n, allocation=ratio)
        assert got == pytest.approx(1.0 if math.isnan(wanted) else wanted, abs=1e-9)


@pytest.mark.parametrize(("base", "lift"), [(0.1, 0.02), (0.03, 0.005), (0.5, -0.1), (0.2, 0.2)])
@pytest.mark.parametrize("beta", [0.1, 0.2])
def test_sample_sizes_of_proportions_equal_the_formula_and_statsmodels(base: float, lift: float, beta: float) -> None:
    p, q = base, base + lift
    mid = (p + q) / 2
    z = {0.2: 0.8416212335729143, 0.1: 1.2815515655446004}[beta]
    n = (1.959963984540054 * math.sqrt(2 * mid * (1 - mid)) + z * math.sqrt(p * (1 - p) + q * (1 - q))) ** 2 / lift**2
    got = sample_size(Proportions(base=base, lift=lift), power=1 - beta)
    assert got.n_control == got.n_new == math.ceil(n - 1e-9)
    wanted = samplesize_proportions_2indep_onetail(abs(lift), min(p, q), 1 - beta, alpha=0.025, alternative="larger")
    assert got.n_new == pytest.approx(wanted, abs=1.0)


def test_the_split_of_kohavi_tang_and_xu_2020() -> None:
    # Trustworthy Online Controlled Experiments, chapter 3: 821,588 and 815,482 users, p = 1.8e-6.
    got = sample_ratio({"control": 821_588, "treatment": 815_482})
    assert f"{got.p_value:.1e}" == "1.8e-06"
    assert got.mismatch


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("planned", [100, 1000, 50_000])
def test_the_tuning_of_a_confidence_sequence_is_the_best_there_is(level: float, planned: int) -> None:
    def half(log_x: float) -> float:  # the formula at n = planned, for any tuning
        x = math.exp(log_x)
        return math.sqrt(2 * (x + 1) / (planned * x) * math.log(math.sqrt(x + 1) / (1 - level)))

    best = scipy.optimize.minimize_scalar(half, bounds=(-5, 8), method="bounded")
    got = float(anytime_half_width(planned, 1.0, planned_n=planned, level=level))
    assert got == pytest.approx(best.fun, rel=1e-6)


def test_an_always_valid_p_value_is_the_level_whose_interval_ends_at_zero() -> None:
    n, mean = 500, 0.2
    p = float(always_valid_p(n, mean * math.sqrt(n), planned_n=1000, level=0.95))
    # with the tuning of the 95 % sequence held fixed, the sequence at level 1 - p just touches zero
    from crmcore.metrics.sequential import _tuned

    x = n * _tuned(1000, 0.95)
    assert mean == pytest.approx(math.sqrt(2 * (x + 1) / (n * x) * math.log(math.sqrt(x + 1) / p)), rel=1e-9)


def test_the_ends_of_an_exact_sequence_are_where_the_mixture_ratio_is_one_over_alpha() -> None:
    from scipy.special import betaln

    from crmcore.metrics.sequential import _tuned

    k, n, level = 30, 1000, 0.95
    g = 1 / _tuned(2000, level) - 1
    for p in map(float, beta_binomial_sequence(k, n, planned_n=2000, level=level)):
        log = (
            betaln(k + g * p, n - k + g * (1 - p))
            - betaln(g * p, g * (1 - p))
            - k * math.log(p)
            - (n - k) * math.log1p(-p)
        )
        assert log == pytest.approx(-math.log(0.05), abs=1e-6)


def test_two_shares_of_the_first_newcombe_example() -> None:
    assert round(compare(Counts(56, 70), Counts(48, 80)).p_value, 5) == 0.00805
