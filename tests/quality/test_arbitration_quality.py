"""Profit of arbitration on simulated brands: more than greedy or click ranking, and the optimum."""

from __future__ import annotations

import pytest

from benchmarks.quality import arbitration as bench


@pytest.mark.parametrize("seed", range(3))
def test_known_lifts_bring_the_optimum_and_more_than_greedy_or_clicks(seed: int) -> None:
    case = bench.case_of(seed, 3000)
    for budget in bench.BUDGETS.values():
        found = bench.profits(case.of(budget).known)
        small = bench.profits(case.of(budget, bench.SMALL).known, small=True)
        assert all(found["ours"] > 1.05 * value for rule, value in found.items() if rule != "ours")
        assert small["ours"] >= bench.BAR * small["exact optimum"]
