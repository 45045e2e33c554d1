"""How much each part of the model counts; the figures were the same for every domain that was left out in turn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIAL", "WORDS_WEIGHT", "trust"]

WORDS_WEIGHT = 0.8  # of the words and pairs beside the lexicon
KNOWN = 0.5  # share of known n-grams at which they are trusted by three quarters
DIAL = 0.5  # how far the sum of valences alone pulls: insurance for prose that is unlike all that was learned


def trust(cover: NDArray[np.float64], /) -> NDArray[np.float64]:
    """(n,) weights of the words and pairs of texts of which a share is known; 1 where all are.

    Examples
    --------
    >>> trust(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.75, 1.0]
    """
    return np.asarray((1 + KNOWN) * cover / (cover + KNOWN), np.float64)
