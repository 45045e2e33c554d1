"""Sentiment: what the library promises, in the words of the field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from benchmarks.quality import sentiment_training as training
from crmcore.errors import BadDocument, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.listening import Polarity
from crmcore.listening.sentiment import AdaptedSentiment, SentimentTable, default_model
from crmcore.protocols import SentimentAnalyzer
from crmcore.tables import MentionTable

MODEL = default_model()


def intensity(text: str, names: Sequence[str] = ()) -> float:
    return float(MODEL.score([text], names=names).intensity[0])


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("nobody loves her", -1, -0.1),
        ("everybody loves her", 0.3, 1),
        ("no problem", 0, 1),
        ("no complaints", 0, 1),
        ("not bad at all", -0.05, 1),
        ("not a bad idea", -0.05, 1),
        ("this isn't a bad idea", -0.05, 1),
        ("Website is not working", -1, -0.3),
        ("\u2764\ufe0f", 0.3, 1),
        ("\u2764\ufe0f\U0001f493", 0.3, 1),
        ("\U0001f92c\U0001f621", -1, -0.5),
        ("That phone is fire \U0001f525", 0, 1),
        ("redheads :(", -1, -0.3),
        ("still waiting for my refund", -1, -0.2),
        ("@united", -0.15, 0.15),
        ("It is a phone", -0.2, 0.2),
    ],
)
def test_row_146_phrases_that_others_get_wrong_are_right(text: str, low: float, high: float) -> None:
    assert low <= intensity(text) <= high


def test_row_146_politeness_makes_an_order_no_praise() -> None:
    assert intensity("kindly stop") <= 0
    assert intensity("please stop") <= 0


def test_row_146_brand_names_say_nothing_by_their_letters() -> None:
    plain = intensity("Great Joy is a shop", names=["Great Joy"])
    assert plain == pytest.approx(intensity("@our @shop is a shop"), abs=1e-12)
    assert intensity("#greatjoy", names=["Great Joy"]) == pytest.approx(intensity("@x"), abs=1e-12)
    with pytest.raises(WrongType, match="put it in a list"):
        MODEL.score(["x"], names="Great Joy")


def test_row_146_a_table_gives_words_probabilities_and_intensity() -> None:
    posts = MentionTable.from_frame({"text": ["I love it!", "Worst service ever", None, "The box is blue"]})
    table = MODEL.score(posts)
    assert table.words == [Polarity.POSITIVE, Polarity.NEGATIVE, None, Polarity.NEUTRAL]
    assert np.isnan(table.probability[2]).all()
    assert np.allclose(np.delete(table.probability, 2, axis=0).sum(axis=1), 1)
    assert ((table.intensity >= -1) | np.isnan(table.intensity)).all()
    assert str(table).startswith("4 texts: 1 negative, 1 neutral, 1 positive; net score")
    assert list(table.to_frame("pandas").columns)[:2] == ["polarity", "negative"]
    assert SentimentTable.from_dict(table.to_dict()).words == table.words
    assert "<script" not in table._repr_html_()
    assert table.chart().to_dict()["data"]["values"]
    assert isinstance(MODEL, SentimentAnalyzer)


ODD = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.sampled_from(["not bad", "GREAT!!!", "but why?", "\ud800", "@a #b", "so so bad"]),
)


@given(st.lists(ODD, max_size=8))
def test_row_146_every_text_alone_decides_its_row(texts: list[str | None]) -> None:
    together = MODEL.probabilities(texts)
    alone = [MODEL.probabilities([text])[0] for text in texts]
    assert together.shape == (len(texts), 3)
    for row, one in zip(together, alone, strict=True):
        assert np.allclose(row, one, atol=1e-12, equal_nan=True)


@given(
    st.lists(
        st.sampled_from("not never good bad awful GREAT ! , but very no problem \U0001f600 waiting @x the".split()),
        min_size=1,
    )
)
def test_row_146_evidence_adds_up_to_the_score(words: list[str]) -> None:
    text = " ".join(words)
    told = MODEL.explain(text)
    assert told.start + sum(told.evidence) == pytest.approx(told.score, abs=1e-9)
    p = MODEL.probabilities([text])[0]
    assert told.score == pytest.approx(np.log(p[2] / p[0]), abs=1e-9)
    assert len(told.tokens) == len(told.evidence)


def test_row_146_evidence_names_the_words_that_matter() -> None:
    told = MODEL.explain("The food was not good but the staff is wonderful")
    strength = dict(zip(told.tokens, told.evidence, strict=True))
    assert strength["good"] < 0 < strength["wonderful"]
    assert "<script" not in MODEL.explain("<script>bad</script>")._repr_html_()
    with pytest.raises(EmptyInput):
        MODEL.explain("  ")
    with pytest.raises(WrongType):
        MODEL.explain(["a"])  # type: ignore[arg-type]


ARABIC, THAI = "\u0645\u0631\u062d\u0628\u0627 \u0633\u064a\u0621", "\u0e14\u0e35\u0e21\u0e32\u0e01"


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "bad " * 2_500, ARABIC, "\U0001f600" * 50, "\ud800 \udfff", "!!!???", THAI]
)
def test_row_146_nothing_crashes_it(text: str) -> None:
    p = MODEL.probabilities([text])
    assert np.isfinite(p).all()
    assert np.isfinite(MODEL.explain(text).score)


def jargon(n: int, seed: int) -> tuple[list[str], list[str]]:
    """Texts whose praise and blame are words that no lexicon knows."""
    rng = np.random.default_rng(seed)
    label = rng.choice(["negative", "neutral", "positive"], n, p=[0.5, 0.3, 0.2])
    word = {"negative": ["zorped", "flanky"], "neutral": ["plim", "grond"], "positive": ["snazzed", "quibbly"]}
    return [f"the {rng.choice(word[x])} thing {rng.choice(['today', 'again'])}" for x in label], label.tolist()


def test_row_146_it_learns_the_words_of_the_user() -> None:
    texts, labels = jargon(300, 1)
    new, truth = jargon(200, 2)
    adapted = MODEL.adapt(texts, labels)
    before = np.mean([w == t for w, t in zip(MODEL.score(new).words, truth, strict=True)])
    after = np.mean([w == t for w, t in zip(adapted.decide(new), truth, strict=True)])
    assert after > 0.95 > 0.6 > before
    back = AdaptedSentiment.from_dict(adapted.to_dict())
    assert np.allclose(back.probabilities(new), adapted.probabilities(new), atol=1e-12)
    assert adapted.decide([None, ""]) == [None, None]
    assert repr(adapted) == "AdaptedSentiment(300 labelled texts on 'english-1', 98% of the change)"
    assert isinstance(adapted, SentimentAnalyzer)


def test_row_146_labels_that_cannot_be_learned_from_are_refused() -> None:
    with pytest.raises(OutOfRange, match="10 or more"):
        MODEL.adapt(["a"] * 5, ["positive"] * 5)
    with pytest.raises(UnknownName, match="did you mean 'positive'"):
        MODEL.adapt(["a"] * 10, ["positiv"] * 10)
    with pytest.raises(OutOfRange, match="number of labels"):
        MODEL.adapt(["a"] * 10, ["positive"] * 9)
    document = {**MODEL.adapt(["a b"] * 10, ["positive"] * 10).to_dict(), "base": "english-0"}
    with pytest.raises(BadDocument, match="adapt again"):
        AdaptedSentiment.from_dict(document).probabilities(["a"])


def test_row_146_no_text_of_a_set_that_forbids_it_was_learned() -> None:
    assert "airline" not in training.TRAINING
    assert set(training.TRAINING) == {"goemotions", "tweets", "amazon", "mams"}


@pytest.mark.parametrize(("name", "floor"), [("airline", 0.60), ("amazon", 0.56)])
def test_row_146_macro_f1_holds_on_labelled_sets(name: str, floor: float, data_dir: Path) -> None:
    texts, y = training.MEASURED[name](data_dir)
    assert training.macro_f1(y, MODEL.probabilities(texts).argmax(axis=1)) >= floor


@pytest.mark.parametrize(("k", "floor"), [(10, -0.01), (50, 0.03), (200, 0.06)])
def test_row_146_labels_of_the_user_help_and_few_do_no_harm(k: int, floor: float, data_dir: Path) -> None:
    texts, y = training.airline(data_dir)
    words = [p.value for p in Polarity]
    gains = []
    for draw in range(3):
        order = np.random.default_rng(draw).permutation(len(y))
        sample, held = order[:k], order[-3000:]
        adapted = MODEL.adapt([texts[i] for i in sample], [words[y[i]] for i in sample])
        new = [texts[i] for i in held]
        guess = np.array([words.index(w or "neutral") for w in adapted.decide(new)])
        plain = MODEL.probabilities(new).argmax(axis=1)
        gains.append(training.macro_f1(y[held], guess) - training.macro_f1(y[held], plain))
    assert np.mean(gains) >= floor
