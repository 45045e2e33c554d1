"""What one group says and another does not: key terms by author, and what we say against what is heard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput
from crmcore.listening.voices.people import authors_of, flag
from crmcore.tables import MentionTable
from crmcore.text import count_terms, tokenize
from crmcore.text.keyness import KeyTerms, key_terms

__all__ = ["discussion_points", "said_versus_heard"]

Ints = NDArray[np.int64]


def discussion_points(
    mentions: MentionTable,
    group: ArrayLike,
    /,
    *,
    against: ArrayLike | None = None,
    orders: Sequence[int] = (1, 2),
    least_voices: int = 3,
    false_share: float = 0.05,
    exact: bool = False,
) -> KeyTerms:
    """Find what a group of posts speaks about more, or less, than the others.

    Parameters
    ----------
    mentions
    group : (n,) truths
        Posts of interest: about our brand, of this week, by one group of authors.
    against : (n,) truths
        Posts that they are compared with; None takes all others. An author of both counts in the first only.
    orders : counts
        Lengths of terms in words.
    least_voices : count
        Authors that a term needs.
    false_share : share
        Of the terms that may be false.
    exact : truth
        Whether terms are judged by Fisher's exact test, which sees what is new sooner; see `key_terms`.

    Examples
    --------
    >>> posts = MentionTable.from_frame({"text": ["battery dies fast", "nice screen"] * 60, "author": list(range(120))})
    >>> found = discussion_points(posts, [True, False] * 60, orders=(1,))
    >>> sorted(found.term)
    ['battery', 'dies', 'fast', 'nice', 'screen']
    """
    here = flag("group", group, len(mentions))
    there = ~here if against is None else flag("against", against, len(mentions)) & ~here
    author = authors_of(mentions)
    there &= ~np.isin(author, author[here])
    return _compared(mentions.text.to_list(), author, here, there, orders, least_voices, false_share, exact)


def said_versus_heard(
    said: Sequence[str | None],
    mentions: MentionTable,
    /,
    *,
    orders: Sequence[int] = (1, 2),
    least_voices: int = 3,
    false_share: float = 0.05,
) -> KeyTerms:
    """Compare what we say of ourselves with what customers say: a brand is what *they* say it is.

    Parameters
    ----------
    said : texts
        Our own copy: slogans, pages, posts; each counts as one voice.
    mentions
        What customers say.

    Returns
    -------
    KeyTerms
        Log odds above 0: we say it and they do not; below 0: they say it and we do not.

    Raises
    ------
    EmptyInput
        Nothing was said.
    """
    if not len(said):
        raise EmptyInput("said", "pass the texts of your own")
    texts = [*said, *mentions.text.to_list()]
    heard = authors_of(mentions)
    top = int(heard.max()) + 1 if len(heard) else 0
    author = np.concatenate([top + np.arange(len(said)), heard])
    here = np.arange(len(texts)) < len(said)
    return _compared(texts, author, here, ~here, orders, least_voices, false_share)


def _compared(
    texts: Sequence[str | None],
    author: Ints,
    here: NDArray[np.bool_],
    there: NDArray[np.bool_],
    orders: Sequence[int],
    least_voices: int,
    false_share: float,
    exact: bool = False,
) -> KeyTerms:
    counts = count_terms(tokenize(texts).normalised(), orders=orders)
    coo = counts.counts.tocoo()
    row, column = (index.astype(np.int64) for index in coo.coords)
    m = max(len(counts.terms), 1)
    found = []
    for group in (here, there):
        inside = group[row]
        once = np.unique(author[row[inside]] * m + column[inside]) % m  # a voice counts a term once
        found.append(np.bincount(once, minlength=len(counts.terms)).astype(np.float64))
    enough = np.flatnonzero(found[0] + found[1] >= least_voices)
    return key_terms(
        [counts.terms[i] for i in enough],
        found[0][enough],
        found[1][enough],
        n_first=len(np.unique(author[here])),
        n_second=len(np.unique(author[there])),
        false_share=false_share,
        exact=exact,
    )
