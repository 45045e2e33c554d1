"""Thirty-four facts about a text: what the valences of its tokens say, and how it is written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crmcore.listening.sentiment.rules import Weighed

__all__ = ["FEATURES", "compound", "lexical_features"]

Floats = NDArray[np.float64]
FEATURES = (
    "compound", "compound_up", "compound_down", "praise", "blame", "praise_plain", "blame_plain", "most", "least",
    "praise_share", "blame_share", "flat", "clearly_up", "clearly_down", "no_words", "both_signs", "exclaims", "asks",
    "shouts", "capitals", "length", "compound_wide", "words", "negation", "praise_negated", "blame_negated",
    "conditional", "contrast", "late", "early", "asking_compound", "conditional_compound", "negation_compound",
    "pictures",
)  # fmt: skip
ALPHA = 15.0  # Hutto and Gilbert (2014)


def compound(total: Floats, /) -> Floats:
    """Sum of valences brought into (-1, 1)."""
    return np.asarray(total / np.sqrt(total**2 + ALPHA), np.float64)


def _emphasis(w: Weighed) -> Floats:
    """What exclamation and question marks add to the sum."""
    exclaims, asks = w.summed(w.column("exclaims")), w.summed(w.column("asks"))
    asked = np.where(asks > 3, 0.96, np.where(asks > 1, 0.18 * asks, 0.0))
    return 0.292 * np.minimum(exclaims, 4) + asked


def lexical_features(w: Weighed, /) -> Floats:
    """(n_texts, 34) features, in the order of `FEATURES`."""
    v, plain, n = w.valence, w.plain, len(w.batch)
    emphasis = _emphasis(w)
    total = w.summed(v)
    c = compound(total + np.sign(total) * emphasis)
    up, down = w.summed(np.maximum(v, 0)), w.summed(np.maximum(-v, 0))
    word = w.column("word")
    words = w.summed(word)
    per = 1 / np.maximum(words, 1)
    most, least = np.zeros(n), np.zeros(n)
    np.maximum.at(most, w.text_of, v)
    np.minimum.at(least, w.text_of, v)
    carrying = w.summed(v != 0)
    exclaims, asks = w.summed(w.column("exclaims")), w.summed(w.column("asks"))
    conditional = w.summed(w.column("conditional")) > 0
    negation = w.summed(w.column("negator")) > 0
    wide = w.summed(w.wide_valence)
    negated = w.negated
    columns = (
        c,
        np.maximum(c, 0),
        np.minimum(c, 0),
        np.log1p(up),
        np.log1p(down),
        np.log1p(w.summed(np.maximum(plain, 0))),
        np.log1p(w.summed(np.maximum(-plain, 0))),
        most,
        least,
        up * per,
        down * per,
        np.abs(c) < 0.05,
        c > 0.6,
        c < -0.5,
        carrying == 0,
        (up > 0) & (down > 0),
        exclaims > 0,
        asks > 0,
        exclaims > 1,
        w.summed(w.column("caps")) * per,
        np.log1p(words),
        compound(wide + np.sign(wide) * emphasis),
        np.log1p(carrying),
        negation,
        np.log1p(w.summed(np.where(negated, np.maximum(v, 0), 0))),
        np.log1p(w.summed(np.where(negated, np.maximum(-v, 0), 0))),
        conditional,
        w.summed(w.column("contrast")) > 0,
        compound(w.summed(np.where(w.where >= 0.6, v, 0))),
        compound(w.summed(np.where(w.where < 0.35, v, 0))),
        c * (asks > 0),
        c * conditional,
        c * negation,
        compound(w.summed(np.where(w.column("picture") > 0, v, 0))),
    )
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)
