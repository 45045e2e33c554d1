"""Kernels of the additive booster: one cut a feature a round, four corners a pair, on histograms of gradients.

Every round fits all features to the same gradient and moves each by a small step, so that features which repeat each
other share an effect. Early stopping on rows that the bag left out decides how many rounds are kept.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.idic.differentiate.propensity.newton import probabilities

__all__ = ["Layout", "boost_features", "boost_pairs", "pair_scores"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
COARSE = 8
"""Bins a side of a pair."""


@attrs.frozen(eq=False)
class Layout:
    """How features lie in flat tables of `width` bins each.

    Attributes
    ----------
    sizes : (f,) bins of each feature, its last one (missing or new) included
    ordered : (f,) whether bins have an order
    signs : (f,) of the effect, 0 = free
    """

    sizes: Codes
    ordered: NDArray[np.bool_]
    signs: Codes

    @property
    def width(self) -> int:
        """Bins of the widest feature."""
        return int(self.sizes.max())


@attrs.frozen(eq=False)
class Boosted:
    """Tables and logits where the rows left out were predicted best; `rounds` 0 keeps nothing."""

    table: Floats
    train: Floats
    test: Floats
    rounds: int
    loss: float


def boost_features(
    train: Codes, test: Codes, y: tuple[Floats, Floats], w: tuple[Floats, Floats], layout: Layout, /, *, base: float,
    rate: float, rounds: int, patience: int, ridge: float,
) -> Boosted:  # fmt: skip
    """Tables (f · width,) of the main effects.

    Parameters
    ----------
    train, test : (f, n) bins
        Rows that are fitted, rows that decide when to stop.
    y, w : two (n,) each
        Outcome and weight of both.
    base : log odds
        Start of every row.
    """
    f, width = len(layout.sizes), layout.width
    shift = np.arange(f)[:, None] * width

    def step(gradient: Floats, curvature: Floats) -> Floats:
        return _cut(gradient.reshape(f, width), curvature.reshape(f, width), layout, ridge).ravel()

    start = (np.full(train.shape[1], base), np.full(test.shape[1], base))
    return _boost((train + shift, test + shift), y, w, start, step, f * width, rate, rounds, patience)


def _boost(
    flat: tuple[Codes, Codes], y: tuple[Floats, Floats], w: tuple[Floats, Floats], start: tuple[Floats, Floats],
    step: Callable[[Floats, Floats], Floats], size: int, rate: float, rounds: int, patience: int,
) -> Boosted:  # fmt: skip
    from scipy.sparse import csr_matrix

    k, n = flat[0].shape
    place = np.tile(np.arange(n, dtype=np.int32), k)
    hits = csr_matrix((np.ones(k * n), (flat[0].ravel(), place)), shape=(size, n))
    back = hits.T.tocsr()
    m = flat[1].shape[1]
    place = np.tile(np.arange(m, dtype=np.int32), k)
    aside = csr_matrix((np.ones(k * m), (place, flat[1].ravel())), shape=(m, size))
    table = np.zeros(size)
    train, test = start[0].copy(), start[1].copy()
    total = float(w[1].sum())

    def loss_of(logit: Floats) -> float:
        return float(w[1] @ (np.logaddexp(0.0, logit) - y[1] * logit)) / total

    best = Boosted(table.copy(), train.copy(), test.copy(), 0, loss_of(test))
    for turn in range(1, rounds + 1):
        chance = probabilities(train)
        both = np.column_stack([w[0] * (chance - y[0]), w[0] * chance * (1 - chance)])
        sums: NDArray[np.float64] = np.asarray(hits @ both)
        move = rate * step(sums[:, 0], sums[:, 1])
        table += move
        train += back @ move
        test += aside @ move
        loss = loss_of(test)
        if loss < best.loss - 1e-6:
            best = Boosted(table.copy(), train.copy(), test.copy(), turn, loss)
        elif turn - best.rounds >= patience:
            break
    return best


def _cut(gradient: Floats, curvature: Floats, layout: Layout, ridge: float) -> Floats:
    """(f, width) Newton steps of the best two groups of bins of every feature; the last bin of numbers is its own.

    Bins with an order are cut at one place; others are sorted by their own step first, which makes one cut of them the
    best of all two groups (Fisher 1958, JASA 53:789). A cut against the sign of a feature moves nothing.
    """
    f, width = gradient.shape
    rows = np.arange(f)
    last = layout.sizes - 1
    apart = layout.ordered  # numbers: the missing bin takes a step of its own
    alone_g, alone_h = gradient[rows, last].copy(), curvature[rows, last].copy()
    g, h = gradient.copy(), curvature.copy()
    g[rows[apart], last[apart]] = 0.0
    h[rows[apart], last[apart]] = 0.0
    order = np.tile(np.arange(width), (f, 1))
    loose = ~layout.ordered
    ratio = np.where(h[loose] > 0, g[loose] / np.maximum(h[loose], 1e-12), np.inf).round(9)
    order[loose] = np.argsort(ratio, axis=1, kind="stable")
    left_g = np.take_along_axis(g, order, 1).cumsum(axis=1)
    left_h = np.take_along_axis(h, order, 1).cumsum(axis=1)
    all_g, all_h = left_g[:, -1:], left_h[:, -1:]
    right_g, right_h = all_g - left_g, all_h - left_h
    left, right = -left_g / (left_h + ridge), -right_g / (right_h + ridge)
    gain = left_g**2 / (left_h + ridge) + right_g**2 / (right_h + ridge)
    against = (right - left) * layout.signs[:, None] < 0
    gain[against] = -1.0
    at = _first_best(gain[:, :-1])
    rank = np.argsort(order, axis=1, kind="stable")
    moved: Floats = np.where(rank <= at[:, None], left[rows, at][:, None], right[rows, at][:, None])
    moved[gain[rows, at] < 0] = 0.0
    moved[rows[apart], last[apart]] = (-alone_g / (alone_h + ridge))[apart]
    moved[rows[loose], last[loose]] = 0.0  # what was never seen moves nothing
    return moved


def _first_best(gain: Floats) -> Codes:
    """(f,) place of the largest gain; what differs by rounding alone is a tie, or the order of rows would decide."""
    most = gain.max(axis=1, keepdims=True)
    place: Codes = (gain / np.where(most > 0, most, 1.0)).round(9).argmax(axis=1)
    return place


def pair_scores(codes: Codes, pairs: Codes, gradient: Floats, curvature: Floats, /, *, ridge: float) -> Floats:
    """(p,) how much four corners of each pair of features explain of the gradient, beyond cutting either alone.

    Parameters
    ----------
    codes : (f, n) coarse bins in [0, COARSE)
    pairs : (p, 2) features
    """
    found = np.empty(len(pairs))
    size = COARSE * COARSE
    for i, (a, b) in enumerate(pairs):
        cell = codes[a] * COARSE + codes[b]
        g, h = (np.bincount(cell, x, size).astype(np.float64).reshape(1, COARSE, COARSE) for x in (gradient, curvature))
        corners = _corners(g, h)
        both = np.sum([x**2 / (z + ridge) for x, z in corners], axis=0)
        rows = [_two(g.sum(axis=axis)[0], h.sum(axis=axis)[0], ridge) for axis in (1, 2)]
        found[i] = float(both.max()) - max(rows)
    return found


def _two(g: Floats, h: Floats, ridge: float) -> float:
    """Gain of the best cut of one feature."""
    left_g, left_h = g.cumsum()[:-1], h.cumsum()[:-1]
    return float((left_g**2 / (left_h + ridge) + (g.sum() - left_g) ** 2 / (h.sum() - left_h + ridge)).max())


def _corners(g: Floats, h: Floats) -> list[tuple[Floats, Floats]]:
    """Sums over the four corners of every cut of both features: four of (p, COARSE - 1, COARSE - 1)."""
    made = []
    for x in (g, h):
        c = x.cumsum(axis=1).cumsum(axis=2)
        first, top, left, total = c[:, :-1, :-1], c[:, :-1, -1:], c[:, -1:, :-1], c[:, -1:, -1:]
        made.append((first, top - first, left - first, total - top - left + first))
    return list(zip(*made, strict=True))


def boost_pairs(
    train: Codes, test: Codes, y: tuple[Floats, Floats], w: tuple[Floats, Floats], start: tuple[Floats, Floats], /, *,
    rate: float, rounds: int, patience: int, ridge: float,
) -> Boosted:  # fmt: skip
    """Tables (p · COARSE², ) of pairs on top of the main effects; `train` and `test` are (p, n) cells of each pair."""
    p, size = len(train), COARSE * COARSE
    shift = np.arange(p)[:, None] * size
    index = np.arange(COARSE)

    def step(gradient: Floats, curvature: Floats) -> Floats:
        corners = _corners(gradient.reshape(p, COARSE, COARSE), curvature.reshape(p, COARSE, COARSE))
        gain = np.sum([g**2 / (h + ridge) for g, h in corners], axis=0).reshape(p, -1)
        at = _first_best(gain)
        a, b = np.divmod(at, COARSE - 1)
        q = np.arange(p)
        steps = [-g[q, a, b] / (h[q, a, b] + ridge) for g, h in corners]
        up, left = index[None, :, None] <= a[:, None, None], index[None, None, :] <= b[:, None, None]
        s = [v[:, None, None] for v in steps]
        return np.where(up & left, s[0], np.where(up, s[1], np.where(left, s[2], s[3]))).ravel()

    return _boost((train + shift, test + shift), y, w, start, step, p * size, rate, rounds, patience)
