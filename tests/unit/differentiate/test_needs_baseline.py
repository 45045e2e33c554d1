"""What an input adds stands beside what a shuffled one adds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.needs import input_contributions


def test_noise_adds_no_more_than_noise_that_was_shuffled() -> None:
    by = input_contributions(
        {"needs": ["needs"], "noise": ["noise"]}, classes=2, seed=1, starts=2, permutations=9,
        measures={"needs": np.r_[np.zeros(60), np.ones(60)] * 8 + np.random.default_rng(5).normal(size=120),
                  "noise": np.random.default_rng(6).normal(size=120)},
    )  # fmt: skip
    needs, noise = by
    assert len(noise.null) == 9
    assert noise.p_value > 0.1
    assert noise.excess <= 0
    assert needs.contribution > noise.contribution


def test_without_permutations_there_is_no_baseline() -> None:
    (one, two) = input_contributions(
        {"x": ["x"], "y": ["y"]}, classes=1, seed=1, starts=1, measures={"x": [1.0, 2.0], "y": [3.0, 5.0]}
    )
    assert math.isnan(one.p_value)
    assert math.isnan(two.excess)
    with pytest.raises(OutOfRange, match="permutations"):
        input_contributions({"x": ["x"], "y": ["y"]}, classes=1, seed=1, permutations=-1,
                            measures={"x": [1.0, 2.0], "y": [3.0, 5.0]})  # fmt: skip
