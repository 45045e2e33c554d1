"""Folds: which rows test which, balanced by outcome, the same for the same rows whatever their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.metrics.scalars import seeded

__all__ = ["fold_codes", "row_keys"]

Floats = NDArray[np.float64]


def row_keys(matrix: NDArray[Any], /) -> Floats:
    """(n,) one number a row that depends on its cells alone; equal rows have equal keys.

    Examples
    --------
    >>> keys = row_keys(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]))
    >>> bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    (True, False)
    """
    direction: Floats = np.random.default_rng(0).standard_normal((matrix.shape[1],))
    keys = np.zeros(len(matrix))
    for j, part in enumerate(direction):  # in the same order for every row, unlike a product
        keys += matrix[:, j] * part
    return keys


def fold_codes(
    happened: Floats, keys: Floats | None = None, /, *, folds: int, seed: int | np.random.Generator
) -> NDArray[np.int64]:
    """(n,) fold of each row, in [0, folds): both outcomes are dealt out evenly.

    With `keys` a row's fold depends on the set of rows and not on their order.

    Examples
    --------
    >>> np.bincount(fold_codes(np.array([0.0, 1.0] * 10), folds=5, seed=1)).tolist()
    [4, 4, 4, 4, 4]
    """
    n = len(happened)
    if not 2 <= folds <= n:
        raise OutOfRange("folds", folds, f"2 to {n}, the number of rows", "5 suit most tables")
    rng = seeded(seed)
    order = np.arange(n) if keys is None else np.lexsort((happened, keys))
    order = order[rng.permutation(n)]
    order = order[np.argsort(happened[order], kind="stable")]
    codes = np.empty(n, np.int64)
    codes[order] = np.arange(n) % folds
    return codes
