"""Multinomial logistic regression on sparse and dense blocks, with offsets and one penalty a block: a MAP estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Block", "fit_blocks", "log_softmax", "softmax"]

Floats = NDArray[np.float64]


@attrs.frozen(eq=False)
class Block:
    """Columns that share a penalty.

    Parameters
    ----------
    x : (n, m) matrix, sparse or dense
    penalty : number
        L2: half of it times the sum of squares is added to the loss.
    """

    x: csr_array | Floats
    penalty: float


def log_softmax(z: Floats, /) -> Floats:
    """(n, k) logarithms of the probabilities that belong to logits."""
    top = z - z.max(axis=1, keepdims=True)
    return np.asarray(top - np.log(np.exp(top).sum(axis=1, keepdims=True)), np.float64)


def softmax(z: Floats, /) -> Floats:
    """(n, k) probabilities that belong to logits."""
    grown = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True), np.float64)


def fit_blocks(
    blocks: Sequence[Block],
    y: NDArray[np.integer],
    k: int,
    /,
    *,
    weight: Floats | None = None,
    offset: Floats | None = None,
    intercepts: NDArray[np.integer] | None = None,
    intercept_penalty: float = 1e-3,
    rounds: int = 100,
) -> tuple[list[Floats], Floats]:
    """Minimise the weighted log loss plus penalties.

    ``-sum_i w_i log softmax(offset_i + sum_b x_b W_b + intercept_g(i))[y_i] + sum_b penalty_b / 2 * |W_b|^2``

    Parameters
    ----------
    blocks
    y : (n,) classes
        0 to k - 1; a class may be absent.
    k : count
    weight : (n,) numbers
        None counts every row once.
    offset : (n, k) logits
        Held fixed.
    intercepts : (n,) groups
        Rows of a group share intercepts; None is one group.
    intercept_penalty : number
    rounds : count
        Of L-BFGS at most; it stops before where the gradient is flat.

    Returns
    -------
    list of (m_b, k) weights, (groups, k) intercepts
    """
    from scipy.optimize import minimize

    n = len(y)
    group = np.zeros(n, np.int64) if intercepts is None else np.asarray(intercepts, np.int64)
    groups = int(group.max()) + 1 if n else 1
    w = np.ones(n) if weight is None else weight
    base = np.zeros((n, k)) if offset is None else offset
    sizes = [int(block.x.shape[1]) * k for block in blocks]
    cuts = np.cumsum([*sizes, groups * k])[:-1]
    goal = np.zeros((n, k))
    goal[np.arange(n), y] = 1.0
    turned: list[Any] = [block.x.T.tocsr() if not isinstance(block.x, np.ndarray) else block.x.T for block in blocks]

    def loss(theta: Floats) -> tuple[float, Floats]:
        *parts, b = np.split(theta, cuts)
        weights = [part.reshape(-1, k) for part in parts]
        z = base + b.reshape(groups, k)[group]
        for block, v in zip(blocks, weights, strict=True):
            z = z + block.x @ v
        logp = log_softmax(z)
        pull = w[:, None] * (np.exp(logp) - goal)
        value = -float(w @ logp[np.arange(n), y]) + intercept_penalty / 2 * float(b @ b)
        slope = [(t @ pull + block.penalty * v).ravel() for block, v, t in zip(blocks, weights, turned, strict=True)]
        value += sum(block.penalty / 2 * float((v**2).sum()) for block, v in zip(blocks, weights, strict=True))
        own = np.stack([np.bincount(group, pull[:, c], groups) for c in range(k)], axis=1)
        return value, np.concatenate([*slope, own.ravel() + intercept_penalty * b])

    start = np.zeros(sum(sizes) + groups * k)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": rounds, "maxcor": 10, "ftol": 1e-10})
    *parts, b = np.split(np.asarray(best.x, np.float64), cuts)
    return [part.reshape(-1, k) for part in parts], b.reshape(groups, k)
