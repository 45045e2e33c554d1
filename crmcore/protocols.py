"""Contracts of what others may plug in: small, with shapes, ranges and what missing means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "BlockingRule",
    "Comparator",
    "ItemScorer",
    "LanguageDetector",
    "Recommender",
    "SentimentAnalyzer",
    "SpamFilter",
    "Survivorship",
]


@runtime_checkable
class Comparator(Protocol):
    """How much two texts say the same.

    Called with arrays of positions into one list of distinct normalised values: `left[k]` and `right[k]` are the two
    values of pair k, never missing. Returns (n,) similarities in [0, 1], 1 for equal texts, symmetric in its two sides,
    a pure function of the two texts: the same pair always scores the same, whatever stands beside it.
    """

    def similarity(
        self, values: Sequence[str], left: NDArray[np.int32], right: NDArray[np.int32], /
    ) -> NDArray[np.float64]:
        """(n,) similarities in [0, 1]."""
        ...


@runtime_checkable
class BlockingRule(Protocol):
    """Which records are worth comparing: those that share a key.

    Called with one normalised value; returns its keys, none where the value says too little. Equal values give equal
    keys; the order of keys does not matter.
    """

    def keys(self, value: str, /) -> Sequence[str]:
        """Keys of one value."""
        ...


@runtime_checkable
class Survivorship(Protocol):
    """Which of several values of one field a profile shows.

    Called with the distinct, non-missing values of one field of one person, the source and time of each (None =
    unknown), aligned by position, at least one. Returns the position of the value that survives. The answer does not
    depend on the order of the values: ties are broken by the value itself.
    """

    def choose(self, values: Sequence[str], sources: Sequence[str], times: Sequence[datetime | None], /) -> int:
        """Position of the surviving value."""
        ...


@runtime_checkable
class SentimentAnalyzer(Protocol):
    """How texts speak of their subject.

    Called with n texts, a missing one None. Returns (n, 3) probabilities in the order negative, neutral, positive; each
    row sums to 1, a row of NaN means that it cannot tell (as for a missing text). Every text alone decides its row: the
    order and the neighbours in a batch change nothing.
    """

    def probabilities(self, texts: Sequence[str | None], /) -> NDArray[np.float64]:
        """(n, 3) probabilities of negative, neutral, positive."""
        ...


@runtime_checkable
class LanguageDetector(Protocol):
    """In which language texts are written.

    Called with n texts, a missing one None. Returns n ISO 639 codes, "und" where it cannot tell, and (n,) numbers in
    [0, 1], how sure it is. Every text alone decides its row.
    """

    def languages(self, texts: Sequence[str | None], /) -> tuple[Sequence[str], NDArray[np.float64]]:
        """Code and certainty of each text."""
        ...


@runtime_checkable
class SpamFilter(Protocol):
    """Which texts are spam.

    Called with n texts, a missing one None. Returns (n,) probabilities, NaN where it cannot tell. Every text alone
    decides its row.
    """

    def spam(self, texts: Sequence[str | None], /) -> NDArray[np.float64]:
        """(n,) probabilities that a text is spam."""
        ...


@runtime_checkable
class ItemScorer(Protocol):
    """How well items fit histories.

    Called with n histories of codes of items: history r holds `item[starts[r]:starts[r + 1]]`, distinct and rising,
    with weights in (0, 1]: 1 for a purchase of today, less for what is long ago. Returns (n, n_items) scores, larger
    is better, only scores above 0 are personal enough to be shown; NaN or -inf where it cannot tell. Every history
    alone decides its row. A scorer may also have `parts(item, weight, target)`: for one history the (len(item),
    len(target)) parts that add up to the scores of the targets; lists can then say why.
    """

    def scores(
        self, starts: NDArray[np.intp], item: NDArray[np.intp], weight: NDArray[np.float64], /
    ) -> NDArray[np.floating]:
        """(n, n_items) scores."""
        ...


@runtime_checkable
class Recommender(Protocol):
    """What learns from histories how well items fit.

    Called with histories as in `ItemScorer`, with the days since each purchase, and the size of the catalogue. The
    same histories give the same scorer; an item that nobody bought is allowed.
    """

    def fit(
        self, starts: NDArray[np.intp], item: NDArray[np.intp], age_days: NDArray[np.float64], n_items: int, /
    ) -> ItemScorer:
        """Scorer of the items."""
        ...
