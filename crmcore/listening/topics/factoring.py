"""Non-negative factors of texts and terms: a deterministic start, coordinate descent, statistics that add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["factor", "loads_of", "refined", "start"]

Floats = NDArray[np.float64]
TINY = 1e-12


def start(x: csr_array, k: int, /) -> Floats:
    """(k, m) first profiles: non-negative halves of singular vectors (NNDSVD, Boutsidis and Gallopoulos 2008).

    The Lanczos process begins at a fixed vector, so equal matrices give equal profiles.
    """
    from scipy.sparse.linalg import svds

    n, m = x.shape
    rank = min(k, min(n, m) - 1)
    profiles = np.full((k, m), float(x.mean()) + TINY)
    if rank < 1:
        return profiles
    begin = np.linspace(1.0, 2.0, min(n, m))
    _, strength, right = svds(x.astype(np.float64), k=rank, v0=begin)
    for i, j in enumerate(np.argsort(-strength, kind="stable")):
        vector = right[j]
        up, down = np.maximum(vector, 0), np.maximum(-vector, 0)
        side = up if i == 0 or (up**2).sum() >= (down**2).sum() else down
        if i == 0:
            side = np.abs(vector)
        profiles[i] = np.maximum(side * np.sqrt(strength[j]), TINY)
    return profiles


def loads_of(x: csr_array, profiles: Floats, /, *, rounds: int = 20, first: Floats | None = None) -> Floats:
    """(n, k) non-negative loads W that bring W @ profiles closest to x, each row by itself (HALS)."""
    cross = x @ profiles.T
    gram = profiles @ profiles.T
    loads = np.maximum(cross / (np.diag(gram) + TINY), 0) / len(profiles) if first is None else first.copy()
    for _ in range(rounds):
        for j in range(len(profiles)):
            loads[:, j] = np.maximum(loads[:, j] + (cross[:, j] - loads @ gram[:, j]) / (gram[j, j] + TINY), 0)
    return loads


def refined(profiles: Floats, cross: Floats, gram: Floats, /, *, rounds: int = 1) -> Floats:
    """(k, m) profiles H that fit the statistics W'X (k, m) and W'W (k, k), by one coordinate after the other."""
    out = profiles.copy()
    for _ in range(rounds):
        for j in range(len(out)):
            out[j] = np.maximum(out[j] + (cross[j] - gram[j] @ out) / (gram[j, j] + TINY), 0)
    return out


def factor(x: csr_array, k: int, /, *, rounds: int = 40, tolerance: float = 1e-4) -> tuple[Floats, Floats]:
    """Loads (n, k) and profiles (k, m) of minimal squared error, and profiles of unit length.

    Stops when a round lowers the error by less than `tolerance` of the squares of x.
    """
    profiles = start(x, k)
    loads = loads_of(x, profiles, rounds=3)
    whole = float((x.data**2).sum())
    last = np.inf
    for _ in range(rounds):
        cross, gram = (x.T @ loads).T, loads.T @ loads
        profiles = refined(profiles, cross, gram)
        loads = loads_of(x, profiles, rounds=1, first=loads)
        fit = float((loads * (x @ profiles.T)).sum())
        error = whole - 2 * fit + float(((loads.T @ loads) * (profiles @ profiles.T)).sum())
        if last - error < tolerance * whole:
            break
        last = error
    length = np.sqrt((profiles**2).sum(axis=1)) + TINY
    return loads * length, profiles / length[:, None]
