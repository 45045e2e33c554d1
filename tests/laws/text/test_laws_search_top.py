"""Pruned search = every text scored, to the last bit; scores = the formula; one part of weight 1 is the plain index."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.idic.interact.communities import AnswerSearch, Entry
from crmcore.text import SearchIndex, pruning
from crmcore.text.pruning import best_of, held_in, top_of, total_of

WORDS = st.sampled_from(["refund", "visa", "card", "the", "hours", "shop", "pay", "late", "a1", "b2"])
LINES = st.lists(WORDS, max_size=8).map(" ".join)
TEXTS = st.lists(LINES, min_size=1, max_size=25)
FEW = st.sampled_from([0, 5, pruning.FEW])
STOP = st.sampled_from([0.1, pruning.STOP, pruning.SAFE])


def slow_best(score: Sequence[float], limit: int) -> list[int]:
    return sorted((i for i, x in enumerate(score) if x > 0), key=lambda i: (-score[i], i))[:limit]


@given(TEXTS, LINES, st.integers(1, 6), st.sampled_from([0.0, 0.5]), FEW, STOP, st.data())
def test_top_is_what_scoring_every_text_finds(
    texts: list[str], question: str, limit: int, pairs: float, few: int, stop: float, data: st.DataObject
) -> None:
    index = SearchIndex.of(texts, language=None, pairs=pairs)
    n = len(texts)
    factor = data.draw(st.none() | st.lists(st.sampled_from([1.0, 1.3]), min_size=n, max_size=n).map(np.array))
    codes = index.codes(question)
    want = index.score(codes) * (1.0 if factor is None else factor)
    with mock.patch.multiple(pruning, FEW=few, STOP=stop):
        found, score = index.top(codes, limit, factor=factor)
    assert found.tolist() == slow_best(want.tolist(), limit)
    assert score.tolist() == want[found].tolist()
    some = np.arange(0, n, 2, dtype=np.int32)
    assert index.score(codes, some).tolist() == index.score(codes)[some].tolist()


@pytest.mark.parametrize("few", [0, 300, pruning.FEW])
@pytest.mark.parametrize("seed", range(6))
def test_top_is_exact_where_columns_are_long_and_rest_unread(few: int, seed: int) -> None:
    rng, n = np.random.default_rng(seed), 3_000
    sizes = np.sort((n / np.arange(1, 25) ** rng.uniform(0.3, 2)).astype(int))
    texts = [np.sort(rng.choice(n, size, replace=False)).astype(np.int32) for size in np.maximum(sizes, 1)]
    columns = [(text, rng.integers(1, 9, len(text)) * math.log(1 + n / len(text)) / 8) for text in texts]
    want = total_of(columns, n)
    with mock.patch.object(pruning, "FEW", few):
        for limit in (1, 10, 100, 2 * n):
            found, score = top_of(columns, n, limit)
            assert found.tolist() == slow_best(want.tolist(), limit)
            assert score.tolist() == want[found].tolist()
    some = rng.choice(n, 50).astype(np.int32)
    assert held_in(columns[-2], some).tolist() == [dict(zip(*columns[-2], strict=True)).get(i, 0.0) for i in some]


def by_formula(parts: dict[str, list[str]], weights: dict[str, float], question: str, pairs: float) -> list[float]:
    """BM25 of texts in parts, from the definition."""
    n = len(next(iter(parts.values())))
    every: list[Counter[object]] = [Counter() for _ in range(n)]
    length = [0.0] * n
    for name, texts in parts.items():
        for i, text in enumerate(texts):
            row = text.split()
            length[i] += weights[name] * len(row)
            for thing in [*row, *pairwise(row)]:
                every[i][thing] += weights[name]  # type: ignore[assignment]
    asked = question.split()
    scores = [0.0] * n
    for thing, times in {**dict.fromkeys(asked, 1.0), **dict.fromkeys(pairwise(asked), pairs)}.items():
        held = sum(e[thing] > 0 for e in every)
        rarity = math.log1p((n - held + 0.5) / (held + 0.5))
        for i, e in enumerate(every):
            if (f := e[thing]) > 0:
                slow = 1.2 * (0.25 + 0.75 * length[i] / (sum(length) / n))
                scores[i] += times * rarity * f * 2.2 / (f + slow)
    return scores


@given(st.lists(st.tuples(LINES, LINES), min_size=1, max_size=12), LINES, st.sampled_from([0.0, 0.5, 1.0]),
       st.sampled_from([0.0, 1.0, 2.0]))  # fmt: skip
def test_scores_of_parts_and_pairs_are_those_of_the_formula(
    rows: list[tuple[str, str]], question: str, pairs: float, weight: float
) -> None:
    parts = {"title": [a for a, _ in rows], "body": [b for _, b in rows]}
    weights = {"title": weight, "body": 1.0}
    index = SearchIndex.of_fields(parts, weights=weights, language=None, pairs=pairs)
    want = by_formula(parts, weights, question, pairs)
    assert index.score(index.codes(question)).tolist() == pytest.approx(want, abs=1e-9)
    assert index.scores([question]).toarray()[0].tolist() == pytest.approx(want, abs=1e-9)
    for hit in index.search(question):
        assert sum(part for _, part in hit.words) == pytest.approx(hit.score, abs=1e-9)


@given(TEXTS, LINES)
def test_one_part_of_weight_one_is_the_plain_index(texts: list[str], question: str) -> None:
    one, two = (
        SearchIndex.of(texts, language=None),
        SearchIndex.of_fields({"t": texts}, weights={"t": 1}, language=None),
    )
    assert one.score(one.codes(question)).tolist() == two.score(two.codes(question)).tolist()


@given(st.lists(st.tuples(LINES, LINES, st.sampled_from(["", "pay late"])), min_size=1, max_size=12), LINES,
       st.integers(1, 5), st.sampled_from([1.0, 1.3]))  # fmt: skip
def test_answers_are_those_of_ranking_every_entry(
    rows: list[tuple[str, str, str]], question: str, limit: int, solved: float
) -> None:
    entries = [Entry(id=f"{i:02}", title=t, question=q, accepted=a) for i, (t, q, a) in enumerate(rows)]
    search = AnswerSearch.of(entries, language=None, solved_weight=solved)
    score = search.index.score(search.index.codes(question)) * [solved if e.solved else 1.0 for e in entries]
    key = set(question.split())
    same = [bool(key) and set(e.title.split()) == key for e in entries]
    order = sorted(
        (i for i, x in enumerate(score) if x > 0 or same[i]),
        key=lambda i: (not same[i], same[i] and not entries[i].solved, -score[i], i),
    )
    found = search.search(question, limit=limit)
    assert [hit.id for hit in found] == [entries[i].id for i in order[:limit]]
    assert [hit.score for hit in found] == pytest.approx([score[i] for i in order[:limit]], abs=1e-9)
    assert [hit.same for hit in found] == [same[i] for i in order[:limit]]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.integers(1, 8))
def test_the_best_are_those_of_a_stable_sort(scores: list[int], limit: int) -> None:
    column = np.array(scores, float)
    assert best_of(column, limit).tolist() == np.argsort(-column, kind="stable")[:limit].tolist()
