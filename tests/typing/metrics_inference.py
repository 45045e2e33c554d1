"""Types of inference, as users see them."""

from __future__ import annotations

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.metrics import (
    Comparison,
    Counts,
    Estimate,
    Exposure,
    Moments,
    adjust,
    compare,
    compare_many,
    design,
    difference_in_medians,
    mean,
    median,
    power,
    ranks,
    ratio,
    sequential,
)
from crmcore.metrics.comparing import Comparable, ComparisonTable

assert_type(mean([1.0, 2.0]), Estimate)
assert_type(median([1.0, 2.0]).excludes(0), bool)
assert_type(ratio([1.0], [2.0]), Estimate)
assert_type(compare(Counts(1, 2), Counts(1, 2)), Comparison)
assert_type(compare(Moments.of([1.0]), Moments.of([2.0])).p_value, float)
assert_type(compare_many({"a": Exposure(1, 2.0), "b": Exposure(1, 2.0)}), ComparisonTable)
assert_type(Moments() + Moments(), Moments)
assert_type(adjust([0.1, 0.2]), NDArray[np.float64])
assert_type(difference_in_medians([1.0], [2.0], method="bootstrap", seed=1).difference, Estimate)
assert_type(ranks.shift([1.0], [2.0]), Comparison)
assert_type(design.linearised_mean([1.0]).effective_n, float)
assert_type(power.sample_size(power.Proportions(base=0.1, lift=0.02)).total, int)
assert_type(sequential.compare_anytime(Counts(1, 2), Counts(1, 2), planned_n=10), Comparison)

group: Comparable = Counts(1, 2)
watched: sequential.Averaged = Moments()

compare(0.3, 0.4)  # type: ignore[type-var]
sequential.confidence_sequence(Exposure(1, 2.0), planned_n=10)  # type: ignore[arg-type]
Moments() + Counts()  # type: ignore[operator]
