"""Off-topic posts: which of those that a query found are not about the matter."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.text import TokenBatch, count_terms, tokenize
from crmcore.text.classifying import levelled, word_mean

__all__ = ["TopicGate", "topic_gate"]

FEWEST = 20
ORDERS = (1, 2)


@attrs.frozen(kw_only=True, repr=False)
class TopicGate(Document):
    """How near texts are to examples of the matter.

    Parameters
    ----------
    terms : names
        Words and pairs that the examples use, in the order of the alphabet.
    centre : (m,) numbers
        Mean direction of the examples.
    idf : (m,) numbers
    threshold : number
        Nearness below which a post is off topic: all but `lost` of the examples lie above it, each measured without
        itself.
    lost : share
    """

    terms: tuple[str, ...]
    centre: NDArray[np.float64]
    idf: NDArray[np.float64]
    threshold: float
    lost: float

    def __repr__(self) -> str:
        return f"TopicGate({len(self.terms)} terms, off topic below {self.threshold:.3f})"

    def nearness(self, texts: Sequence[str | None] | TokenBatch, /) -> NDArray[np.float64]:
        """(n,) cosine to the examples × share of words that they know, in [0, 1]; NaN for texts without words."""
        batch = _read(texts)
        place = {term: i for i, term in enumerate(self.terms)}
        rows = count_terms(batch, orders=ORDERS).weighed(place, self.idf)
        return np.asarray(rows @ self.centre, np.float64) * word_mean(batch, lambda form: float(form in place))

    def off_topic(self, texts: Sequence[str | None] | TokenBatch, /) -> NDArray[np.bool_]:
        """(n,) whether a post lies below the threshold; texts without words are not judged."""
        return np.asarray(self.nearness(texts) < self.threshold)


def topic_gate(examples: Sequence[str | None], /, *, lost: float = 0.05) -> TopicGate:
    """Learn from posts that are about the matter which others are not.

    No example of the other side is needed. With labels of both kinds, a `TextClassifier` tells them better.

    Parameters
    ----------
    examples : 20 or more texts
        About the matter.
    lost : share
        Of such posts that may be taken for off topic.

    Examples
    --------
    >>> gate = topic_gate(["the coffee was cold", "coffee and cake here", "slow service, cold coffee"] * 10)
    >>> gate.off_topic(["cold coffee, slow service", "python 3 released today"]).tolist()
    [False, True]
    """
    if len(examples) < FEWEST:
        raise OutOfRange("number of examples", len(examples), f"{FEWEST} or more", "label some more posts")
    if not 0 < lost < 0.5:
        raise OutOfRange("lost", lost, "between 0 and 0.5", "0.05")
    batch = _read(examples)
    found = count_terms(batch, orders=ORDERS)
    idf = found.rarity()
    rows = found.weighed({term: i for i, term in enumerate(found.terms)}, idf)
    total = np.asarray(rows.sum(axis=0)).ravel()
    own = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
    # cosine of each example to the mean of the others, and its words that others use too
    along = np.asarray(rows @ total).ravel() - own
    others = np.sqrt(np.maximum((total @ total) - 2 * np.asarray(rows @ total).ravel() + own, 1e-12))
    again = {term for term, n in zip(found.terms, found.texts_with().tolist(), strict=True) if n > 1}
    near = along / others * word_mean(batch, lambda form: float(form in again))
    worded = batch.lengths > 0
    threshold = float(np.quantile(near[worded], lost)) if worded.any() else 0.0
    centre = total / max(float(np.sqrt(total @ total)), 1e-12)
    return TopicGate(terms=found.terms, centre=centre, idf=idf, threshold=threshold, lost=lost)


def _read(texts: Sequence[str | None] | TokenBatch) -> TokenBatch:
    return levelled(texts if isinstance(texts, TokenBatch) else tokenize(texts)).words()
