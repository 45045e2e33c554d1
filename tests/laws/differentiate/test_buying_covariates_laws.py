"""The gradient of likelihoods with covariates is that of finite differences; the value that of a sum by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.differentiate.buying import Purchases, RepeatBuying, erlang
from crmcore.idic.differentiate.buying.covariates import _likelihood

row = st.tuples(st.integers(0, 40), st.floats(0.01, 1.0), st.floats(0.5, 100.0), st.floats(-2, 2), st.floats(-1, 1))
number = st.floats(-1.5, 1.5)


def read(rows: list[tuple[int, float, float, float, float]]) -> tuple[Purchases, np.ndarray]:
    x, part, age, one, two = (np.array(c, float) for c in zip(*rows, strict=True))
    return Purchases.of(x, np.where(x > 0, part * age, 0.0), age), np.stack([one, two], axis=1)


@pytest.mark.parametrize("model", ["bg", "mbg", "pareto"])
@given(st.lists(row, min_size=1, max_size=12), st.lists(number, min_size=8, max_size=8))
@settings(max_examples=40, deadline=None)
def test_slopes_are_those_of_finite_differences(
    model: str, rows: list[tuple[int, float, float, float, float]], theta: list[float]
) -> None:
    seen, z = read(rows)
    likelihood, at = _likelihood(model, seen, z), np.array(theta)
    slope = likelihood(at)[1]
    h = 1e-5
    by_hand = [(likelihood(at + h * e)[0] - likelihood(at - h * e)[0]) / (2 * h) for e in np.eye(8)]
    assert slope == pytest.approx(np.array(by_hand), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("model", ["bg", "mbg", "pareto"])
@given(st.lists(row, min_size=1, max_size=8), st.lists(number, min_size=8, max_size=8))
@settings(max_examples=30, deadline=None)
def test_the_likelihood_is_the_sum_of_those_of_each_customer_at_his_own_parameters(
    model: str, rows: list[tuple[int, float, float, float, float]], theta: list[float]
) -> None:
    seen, z = read(rows)
    total = 0.0
    for i in range(len(seen)):
        buys, leaves = z[i] @ theta[4:6], z[i] @ theta[6:]
        moves = [0, -buys, 0, -leaves] if model == "pareto" else [0, -buys, leaves / 2, -leaves / 2]
        total += RepeatBuying(model=model)._likelihood(seen.take([i]))(np.array(theta[:4]) + moves)[0]
    assert _likelihood(model, seen, z)(np.array(theta))[0] == pytest.approx(total, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("dropout", ["repeat", "any"])
@given(st.lists(row, min_size=1, max_size=12), st.lists(st.floats(-8, 8), min_size=4, max_size=4))
@settings(max_examples=80, deadline=None)
def test_the_summed_likelihood_is_that_of_the_rows(
    dropout: str, rows: list[tuple[int, float, float, float, float]], theta: list[float]
) -> None:
    sample = erlang.Sample.of(read([*rows, *rows[:2]])[0])
    value, slope = erlang.log_likelihood(np.array(theta), sample, dropout=dropout, k=1)
    logs, slopes = erlang.row_likelihood(*np.exp(theta).tolist(), sample=sample, dropout=dropout, k=1)
    assert value == pytest.approx(float(sample.weight @ logs), rel=1e-9, abs=1e-9)
    assert slope == pytest.approx(slopes @ sample.weight, rel=1e-7, abs=1e-7)
