"""Published numbers: Newcombe 1998 (two papers), Brown, Cai & DasGupta 2001, Goodman's intervals of seven counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln

from crmcore.metrics import Counts, compare, proportion, share_table
from crmcore.metrics.intervals import METHODS

# Newcombe (1998), Statistics in Medicine 17:857-872, table I: methods 1 (simple), 3 (score), 4 (score with continuity
# correction) and 5 (exact) for r of n; limits as printed, simple limits cut to [0, 1].
NEWCOMBE_ONE = [
    (81, 263, "wald", 0.2522, 0.3638),
    (81, 263, "wilson", 0.2553, 0.3662),
    (81, 263, "wilson-cc", 0.2535, 0.3682),
    (81, 263, "clopper-pearson", 0.2527, 0.3676),
    (15, 148, "wald", 0.0527, 0.1500),
    (15, 148, "wilson", 0.0624, 0.1605),
    (15, 148, "wilson-cc", 0.0598, 0.1644),
    (15, 148, "clopper-pearson", 0.0578, 0.1617),
    (0, 20, "wald", 0.0, 0.0),
    (0, 20, "wilson", 0.0, 0.1611),
    (0, 20, "wilson-cc", 0.0, 0.2005),
    (0, 20, "clopper-pearson", 0.0, 0.1684),
    (1, 29, "wald", 0.0, 0.1009),
    (1, 29, "wilson", 0.0061, 0.1718),
    (1, 29, "wilson-cc", 0.0018, 0.1963),
    (1, 29, "clopper-pearson", 0.0009, 0.1776),
]


@pytest.mark.parametrize(("k", "n", "method", "low", "high"), NEWCOMBE_ONE)
def test_intervals_of_newcombe_1998_table_1(k: int, n: int, method: str, low: float, high: float) -> None:
    got = proportion(k, n, method=method, small_sample_ok=True)
    assert (round(got.low, 4), round(got.high, 4)) == (low, high)


# Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10.
NEWCOMBE_TWO = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0),
    (10, 10, 0, 10, 0.6075, 1.0),
]


@pytest.mark.parametrize(("a", "m", "b", "n", "low", "high"), NEWCOMBE_TWO)
def test_differences_of_newcombe_1998_table_2(a: int, m: int, b: int, n: int, low: float, high: float) -> None:
    got = compare(Counts(a, m), Counts(b, n), small_sample_ok=True).difference
    assert (round(got.low, 4), round(got.high, 4)) == (low, high)


def coverage(method: str, n: int, p: float, level: float = 0.95) -> float:
    """Exact coverage at p: the probability of those k whose interval holds p."""
    k = np.arange(n + 1)
    low, high = METHODS[method](k, n, level=level)
    log_mass = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + k * np.log(p) + (n - k) * np.log1p(-p)
    return float(np.exp(log_mass)[(low <= p) & (p <= high)].sum())


# Brown, Cai & DasGupta (2001), Statistical Science 16:101-133, section 2: the erratic coverage of the Wald interval.
@pytest.mark.parametrize(
    ("n", "p", "printed"),
    [(591, 0.005, 0.945), (592, 0.005, 0.792), (17, 0.5, 0.951), (40, 0.5, 0.919), (30, 0.2, 0.946), (98, 0.2, 0.928)],
)
def test_wald_coverage_of_brown_cai_dasgupta_2001(n: int, p: float, printed: float) -> None:
    assert coverage("wald", n, p) == pytest.approx(printed, abs=6e-4)


def test_goodman_intervals_of_seven_counts() -> None:
    # Counts of May & Johnson (2000), J. Statistical Software 5(6); limits as printed in the documentation of
    # MultinomCI of the R package DescTools.
    table = share_table(dict(zip("abcdefg", [56, 72, 73, 59, 62, 87, 58], strict=True)))
    got = [(round(e.low, 3), round(e.high, 3)) for e in table.estimates]
    assert got == [
        (0.085, 0.166),
        (0.115, 0.204),
        (0.116, 0.207),
        (0.091, 0.173),
        (0.096, 0.181),
        (0.143, 0.239),
        (0.089, 0.171),
    ]
