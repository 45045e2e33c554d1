"""Sample sizes, the sample-ratio check and looks at every hour: what they say, show and refuse."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics import Counts, Exposure, Moments, compare, power, proportion, sequential
from crmcore.metrics.power import Means, Proportions, SampleRatio, SampleSize, sample_ratio, sample_size
from crmcore.metrics.sequential import beta_binomial_sequence, compare_anytime, confidence_sequence


def test_a_sample_size_is_the_smallest_that_reaches_its_power() -> None:
    for question in (Proportions(base=0.1, lift=0.02), Proportions(base=0.1, lift=-0.03), Means(difference=1, sd=4)):
        for design in ({}, {"arms": 4}, {"allocation": 0.25}, {"allocation": 3.0}):
            got = sample_size(question, power=0.85, **design)  # type: ignore[arg-type]
            alpha = 0.05 / (got.arms - 1)
            assert question.power(got.n_control, got.n_new, alpha=alpha) == pytest.approx(got.power)
            assert got.power >= 0.85
            before = got.n_control - 1
            allocation = design.get("allocation", 1.0)
            assert question.power(before, math.ceil(before * allocation), alpha=alpha) < 0.85
            assert got.total == got.n_control + (got.arms - 1) * got.n_new


def test_the_minimum_detectable_effect_inverts_the_sample_size() -> None:
    for question in (Proportions(base=0.1, lift=0.02), Proportions(base=0.1, lift=-0.03), Means(difference=-1, sd=4)):
        n = sample_size(question).n_control
        effect = power.minimum_detectable_effect(question, n=n)
        assert effect == pytest.approx(question.effect, rel=0.02)
        assert math.copysign(1, effect) == math.copysign(1, question.effect)
        assert power.power_of(question.with_effect(effect), n=n) == pytest.approx(0.8, abs=1e-6)
    with pytest.raises(OutOfRange, match="enough customers to see any allowed effect"):
        power.minimum_detectable_effect(Proportions(base=0.1, lift=-0.02), n=20)


def test_not_worse_than_a_margin_is_one_sided() -> None:
    got = sample_size(Proportions(base=0.1, lift=0.0, margin=0.01))
    z = 1.6448536269514722 + 0.8416212335729143
    assert got.n_new == math.ceil(z**2 * 2 * 0.09 / 0.01**2)
    assert sample_size(Means(difference=0, sd=10, margin=2)).n_new == 310
    with pytest.raises(OutOfRange, match="the loss that would still be accepted"):
        Means(difference=-3, sd=10, margin=2)
    with pytest.raises(OutOfRange, match="pass margin="):
        Means(difference=0, sd=10)


def test_sample_sizes_show_and_round_trip() -> None:
    got = sample_size(Proportions(base=0.1, lift=0.02), allocation=0.5)
    assert str(got).startswith(f"{got.n_control} control, {got.n_new} per new arm, ")
    assert SampleSize.from_dict(json.loads(json.dumps(got.to_dict()))) == got
    assert got.to_frame(backend="polars")["total"].to_list() == [got.total]
    assert "control" in got._repr_html_()


def test_impossible_plans_are_refused_with_the_way_out() -> None:
    with pytest.raises(OutOfRange, match=r"from 10 % to 12 % is lift=0\.02"):
        Proportions(base=0.1, lift=2)
    with pytest.raises(OutOfRange, match=r"base=0\.10"):
        Proportions(base=10, lift=0.02)
    with pytest.raises(OutOfRange, match="single values"):
        Means(difference=1, sd=0)
    with pytest.raises(OutOfRange, match="difference = nan"):
        Means(difference=math.nan, sd=1)
    with pytest.raises(OutOfRange, match=r"power=0\.8"):
        sample_size(Means(difference=1, sd=1), power=80)
    with pytest.raises(OutOfRange, match="the control counts as one arm"):
        sample_size(Means(difference=1, sd=1), arms=1)
    with pytest.raises(OutOfRange, match="a quarter of the control"):
        sample_size(Means(difference=1, sd=1), allocation=0)
    with pytest.raises(OutOfRange, match="look for a larger effect"):
        sample_size(Means(difference=1e-9, sd=1))
    with pytest.raises(OutOfRange, match="customers in the control arm"):
        power.power_of(Means(difference=1, sd=1), n=1)


def test_a_broken_split_is_named_with_its_arm() -> None:
    got = sample_ratio({"control": 5000, "new": 4600, "newer": 5010})
    assert got.mismatch
    assert str(got).startswith("sample ratio mismatch: new has 270 customers too few (p = ")
    assert got.test == "chi-square"
    assert SampleRatio.from_dict(json.loads(json.dumps(got.to_dict()))) == got
    assert got.to_frame(backend="polars")["expected"].to_list() == [pytest.approx(4870)] * 3
    assert "mismatch" in got._repr_html_()
    assert not sample_ratio({"control": 900, "new": 100}, expected={"new": 1, "control": 9}).mismatch


def test_small_splits_are_tested_exactly() -> None:
    assert sample_ratio({"a": 9, "b": 1}).test == "exact binomial"
    three = sample_ratio({"a": 7, "b": 1, "c": 2}, expected={"a": 2, "b": 1, "c": 1})
    assert (three.test, round(three.p_value, 4)) == ("exact multinomial", 0.5065)


def test_splits_that_cannot_be_are_refused() -> None:
    with pytest.raises(EmptyInput, match="fewer than two arms"):
        sample_ratio({"a": 4})
    with pytest.raises(EmptyInput, match="no customers yet"):
        sample_ratio({"a": 0, "b": 0})
    with pytest.raises(OutOfRange, match=r"counts\['b'\]"):
        sample_ratio({"a": 4, "b": 0.5})  # type: ignore[dict-item]
    with pytest.raises(OutOfRange, match=r"arms of expected = \['b', 'c'\]"):
        sample_ratio({"a": 4, "b": 5}, expected={"a": 1, "c": 1})
    with pytest.raises(OutOfRange, match=r"expected\['b'\]"):
        sample_ratio({"a": 4, "b": 5}, expected={"a": 1, "b": 0})


def test_a_sequence_is_wider_than_one_look_and_narrows_with_n() -> None:
    fixed = proportion(60, 2000)
    anytime = confidence_sequence(Counts(60, 2000), planned_n=2000)
    assert 1.4 < anytime.width / fixed.width < 1.75
    assert anytime.method == "anytime beta-binomial, planned n = 2000"
    later = confidence_sequence(Counts(600, 20_000), planned_n=2000)
    assert later.width < anytime.width
    asymptotic = confidence_sequence(Counts(60, 2000), planned_n=2000, method="asymptotic")
    assert asymptotic.width == pytest.approx(anytime.width, rel=0.1)


def test_early_looks_say_nothing_instead_of_something_wrong() -> None:
    none = confidence_sequence(Counts(), planned_n=100)
    assert (math.isnan(none.value), none.low, none.high) == (True, 0.0, 1.0)
    assert confidence_sequence(Moments.of([1.0, 2.0]), planned_n=100).high == math.inf
    assert confidence_sequence(Moments.of([1.0] * 20), planned_n=100).high == math.inf
    early = compare_anytime(Counts(0, 8), Counts(3, 9), planned_n=1000)
    assert (early.p_value, early.difference.low) == (1.0, -math.inf)
    assert compare_anytime(Moments(), Moments(), planned_n=100).p_value == 1.0


def test_anytime_comparisons_are_more_careful_than_one_look() -> None:
    a, b = Counts(90, 1000), Counts(125, 1000)
    once, anytime = compare(a, b), compare_anytime(a, b, planned_n=2000)
    assert anytime.difference.value == once.difference.value
    assert anytime.difference.width > once.difference.width
    assert anytime.p_value > once.p_value
    assert anytime.test == "always valid"
    rng = np.random.default_rng(1)
    spend = [Moments.of(rng.normal(mean, 1, 500)) for mean in (0.0, 1.0)]
    assert compare_anytime(*spend, planned_n=1000).p_value < 1e-6


def test_wrong_sequences_say_the_way_out() -> None:
    with pytest.raises(OutOfRange, match="planned_n = 1"):
        confidence_sequence(Counts(1, 2), planned_n=1)
    with pytest.raises(UnknownName, match="did you mean 'beta-binomial'"):
        confidence_sequence(Counts(1, 2), planned_n=10, method="betabinomial")
    with pytest.raises(UnknownName, match="unknown method 'beta-binomial'"):
        confidence_sequence(Moments.of([1, 2]), planned_n=10, method="beta-binomial")
    with pytest.raises(WrongType, match="counts is Exposure: expected counts with n, mean and variance"):
        confidence_sequence(Exposure(1, 2), planned_n=10)  # type: ignore[arg-type]
    with pytest.raises(WrongType, match="the kind of a, Counts"):
        compare_anytime(Counts(1, 2), Moments.of([1, 2]), planned_n=10)
    assert isinstance(Counts(1, 2), sequential.Averaged)


def test_the_exact_sequence_holds_at_the_ends() -> None:
    low, high = beta_binomial_sequence([0, 50, 0], [50, 50, 0], planned_n=50)
    assert low[0] == low[2] == 0.0
    assert high[1] == high[2] == 1.0
    assert 0 < high[0] < 0.3
    assert low[1] == pytest.approx(1 - high[0], abs=1e-12)
