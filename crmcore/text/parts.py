"""N-gram columns of one or several parts of each text, and weights that level classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.text.ngrams import count_terms
from crmcore.text.tokens import TokenBatch

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["NgramColumns", "balanced"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, repr=False)
class NgramColumns(Document):
    """Which n-grams of which part of a text are columns, and what each is worth.

    A part is a piece of every text: the whole, the clause around a term, the words before it. Values are
    (1 + log count) × idf, each part of each text scaled to length 1; idf = 1 + log((1 + n) / (1 + texts with it)).

    Examples
    --------
    >>> from crmcore.text import tokenize
    >>> batch = tokenize(["no refund", "slow refund", "no thanks"]).normalised()
    >>> columns = NgramColumns.fit({"all": batch}, least_texts=2)
    >>> columns, columns.terms
    (NgramColumns(2 columns, 1 parts), (('no', 'refund'),))
    >>> columns.matrix({"all": batch}).toarray().round(2).tolist()
    [[0.71, 0.71], [0.0, 1.0], [1.0, 0.0]]
    """

    parts: tuple[str, ...]
    terms: tuple[tuple[str, ...], ...]
    idf: tuple[tuple[float, ...], ...]
    orders: tuple[int, ...] = (1, 2)

    def __len__(self) -> int:
        return sum(map(len, self.terms))

    def __repr__(self) -> str:
        return f"NgramColumns({len(self)} columns, {len(self.parts)} parts)"

    @property
    def names(self) -> tuple[str, ...]:
        """(m,) what each column is: the n-gram, after the name of its part where there are several."""
        single = len(self.parts) == 1
        return tuple(
            t if single else f"{p}: {t}" for p, terms in zip(self.parts, self.terms, strict=True) for t in terms
        )

    @classmethod
    def fit(
        cls, parts: Mapping[str, TokenBatch], /, *, orders: Sequence[int] = (1, 2), least_texts: int = 2
    ) -> NgramColumns:
        """Choose the n-grams that occur in at least so many texts."""
        terms, idf = [], []
        for batch in parts.values():
            counts = count_terms(batch, orders=orders, least_texts=least_texts)
            terms.append(counts.terms)
            idf.append(tuple(counts.rarity().tolist()))
        return cls(parts=tuple(parts), terms=tuple(terms), idf=tuple(idf), orders=tuple(orders))

    def matrix(self, parts: Mapping[str, TokenBatch], /) -> csr_array:
        """(n, m) values of n texts; n-grams that are no column are left out."""
        from scipy.sparse import csr_array, hstack

        blocks = []
        for part, terms, idf in zip(self.parts, self.terms, self.idf, strict=True):
            if not terms:
                continue
            place = dict(zip(terms, range(len(terms)), strict=True))
            blocks.append(count_terms(parts[part], orders=self.orders).weighed(place, np.array(idf)))
        n = len(parts[self.parts[0]])
        return hstack(blocks, format="csr") if blocks else csr_array((n, 0))


def balanced(y: NDArray[np.integer], /, *, classes: int, strength: float = 1.0) -> Floats:
    """(n,) weights under which all classes weigh the same (strength 1), or the nearer to it the larger the strength.

    Examples
    --------
    >>> balanced(np.array([0, 0, 0, 1]), classes=2).round(2)
    array([0.67, 0.67, 0.67, 2.  ])
    """
    often = np.bincount(y, minlength=classes)
    weight = (len(y) / np.maximum(often, 1)) ** strength
    each: Floats = weight[y]
    levelled: Floats = each * (len(y) / each.sum())
    return levelled
