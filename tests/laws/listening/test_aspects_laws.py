"""Laws of aspects: slow twins of clauses and finds, order of texts, batch = one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.listening.aspects import Aspects, find_aspects
from crmcore.listening.aspects.clauses import CUT_MARKS, CUT_WORDS, clause_bounds
from crmcore.text import tokenize

WORDS = st.sampled_from(["food", "staff", "very", "good", "and", "But", ",", ".", "life", "battery", "not"])
TEXTS = st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=6)
ASPECTS = Aspects.of({"food": ["food", "good food"], "battery": ["battery", "battery life"], "all": ["sta*"]})


@given(TEXTS)
def test_clauses_equal_a_walk_over_tokens(texts):
    batch = tokenize(texts).normalised()
    start, stop = clause_bounds(batch)
    for i in range(len(batch)):
        forms, base = batch.forms(i), int(batch.starts[i])
        cut = [f in CUT_WORDS or set(f) <= CUT_MARKS for f in forms]
        for j in range(len(forms)):
            a = b = j
            while not cut[j] and a > 0 and not cut[a - 1]:
                a -= 1
            while not cut[j] and b < len(forms) and not cut[b]:
                b += 1
            assert (start[base + j] - base, stop[base + j] - base) == (a, b if not cut[j] else j + 1)


@given(TEXTS)
def test_finds_equal_a_scan_of_each_text(texts):
    found = find_aspects(texts, ASPECTS)
    terms = [(t.split(), k) for k, a in enumerate(ASPECTS.aspects) for t in a.terms]
    for i, text in enumerate(texts):
        forms = text.lower().split()
        hits = []
        for words, aspect in terms:
            for j in range(len(forms) - len(words) + 1):
                same = all(
                    f.startswith(w[:-1]) if w.endswith("*") else f == w for f, w in zip(forms[j:], words, strict=False)
                )
                if same:
                    hits.append((j, len(words), aspect))
        taken: set[int] = set()
        kept = []
        for j, long, aspect in sorted(hits, key=lambda h: (-h[1], h[0])):
            if not taken & set(range(j, j + long)):
                taken |= set(range(j, j + long))
                kept.append((j, aspect))
        mine = found.text == i
        got = list(zip((found.start[mine] - found.batch.starts[i]).tolist(), found.aspect[mine].tolist(), strict=True))
        assert got == sorted(kept)


@given(TEXTS, st.integers(0, 99))
@settings(max_examples=30)
def test_every_text_alone_decides_its_finds(texts, seed):
    order = np.random.default_rng(seed).permutation(len(texts))
    together = find_aspects([texts[i] for i in order], ASPECTS)
    for place, i in enumerate(order.tolist()):
        alone = find_aspects([texts[i]], ASPECTS)
        mine = together.take(together.text == place)
        assert alone.clause_texts() == mine.clause_texts()
        assert alone.aspect.tolist() == mine.aspect.tolist()
