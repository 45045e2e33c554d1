"""Laws of exploring: who may not is never chosen, order and company never matter, chances are those of the best."""

from __future__ import annotations

import json

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.choice import BetaArms, LinearArms, Thompson, Uniform, UpperBound, drawn, draws_of
from crmcore.choice.exploring import best_chances

ARMS = ("a", "b", "c", "d")
counts = st.tuples(*[st.integers(0, 300)] * len(ARMS))
masks = st.lists(st.tuples(*[st.booleans()] * len(ARMS)), min_size=1, max_size=6)


def beta(won: tuple[int, ...], lost: tuple[int, ...]) -> BetaArms:
    return BetaArms(arms=ARMS, won=tuple(map(float, won)), lost=tuple(map(float, lost)))


def linear(seed: int, n: int = 40) -> LinearArms:
    rng = np.random.default_rng(seed)
    names = [ARMS[k] for k in rng.integers(0, 4, n)]
    return LinearArms.of(ARMS, ("x", "y")).learn(names, rng.random(n), rng.normal(size=(n, 2)))


@settings(max_examples=60, deadline=None)
@given(counts, counts, masks, st.integers(0, 99), st.sampled_from([0.0, 0.1, 1.0]))
def test_an_arm_that_may_not_be_is_never_chosen(won, lost, rows, seed: int, floor: float) -> None:
    able = np.array(rows)
    context = np.random.default_rng(seed).normal(size=(len(able), 2))
    ids = [f"c{seed}-{i}" for i in range(len(able))]
    learners = [(kind(beliefs=beliefs, floor=floor), known) for kind in (Thompson, UpperBound)
                for beliefs, known in ((beta(won, lost), None), (linear(seed), context))]  # fmt: skip
    for explorer, known in (*learners, (Uniform(), None)):
        chances = explorer.chances(ARMS, able, context=known, gain=[1, 2, 3, 0], cost=[0, 1, 0, 5])
        assert (chances[~able] == 0).all()
        assert (chances >= 0).all()
        assert chances.sum(1) == pytest.approx(able.any(1).astype(float))
        if floor:
            assert (chances[able] >= floor / 4 - 1e-12).all()
        for draws in (draws_of(ids, seed=seed), np.zeros(len(able)), np.ones(len(able))):  # the edges too
            found = drawn(chances, draws)
            assert ((found == -1) == ~able.any(1)).all()
            assert all(able[r, k] for r, k in enumerate(found.tolist()) if k >= 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ARMS), st.booleans()), max_size=30), st.randoms(use_true_random=False))
def test_the_order_and_the_parts_of_answers_do_not_matter(answers, rng) -> None:
    shuffled = list(answers)
    rng.shuffle(shuffled)
    cut = rng.randint(0, len(answers))
    cold = BetaArms.of(ARMS)
    whole = cold.learn([a for a, _ in answers], [r for _, r in answers])
    parts = [cold.learn([a for a, _ in some], [r for _, r in some]) for some in (shuffled[:cut], shuffled[cut:])]
    assert parts[0] + parts[1] == parts[1] + parts[0] == whole
    x = [[i, i % 3] for i in range(len(answers))]
    order = sorted(range(len(answers)), key=lambda i: (answers[i][1], -i))
    flat = LinearArms.of(ARMS, ("x", "y"))
    one = flat.learn([a for a, _ in answers], [r for _, r in answers], np.reshape(x, (-1, 2)))
    other = flat.learn([answers[i][0] for i in order], [answers[i][1] for i in order],
                       np.reshape([x[i] for i in order], (-1, 2)))  # fmt: skip
    assert one == other  # whole numbers: exact


