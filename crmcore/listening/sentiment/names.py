"""Names of brands and people are masked before anything is scored: a lexicon takes "united" for praise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crmcore.errors import WrongType
from crmcore.text import Postings, TokenBatch, tokenize
from crmcore.text.patterns import normal

__all__ = ["masked"]

NAMED = "@named"  # a handle says nothing by its letters


def masked(batch: TokenBatch, names: Sequence[str], /) -> TokenBatch:
    """Replace names by a handle, as words, as hashtags and as parts of a phrase.

    Examples
    --------
    >>> masked(tokenize(["United rocks, #united"]), ["United"]).forms(0)
    ['@named', 'rocks', ',', '@named']
    """
    if isinstance(names, str):
        raise WrongType("names", "one text", "a sequence of names", "put it in a list: [name]")
    if not names:
        return batch
    plain = batch.normalised()
    index = Postings.of(plain)
    hidden = np.zeros(len(batch.codes), np.bool_)
    for name in names:
        forms = [normal(form) for form in tokenize([name]).forms(0)]
        begin = index.phrase(forms)
        for step in range(len(forms)):
            hidden[begin + step] = True
        tag = plain.vocabulary.find("#" + "".join(forms))
        hidden[index.positions([tag])] = True
    codes = batch.codes.copy()
    codes[hidden] = batch.vocabulary.code(NAMED)
    return TokenBatch(codes, batch.starts, batch.vocabulary)
