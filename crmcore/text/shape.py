"""How a text is written, whatever it says: length, capitals, digits, links, marks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crmcore.text.forms import FormTable
from crmcore.text.patterns import TokenKind
from crmcore.text.tokens import TokenBatch

__all__ = ["SHAPE", "text_shape"]

Floats = NDArray[np.float64]
SHAPE = (
    "length", "words", "letters a word", "capitals", "whole words in capitals", "digits", "numbers", "links",
    "addresses", "handles", "hashtags", "emoji", "exclamation marks", "question marks", "other marks", "money signs",
)  # fmt: skip
"""Names of the columns of `text_shape`."""
MONEY = frozenset("$£€¥฿₹₩")


def _facts(forms: Sequence[str]) -> Floats:
    """(k, 8) of each form: signs, letters, capitals, digits, is in capitals, "!", "?", money signs."""
    rows = [
        (
            len(form), sum(map(str.isalpha, form)), sum(map(str.isupper, form)), sum(map(str.isdigit, form)),
            len(form) > 1 and form.isupper(), form.count("!"), form.count("?"), sum(sign in MONEY for sign in form),
        )
        for form in forms
    ]  # fmt: skip
    return np.array(rows, np.float64).reshape(-1, 8)


_FACTS = FormTable(_facts)


def text_shape(batch: TokenBatch, /) -> Floats:
    """(n, 16) numbers of each text as it was written, in the order of `SHAPE`.

    Counts c as log(1 + c); capitals, digits and whole words in capitals as shares of letters, signs and words. A text
    without tokens has zeros.

    Parameters
    ----------
    batch
        Tokens as written: in normal form there are no capitals any more.

    Examples
    --------
    >>> from crmcore.text import tokenize
    >>> row = text_shape(tokenize(["WIN 1000 now!!"]))[0]
    >>> float(row[SHAPE.index("capitals")]), float(row[SHAPE.index("digits")])
    (0.5, 0.3333333333333333)
    """
    n, of, kinds = len(batch), batch.text_of, batch.kinds
    spelled = ~np.isin(kinds, [TokenKind.LINK, TokenKind.EMAIL, TokenKind.HANDLE])  # whose letters nobody chose

    def total(values: Floats) -> Floats:
        return np.bincount(of, values, n).astype(np.float64)

    facts = batch.values(_FACTS).T * spelled
    signs, letters, capitals, digits, loud, exclaims, asks, money = (total(c) for c in facts)

    def count(kind: TokenKind) -> Floats:
        return np.bincount(of[kinds == kind], minlength=n).astype(np.float64)

    words = count(TokenKind.WORD)
    marks = np.maximum(count(TokenKind.PUNCTUATION) - np.minimum(exclaims + asks, count(TokenKind.PUNCTUATION)), 0)
    per_word = letters / np.maximum(words, 1)
    return np.stack(
        [
            np.log1p(signs), np.log1p(words), per_word, capitals / np.maximum(letters, 1), loud / np.maximum(words, 1),
            digits / np.maximum(signs, 1),
            *(np.log1p(count(k)) for k in (TokenKind.NUMBER, TokenKind.LINK, TokenKind.EMAIL, TokenKind.HANDLE)),
            np.log1p(count(TokenKind.HASHTAG)), np.log1p(count(TokenKind.EMOJI)), np.log1p(exclaims), np.log1p(asks),
            np.log1p(marks), np.log1p(money),
        ],
        axis=1,
    )  # fmt: skip
