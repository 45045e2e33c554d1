"""Laws of attribution, each beside a slow twin that was written from the definition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.touchpoints.attribution import MODELS, Coalitions, Markov, PathCounts, attribute, credit_by

CHANNELS = "abcd"
Path = tuple[tuple[str, ...], int, int]


@st.composite
def journeys(draw: st.DrawFn) -> list[Path]:
    path = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=6).map(tuple)
    found = draw(st.lists(st.tuples(path, st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8))
    return [*found, (draw(path), 1 + draw(st.integers(0, 3)), 0)]


def counted(found: list[Path], *, merge: bool = True) -> PathCounts:
    return PathCounts.of(
        [list(p) for p, _, _ in found], conversions=[c for _, c, _ in found], nulls=[n for _, _, n in found],
        merge=merge, channels=list(CHANNELS),
    )  # fmt: skip


def slow_effects(found: list[Path], order: int) -> dict[str, float]:
    """Removal effects in exact fractions: Gauss elimination over the states of the chain."""
    flow: dict[tuple[object, object], int] = {}
    for path, won, lost in found:
        states = [path[i : i + order] for i in range(len(path) - order + 1)] or [path]
        for a, b in itertools.pairwise(["start", *states]):
            flow[a, b] = flow.get((a, b), 0) + won + lost
        for end, n in (("won", won), ("lost", lost)):
            flow[states[-1], end] = flow.get((states[-1], end), 0) + n

    def converts(without: str | None) -> Fraction:
        states = [s for s in dict.fromkeys(a for a, _ in flow) if s == "start" or without is None or without not in s]
        out = {s: sum(n for (a, _), n in flow.items() if a == s) for s in states}
        rows = []
        for s in states:
            row = [Fraction(s == t) - (Fraction(flow.get((s, t), 0), out[s]) if out[s] else 0) for t in states]
            rows.append([*row, Fraction(flow.get((s, "won"), 0), out[s]) if out[s] else Fraction(0)])
        for i in range(len(rows)):
            pivot = next((r for r in range(i, len(rows)) if rows[r][i]), None)
            if pivot is None:
                continue
            rows[i], rows[pivot] = rows[pivot], rows[i]
            rows[i] = [x / rows[i][i] for x in rows[i]]
            for r in range(len(rows)):
                if r != i and rows[r][i]:
                    rows[r] = [x - rows[r][i] * y for x, y in zip(rows[r], rows[i], strict=True)]
        return rows[states.index("start")][-1]

    whole = converts(None)
    return {c: float(1 - converts(c) / whole) for c in CHANNELS}


@given(journeys(), st.sampled_from([1, 2, 3, 4]))
@settings(max_examples=60, deadline=None)
def test_removal_effects_equal_exact_fractions(found: list[Path], order: int) -> None:
    effects = Markov(order=order).effects(counted(found))
    slow = slow_effects([p for p in found if p[1] + p[2]], order)
    assert effects == pytest.approx([slow[c] for c in CHANNELS], abs=1e-11)


@given(journeys(), st.sampled_from(sorted(MODELS)))
@settings(max_examples=100, deadline=None)
def test_credit_adds_up_and_is_not_negative(found: list[Path], model: str) -> None:
    paths = counted(found)
    credit = [e.value for e in attribute(paths, model=model, draws=0).credit]
    assert math.fsum(credit) == pytest.approx(paths.total, rel=1e-9)
    if model != "shapley rate":
        assert min(credit) >= -1e-9


@given(journeys(), st.sampled_from(sorted(MODELS)), st.randoms())
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_merging_of_rows_matters(found: list[Path], model: str, random: Callable[..., None]) -> None:
    mixed = list(found)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    first = attribute(counted(found), model=model, draws=0)
    second = attribute(counted(mixed, merge=False), model=model, draws=0)
    assert [e.value for e in first.credit] == pytest.approx([e.value for e in second.credit], abs=1e-9)


@given(journeys())
@settings(max_examples=60, deadline=None)
def test_repeating_a_touch_changes_no_first_order_effect(found: list[Path]) -> None:
    doubled = [(tuple(c for c in p for _ in range(2)), w, n) for p, w, n in found]
    effects = Markov().effects(counted(found))
    assert effects == pytest.approx(Markov().effects(counted(doubled)), abs=1e-10)


@given(journeys(), st.data())
@settings(max_examples=60, deadline=None)
def test_segments_add_up(found: list[Path], data: st.DataObject) -> None:
    paths = counted(found, merge=False)
    by = data.draw(st.lists(st.sampled_from(["x", "y", "z"]), min_size=len(paths), max_size=len(paths)))
    model = data.draw(st.sampled_from(["first", "linear", "shapley", "markov per journey", "counterfactual"]))
    whole = attribute(paths, model=model, draws=0)
    assert credit_by(paths, by, model=model).credit.sum(axis=0) == pytest.approx(
        [e.value for e in whole.credit], abs=1e-9
    )


@given(st.lists(st.floats(-5, 5), min_size=16, max_size=16))
@settings(max_examples=60, deadline=None)
def test_shapley_equals_the_mean_over_all_orders_of_joining(worth: list[float]) -> None:
    worth[0] = 0.0
    slow = np.zeros(4)
    for order in itertools.permutations(range(4)):
        inside = 0
        for player in order:
            slow[player] += (worth[inside | 1 << player] - worth[inside]) / 24
            inside |= 1 << player
    assert Coalitions(worth=np.array(worth)).shapley() == pytest.approx(slow, abs=1e-12)


@given(journeys())
@settings(max_examples=40, deadline=None)
def test_the_closed_form_is_the_shapley_value_of_its_game(found: list[Path]) -> None:
    worth = np.array(
        [sum(w for p, w, _ in found if all(s >> CHANNELS.index(c) & 1 for c in p)) for s in range(16)], float
    )
    credit = [e.value for e in attribute(counted(found), model="shapley", draws=0).credit]
    assert credit == pytest.approx(Coalitions(worth=worth).shapley(), abs=1e-9)


@given(journeys(), st.sampled_from([1, 2, 3]))
@settings(max_examples=40, deadline=None)
def test_the_chain_converts_as_often_as_the_journeys(found: list[Path], order: int) -> None:
    from crmcore.touchpoints.attribution.chain import Walks

    paths = counted(found)
    chain = Walks.of(paths, order=order).chain(paths.conversions, paths.nulls)
    everything = np.ones((chain.walks.states, 2), np.bool_)
    assert chain.reached(everything) == pytest.approx([chain.conversion] * 2, abs=1e-12)
    assert chain.reached(everything[:, :1]) == pytest.approx([chain.conversion], abs=1e-12)
