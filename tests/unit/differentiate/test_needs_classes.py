"""Latent classes find what was planted, and say what they could not know."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, MissingColumn, OutOfRange
from crmcore.idic.differentiate.needs import LatentClasses, LatentClassModel, adjusted_rand, choose_classes


def planted(seed: int) -> tuple[np.ndarray, dict[str, list[str | None]], dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, 300, p=[0.5, 0.3, 0.2])
    wants = [("ease", "price", "status")[k if rng.random() < 0.9 else rng.integers(3)] for k in truth]
    pays = rng.normal(np.array([20.0, 10.0, 40.0])[truth], 3)
    pays[rng.random(300) < 0.1] = np.nan
    return truth, {"wants": wants}, {"pays": pays}


def test_mixed_likelihood_is_that_of_scipy_with_missing_cells_left_out() -> None:
    from scipy.stats import norm

    _, answers, measures = planted(4)
    m = LatentClasses(classes=2, starts=2).fit(answers=answers, measures=measures, seed=1)
    total = 0.0
    for a, x in zip(answers["wants"], measures["pays"], strict=True):
        dense = 0.0
        for k, share in enumerate(m.shares):
            part = share * m.answers["wants"][k][m.levels["wants"].index(str(a))]
            dense += part * (1.0 if np.isnan(x) else norm.pdf(x, m.means["pays"][k], m.deviations["pays"][k]))
        total += np.log(dense)
    assert m.log_likelihood == pytest.approx(total, abs=1e-5)


def test_a_stored_model_scores_alike_and_the_unknown_customer_gets_the_shares() -> None:
    _, answers, measures = planted(4)
    m = LatentClasses(classes=3, starts=3).fit(answers=answers, measures=measures, seed=1)
    again = LatentClassModel.from_dict(m.to_dict())
    new = again.members(answers={"wants": [None, "yacht"]}, measures={"pays": [np.nan, np.nan]})
    assert again == m
    assert new.probability[0] == pytest.approx(m.shares)
    assert new.unseen == {"wants": (1,)}
    assert list(m.shares) == sorted(m.shares, reverse=True)


def test_agreement_is_that_of_every_pair() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 3, 40), rng.integers(0, 4, 40)
    i, j = np.triu_indices(40, 1)
    x, y = a[i] == a[j], b[i] == b[j]
    chance = x.sum() * y.sum() / len(i)
    slow = ((x & y).sum() - chance) / ((x.sum() + y.sum()) / 2 - chance)
    assert adjusted_rand(a.tolist(), b.tolist()) == pytest.approx(slow)


def test_bad_input_is_refused() -> None:
    with pytest.raises(EmptyInput):
        LatentClasses(classes=2).fit(seed=1)
    with pytest.raises(BadRows, match="infinite in 1 row"):
        LatentClasses(classes=2).fit(measures={"x": [1.0, np.inf]}, seed=1)
    with pytest.raises(BadRows, match="no text in 2 rows"):
        LatentClasses(classes=2).fit(answers={"a": ["x", 3, float("nan")]}, seed=1)  # type: ignore[list-item]
    with pytest.raises(OutOfRange, match="classes"):
        LatentClasses(classes=0)
    with pytest.raises(OutOfRange, match="one length"):
        LatentClasses(classes=1).fit(answers={"a": ["x"], "b": ["x", "y"]}, seed=1)
    with pytest.raises(MissingColumn):
        LatentClasses(classes=1).fit(answers={"a": ["x", "y"]}, seed=1).members(answers={"b": ["x"]})


def test_bic_finds_the_planted_number_of_classes() -> None:
    _, answers, measures = planted(4)
    choice = choose_classes(answers=answers, measures=measures, seed=1, up_to=4, starts=4)
    assert len(choice.best.shares) == 3
    assert len(choice.to_frame(backend="pandas")) == 4
