"""Linear classifiers of short texts: n-gram columns of one or several parts of each text, multinomial logistic fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.errors import EmptyInput, NotConverged, OutOfRange
from crmcore.text.ngrams import TermCounts, count_terms
from crmcore.text.tokens import TokenBatch

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["NgramColumns", "balanced", "fit_logistic", "softmax"]

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
            worth = 1 + np.log((1 + len(batch)) / (1 + counts.texts_with()))
            idf.append(tuple(worth.tolist()))
        return cls(parts=tuple(parts), terms=tuple(terms), idf=tuple(idf), orders=tuple(orders))

    def matrix(self, parts: Mapping[str, TokenBatch], /) -> csr_array:
        """(n, m) values of n texts; n-grams that are no column are left out."""
        from scipy.sparse import csr_array, hstack

        blocks = []
        for part, terms, idf in zip(self.parts, self.terms, self.idf, strict=True):
            if not terms:
                continue
            counts = count_terms(parts[part], orders=self.orders)
            blocks.append(_weighed(counts, terms, np.array(idf)))
        n = len(parts[self.parts[0]])
        return hstack(blocks, format="csr") if blocks else csr_array((n, 0))


def _weighed(counts: TermCounts, terms: tuple[str, ...], idf: Floats) -> csr_array:
    """(n, m) tf-idf of known terms, rows of length 1."""
    from scipy.sparse import csr_array, diags_array

    found = counts.counts.tocoo()
    at = dict(zip(terms, range(len(terms)), strict=True))
    to = np.array([at.get(term, -1) for term in counts.terms] + [-1], np.int64)[:-1]
    column = to[found.coords[1]]
    known = column >= 0
    row, column = found.coords[0][known], column[known]
    value = (1 + np.log(found.data[known])) * idf[column]
    length = np.sqrt(np.bincount(row, weights=value**2, minlength=found.shape[0]))
    made = csr_array((value, (row, column)), shape=(found.shape[0], len(terms)))
    return (diags_array(1 / np.where(length > 0, length, 1.0)) @ made).tocsr()


def softmax(logits: Floats, /) -> Floats:
    """Probabilities (n, c) of logits (n, c).

    Examples
    --------
    >>> softmax(np.array([[0.0, np.log(3.0)]])).round(2)
    array([[0.25, 0.75]])
    """
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


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


def fit_logistic(
    x: csr_array,
    y: NDArray[np.integer],
    /,
    *,
    classes: int,
    penalty: float = 1.0,
    weights: Floats | None = None,
    steps: int = 300,
) -> tuple[Floats, Floats]:
    """Multinomial logistic regression with a ridge.

    Parameters
    ----------
    x : (n, m) sparse
    y : (n,) codes in [0, classes)
    classes : count
    penalty : number
        Above 0; of half the sum of squared coefficients. Intercepts are free but for a trace that keeps them finite.
    weights : (n,) numbers, optional
    steps : count
        Of L-BFGS.

    Returns
    -------
    (m, classes), (classes,)
        Coefficients and intercepts, in logits.

    Raises
    ------
    EmptyInput, OutOfRange, NotConverged
        No rows, a penalty that is not positive, no optimum within the steps.

    Notes
    -----
    Minimises −Σ wᵢ log softmax(xᵢV + b)[yᵢ] + ½ penalty ‖V‖².
    """
    from scipy.optimize import minimize

    n, m = x.shape
    if n == 0:
        raise EmptyInput("labelled texts", "label some texts of each class")
    if not penalty > 0:
        raise OutOfRange("penalty", penalty, "above 0", "1 is a good start")
    weight = np.ones(n) if weights is None else weights
    rows, back = np.arange(n), x.T.tocsr()

    def loss(flat: Floats) -> tuple[float, Floats]:
        both = flat.reshape(m + 1, classes)
        chances = softmax(np.asarray(x @ both[:m]) + both[m])
        cost = -float(weight @ np.log(np.maximum(chances[rows, y], 1e-300)))
        chances[rows, y] -= 1
        chances *= weight[:, None]
        slope = np.vstack([np.asarray(back @ chances), chances.sum(axis=0, keepdims=True)])
        held = np.where(np.arange(m + 1)[:, None] < m, penalty, 1e-6)
        return cost + 0.5 * float((held * both**2).sum()), (slope + held * both).ravel()

    start = np.zeros((m + 1) * classes)
    done = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 12})
    best = done.x.reshape(m + 1, classes)
    change = float(np.abs(done.jac).max())
    if done.status == 1 and change > 1e-3 * float(weight.sum()):
        raise NotConverged("the text classifier", int(done.nit), change, "raise the penalty, or allow more steps")
    return best[:m], best[m]
