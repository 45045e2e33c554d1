"""Key terms judged exactly: new terms are seen sooner, and random groups still show nothing."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.metrics.exact import fisher_exact
from crmcore.text.keyness import key_terms

WORDS = [f"w{i}" for i in range(300)]


def test_a_new_word_is_seen_sooner_than_by_z() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.binomial(80, 0.05, 300).astype(float), rng.binomial(320, 0.05, 300).astype(float)
    first[7], second[7] = 9, 0
    by_z = key_terms(WORDS, first, second, n_first=80, n_second=320, false_share=0.01)
    exact = key_terms(WORDS, first, second, n_first=80, n_second=320, false_share=0.01, exact=True)
    assert exact.term[:1] == ("w7",)
    assert "w7" not in by_z.term
    raw = fisher_exact([9], [80], [0], [320])[0]
    assert exact.p_adjusted[0] == pytest.approx(min(raw * 300, 1.0))


def test_random_groups_show_nothing_in_nineteen_of_twenty_runs() -> None:
    runs = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        first, second = rng.binomial(60, 0.05, 300).astype(float), rng.binomial(240, 0.05, 300).astype(float)
        runs += len(key_terms(WORDS, first, second, n_first=60, n_second=240, exact=True)) > 0
    assert runs <= 8
