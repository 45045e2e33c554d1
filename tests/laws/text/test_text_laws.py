"""Laws of tokens: batch = one by one, parts = whole, only white space is lost; index and counts = brute force."""

from __future__ import annotations

from collections import Counter

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from crmcore.text import Postings, TokenBatch, Tokenizer, TokenKind, count_terms, tokenize
from crmcore.text.patterns import cleaned, kind_of, normal

ODD = st.sampled_from(
    [
        *["&amp;", "&#30;", "&am", "p;", "\x1e", "\x1f", "\ud800", "\u200b", "\u202e", "\ufe0f", "#\ufe0f\u20e3"],
        *["\u0e14\u0e35", "\u65e5", "\U0001f468\u200d\U0001f469", ":)", "<3", "http://a.b/c", "@x", "#y"],
        *["'", "...", "!!", "a", "B", " ", "no"],
    ]
)
TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=30), st.lists(ODD, max_size=12).map("".join)), max_size=12)


@given(TEXTS)
def test_a_batch_is_its_texts_one_by_one(texts: list[str | None]) -> None:
    whole = tokenize(texts)
    assert [whole.forms(i) for i in range(len(texts))] == [tokenize([text]).forms(0) for text in texts]


@given(TEXTS, st.integers(0, 12))
def test_shards_joined_are_the_whole(texts: list[str | None], cut: int) -> None:
    reader = Tokenizer()
    joined = TokenBatch.concat([reader.tokenize(texts[:cut]), reader.tokenize(texts[cut:])])
    whole = reader.tokenize(texts)
    assert np.array_equal(joined.codes, whole.codes)
    assert np.array_equal(joined.starts, whole.starts)


@given(st.one_of(st.text(), st.lists(ODD, max_size=20).map("".join)))
def test_only_white_space_is_lost_and_spans_find_every_token(text: str) -> None:
    clean, spans = Tokenizer().spans(text)
    assert [clean[a:b] for a, b in spans] == tokenize([text]).forms(0)
    assert "".join(clean[a:b] for a, b in spans) == "".join(clean.split())


@given(st.one_of(st.text(min_size=1), ODD))
def test_every_token_has_a_kind_and_a_normal_form_that_is_its_own(text: str) -> None:
    for form in tokenize([text]).forms(0):
        assert kind_of(form) in TokenKind
        assert normal(form)
        assert normal(normal(form)) == normal(form)


@given(st.lists(st.one_of(st.none(), st.text("ab. ", max_size=12)), max_size=8))
def test_counts_of_terms_are_those_of_a_loop(texts: list[str | None]) -> None:
    batch = tokenize(texts)
    found = count_terms(batch, orders=(1, 2, 3))
    slow: Counter[tuple[int, str]] = Counter()
    for i in range(len(batch)):
        tokens = batch.forms(i)
        for order in (1, 2, 3):
            for j in range(len(tokens) - order + 1):
                window = tokens[j : j + order]
                if all(kind_of(f) is not TokenKind.PUNCTUATION for f in window):
                    slow[i, " ".join(window)] += 1
    coo = found.counts.tocoo()
    fast = {
        (int(r), found.terms[c]): int(v) for r, c, v in zip(coo.coords[0], coo.coords[1], coo.data, strict=True) if v
    }
    assert fast == dict(slow)
    assert list(found.terms) == sorted(found.terms)


@given(st.lists(st.text("ab ", max_size=10), max_size=8), st.lists(st.sampled_from("abc"), min_size=1, max_size=3))
def test_phrases_are_those_of_a_loop(texts: list[str], phrase: list[str]) -> None:
    texts = [" ".join(text) for text in texts]
    batch = tokenize(texts)
    tokens = [batch.forms(i) for i in range(len(batch))]
    slow, at = [], 0
    for row in tokens:
        slow += [at + j for j in range(len(row)) if row[j : j + len(phrase)] == phrase]
        at += len(row)
    assert Postings.of(batch).phrase(phrase).tolist() == slow


@given(TEXTS, st.data())
def test_texts_that_are_taken_keep_their_tokens(texts: list[str | None], data: st.DataObject) -> None:
    batch = tokenize(texts)
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=6)) if texts else []
    taken = batch.take(np.array(rows, np.int64))
    assert [taken.forms(i) for i in range(len(rows))] == [batch.forms(i) for i in rows]


@given(st.text())
def test_cleaning_twice_changes_nothing_but_entities(text: str) -> None:
    once = cleaned(text.replace("&", ""))
    assert cleaned(once) == once
