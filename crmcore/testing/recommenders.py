"""What every recommender must do, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from crmcore.protocols import Recommender
from crmcore.testing.checks import check_named, expect

__all__ = ["check_recommender"]

Codes = NDArray[np.intp]
STARTS = np.array([0, 2, 4, 5, 5, 8, 10], np.intp)
ITEM = np.array([0, 1, 0, 1, 2, 0, 2, 3, 1, 3], np.intp)
AGE = np.array([0.0, 3.0, 1.0, 40.0, 2.0, 9.0, 9.0, 1.0, 400.0, 0.5])
N_ITEMS = 5  # nobody bought the last


def check_recommender(recommender: Recommender, /) -> list[Callable[[], None]]:
    """Checks that a recommender keeps the contracts of `crmcore.protocols.Recommender` and `ItemScorer`.

    Returns
    -------
    list of callables
        Each takes no argument, has a name that says its claim, and raises AssertionError where the claim is false.

    Examples
    --------
    >>> class Popular:
    ...     def fit(self, starts, item, age_days, n_items, /):
    ...         self.share = np.bincount(item, minlength=n_items) / len(item)
    ...         return self
    ...     def scores(self, starts, item, weight, /):
    ...         return np.tile(self.share, (len(starts) - 1, 1))
    >>> for check in check_recommender(Popular()):
    ...     check()
    """
    ones = np.ones(len(ITEM))

    def learnt() -> NDArray[np.float64]:
        scorer = recommender.fit(STARTS.copy(), ITEM.copy(), AGE.copy(), N_ITEMS)
        return np.asarray(scorer.scores(STARTS.copy(), ITEM.copy(), ones.copy()), np.float64)

    def shape() -> None:
        expect(learnt().shape == (len(STARTS) - 1, N_ITEMS), "(n, n_items) scores for n histories")
        scorer = recommender.fit(STARTS, ITEM, AGE, N_ITEMS)
        none = np.asarray(scorer.scores(np.zeros(1, np.intp), ITEM[:0], ones[:0]))
        expect(none.shape == (0, N_ITEMS), "no histories give no rows")
        expect(not np.isposinf(learnt()).any(), "no score is infinitely large")

    def alone() -> None:
        scorer = recommender.fit(STARTS, ITEM, AGE, N_ITEMS)
        whole = np.asarray(scorer.scores(STARTS, ITEM, ones), np.float64)
        for r in range(len(STARTS) - 1):
            here = slice(STARTS[r], STARTS[r + 1])
            starts = np.array([0, STARTS[r + 1] - STARTS[r]], np.intp)
            one = np.asarray(scorer.scores(starts, ITEM[here], ones[here]), np.float64)[0]
            expect(bool(np.allclose(one, whole[r], atol=1e-5, equal_nan=True)), f"history {r} alone as in the batch")

    def again() -> None:
        expect(bool(np.allclose(learnt(), learnt(), atol=1e-6, equal_nan=True)), "the same histories, the same scores")

    def untouched() -> None:
        given = STARTS.copy(), ITEM.copy(), AGE.copy()
        recommender.fit(*given, N_ITEMS).scores(given[0], given[1], ones)
        expect(all(map(np.array_equal, given, (STARTS, ITEM, AGE))), "what is passed stays as it is")

    def parts() -> None:
        scorer = recommender.fit(STARTS, ITEM, AGE, N_ITEMS)
        told = getattr(scorer, "parts", None)
        if told is None:
            return
        whole = np.asarray(scorer.scores(STARTS, ITEM, ones), np.float64)
        for r in range(len(STARTS) - 1):
            here = slice(STARTS[r], STARTS[r + 1])
            summed = np.asarray(told(ITEM[here], ones[here], np.arange(N_ITEMS))).sum(0)
            expect(bool(np.allclose(summed, whole[r], atol=1e-4)), f"the parts of history {r} add up to its scores")

    return [
        check_named(shape, "scores_have_a_row_for_each_history"), check_named(alone, "every_history_alone_decides"),
        check_named(again, "learning_is_repeatable"), check_named(untouched, "arguments_stay_untouched"),
        check_named(parts, "parts_add_up_to_scores"),
    ]  # fmt: skip
