"""How far a word such as a negation reaches: the next few tokens, up to a stop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crmcore.text.tokens import TokenBatch

__all__ = ["within_reach"]

Bools = NDArray[np.bool_]


def within_reach(batch: TokenBatch, marks: Bools, /, *, stops: Bools, reach: int) -> Bools:
    """(n_tokens,) which tokens stand up to `reach` tokens behind a mark of the same text, with no stop between.

    A stop is not reached itself, and a mark does not reach itself.

    Examples
    --------
    >>> from crmcore.text import tokenize
    >>> batch = tokenize(["not so very good , or bad"])
    >>> forms = np.array(batch.forms(0))
    >>> forms[within_reach(batch, forms == "not", stops=forms == ",", reach=3)].tolist()
    ['so', 'very', 'good']
    """
    n = len(batch.codes)
    if not n:
        return np.zeros(0, np.bool_)
    position = np.arange(n)
    before = np.concatenate(([False], marks[:-1]))
    last = np.maximum.accumulate(np.where(before, position - 1, -1))
    halt = np.maximum.accumulate(np.where(stops, position, -1))
    start = batch.starts[:-1][batch.text_of]
    return np.asarray((last >= start) & (position - last <= reach) & (last > halt), np.bool_)
