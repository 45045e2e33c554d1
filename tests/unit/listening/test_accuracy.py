"""Accuracy of an analyzer on a labelled sample, and drift between two of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.listening.sentiment import AccuracyReport, check_accuracy

WORDS = ("negative", "neutral", "positive")


class Told:
    """Reads the answer out of the text, and how sure it is."""

    def probabilities(self, texts):
        out = np.full((len(texts), 3), np.nan)
        for i, text in enumerate(texts):
            if text:
                word, chance = text.split()
                out[i] = (1 - float(chance)) / 2
                out[i, WORDS.index(word)] = float(chance)
        return out


def sample(n: int, right: float, seed: int, chance: float = 0.9) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(WORDS, n)
    wrong = rng.choice(WORDS, n)
    guess = np.where(rng.random(n) < right, labels, wrong)
    return [f"{g} {chance}" for g in guess], labels.tolist()


def test_row_153_numbers_are_those_of_scikit_learn() -> None:
    sk = pytest.importorskip("sklearn.metrics")
    texts, labels = sample(400, 0.6, 0)
    found = check_accuracy(texts, labels, analyzer=Told())
    guess = [t.split()[0] for t in texts]
    assert found.accuracy.value == pytest.approx(sk.accuracy_score(labels, guess))
    assert found.macro_f1.value == pytest.approx(sk.f1_score(labels, guess, average="macro"))
    assert [c.f1.value for c in found.classes] == pytest.approx(sk.f1_score(labels, guess, average=None).tolist())
    assert found.macro_f1.low < found.macro_f1.value < found.macro_f1.high
    assert sum(map(sum, found.table)) == 400
    assert found.sure == 400
    assert found.calibration_error == pytest.approx(0.9 - found.accuracy.value, abs=1e-9)


def test_intervals_of_macro_f1_cover() -> None:
    truth = check_accuracy(*sample(200_000, 0.6, 1), analyzer=Told()).macro_f1.value
    held = 0
    for seed in range(100):
        one = check_accuracy(*sample(150, 0.6, seed + 10), analyzer=Told()).macro_f1
        held += one.low <= truth <= one.high
    assert 88 <= held <= 100


def test_drift_is_seen_where_it_is_and_not_where_it_is_not() -> None:
    first = check_accuracy(*sample(400, 0.7, 3), analyzer=Told())
    same = check_accuracy(*sample(400, 0.7, 4), analyzer=Told())
    worse = check_accuracy(*sample(400, 0.3, 5), analyzer=Told())
    unsure = check_accuracy(*sample(400, 0.7, 6, chance=0.6), analyzer=Told())
    assert not first.drift(same).drifted
    assert first.drift(worse).drifted
    assert first.drift(worse).accuracy.difference.high < 0
    assert first.drift(unsure).drifted
    assert str(first.drift(worse)).startswith("drifted: label a new sample")
    found = sum(
        check_accuracy(*sample(300, 0.7, 2 * s), analyzer=Told()).drift(
            check_accuracy(*sample(300, 0.7, 2 * s + 1), analyzer=Told())
        ).drifted
        for s in range(50)
    )  # fmt: skip
    assert found <= 8


def test_a_text_that_cannot_be_read_counts_as_neutral_and_is_told() -> None:
    found = check_accuracy(["positive 0.9", None, ""], ["positive", "neutral", "negative"], analyzer=Told())
    assert found.unread == 2
    assert found.table == ((0, 1, 0), (0, 1, 0), (0, 0, 1))
    assert found["neutral"].recall.value == 1
    lone = check_accuracy(["positive 0.9"] * 3, ["positive"] * 3, analyzer=Told())
    assert lone.macro_f1.value == 1
    assert np.isnan(lone["neutral"].f1.value)


def test_a_report_goes_through_json_frames_and_pictures() -> None:
    found = check_accuracy(*sample(60, 0.8, 7), analyzer=Told())
    assert AccuracyReport.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.to_frame(backend="polars")["polarity"].to_list() == list(WORDS)
    assert len(found.chart().rows) == 3
    assert "macro F1" in found._repr_html_()
    assert "calibration error" in str(found)


def test_bad_samples_are_refused() -> None:
    with pytest.raises(EmptyInput, match="labelled sample"):
        check_accuracy([], [], analyzer=Told())
    with pytest.raises(OutOfRange, match="labels"):
        check_accuracy(["positive 0.9"], [], analyzer=Told())
    with pytest.raises(UnknownName, match="did you mean 'positive'"):
        check_accuracy(["positive 0.9"], ["positiv"], analyzer=Told())
    with pytest.raises(WrongType, match="probabilities"):
        check_accuracy(["x"], ["positive"], analyzer=object())  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="sentiment plug-in"):
        check_accuracy(["x"], ["positive"], analyzer="nobody-offers-this")
