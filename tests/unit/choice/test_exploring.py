"""Exploring: cold arms, ties, sentences of errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crmcore.choice import BetaArms, Explorer, LinearArms, Thompson, Uniform, UpperBound, drawn
from crmcore.errors import BadRows, DuplicateIds, OutOfRange, UnknownName

COLD = BetaArms.of(["a", "b"])
ALL = np.ones((1, 2), np.bool_)


def test_arms_of_which_nothing_is_known_have_equal_chances() -> None:
    flat = LinearArms.of(["a", "b"], ["x"])
    for explorer in (Thompson(beliefs=COLD), UpperBound(beliefs=COLD), Uniform()):
        assert isinstance(explorer, Explorer)
        assert explorer.chances(["a", "b"], ALL)[0] == pytest.approx([0.5, 0.5])
    assert Thompson(beliefs=flat).chances(["a", "b"], ALL, context=[[3.0]])[0] == pytest.approx([0.5, 0.5])


def test_a_new_arm_is_tried_first_and_a_greedy_rule_never_tries_it() -> None:
    seen = BetaArms.of(["a"], prior=(1, 9)).learn(["a"] * 100, [1] * 20 + [0] * 80)
    known = ["a", "new"]
    assert UpperBound(beliefs=seen, floor=0).chances(known, ALL)[0].tolist() == [0.0, 1.0]
    assert UpperBound(beliefs=seen, floor=0, width=0).chances(known, ALL)[0].tolist() == [1.0, 0.0]
    assert 0.05 < Thompson(beliefs=seen).chances(known, ALL)[0, 1] < 0.3


def test_what_an_acceptance_brings_decides_not_how_often() -> None:
    seen = COLD.learn(["a"] * 200 + ["b"] * 200, ([1] * 20 + [0] * 180) + ([1] * 40 + [0] * 160))
    assert Thompson(beliefs=seen).chances(["a", "b"], ALL)[0, 1] > 0.99
    assert Thompson(beliefs=seen).chances(["a", "b"], ALL, gain=[500, 100])[0, 0] > 0.99
    assert Thompson(beliefs=seen).chances(["a", "b"], ALL, gain=[500, 100], cost=[60, 0])[0, 1] > 0.98
    assert Thompson(beliefs=seen).chances(["a", "b"], ALL, gain=[0, -1], cost=[1, 0])[0] == pytest.approx([0, 1])


def test_arms_may_be_equal_and_certain() -> None:
    sure = BetaArms(arms=("a", "b"), won=(1e6, 1e6), lost=(1e6, 1e6))
    assert Thompson(beliefs=sure).chances(["a", "b"], ALL)[0] == pytest.approx([0.5, 0.5])
    flat = LinearArms.of(["a", "b"], noise_sd=1e-9).learn(["a", "b"], [1.0, 2.0])
    assert Thompson(beliefs=flat).chances(["a", "b"], ALL)[0] == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: COLD.learn(["a"], [2.0]), BadRows, "use LinearArms"),
        (lambda: COLD.learn(["a"], [np.nan]), BadRows, "leave out what is not known yet"),
        (lambda: COLD.learn(["A"], [1.0]), UnknownName, "did you mean 'a'"),
        (lambda: COLD.learn(["a"], [1.0, 0.0]), OutOfRange, r"\(1,\), as arm"),
        (lambda: BetaArms.of(["a", "a"]), DuplicateIds, "own name"),
        (lambda: BetaArms.of(["a"], prior=(0, 1)), OutOfRange, "numbers above 0"),
        (lambda: BetaArms(arms=("a",), won=(-1.0,), lost=(0.0,)), OutOfRange, "count from 0"),
        (lambda: COLD + BetaArms.of(["a"]), OutOfRange, "for_arms"),
        (lambda: LinearArms.of(["a"], ["x"]).moments([[1.0, 2.0]]), OutOfRange, "shape of the context"),
        (lambda: LinearArms.of(["a"], ["x"]).moments(), OutOfRange, "finite numbers: x"),
        (lambda: LinearArms.of(["a"], noise_sd=0.0), OutOfRange, "number above 0"),
        (lambda: LinearArms(arms=("a",), features=(), gram=[[1.0]], moment=[[1.0]]), OutOfRange, "LinearArms.gram"),
        (lambda: Thompson(beliefs=COLD).chances(["a", "b"], [[1, 0]]), OutOfRange, "truths"),
        (lambda: Thompson(beliefs=COLD, floor=2.0), OutOfRange, "floor"),
        (lambda: Thompson(beliefs=LinearArms.of(["a", "b"], ["x"])).chances(["a", "b"], ALL, context=[[1.0]] * 3),
         OutOfRange, "one context a row"),
    ],
)  # fmt: skip
def test_calls_that_cannot_be_meant_say_what_to_do(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


def test_the_last_possible_arm_catches_a_draw_of_one() -> None:
    assert drawn(np.array([[0.3, 0.7, 0.0]]), np.array([1.0])).tolist() == [1]
