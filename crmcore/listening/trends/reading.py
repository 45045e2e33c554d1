"""What judgements of trends read: net sentiment of posts, posts that hold a term, each text once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import OutOfRange
from crmcore.listening.trends.counting import ALL_POSTS, read_before
from crmcore.listening.voices.people import flags
from crmcore.metrics.columns import numbers, refuse
from crmcore.plugins import PluginKind, resolve
from crmcore.protocols import SentimentAnalyzer
from crmcore.tables import MentionTable
from crmcore.text import DuplicateFinder, Postings, TokenBatch, tokenize

__all__ = ["Holders", "first_copies", "net_scores"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def net_scores(sentiment: SentimentAnalyzer | str | ArrayLike, mentions: MentionTable, /) -> Floats:
    """(n,) P(positive) - P(negative) of each post, NaN where nobody can tell.

    Parameters
    ----------
    sentiment
        An analyzer or the name of a plug-in, its (n, 3) probabilities, or (n,) net scores.

    Raises
    ------
    OutOfRange, BadRows, UnknownName
        Another shape; scores beyond -1 to 1; a name that nobody offers.
    """
    n = len(mentions)
    if isinstance(sentiment, str | SentimentAnalyzer):
        reader: SentimentAnalyzer = resolve(PluginKind.SENTIMENT, sentiment, contract=SentimentAnalyzer)
        sentiment = reader.probabilities(mentions.text.to_list())
    table = np.asarray(sentiment)
    if table.ndim == 2 and table.shape == (n, 3):
        net = numbers("sentiment", table[:, 2]) - numbers("sentiment", table[:, 0])
    elif table.ndim == 1 and len(table) == n:
        net = numbers("sentiment", table)
    else:
        raise OutOfRange("shape of sentiment", table.shape, f"({n}, 3) or ({n},)", "one row a post")
    hint = "net sentiment is P(positive) - P(negative)"
    refuse("sentiment", hint, sentiment=(np.abs(np.nan_to_num(net)) > 1 + 1e-9, "beyond -1 to 1"))
    return net


class Holders:
    """Finds the posts that hold a term, or to which a thing was said to belong."""

    def __init__(
        self,
        mentions: MentionTable,
        things: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        batch: TokenBatch | None = None,
    ) -> None:
        self._n = len(mentions)
        self._things = {} if things is None else flags(things, self._n)
        read = tokenize(mentions.text.to_list()) if batch is None else read_before(batch, mentions)
        self._index = Postings.of(read.normalised())

    def of(self, term: str, /) -> Bools:
        """(n,) truths."""
        if term in self._things:
            return self._things[term]
        if term == ALL_POSTS:
            return np.ones(self._n, bool)
        found = np.zeros(self._n, bool)
        found[self._index.texts(self._index.phrase(term.split(" ")))] = True
        return found


def first_copies(mentions: MentionTable, /, *, least_words: int = 5) -> Bools:
    """(n,) truths: False for a text that was posted before, word for word; links, handles and marks aside.

    The earliest copy stays (of two at one time, that of the smaller id), so the order of the rows does not matter. A
    text of fewer than `least_words` words is never a copy: many people say "worst service ever" of their own accord.
    """
    ids = mentions.mention_id.to_list()
    unknown, when = np.isnat(mentions.time).tolist(), mentions.time.astype(np.int64).tolist()
    order = sorted(range(len(mentions)), key=lambda i: (unknown[i], when[i], str(ids[i])))
    texts = mentions.text.to_list()
    finder = DuplicateFinder(least_words=least_words, similarity=1)
    first = np.ones(len(mentions), bool)
    first[np.array(order, np.intp)] = ~finder.find([texts[i] for i in order]).repeats
    return first
