"""The checks of readers pass what ships and fail what breaks the contract."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.listening.cleaning import Langid, fit_spam
from crmcore.listening.sentiment import default_model
from crmcore.testing import check_language_detector, check_sentiment_analyzer, check_spam_filter

ADAPTED = default_model().adapt(["good", "bad", "it is blue"] * 10, ["positive", "negative", "neutral"] * 10)
SPAM = fit_spam(["win cash", "free prize", "nice song", "love it"] * 5, [1, 1, 0, 0] * 5)


@pytest.mark.parametrize("check", check_sentiment_analyzer(ADAPTED), ids=lambda c: c.__name__)
def test_an_adapted_model_keeps_the_contract(check) -> None:
    check()


@pytest.mark.parametrize("check", check_spam_filter(SPAM), ids=lambda c: c.__name__)
def test_a_learned_filter_keeps_the_contract(check) -> None:
    check()


def test_py3langid_keeps_the_contract() -> None:
    pytest.importorskip("py3langid")
    for check in check_language_detector(Langid()):
        check()


class Neighbours:
    """Scores a text by its place."""

    def probabilities(self, texts):
        n = len(texts)
        p = np.arange(n) / max(n, 1)
        return np.stack([p, np.zeros(n), 1 - p], axis=1)


class Wide:
    def probabilities(self, texts):
        return np.full((len(texts), 2), 0.5)


def test_an_analyzer_that_looks_at_neighbours_or_has_two_columns_is_found_out() -> None:
    found = {c.__name__: c for c in check_sentiment_analyzer(Neighbours())}
    found["rows_are_probabilities_of_three_polarities"]()
    with pytest.raises(AssertionError, match="alone reads as in the batch"):
        found["every_text_alone_decides_its_row"]()
    with pytest.raises(AssertionError, match="order"):
        found["order_changes_nothing"]()
    with pytest.raises(AssertionError, match=r"\(n, 3\)"):
        check_sentiment_analyzer(Wide())[0]()
