"""What scores items for a history: weights between items, or factors; each score is a sum over the items bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["FactorScorer", "WeightScorer", "history_matrix", "item_parts", "to_grid"]

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
GRID = 2.0**32
"""Parts are multiples of 1 / GRID: sums of such numbers are exact in a float, in any order, up to about a million."""

ROWS = 64  # histories at a time, so that the parts of long ones do not fill the memory


def to_grid(values: NDArray[Any]) -> Floats:
    """Round to the grid on which sums are exact.

    Examples
    --------
    >>> parts = to_grid(np.array([0.1, 0.2, 0.3]))
    >>> sum(parts.tolist()) == sum(parts[::-1].tolist())
    True
    """
    rounded: Floats = np.rint(values.astype(np.float64) * GRID) / GRID
    return rounded


def history_matrix(starts: Codes, item: Codes, weight: Floats, /, *, n_items: int) -> csr_matrix:
    """(histories, n_items) matrix of what `starts`, `item` and `weight` say."""
    from scipy.sparse import csr_matrix

    return csr_matrix((weight.astype(np.float32), item, starts), shape=(len(starts) - 1, n_items))


@attrs.frozen(eq=False)
class WeightScorer:
    """Score of item i for a history: sum over its items j of weight[j] * weights[j, i].

    Attributes
    ----------
    weights : (items, items) float32, or a sparse matrix of these
        Column i scores item i; the diagonal is zero.
    """

    weights: Any

    def scores(self, starts: Codes, item: Codes, weight: Floats, /) -> NDArray[np.float32]:
        """(histories, items) scores; see `crmcore.protocols.Recommender`."""
        found = history_matrix(starts, item, weight, n_items=self.weights.shape[0]) @ self.weights
        return np.asarray(found.toarray() if hasattr(found, "toarray") else found, np.float32)

    def parts(self, item: Codes, weight: Floats, target: Codes, /) -> Floats:
        """(items of the history, targets) what each item of one history adds to the score of each target."""
        block = self.weights[np.ix_(item, target)]
        block = block.toarray() if hasattr(block, "toarray") else block
        return to_grid(block.astype(np.float64) * weight[:, None])

    def vectors(self, target: Codes, /) -> Floats:
        """(targets, items) what makes two items alike: who leads to them."""
        block = self.weights[:, target]
        return np.asarray(block.toarray() if hasattr(block, "toarray") else block, np.float64).T


@attrs.frozen(eq=False)
class FactorScorer:
    """Score by factors of items; the factors of a history are solved for when they are needed (fold-in).

    Attributes
    ----------
    factors : (items, f) float64
    gain : (items,) factor of each column, such as its trend
    alpha, ridge : as in the recipe
    """

    factors: Floats
    gain: Floats
    alpha: float
    ridge: float

    def scores(self, starts: Codes, item: Codes, weight: Floats, /) -> Floats:
        """(histories, items) scores; see `crmcore.protocols.Recommender`."""
        people = solve_factors(self.factors, starts, item, weight, alpha=self.alpha, ridge=self.ridge)
        return people @ self.factors.T * self.gain

    def parts(self, item: Codes, weight: Floats, target: Codes, /) -> Floats:
        """(items of the history, targets) what each item of one history adds to the score of each target."""
        mine = self.factors[item]
        inverse = np.linalg.inv(_normal(self.factors, mine, weight, alpha=self.alpha, ridge=self.ridge))
        led = (mine * (1 + self.alpha * weight)[:, None]) @ inverse
        return to_grid(led @ self.factors[target].T * self.gain[target])

    def vectors(self, target: Codes, /) -> Floats:
        """(targets, f) what makes two items alike."""
        return self.factors[target]


def _normal(factors: Floats, mine: Floats, weight: Floats, *, alpha: float, ridge: float) -> Floats:
    whole = factors.T @ factors + ridge * np.eye(factors.shape[1])
    return np.asarray(whole + (mine.T * (alpha * weight)) @ mine)


def solve_factors(
    factors: Floats, starts: Codes, item: Codes, weight: Floats, /, *, alpha: float, ridge: float
) -> Floats:
    """(rows, f) factors that fit each history best: confidence 1 + alpha * weight where bought, else 1.

    Source: Hu, Koren & Volinsky (2008), ICDM, equation 4. A row without items is zero.
    """
    from scipy.linalg import get_lapack_funcs

    whole = factors.T @ factors + ridge * np.eye(factors.shape[1])
    out = np.zeros((len(starts) - 1, factors.shape[1]))
    routines: Any = get_lapack_funcs(("posv",), (whole,))
    (posv,) = routines
    for row in np.flatnonzero(np.diff(starts)).tolist():
        here = slice(starts[row], starts[row + 1])
        mine, w = factors[item[here]], weight[here]
        _, out[row], _ = posv(whole + (mine.T * (alpha * w)) @ mine, mine.T @ (1 + alpha * w))
    return out


def item_parts(scorer: Any, starts: Codes, item: Codes, weight: Floats, target: NDArray[np.intp], /) -> Floats:
    """(histories, k) scores of chosen targets (-1 where there is none), each the exact sum of its parts."""
    out = np.zeros(target.shape)
    if isinstance(scorer, WeightScorer) and isinstance(scorer.weights, np.ndarray):
        for at in range(0, len(target), ROWS):
            some = starts[at : at + ROWS + 1]
            own = np.repeat(np.arange(at, at + len(some) - 1), np.diff(some))
            here = slice(some[0], some[-1])
            parts = to_grid(scorer.weights[item[here, None], target[own]].astype(np.float64) * weight[here, None])
            held = np.flatnonzero(np.diff(some))
            if len(held):
                out[at + held] = np.add.reduceat(parts, some[held] - some[0], axis=0)
        return np.where(target >= 0, out, 0.0)
    for row in np.flatnonzero(np.diff(starts)).tolist():
        here = slice(starts[row], starts[row + 1])
        out[row] = scorer.parts(item[here], weight[here], target[row]).sum(0)
    return np.where(target >= 0, out, 0.0)
