"""Laws of registers: fault trees against all states of their events, trees of whys through their text."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.recovery.process.registers import BasicEvent, FaultTree, Gate, GateKind, Why, WhyTree


@st.composite
def trees(draw: st.DrawFn) -> FaultTree:
    """Trees of at most seven events, gates and events shared."""
    n = draw(st.integers(1, 7))
    events = [BasicEvent(f"e{i}", draw(st.sampled_from([0.0, 0.05, 0.3, 0.5, 0.9, 1.0]))) for i in range(n)]
    pool = [e.name for e in events]
    gates: list[Gate] = []
    for i in range(draw(st.integers(1, 5))):
        inputs = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique=True))
        kind = draw(st.sampled_from(GateKind))
        k = draw(st.integers(1, len(inputs))) if kind == GateKind.AT_LEAST else 0
        gates.append(Gate(f"g{i}", kind, tuple(inputs), k))
        pool.append(f"g{i}")
    used, wanted = set[str](), [gates[-1].name]
    while wanted:
        name = wanted.pop()
        used.add(name)
        wanted += [x for g in gates if g.name == name for x in g.inputs]
    return FaultTree(gates[-1].name, [g for g in gates if g.name in used], [e for e in events if e.name in used])


def happens(tree: FaultTree, state: dict[str, bool], name: str) -> bool:
    gate = next((g for g in tree.gates if g.name == name), None)
    if gate is None:
        return state[name]
    return sum(happens(tree, state, x) for x in gate.inputs) >= gate.needed


def slowly(tree: FaultTree) -> float:
    total = 0.0
    for values in product([False, True], repeat=len(tree.events)):
        p = 1.0
        for event, yes in zip(tree.events, values, strict=True):
            p *= event.probability if yes else 1 - event.probability
        state = {e.name: v for e, v in zip(tree.events, values, strict=True)}
        total += p * happens(tree, state, tree.top)
    return total


@given(trees())
def test_the_top_event_is_the_sum_over_all_states(tree: FaultTree) -> None:
    assert tree.probability() == pytest.approx(slowly(tree), abs=1e-12)


@given(trees())
def test_minimal_cut_sets_equal_brute_force(tree: FaultTree) -> None:
    names = sorted(e.name for e in tree.events)
    found: list[tuple[str, ...]] = []
    for size in range(len(names) + 1):
        for chosen in combinations(names, size):
            cut = happens(tree, {n: n in chosen for n in names}, tree.top)
            if cut and not any(set(old) <= set(chosen) for old in found):
                found.append(chosen)
    assert tree.minimal_cut_sets() == tuple(sorted(found, key=lambda c: (len(c), c)))


@given(trees(), st.randoms(use_true_random=False))
def test_order_of_gates_events_and_inputs_does_not_matter(tree: FaultTree, random: object) -> None:
    gates = [Gate(g.name, g.kind, tuple(reversed(g.inputs)), g.at_least) for g in reversed(tree.gates)]
    turned = FaultTree(tree.top, gates, list(reversed(tree.events)))
    assert turned.probability() == pytest.approx(tree.probability(), abs=1e-12)
    assert turned.minimal_cut_sets() == tree.minimal_cut_sets()


@given(trees())
def test_importance_is_a_difference_of_probabilities(tree: FaultTree) -> None:
    for row in tree.importance():
        assert -1e-12 <= row.birnbaum <= 1 + 1e-12
        whole = row.probability * row.birnbaum + tree.probability({row.event: 0.0})
        assert whole == pytest.approx(tree.probability(), abs=1e-12)


WORDS = st.text("abcdefgh -[](),.", min_size=1, max_size=12).map(str.strip).filter(bool)
EVIDENCE = st.text("abcdefgh 123", max_size=10).map(str.strip)


def whys(depth: int) -> st.SearchStrategy[Why]:
    below = st.lists(whys(depth - 1), max_size=2) if depth else st.just([])
    return st.builds(Why, WORDS, EVIDENCE, below)


@given(WORDS, st.lists(whys(2), min_size=1, max_size=3))
def test_a_tree_of_whys_comes_back_from_its_text(problem: str, answers: list[Why]) -> None:
    try:
        tree = WhyTree(problem, answers)
    except ValueError:
        return
    assert WhyTree.from_text(str(tree)) == tree
