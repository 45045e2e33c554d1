"""Counts of terms (n-grams of one to many tokens) per text, as a sparse matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.text.patterns import TokenKind
from crmcore.text.tokens import TokenBatch

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["TermCounts", "count_terms", "ngram_windows"]

MEANING = tuple(kind for kind in TokenKind if kind is not TokenKind.PUNCTUATION)


@attrs.frozen(eq=False, repr=False)
class TermCounts:
    """How often each term occurs in each text.

    Terms stand in the order of the alphabet, so two batches of the same texts give the same columns.
    """

    terms: tuple[str, ...]  # tokens of one term joined by a blank
    counts: csr_array  # (n_texts, n_terms) occurrences

    def __repr__(self) -> str:
        return f"TermCounts({self.counts.shape[0]} texts, {len(self.terms)} terms)"

    def totals(self) -> NDArray[np.int64]:
        """(n_terms,) occurrences in all texts."""
        return np.asarray(self.counts.sum(axis=0), np.int64).ravel()

    def texts_with(self) -> NDArray[np.int64]:
        """(n_terms,) texts that hold the term at least once."""
        return np.bincount(self.counts.indices, minlength=len(self.terms)).astype(np.int64)

    def rarity(self) -> NDArray[np.float64]:
        """(n_terms,) inverse document frequency, 1 + ln((1 + texts) / (1 + texts with the term))."""
        return np.log((1 + self.counts.shape[0]) / (1 + self.texts_with())) + 1

    def weighed(self, place: Mapping[str, int], rarity: NDArray[np.float64], /) -> csr_array:
        """(n_texts, m) values (1 + ln count) × rarity of the terms that have a place; rows of length 1 or 0."""
        from scipy.sparse import csr_array

        column = np.array([place.get(term, -1) for term in self.terms], np.int64)
        known = self.counts[:, np.flatnonzero(column >= 0)].tocsr()
        column = column[column >= 0][known.indices]
        data = (1 + np.log(np.maximum(known.data, 1))) * rarity[column]
        row = np.repeat(np.arange(known.shape[0]), np.diff(known.indptr))
        length = np.sqrt(np.bincount(row, data**2, known.shape[0]))
        data = data / np.maximum(length, 1e-12)[row]
        return csr_array((data, column, known.indptr), shape=(known.shape[0], len(rarity)))


def ngram_windows(batch: TokenBatch, /, *, order: int) -> NDArray[np.int64]:
    """(k,) positions at which `order` tokens of one text begin."""
    if order < 1:
        raise OutOfRange("order", order, "1 or more", "1 counts single tokens, 2 pairs of neighbours")
    text_of = batch.text_of
    n = max(len(text_of) - order + 1, 0)
    return np.flatnonzero(text_of[:n] == text_of[order - 1 :]).astype(np.int64)


def _joined(batch: TokenBatch, begins: NDArray[np.int64], order: int) -> tuple[NDArray[np.int64], list[str]]:
    """Number of the term at each window, and the terms by number."""
    key = batch.codes[begins].astype(np.int64)
    forms = [[code] for code in range(len(batch.vocabulary))]
    for step in range(1, order):
        pair = key * len(batch.vocabulary) + batch.codes[begins + step]
        distinct, key = np.unique(pair, return_inverse=True)
        left, right = np.divmod(distinct, len(batch.vocabulary))
        forms = [[*forms[a], b] for a, b in zip(left.tolist(), right.tolist(), strict=True)]
    vocabulary = batch.vocabulary
    if order == 1:
        distinct, key = np.unique(key, return_inverse=True)
        forms = [forms[code] for code in distinct.tolist()]
    return key, [" ".join(vocabulary[c] for c in codes) for codes in forms]


def count_terms(
    batch: TokenBatch,
    /,
    *,
    orders: Sequence[int] = (1, 2),
    least_texts: int = 1,
    kinds: Sequence[TokenKind] = MEANING,
) -> TermCounts:
    """Count n-grams of the given orders per text.

    Parameters
    ----------
    batch
        Usually in normal form: ``batch.normalised()``.
    orders
        Lengths of terms in tokens.
    least_texts
        Terms in fewer texts are left out.
    kinds
        Kinds of tokens that count; a term never spans one that is left out.

    Examples
    --------
    >>> from crmcore.text import tokenize
    >>> found = count_terms(tokenize(["No refund!", "no refund, no thanks"]).normalised(), least_texts=2)
    >>> dict(zip(found.terms, found.totals().tolist()))
    {'no': 3, 'no refund': 2, 'refund': 2}
    """
    from scipy.sparse import csr_array

    wanted = np.zeros(len(TokenKind), bool)
    wanted[list(kinds)] = True
    fits = np.concatenate(([0], np.cumsum(~wanted[batch.kinds])))
    rows, cols, terms = [np.empty(0, np.int64)], [np.empty(0, np.int64)], list[str]()
    text_of = batch.text_of
    for order in sorted(set(orders)):
        begins = ngram_windows(batch, order=order)
        begins = begins[fits[begins + order] == fits[begins]]
        key, names = _joined(batch, begins, order)
        rows.append(text_of[begins].astype(np.int64))
        cols.append(key + len(terms))
        terms += names
    row, col = np.concatenate(rows), np.concatenate(cols)
    counts = csr_array((np.ones(len(row), np.int64), (row, col)), shape=(len(batch), len(terms)))
    counts.sum_duplicates()
    enough = np.flatnonzero(np.bincount(counts.indices, minlength=len(terms)) >= max(least_texts, 1))
    order_of = enough[np.argsort([terms[i] for i in enough], kind="stable")] if len(enough) else enough
    return TermCounts(tuple(terms[i] for i in order_of), counts[:, order_of].tocsr())
