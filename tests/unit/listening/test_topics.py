"""Topics: planted ones are found, every text gets a probability, and nothing is left to chance."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.listening.topics import TopicModel, find_topics, topic_stability

PLANTED = {
    "delivery": "parcel courier late tracking doorstep depot driver delivery",
    "billing": "invoice charged twice refund card payment bill bank",
    "app": "login crash update screen password button freeze bug",
}


def planted(n: int, seed: int = 0) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(PLANTED), n)
    pools = [words.split() for words in PLANTED.values()]
    common = "the my please again today very really".split()
    texts = [" ".join([*rng.choice(pools[t], 3, replace=False), *rng.choice(common, 3)]) for t in truth]
    return texts, truth.astype(np.int64)


TEXTS, TRUTH = planted(600)
MODEL = find_topics(TEXTS, n_topics=3)


def test_planted_topics_are_found_and_named_by_their_words() -> None:
    found = MODEL.assign(TEXTS)
    pairs = np.zeros((3, 3))
    np.add.at(pairs, (found.best, TRUTH), 1)
    assert pairs.max(axis=1).sum() / len(TEXTS) > 0.98
    for topic in MODEL.topics:
        assert any(set(topic.terms[:5]) <= set(" ".join([w, w]).split()) for w in PLANTED.values()), topic.terms
        assert topic.coherence > 0.1
    assert sum(topic.share for topic in MODEL.topics) == pytest.approx(1)


def test_every_text_gets_probabilities_that_sum_to_one_and_unknown_ones_the_shares() -> None:
    rows = MODEL.probabilities(["parcel late", None, "", "zzz qqq", "\U0001f600"])
    assert rows.shape == (5, 3)
    assert np.allclose(rows.sum(axis=1), 1)
    assert np.allclose(rows[1:], MODEL.prior)
    assert MODEL.probabilities([]).shape == (0, 3)


def test_a_text_decides_its_row_alone() -> None:
    alone = np.concatenate([MODEL.probabilities([text]) for text in TEXTS[:20]])
    assert np.allclose(MODEL.probabilities(TEXTS[:20]), alone, atol=1e-12)


def test_equal_texts_give_equal_topics_and_the_order_of_texts_only_noise() -> None:
    again = find_topics(TEXTS, n_topics=3)
    assert np.array_equal(again.profiles, MODEL.profiles)
    shuffled = find_topics([TEXTS[i] for i in np.random.default_rng(1).permutation(len(TEXTS))], n_topics=3)
    assert (shuffled.assign(TEXTS).best == MODEL.assign(TEXTS).best).mean() > 0.99


def test_a_model_comes_back_from_json() -> None:
    back = TopicModel.from_dict(MODEL.to_dict())
    assert np.allclose(back.probabilities(TEXTS[:50]), MODEL.probabilities(TEXTS[:50]), atol=1e-12)
    assert back.topics == MODEL.topics


def test_an_update_follows_a_shift_and_leaves_the_old_model_alone() -> None:
    before = MODEL.prior.copy()
    number = int(MODEL.assign(["invoice refund bank"]).best[0])
    billing = [text for text, t in zip(TEXTS, TRUTH, strict=True) if t == 1]
    newer = MODEL.updated(billing, forget=0.5)
    assert newer.topics[number].share > MODEL.topics[number].share
    assert np.array_equal(MODEL.prior, before)
    assert newer.texts == len(TEXTS) + len(billing)
    assert int(newer.assign(["parcel courier"]).best[0]) == int(MODEL.assign(["parcel courier"]).best[0])
    with pytest.raises(OutOfRange, match="forget"):
        MODEL.updated(billing, forget=2)


def test_halves_agree_on_the_planted_number_more_than_on_a_larger_one() -> None:
    found = topic_stability(TEXTS, n_topics=[3, 8], seed=2)
    assert found[3].value > 0.95 > found[8].value


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(EmptyInput, match="lower least_texts"):
        find_topics(["a b", "c d"], n_topics=2)
    with pytest.raises(EmptyInput):
        find_topics([], n_topics=2)
    with pytest.raises(OutOfRange, match="n_topics"):
        find_topics(TEXTS, n_topics=5000)
    with pytest.raises(OutOfRange, match="n_topics"):
        find_topics(TEXTS, n_topics=1)


def test_a_result_reads_as_text_frame_html_and_chart() -> None:
    table = MODEL.assign(TEXTS)
    assert (repr(MODEL)[:21], repr(table)) == ("TopicModel(3 topics, ", "TopicTable(600 texts, 3 topics)")
    assert str(MODEL).count("\n") == 3
    assert list(MODEL.to_frame("pandas").columns) == ["topic", "name", "terms", "share", "coherence"]
    assert len(table.to_frame("polars")) == 600
    assert "<script" not in MODEL._repr_html_()
    assert len(MODEL.chart().to_dict()["data"]["values"]) == 3
    assert table.counts().sum() == 600
    assert set(table.best[table.quotes(0)]) == {0}


def test_long_work_is_told_stage_by_stage() -> None:
    told = list[tuple[str, int, int]]()
    find_topics(TEXTS, n_topics=3, progress=lambda *stage: told.append(stage))
    assert [stage for stage, _, _ in told] == ["count terms", "factor", "describe", "describe"]
    assert told[-1][1:] == (3, 3)
