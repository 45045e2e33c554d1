"""The text classifier: how much to trust words is chosen on texts held out; foreign texts are named."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.text import TextClassifier, TextClassifierModel
from crmcore.text.shape import SHAPE, text_shape
from crmcore.text.tokens import tokenize
from crmcore.text.tuning import deal_folds, loss_at, step_to_best, temperature_of

TEXTS = ["my bag is lost", "they lost our bags", "two hours late", "late again today"] * 10
LABELS = ["luggage", "luggage", "delay", "delay"] * 10


def noisy(n: int, seed: int, share: float) -> tuple[list[str], list[str]]:
    """Texts of which so large a share is labelled at random."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        kind = int(rng.integers(2))
        texts.append(" ".join(rng.choice([f"{'ab'[kind]}{i}" for i in range(40)], 3)))
        labels.append("xy"[kind if rng.random() > share else int(rng.integers(2))])
    return texts, labels


def test_noise_is_met_with_a_higher_penalty() -> None:
    def penalty(share: float) -> float:
        texts, labels = noisy(400, 1, share)
        names = ("x", "y")
        y = np.array([names.index(label) for label in labels])
        return TextClassifier(character_orders=())._penalty(texts, y, names)

    assert penalty(0.9) > penalty(0.0)


def test_a_model_of_few_labels_still_fits_and_goes_through_json() -> None:
    model = TextClassifier().fit(TEXTS[:8], LABELS[:8])
    again = TextClassifierModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again.predict(["lost bag", "so late"]) == ["luggage", "delay"] == model.predict(["lost bag", "so late"])


def test_probabilities_hold_what_they_say_on_new_texts() -> None:
    texts, labels = noisy(800, 2, 0.5)
    model = TextClassifier(character_orders=()).fit(texts, labels)
    new, truth = noisy(2000, 3, 0.5)
    p = model.probabilities(new)[:, 1]
    sure = p > 0.6
    assert np.mean([t == "y" for t, s in zip(truth, sure, strict=True) if s]) == pytest.approx(p[sure].mean(), abs=0.08)


def test_shape_counts_where_asked_and_is_part_of_the_evidence() -> None:
    rng = np.random.default_rng(0)
    loud = [" ".join(rng.choice(["NOW", "BUY", "SALE", "MORE"], 6)) for _ in range(30)]
    calm = [" ".join(rng.choice(["now", "buy", "sale", "more"], 6)) for _ in range(30)]
    labels = ["loud"] * 30 + ["calm"] * 30
    model = TextClassifier(shape=True, folds=0).fit(loud + calm, labels)
    assert model.predict(["BUY MORE SALE NOW BUY BUY", "buy more sale now buy buy"]) == ["loud", "calm"]
    plain = TextClassifier(folds=0).fit(loud + calm, labels)
    assert plain.probabilities(["BUY MORE"])[0] == pytest.approx(plain.probabilities(["buy more"])[0])
    said = model.explain("BUY MORE SALE NOW")
    assert any(term == "(capitals)" for term, _ in said.evidence)
    assert said.start + sum(v for _, v in said.evidence) == pytest.approx(said.score)


def test_shape_of_nothing_is_zero_and_links_have_no_letters() -> None:
    rows = text_shape(tokenize(["", "http://WWW.A.CO", "A b"]))
    assert rows[0].tolist() == [0] * len(SHAPE)
    assert rows[1, SHAPE.index("capitals")] == 0
    assert rows[2, SHAPE.index("capitals")] == 0.5


def test_familiarity_needs_folds_and_words() -> None:
    model = TextClassifier(folds=0).fit(TEXTS, LABELS)
    with pytest.raises(EmptyInput, match="folds"):
        model.familiarity(["x"])
    held = TextClassifier().fit(TEXTS, LABELS)
    with pytest.raises(EmptyInput, match="words"):
        held.familiarity(["", None])
    assert held.familiarity(["dividends rose amid turmoil"] * 20).foreign
    assert not held.familiarity(TEXTS).foreign
    assert np.isnan(held.known([""])[0])


def test_labels_are_checked() -> None:
    with pytest.raises(OutOfRange, match="number of labels"):
        TextClassifier().fit(["a", "b"], ["x"])
    with pytest.raises(OutOfRange, match="different labels"):
        TextClassifier().fit(["a", "b"], ["x", "x"])
    with pytest.raises(WrongType, match="row 1"):
        TextClassifier().fit(["a", "b"], ["x", None])  # type: ignore[list-item]
    with pytest.raises(EmptyInput, match="terms"):
        TextClassifier(least_texts=3).fit(["ab", "cd"], ["x", "y"])


def test_folds_hold_every_label_and_temperature_is_the_best() -> None:
    y = np.array([0] * 10 + [1] * 10 + [2] * 5)
    fold = deal_folds(y, 5)
    assert all(len(np.unique(y[fold == f])) == 3 for f in range(5))
    rng = np.random.default_rng(0)
    z = 3.0 * np.eye(3)[y] + rng.normal(0, 3, (len(y), 3))
    t = temperature_of(z, y)
    assert all(loss_at(z, y, temperature=t) <= loss_at(z, y, temperature=u) + 1e-9 for u in (t * 0.9, t * 1.1))
    assert step_to_best(lambda x: abs(x - 7), (1.0, 2.0, 4.0, 8.0, 16.0), 0) == 8.0
