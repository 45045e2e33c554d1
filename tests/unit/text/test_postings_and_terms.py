"""Inverted index and n-gram counts."""

from __future__ import annotations

import pytest

from crmcore.errors import OutOfRange
from crmcore.text import Postings, TokenKind, count_terms, tokenize
from crmcore.text.ngrams import ngram_windows


def test_a_phrase_never_spans_two_texts() -> None:
    index = Postings.of(tokenize(["no", "refund", "no refund"]).normalised())
    assert index.phrase(["no", "refund"]).tolist() == [2]
    assert index.phrase([]).tolist() == []
    assert index.phrase(["no", "unknown"]).tolist() == []


def test_positions_of_several_forms_ascend() -> None:
    batch = tokenize(["a b a c b"])
    index = Postings.of(batch)
    codes = [batch.vocabulary.find("b"), batch.vocabulary.find("a"), -1, 99]
    assert index.positions(codes).tolist() == [0, 1, 2, 4]
    assert repr(index) == "Postings(1 texts, 3 forms)"


def test_terms_stand_in_the_order_of_the_alphabet_and_skip_what_does_not_count() -> None:
    found = count_terms(tokenize(["b, a :)", "a b"]), orders=(1, 2), kinds=[TokenKind.WORD])
    assert found.terms == ("a", "a b", "b")
    assert found.counts.toarray().tolist() == [[1, 0, 1], [1, 1, 1]]
    assert (found.totals().tolist(), found.texts_with().tolist()) == ([2, 1, 2], [2, 1, 2])
    assert repr(found) == "TermCounts(2 texts, 3 terms)"


def test_no_tokens_give_no_terms() -> None:
    found = count_terms(tokenize(["", None]))
    assert (found.terms, found.counts.shape) == ((), (2, 0))


def test_an_order_below_one_is_refused() -> None:
    with pytest.raises(OutOfRange, match="order = 0: expected 1 or more"):
        ngram_windows(tokenize(["a"]), order=0)
