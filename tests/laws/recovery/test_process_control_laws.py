"""Laws of control charts: fast kernels against slow twins, and what units and sides may not change."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.recovery.process.control import NELSON, WESTERN_ELECTRIC, RunRule, cusum, cusum_run_length, p_chart, xmr
from crmcore.recovery.process.control.runs import broken

VALUES = st.lists(
    st.sampled_from([-3.5, -2.5, -1.5, -0.5, -0.2, 0.0, 0.2, 0.5, 1.5, 2.5, 3.5]), min_size=1, max_size=60
)


def slowly_broken(z: list[float], rule: RunRule, i: int) -> int:
    """The words of the rules, read literally at one point."""
    window = z[max(0, i - rule.of + 1) : i + 1]
    for sign in (1, -1):
        signed = [sign * x for x in window]
        if rule.kind in ("beyond", "one side", "some beyond"):
            hits = [x > rule.sigma for x in signed]
            if hits[-1] and sum(hits) >= rule.points:
                return sign
        if rule.kind == "trend" and len(window) == rule.of and all(b > a for a, b in itertools.pairwise(signed)):
            return sign
    if len(window) < rule.of:
        return 0
    if rule.kind == "alternating":
        steps = [b - a for a, b in itertools.pairwise(window)]
        return 2 if all(a * b < 0 for a, b in itertools.pairwise(steps)) else 0
    if rule.kind == "all within":
        return 2 if all(abs(x) < rule.sigma for x in window) else 0
    if rule.kind == "all beyond":
        both = any(x > 0 for x in window) and any(x < 0 for x in window)
        return 2 if both and all(abs(x) > rule.sigma for x in window) else 0
    return 0


@given(VALUES, st.sampled_from([*NELSON, WESTERN_ELECTRIC[-1]]))
def test_rules_equal_their_words(z: list[float], rule: RunRule) -> None:
    fast = broken(np.array(z), rule).tolist()
    assert fast == [slowly_broken(z, rule, i) for i in range(len(z))]


@given(VALUES, st.floats(0.1, 100), st.floats(-50, 50))
def test_units_do_not_matter(values: list[float], scale: float, shift: float) -> None:
    plain = xmr(values, small_sample_ok=True)
    other = xmr([scale * v + shift for v in values], small_sample_ok=True)
    assert [(s.position, s.rule, s.side) for s in plain.signals] == [
        (s.position, s.rule, s.side) for s in other.signals
    ]


@given(VALUES)
def test_upside_down_the_sides_change(values: list[float]) -> None:
    plain, other = xmr(values, small_sample_ok=True), xmr([-v for v in values], small_sample_ok=True)
    turned = {"above": "below", "below": "above", "rising": "falling", "falling": "rising", "-": "-"}
    assert [(s.position, s.rule, turned[s.side]) for s in plain.signals] == [
        (s.position, s.rule, s.side) for s in other.signals
    ]


@given(VALUES, VALUES)
def test_a_phase_does_not_hear_of_another(first: list[float], second: list[float]) -> None:
    phases = ["a"] * len(first) + ["b"] * len(second)
    both = xmr([*first, *second], phases=phases, small_sample_ok=True)
    alone = xmr(second, small_sample_ok=True)
    n = len(first)
    assert [(s.position - n, s.rule) for s in both.signals if s.position >= n] == [
        (s.position, s.rule) for s in alone.signals
    ]


@given(VALUES, st.floats(0, 2), st.floats(0.5, 6))
def test_sums_equal_their_recursion(values: list[float], slack: float, threshold: float) -> None:
    made = cusum(values, target=0, sigma=1, slack=slack, threshold=threshold)
    up = down = 0.0
    for i, z in enumerate(values):
        up, down = max(0.0, up + z - slack), max(0.0, down - z - slack)
        assert made.above[i] == pytest.approx(up, abs=1e-9)
        assert made.below[i] == pytest.approx(down, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=30))
def test_failures_and_successes_mirror_each_other(points: list[tuple[int, int]]) -> None:
    trials = [a + b for a, b in points]
    if sum(trials) == 0:
        return
    bad = p_chart([a for a, _ in points], trials, small_sample_ok=True)
    good = p_chart([b for _, b in points], trials, small_sample_ok=True)
    assert [(s.position, s.rule) for s in bad.signals] == [(s.position, s.rule) for s in good.signals]


def test_run_lengths_are_what_simulation_says() -> None:
    rng = np.random.default_rng(11)
    for shift, slack, threshold in ((0.0, 0.5, 3.0), (1.0, 0.5, 5.0), (0.5, 0.25, 4.0)):
        z = rng.standard_normal((2000, 600)) + shift
        up = down = np.zeros(2000)
        length = np.full(2000, 0)
        for i in range(z.shape[1]):
            up, down = np.maximum(0, up + z[:, i] - slack), np.maximum(0, down - z[:, i] - slack)
            length = np.where((length == 0) & ((up > threshold) | (down > threshold)), i + 1, length)
        assert (length > 0).mean() > 0.995
        theory = cusum_run_length(shift, slack=slack, threshold=threshold)
        assert length[length > 0].mean() == pytest.approx(theory, rel=0.1)
