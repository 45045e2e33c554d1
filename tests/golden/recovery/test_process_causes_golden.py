"""Odds ratios over strata against published tables."""

from __future__ import annotations

import pytest

from crmcore.recovery.process.causes import mantel_haenszel

# Smoking and lung cancer in eight Chinese cities: Liu (1992), International Journal of Epidemiology 21:197, as in
# Agresti, Categorical Data Analysis: smokers with and without cancer, others with and without.
CITIES = [
    (126, 100, 35, 61), (908, 688, 497, 807), (913, 747, 336, 598), (235, 172, 58, 121),
    (402, 308, 121, 215), (182, 156, 72, 98), (60, 99, 11, 43), (104, 89, 21, 36),
]  # fmt: skip


def test_mantel_haenszel_of_the_eight_cities() -> None:
    a, b, c, d = zip(*CITIES, strict=True)
    inside = [x + y for x, y in zip(a, b, strict=True)]
    outside = [x + y for x, y in zip(c, d, strict=True)]
    made = mantel_haenszel(a, inside, c, outside)
    assert made.odds_ratio.value == pytest.approx(2.17, abs=0.005)
    assert made.chi2 == pytest.approx(280.1, abs=0.05)
    assert made.unequal_chi2 == pytest.approx(5.2, abs=0.05)
    assert (made.odds_ratio.low, made.odds_ratio.high) == (
        pytest.approx(1.98, abs=0.01),
        pytest.approx(2.38, abs=0.01),
    )


def test_mantel_haenszel_equals_statsmodels() -> None:
    contingency = pytest.importorskip("statsmodels.stats.contingency_tables")
    peer = contingency.StratifiedTable([[[a, b], [c, d]] for a, b, c, d in CITIES])
    a, b, c, d = zip(*CITIES, strict=True)
    made = mantel_haenszel(a, [x + y for x, y in zip(a, b, strict=True)], c, [x + y for x, y in zip(c, d, strict=True)])
    assert made.odds_ratio.value == pytest.approx(peer.oddsratio_pooled, rel=1e-12)
    low, high = peer.oddsratio_pooled_confint()
    assert (made.odds_ratio.low, made.odds_ratio.high) == (pytest.approx(low), pytest.approx(high))
    assert made.chi2 == pytest.approx(peer.test_null_odds(correction=False).statistic, rel=1e-9)
    assert made.unequal_chi2 == pytest.approx(peer.test_equal_odds(adjust=True).statistic, rel=1e-9)
