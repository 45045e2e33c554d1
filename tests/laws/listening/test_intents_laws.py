"""Laws of intents: a slow twin of the cues, every post alone decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.listening.intents import STARTING_CUES, Intent, detect_intents
from crmcore.listening.intents.detecting import OPPOSITE

WORDS = st.sampled_from(
    ["not", "great", "rude", "still", "waiting", "thanks", "for", "nothing", ",", "how", "?", "buy"]
)
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=5)


def twin(text):
    """Weights of one text by walking over its words."""
    forms = text.split()
    found = dict.fromkeys(Intent, 0.0)
    for cue in STARTING_CUES.cues:
        hits = []
        for i in range(len(forms) - len(cue.patterns) + 1):
            same = all(
                f.startswith(p[:-1]) if p.endswith("*") and len(p) > 1 else f == p
                for f, p in zip(forms[i:], cue.patterns, strict=False)
            )
            before = [f for f in forms[:i] if f != ","]
            first = all(f in {",", "?"} for f in forms[:i]) or (before and before[-1] == "?")
            if same and (first or not cue.at_start):
                window = forms[max(0, i - 3) : i]
                near = list(window[::-1])
                off = False
                for f in near:
                    if f in {",", "?"}:
                        break
                    if f in STARTING_CUES.negators:
                        off = True
                        break
                hits.append(off and cue.negatable)
        if hits and not all(hits):
            found[cue.intent] += cue.weight
        elif hits and cue.intent in OPPOSITE:
            found[OPPOSITE[cue.intent]] += 0.5 * cue.weight
    return list(found.values())


@given(TEXTS)
def test_weights_equal_a_walk_over_words(texts):
    got = detect_intents(texts)
    for i, text in enumerate(texts):
        assert got.weight[i] == pytest.approx(twin(text))


@given(TEXTS, st.integers(0, 99))
def test_every_post_alone_decides(texts, seed):
    order = np.random.default_rng(seed).permutation(len(texts))
    together = detect_intents([texts[i] for i in order])
    for place, i in enumerate(order.tolist()):
        alone = detect_intents([texts[i]])
        assert together.weight[place].tolist() == pytest.approx(alone.weight[0].tolist())
        assert together.evidence(place) == alone.evidence(0)
