"""Clauses: pieces of a text between punctuation and words such as and, but, though."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crmcore.text import FormTable, TokenBatch

__all__ = ["CUT_WORDS", "clause_bounds", "pieces"]

Positions = NDArray[np.int64]

CUT_WORDS = (
    "and", "or", "but", "though", "although", "while", "whereas", "however", "yet", "except", "plus", "because",
    "since", "when", "which", "who",
)  # fmt: skip
"""English words before which a new thing is said. For other languages pass your own to `clause_bounds`."""

CUT_MARKS = frozenset(',;:.!?()[]"/-\u2013\u2014\u2026\u3001\u3002\uff0c\uff01\uff1f\u0964\u060c\u061b\u061f')


def _cutting(words: Sequence[str]) -> FormTable[np.bool_]:
    """Whether a token ends a clause: a mark, several marks, or one of the words."""
    held = frozenset(words)
    return FormTable(lambda forms: np.array([f in held or set(f) <= CUT_MARKS for f in forms], bool))


_ENGLISH = _cutting(CUT_WORDS)


def clause_bounds(batch: TokenBatch, /, *, words: Sequence[str] = CUT_WORDS) -> tuple[Positions, Positions]:
    """Where the clause of each token begins and ends.

    Parameters
    ----------
    batch
        In normal form.
    words
        That cut, beside punctuation; they and the marks belong to no clause but their own.

    Returns
    -------
    (n_tokens,), (n_tokens,) positions
        Tokens of the clause are ``[start, stop)``.

    Examples
    --------
    >>> from crmcore.text import tokenize
    >>> batch = tokenize(["Great food, but the waiter was slow"]).normalised()
    >>> start, stop = clause_bounds(batch)
    >>> " ".join(batch.forms(0)[start[5] : stop[5]])
    'the waiter was slow'
    """
    n = len(batch.codes)
    table = _ENGLISH if tuple(words) == CUT_WORDS else _cutting(words)
    cut = np.asarray(batch.values(table), bool)
    at = np.arange(n, dtype=np.int64)
    text = batch.text_of
    first, last = batch.starts[:-1][text], batch.starts[1:][text]
    before = np.maximum.accumulate(np.where(cut, at, -1)) if n else at
    start = np.maximum(np.where(cut, at, before + 1), first)
    after = np.minimum.accumulate(np.where(cut, at, n)[::-1])[::-1] if n else at
    stop = np.minimum(np.where(cut, at + 1, after), last)
    return start, stop


def pieces(batch: TokenBatch, start: Positions, stop: Positions, /) -> TokenBatch:
    """Batch of k pieces, the tokens ``[start, stop)`` of each.

    Examples
    --------
    >>> from crmcore.text import tokenize
    >>> pieces(tokenize(["a b c d"]), np.array([1, 0]), np.array([3, 1])).forms(0)
    ['b', 'c']
    """
    lengths = np.maximum(stop - start, 0)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    at = np.arange(starts[-1]) + np.repeat(start - starts[:-1], lengths)
    return TokenBatch(batch.codes[at], starts, batch.vocabulary)