@settings(max_examples=40, deadline=None)
@given(counts, counts, st.permutations(range(4)), st.integers(0, 99))
def test_names_carry_the_beliefs_not_positions(won, lost, order, seed: int) -> None:
    able, context = np.ones((3, 4), np.bool_), np.random.default_rng(seed).normal(size=(3, 2))
    for explorer, known in ((Thompson(beliefs=beta(won, lost)), None), (UpperBound(beliefs=linear(seed)), context)):
        plain = explorer.chances(ARMS, able, context=known)
        turned = explorer.chances([ARMS[i] for i in order], able, context=known)
        assert turned == pytest.approx(plain[:, list(order)], abs=1e-9)
        alone = explorer.chances(ARMS, able[:1], context=None if known is None else known[:1])
        assert alone[0] == pytest.approx(plain[0], abs=1e-12)  # whoever else is there
        again = type(explorer).from_dict(json.loads(json.dumps(explorer.to_dict())))
        assert again == explorer
        assert (again.chances(ARMS, able, context=known) == plain).all()


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=2, max_size=5), st.integers(0, 99))
def test_chances_of_shares_are_those_of_drawing_from_the_posteriors(cells, seed: int) -> None:
    arms = tuple(f"a{i}" for i in range(len(cells)))
    beliefs = BetaArms(arms=arms, won=tuple(float(w) for w, _ in cells), lost=tuple(float(x) for _, x in cells))
    gain, cost = np.linspace(1, 3, len(arms)), np.linspace(0, 0.5, len(arms))
    found = Thompson(beliefs=beliefs).chances(arms, np.ones((1, len(arms)), np.bool_), gain=gain, cost=cost)[0]
    draws = np.random.default_rng(seed).beta(*(np.array(cells).T + 1)[:, None], (40_000, len(arms))) * gain - cost
    told = np.bincount(draws.argmax(1), minlength=len(arms)) / len(draws)  # the slow twin
    assert found == pytest.approx(told, abs=0.001 + 4.5 * 0.5 / np.sqrt(len(draws)))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 9999))
def test_chances_in_a_context_are_those_of_drawing_the_coefficients(seed: int) -> None:
    beliefs, rng = linear(seed), np.random.default_rng(seed)
    x = rng.normal(size=(1, 2))
    found = Thompson(beliefs=beliefs).chances(ARMS, np.ones((1, 4), np.bool_), context=x)[0]
    ridge = (beliefs.noise_sd / beliefs.prior_sd) ** 2 * np.eye(3)
    drawn_values = []
    for k in range(4):  # the slow twin: the whole posterior of each arm
        cover = np.linalg.inv(beliefs.gram[k] + ridge)
        theta = rng.multivariate_normal(cover @ beliefs.moment[k], beliefs.noise_sd**2 * cover, 40_000)
        drawn_values.append(theta @ np.array([1.0, *x[0]]))
    told = np.bincount(np.argmax(drawn_values, 0), minlength=4) / 40_000
    assert found == pytest.approx(told, abs=0.001 + 4.5 * 0.5 / 200)


@pytest.mark.parametrize(("won", "lost"), [((5, 2, 0, 1), (3, 8, 0, 1)), ((200, 210, 0, 90), (300, 290, 0, 110))])
def test_chances_of_shares_equal_the_integral(won: tuple[int, ...], lost: tuple[int, ...]) -> None:
    from scipy.integrate import quad
    from scipy.stats import beta as posterior

    arms = [posterior(w + 1, x + 1) for w, x in zip(won, lost, strict=True)]
    found = Thompson(beliefs=beta(won, lost)).chances(ARMS, np.ones((1, 4), np.bool_))[0]
    for k, own in enumerate(arms):
        rest = [other for j, other in enumerate(arms) if j != k]
        true, _ = quad(lambda t, own=own, rest=rest: own.pdf(t) * np.prod([o.cdf(t) for o in rest]), 0, 1, limit=200)
        assert found[k] == pytest.approx(true, abs=1e-3)


def test_more_wins_never_make_an_arm_less_likely() -> None:
    able, last = np.ones((1, 4), np.bool_), 0.0
    for won in range(0, 60, 5):
        chance = Thompson(beliefs=beta((won, 10, 20, 5), (30, 30, 30, 30))).chances(ARMS, able)[0, 0]
        assert chance >= last - 1e-4
        last = chance


def test_an_explorer_without_able_arms_gives_nothing() -> None:
    assert best_chances(np.ones((1, 3, 2)), np.zeros((2, 2), np.bool_)).tolist() == [[0, 0], [0, 0]]
    greedy = attrs.evolve(UpperBound(beliefs=BetaArms.of(ARMS)), width=0.0, floor=0.0)
    assert greedy.chances(ARMS, np.zeros((1, 4), np.bool_)).tolist() == [[0.0] * 4]
