"""Laws of latent classes: EM climbs, order does not matter, what is missing is summed out."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.differentiate.needs import LatentClasses, LatentClassModel, class_drivers
from crmcore.idic.differentiate.needs.em import joint, maximise, responsibilities

SEEDS = st.integers(0, 10_000)


def some(seed: int) -> tuple[dict[str, list[str | None]], dict[str, np.ndarray], np.random.Generator]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 40))
    wants: list[str | None] = [("a", "b", "c", None)[i] for i in rng.integers(0, 4, n)]
    wants[0] = "a"
    pays = np.round(rng.normal(size=n) + 3 * (rng.random(n) < 0.4), 1)
    pays[rng.random(n) < 0.2] = np.nan
    pays[:2] = 0.0, 1.0
    return {"wants": wants}, {"pays": pays}, rng


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 4))
def test_the_likelihood_never_falls_in_em(seed: int, classes: int) -> None:
    answers, measures, rng = some(seed)
    data = LatentClasses(classes=1).fit(answers=answers, measures=measures, seed=1).blocks(
        answers=answers, measures=measures)  # fmt: skip
    r, before = rng.dirichlet(np.ones(classes), len(data.weight)), -np.inf
    for _ in range(30):
        r, now = responsibilities(data, maximise(data, r, floor=1e-2))
        assert now >= before - 1e-9 * abs(now)
        before = now


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_order_of_customers_and_of_classes_does_not_matter(seed: int) -> None:
    answers, measures, rng = some(seed)
    n = len(answers["wants"])
    start, order, flip = rng.dirichlet(np.ones(3), n), rng.permutation(n), rng.permutation(3)
    # Customers who answer alike share one start: the fit merges them.
    recipe = LatentClasses(classes=3, iterations=50, variance_floor=1e-2)
    one = recipe.fit(answers=answers, measures=measures, seed=1, start=start)
    mixed = {"wants": [answers["wants"][i] for i in order]}, {"pays": measures["pays"][order]}
    other = recipe.fit(answers=mixed[0], measures=mixed[1], seed=1, start=start[order][:, flip])
    assert np.isclose(one.log_likelihood, other.log_likelihood, rtol=0, atol=1e-6)
    assert np.allclose(sorted(one.shares), sorted(other.shares), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_a_missing_answer_is_the_sum_over_all_answers(seed: int) -> None:
    answers, measures, _ = some(seed)
    model = LatentClasses(classes=2, starts=1, iterations=30).fit(answers=answers, measures=measures, seed=1)
    levels = model.levels["wants"]

    def density(wants: list[str | None]) -> np.ndarray:
        data = model.blocks(answers={"wants": wants}, measures={"pays": [0.4] * len(wants)})
        return np.exp(joint(data, model.parameters())).sum(1)

    assert np.isclose(density([None])[0], density(list(levels)).sum())


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_a_model_comes_back_from_json_and_drivers_do_not_see_the_order(seed: int) -> None:
    answers, measures, rng = some(seed)
    model = LatentClasses(classes=2, starts=1, iterations=30).fit(answers=answers, measures=measures, seed=1)
    assert LatentClassModel.from_dict(model.to_dict()) == model
    order = rng.permutation(len(answers["wants"]))
    mixed = {"wants": [answers["wants"][i] for i in order]}, {"pays": measures["pays"][order]}
    one = class_drivers(model.members(answers=answers, measures=measures), answers=answers, measures=measures)
    two = class_drivers(model.members(answers=mixed[0], measures=mixed[1]), answers=mixed[0], measures=mixed[1])
    one_p = {(d.label, d.column, d.answer): d.adjusted for d in one.drivers}
    two_p = {(d.label, d.column, d.answer): d.adjusted for d in two.drivers}
    assert all(np.isclose(one_p[k], two_p[k], equal_nan=True) for k in one_p)
