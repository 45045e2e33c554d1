"""Search by BM25."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from crmcore.errors import OutOfRange
from crmcore.text import SearchIndex, stems, tokenize


@given(
    st.lists(st.lists(st.sampled_from("abcd"), max_size=6), min_size=1, max_size=6), st.lists(st.sampled_from("abcde"))
)
def test_scores_are_those_of_the_formula(texts: list[list[str]], question: list[str]) -> None:
    index = SearchIndex.of([" ".join(text) for text in texts], language=None)
    scores = index.scores([" ".join(question)]).toarray()[0]
    n, mean = len(texts), max(sum(map(len, texts)) / len(texts), 1e-9)
    for text, score in zip(texts, scores.tolist(), strict=True):
        expected = 0.0
        for stem in set(question):
            held = sum(stem in other for other in texts)
            f = text.count(stem)
            rarity = math.log1p((n - held + 0.5) / (held + 0.5))
            expected += rarity * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * len(text) / mean)) if f else 0.0
        assert score == pytest.approx(expected)


def test_hits_come_best_first_with_words_that_add_up() -> None:
    index = SearchIndex.of(["refund of tickets", None, "Refunds, refunding: refund rules", "opening hours"])
    hits = index.search("How do refund rules work?")
    assert [hit.text for hit in hits] == [2, 0]
    assert [word for word, _ in hits[0].words] == ["refund", "rule"]
    assert sum(part for _, part in hits[0].words) == pytest.approx(hits[0].score)
    assert index.search("nothing of that") != hits
    assert len(index.search("refund", limit=1)) == 1
    assert repr(index) == "SearchIndex(4 texts, 6 stems)"


def test_equal_scores_keep_the_order_of_the_index() -> None:
    assert [hit.text for hit in SearchIndex.of(["a b", "a c", "a d"], language=None).search("a")] == [0, 1, 2]


def test_an_empty_index_finds_nothing() -> None:
    assert SearchIndex.of([]).search("refund") == ()
    assert SearchIndex.of([None, ""]).search("refund") == ()


def test_scripts_without_spaces_are_found_by_their_characters() -> None:
    money_back, parcel = "\u0e04\u0e37\u0e19\u0e40\u0e07\u0e34\u0e19", "\u0e2a\u0e48\u0e07\u0e02\u0e2d\u0e07"
    hits = SearchIndex.of([parcel, money_back], language=None).search(money_back[3:])
    assert hits[0].text == 1


def test_other_languages_have_their_own_endings_and_unknown_ones_are_named() -> None:
    assert stems(tokenize(["Kündigungen"]), language="german").forms(0) == ["kundig"]
    with pytest.raises(OutOfRange, match="None leaves words as they are"):
        stems(tokenize(["a"]), language="klingon")


@pytest.mark.parametrize(("name", "value"), [("k1", -1.0), ("b", 1.5)])
def test_options_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(OutOfRange, match=name):
        SearchIndex.of(["a"], **{name: value})  # type: ignore[arg-type]


def test_no_hits_cannot_be_asked_for() -> None:
    with pytest.raises(OutOfRange, match="limit = 0"):
        SearchIndex.of(["a"]).search("a", limit=0)


def test_words_side_by_side_count_more_and_are_told() -> None:
    texts = ["sign in fails", "in a sign fails", "parcel"]
    plain, index = SearchIndex.of(texts, language=None), SearchIndex.of(texts, language=None, pairs=0.5)
    assert [hit.text for hit in plain.search("sign in")] == [0, 1]
    first, second = index.search("sign in")
    assert first.score > second.score
    assert [word for word, _ in first.words] == ["sign in", "in", "sign"]
    assert index.search("parcel in") == index.search("in parcel")
    assert sum(part for _, part in first.words) == pytest.approx(first.score)


def test_a_part_of_weight_zero_is_in_no_index() -> None:
    index = SearchIndex.of_fields({"title": ["refund"], "body": ["visa"]}, weights={"body": 0}, pairs=1)
    assert index.search("visa") == ()
    assert len(index.search("refund visa")) == 1


def test_parts_that_do_not_fit_are_named() -> None:
    with pytest.raises(OutOfRange, match="pairs -1"):
        SearchIndex.of(["a"], pairs=-1)
    with pytest.raises(OutOfRange, match="parts of one length"):
        SearchIndex.of_fields({"title": ["a"], "body": []}, weights={})
