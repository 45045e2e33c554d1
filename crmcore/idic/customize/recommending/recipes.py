"""Recipes that learn from histories what goes with what: EASE, item neighbours, implicit factors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import one_of
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.idic.customize.recommending.histories import Histories
from crmcore.idic.customize.recommending.model import RecommenderModel, model_of
from crmcore.idic.customize.recommending.scorers import FactorScorer, WeightScorer, solve_factors
from crmcore.tables import OrderTable

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Ease", "ImplicitAls", "ItemNeighbours", "ease_weights", "trend_of"]

Floats = NDArray[np.float64]
MIRROR = 256  # rows of a block
PRIOR_BUYERS = 10.0  # of the trend: an item with fewer buyers is moved little


def _positive(instance: Any, attribute: Any, value: Any) -> None:
    if not (isinstance(value, int | float) and 0 < value < np.inf):
        raise OutOfRange(attribute.name, value, "a number above 0", f"{attribute.default} is the default")


def _from_zero(instance: Any, attribute: Any, value: Any) -> None:
    if not (isinstance(value, int | float) and 0 <= value < np.inf):
        raise OutOfRange(attribute.name, value, "a number from 0", f"{attribute.default} is the default")


def trend_of(found: Histories, days: float, /) -> Floats:
    """(items,) how much more each item is bought of late than over all: 1 is no change, shrunk by ten buyers.

    (r_i + 10 r) / (n_i + 10) / r with n_i buyers, r_i the sum of 2^(-age / days) over them and r = sum r_i / sum n_i.
    """
    n = found.buyers.astype(np.float64)
    recent = np.bincount(found.item, weights=np.exp2(-found.age_days / days), minlength=len(found.items))
    level = max(recent.sum(), np.finfo(float).tiny) / n.sum()
    made: Floats = (recent / level + PRIOR_BUYERS) / (n + PRIOR_BUYERS)
    return made


def ease_weights(gram: NDArray[np.float32], ridge: float, /) -> NDArray[np.float32]:
    """(items, items) weights that predict each item best from all others, linearly and with a ridge.

    -P_ij / P_jj with P the inverse of gram + ridge I, and a zero diagonal: Steck (2019), WWW, equation 8. In float32
    by Cholesky; in float64 where that loses the positive definite matrix.

    Examples
    --------
    >>> ease_weights(np.array([[2, 1], [1, 2]], np.float32), 2.0).tolist()
    [[0.0, 0.25], [0.25, 0.0]]
    """
    for kind in (np.float32, np.float64):
        whole: NDArray[Any] = gram.astype(kind)
        whole.flat[:: len(whole) + 1] += kind(ridge)
        done, inverse = _inverse(whole)
        if done:
            break
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights, np.float32)


def _inverse(whole: NDArray[Any]) -> tuple[bool, NDArray[Any]]:
    from scipy.linalg import get_lapack_funcs

    routines: Any = get_lapack_funcs(("potrf", "potri"), (whole,))
    potrf, potri = routines
    factor, failed = potrf(whole.T, lower=1, overwrite_a=1, clean=0)
    if failed:
        return False, whole
    lower, failed = potri(factor, lower=1, overwrite_c=1)
    inverse = lower.T  # its upper half is known; the other is written in blocks that fit into a cache
    for at in range(0, len(inverse), MIRROR):
        stop = at + MIRROR
        corner = inverse[at:stop, at:stop]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
        inverse[stop:, at:stop] = inverse[at:stop, stop:].T
    return not failed and bool(np.isfinite(inverse).all()), inverse


@attrs.frozen(kw_only=True)
class _Recipe(Document, ABC):
    """What all recipes share: how much the trend counts, and how fast a history fades."""

    trend_power: float = attrs.field(default=0.7, validator=_from_zero)
    trend_days: float = attrs.field(default=7.0, validator=_positive)
    memory_days: float | None = attrs.field(default=None, validator=attrs.validators.optional(_positive))

    def fit(
        self, orders: OrderTable | Histories, /, *, now: datetime | None = None, min_buyers: int = 2
    ) -> RecommenderModel:
        """Learn from orders (or from histories that were read already; `now` and `min_buyers` as in `Histories.of`)."""
        found = orders if isinstance(orders, Histories) else Histories.of(orders, now=now, min_buyers=min_buyers)
        gain = trend_of(found, self.trend_days) ** self.trend_power
        return model_of(self, self._scorer(found, gain), found, memory_days=self.memory_days)

    @abstractmethod
    def _scorer(self, found: Histories, gain: Floats) -> WeightScorer | FactorScorer:
        """What scores the items, with the gain of each."""


@attrs.frozen(kw_only=True)
class Ease(_Recipe):
    """EASE: weights between items in closed form. First choice up to about 15,000 items.

    Attributes
    ----------
    ridge : purchases
        Larger: rare coincidences count less.
    basket_weight : from 0
        How much items of one basket speak for each other, beside items of one customer. Helps to complete what a
        customer bought, not to foretell what comes next.
    length_power : from 0
        A customer with n items counts n^-length_power in each pair; 0.5 keeps wholesalers from deciding alone.
    trend_power, trend_days : from 0, days
        Scores are multiplied by the item's trend (see `trend_of`) to this power; 0 looks at no time at all.
    memory_days : days, optional
        A purchase of this age counts half; None does not forget.

    Examples
    --------
    >>> from crmcore.tables import OrderTable
    >>> orders = OrderTable.from_frame({"customer": list("aabbc"), "product": ["tea", "pot"] * 2 + ["tea"],
    ...     "amount": [1] * 5, "time": ["2026-03-01T10:00Z"] * 5}, currency="EUR")
    >>> Ease(ridge=1).fit(orders)
    RecommenderModel(Ease, 2 items, 3 histories)
    """

    ridge: float = attrs.field(default=300.0, validator=_positive)
    basket_weight: float = attrs.field(default=0.0, validator=_from_zero)
    length_power: float = attrs.field(default=0.0, validator=_from_zero)

    def _scorer(self, found: Histories, gain: Floats) -> WeightScorer:
        weights = ease_weights(*gram_of(found, self))
        weights *= gain.astype(np.float32)
        return WeightScorer(weights)


def gram_of(found: Histories, recipe: Ease, /) -> tuple[NDArray[np.float32], float]:
    """(items, items) how often two items met, and the ridge in the same unit."""
    lengths = np.maximum(np.diff(found.starts), 1.0)
    gram = met(found.matrix(np.repeat(lengths ** (-recipe.length_power / 2), np.diff(found.starts))))
    unit = float(np.diag(gram).sum() / max(len(found), 1))
    if recipe.basket_weight:
        gram += np.float32(recipe.basket_weight * unit) * met(found.basket_matrix())
    return gram, recipe.ridge * unit


def met(held: csr_matrix, /) -> NDArray[np.float32]:
    """(columns, columns) sum of products over the rows."""
    return np.asarray((held.T @ held).toarray(), np.float32)


@attrs.frozen(kw_only=True)
class ItemNeighbours(_Recipe):
    """Items that the same customers buy: sparse weights, for catalogues beyond 15,000 items.

    Attributes
    ----------
    kind : "cosine" or "bm25"
        n_ij / (sqrt(n_i n_j) + shrink), or the product of BM25 weights (k1 = 1.2, b = 0.75).
    neighbours : count
        Kept for each item, the closest; ties by item.
    shrink : purchases
        Of the cosine: few shared buyers count less.
    """

    kind: str = attrs.field(default="cosine", validator=one_of(("cosine", "bm25"), what="kind of neighbours"))
    neighbours: int = attrs.field(default=100, validator=_positive)
    shrink: float = attrs.field(default=20.0, validator=_from_zero)

    def _scorer(self, found: Histories, gain: Floats) -> WeightScorer:
        from scipy.sparse import csr_matrix, vstack

        held = found.matrix() if self.kind == "cosine" else found.matrix(bm25_of(found))
        n = len(found.items)
        norm = np.sqrt(found.buyers.astype(np.float64))
        other = held.tocsc()
        blocks = []
        for at in range(0, n, 1024):  # rows of the symmetric matrix, so that no more than a block is ever dense
            block = np.asarray((other[:, at : at + 1024].T @ held).toarray(), np.float64)
            if self.kind == "cosine":
                block /= norm[at : at + 1024, None] * norm + self.shrink
            inside = np.arange(len(block))
            block[inside, at + inside] = 0.0
            if n > self.neighbours:
                least = np.partition(block, n - self.neighbours, axis=1)[:, [n - self.neighbours]]
                above = block > least
                room = self.neighbours - above.sum(1, keepdims=True)
                level = block == least
                block[~(above | (level & (np.cumsum(level, 1) <= room)))] = 0.0
            blocks.append(csr_matrix((block * gain[at : at + 1024, None]).astype(np.float32)))
        return WeightScorer(csr_matrix(vstack(blocks).T))


def bm25_of(found: Histories, /, *, k1: float = 1.2, b: float = 0.75) -> Floats:
    """(pairs,) BM25 weight: customers are words, items documents (Robertson & Zaragoza 2009)."""
    length = found.buyers.astype(np.float64)
    size = np.diff(found.starts).astype(np.float64)
    rarity = np.log(len(found.items)) - np.log1p(size)
    norm = 1 - b + b * length / length[length > 0].mean()
    made: Floats = np.maximum(rarity, 0.0)[found.customer] * (k1 + 1) / (1 + k1 * norm[found.item])
    return made


@attrs.frozen(kw_only=True)
class ImplicitAls(_Recipe):
    """Factors of customers and items by alternating least squares (Hu, Koren & Volinsky 2008); new histories fold in.

    Attributes
    ----------
    factors, rounds : counts
    alpha : from 0
        A purchase weighs 1 + alpha times what is not bought weighs.
    ridge : above 0
    seed : whole number
        Of the first factors.
    """

    factors: int = attrs.field(default=64, validator=_positive)
    rounds: int = attrs.field(default=10, validator=_positive)
    alpha: float = attrs.field(default=10.0, validator=_from_zero)
    ridge: float = attrs.field(default=10.0, validator=_positive)
    seed: int = 1

    def _scorer(self, found: Histories, gain: Floats) -> FactorScorer:
        by_item = found.matrix().tocsc()
        item_starts, people = by_item.indptr.astype(np.intp), by_item.indices.astype(np.intp)
        ones = np.ones(len(found))
        rng = np.random.default_rng(self.seed)
        made = rng.normal(0.0, 0.1, (len(found.items), self.factors))
        for _ in range(self.rounds):
            users = solve_factors(made, found.starts, found.item, ones, alpha=self.alpha, ridge=self.ridge)
            made = solve_factors(users, item_starts, people, ones, alpha=self.alpha, ridge=self.ridge)
        return FactorScorer(made, gain, self.alpha, self.ridge)
