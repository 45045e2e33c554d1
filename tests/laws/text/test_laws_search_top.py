"""Pruned search = every text scored; one part of weight 1 is plain BM25."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crmcore.text import SearchIndex
from crmcore.text.searching import best_of

WORDS = st.sampled_from(["refund", "visa", "card", "the", "hours", "shop", "pay", "late", "a1", "b2"])
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=25)


@given(TEXTS, st.lists(WORDS, max_size=6).map(" ".join), st.integers(1, 6), st.randoms(use_true_random=False))
def test_top_is_what_scoring_every_text_finds(texts: list[str], question: str, limit: int, random: object) -> None:
    index = SearchIndex.of(texts, language=None)
    factor = np.array([random.choice([1.0, 1.3]) for _ in texts])  # type: ignore[attr-defined]
    codes = index.codes(question)
    want = index.score(codes) * factor
    found, score = index.top(codes, limit, factor=factor)
    assert np.allclose(score, np.sort(want[want > 0])[::-1][:limit])
    assert np.allclose(want[found], score)
    assert len(set(found.tolist())) == len(found)


@given(TEXTS, st.lists(WORDS, max_size=6).map(" ".join))
def test_one_part_of_weight_one_is_the_plain_index(texts: list[str], question: str) -> None:
    one, two = (
        SearchIndex.of(texts, language=None),
        SearchIndex.of_fields({"t": texts}, weights={"t": 1}, language=None),
    )
    assert np.allclose(one.score(one.codes(question)), two.score(two.codes(question)))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.integers(1, 8))
def test_the_best_are_those_of_a_stable_sort(scores: list[int], limit: int) -> None:
    column = np.array(scores, float)
    assert best_of(column, limit).tolist() == np.argsort(-column, kind="stable")[:limit].tolist()
