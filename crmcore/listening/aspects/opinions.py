"""What is said of each mention of an aspect, scored by the clause around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.listening.aspects.clauses import CUT_WORDS
from crmcore.listening.aspects.finding import AspectMentions
from crmcore.listening.polarity import Polarity
from crmcore.metrics.columns import columns_frame
from crmcore.plugins import PluginKind, resolve
from crmcore.protocols import SentimentAnalyzer

__all__ = ["AspectOpinions", "checked_chances", "clause_sentiment", "scored"]

Floats = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class AspectOpinions:
    """Mentions of aspects with probabilities of negative, neutral, positive.

    Attributes
    ----------
    mentions : AspectMentions
    chances : (m, 3) probabilities
        NaN where nothing could be told.
    method : text
    """

    mentions: AspectMentions
    chances: Floats
    method: str

    def __len__(self) -> int:
        return len(self.mentions)

    def __repr__(self) -> str:
        return f"AspectOpinions({len(self)} opinions on {len(self.mentions.aspects)} aspects, {self.method})"

    @property
    def net(self) -> Floats:
        """(m,) P(positive) - P(negative)."""
        net: Floats = self.chances[:, 2] - self.chances[:, 0]
        return net

    @property
    def polarity(self) -> NDArray[np.int8]:
        """(m,) position of the likeliest polarity in `Polarity`, -1 where nothing could be told; ties go to neutral."""
        known = ~np.isnan(self.chances).any(axis=1)
        order = np.nan_to_num(self.chances)[:, [1, 0, 2]]
        best = np.array([1, 0, 2], np.int8)[order.argmax(axis=1)]
        best[np.isclose(order[:, 1], order[:, 2]) & (best != 1)] = 1  # as good as bad: neither
        return np.where(known, best, -1).astype(np.int8)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a mention: text (its row), aspect, negative, neutral, positive, net, polarity, clause."""
        words = np.array([*Polarity, None], object)[self.polarity]
        return columns_frame(
            {
                "text": self.mentions.text,
                "aspect": np.array(self.mentions.aspects, object)[self.mentions.aspect],
                **{str(p): self.chances[:, i] for i, p in enumerate(Polarity)},
                "net": self.net,
                "polarity": [None if w is None else str(w) for w in words],
                "clause": self.mentions.clause_texts(),
            },
            backend=backend,
        )


def checked_chances(chances: object, n: int, /) -> Floats:
    """(n, 3) probabilities as an analyzer must return them."""
    found = np.asarray(chances, np.float64)
    if found.shape != (n, 3):
        raise OutOfRange("shape of probabilities", found.shape, f"({n}, 3)", "one row a text: see SentimentAnalyzer")
    return found


def clause_sentiment(
    mentions: AspectMentions, analyzer: SentimentAnalyzer | str, /, *, words: Sequence[str] = CUT_WORDS
) -> AspectOpinions:
    """Score each mention of an aspect by the clause around it, without any training.

    Parameters
    ----------
    mentions : AspectMentions
    analyzer : SentimentAnalyzer, or the name of a plug-in
        Reads each distinct clause once.
    words
        Before which a clause ends, beside punctuation.

    Returns
    -------
    AspectOpinions

    Examples
    --------
    >>> from crmcore.listening.aspects import Aspects, find_aspects
    >>> class Tiny:
    ...     def probabilities(self, texts, /):
    ...         return np.array([[0.1, 0.2, 0.7] if "great" in t else [0.7, 0.2, 0.1] for t in texts])
    >>> found = find_aspects(["great food but slow staff"], Aspects.of({"food": ["food"], "service": ["staff"]}))
    >>> clause_sentiment(found, Tiny()).net.round(2).tolist()
    [0.6, -0.6]
    """
    chances = scored(analyzer, mentions.clause_texts(words=words))
    return AspectOpinions(mentions=mentions, chances=chances, method="clause")


def scored(analyzer: SentimentAnalyzer | str, texts: list[str], /) -> Floats:
    """(n, 3) probabilities of texts, each distinct one read once."""
    reader: SentimentAnalyzer = resolve(PluginKind.SENTIMENT, analyzer, contract=SentimentAnalyzer)
    known: dict[str, int] = {}
    at = np.array([known.setdefault(t, len(known)) for t in texts], np.intp)
    if not known:
        return np.empty((0, 3))
    return checked_chances(reader.probabilities(list(known)), len(known))[at]
