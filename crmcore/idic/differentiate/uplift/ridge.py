"""Ridge regression whose penalty is chosen by generalised cross-validation: effects on features, fast and safe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_ridge"]

Floats = NDArray[np.float64]
PENALTIES = 10.0 ** np.arange(-2, 7.5, 0.5)


def fit_ridge(matrix: Floats, response: Floats, weight: Floats, /) -> tuple[Floats, float]:
    """Coefficients (p + 1,), the intercept first, and the penalty of least generalised cross-validation.

    Minimises Σ w (y − β₀ − xβ)² + λ Σ β²; λ by Golub, Heath & Wahba (1979), Technometrics 21:215.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 50)[:, None]
    >>> fit_ridge(x, 3 + 2 * x[:, 0], np.ones(50))[0].round(3)
    array([3.   , 1.999])
    """
    total, n = float(weight.sum()), int((weight > 0).sum())
    center = weight @ matrix / total
    middle = float(weight @ response / total)
    root = np.sqrt(weight)
    x, y = (matrix - center) * root[:, None], (response - middle) * root
    values, vectors = np.linalg.eigh(x.T @ x)
    values = np.maximum(values, 0.0)
    slope = vectors.T @ (x.T @ y)
    whole = float(y @ y)
    best = (np.inf, PENALTIES[-1])
    for penalty in PENALTIES:
        shrunk = slope / (values + penalty)
        error = max(whole - 2 * float(slope @ shrunk) + float(values @ shrunk**2), 0.0)
        used = 1.0 + float(np.sum(values / (values + penalty)))
        if used < n and error / (1 - used / n) ** 2 < best[0]:
            best = (error / (1 - used / n) ** 2, float(penalty))
    beta = vectors @ (slope / (values + best[1]))
    return np.concatenate([[middle - float(center @ beta)], beta]), best[1]
