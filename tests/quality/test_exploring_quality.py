"""Scores of exploration that may rise and never fall: regret, its growth, and what the logs tell of other policies."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality import exploring as bench


@pytest.mark.parametrize(("kind", "rounds", "seeds"), [("shares", 150, 8), ("linear", 60, 5)])
def test_regret_flattens_and_is_below_uniform_and_greedy(kind: str, rounds: int, seeds: int) -> None:
    found = bench.regrets(kind, seeds, rounds)
    half = rounds // 2
    for name in ("Thompson", "upper bound"):
        regret = found[name]
        assert regret[:, half:].sum() < 0.6 * regret[:, :half].sum()  # 1 where it grows linearly
        assert (regret.sum(1) < found["uniform"].sum(1)).all()
        assert regret.sum() < found["greedy"].sum()
    assert found["uniform"][:, half:].sum() == pytest.approx(found["uniform"][:, :half].sum(), rel=0.05)


@pytest.mark.parametrize(("name", "least"), [("Thompson", 0.90), ("upper bound", 0.88)])
def test_logs_with_a_floor_tell_what_other_policies_would_have_brought(name: str, least: float) -> None:
    held = bench.covered("shares", name, seeds=60)
    assert np.mean(held["DR"]) >= least
