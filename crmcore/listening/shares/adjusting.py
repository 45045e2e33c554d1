"""Adjusted counts: shares of classes when the classifier's errors are known from labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import cells_of, is_missing
from crmcore.metrics.estimates import check_level, estimate_of, warn_if_small
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.shares import ShareTable
from crmcore.tables.columns import TextColumn

__all__ = ["adjusted_counts"]

Floats = NDArray[np.float64]
BLURRED = 0.05  # smallest singular value of the table of errors below which classes are not told apart


def _words(name: str, column: TextColumn | ArrayLike) -> list[str | None]:
    return [None if is_missing(c) or c == "" else str(c) for c in cells_of(name, column).tolist()]


def adjusted_counts(
    predicted: TextColumn | ArrayLike,
    labels: TextColumn | ArrayLike,
    *,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> ShareTable:
    """Shares of classes among all posts, the classifier's confusions undone.

    The errors of the classifier are taken to depend on the true class only: what it makes of a complaint is the same in
    every group of posts. Labels may then be drawn class by class. Where brands or times differ in more than their
    shares use `correct_sentiment`.

    Parameters
    ----------
    predicted : (n,) text
        Class of every post by the classifier, labelled ones included.
    labels : (n,) text
        True class, None where nobody labelled; every class needs at least one label, and about 20 to be of use.
    level : share
        Coverage of each interval by itself.

    Returns
    -------
    ShareTable
        In sorted order of classes; shares add up to 1.

    Raises
    ------
    EmptyInput
        No posts or no labels; a class that was predicted and never labelled.
    OutOfRange
        The classifier does not tell the classes apart: nothing can be undone.

    Notes
    -----
    With C the table of P(predicted | true) and q the shares predicted, p solves C p = q, on the simplex: Forman (2008),
    Data Mining and Knowledge Discovery 17:164. Intervals by the delta method,
    C⁻¹ (Σ_t p_t² cov C_t + cov q) C⁻ᵀ, with one half added to every cell of the counts for the covariance.

    Examples
    --------
    >>> said = ["complaint"] * 60 + ["other"] * 140
    >>> labels = ["complaint"] * 20 + ["other"] * 10 + [None] * 30 + ["complaint"] * 5 + ["other"] * 65 + [None] * 70
    >>> print(adjusted_counts(said, labels))
    complaint  0.25 [0.107, 0.393] (95 %, n = 100, adjusted counts)
    other      0.75 [0.607, 0.893] (95 %, n = 100, adjusted counts)
    """
    check_level(level)
    said, true = _words("predicted", predicted), _words("labels", labels)
    if len(said) != len(true):
        raise OutOfRange("len(labels)", len(true), f"{len(said)}, as predicted", "one label a post, None where unknown")
    pairs = [(t, p) for t, p in zip(true, said, strict=True) if t is not None and p is not None]
    if not pairs:
        raise EmptyInput("the labelled sample", "label some posts that the classifier read")
    classes = sorted({t for t, _ in pairs})
    strange = sorted({p for p in said if p is not None} - set(classes))
    if strange:
        raise EmptyInput(f"the labelled sample of class {strange[0]!r}", "label posts of every class that is predicted")
    warn_if_small(len(pairs), "the adjusted count", ok=small_sample_ok)
    at = {c: i for i, c in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, ([at[p] for _, p in pairs], [at[t] for t, _ in pairs]), 1)
    heard = np.bincount([at[p] for p in said if p is not None], minlength=len(classes)).astype(np.float64)
    shares, errors = _solved(counts, heard)
    half = normal_quantile(level) * errors
    made = tuple(
        estimate_of(
            s, max(s - h, 0.0), min(s + h, 1.0), level=level, n=len(pairs), rule=f"{c} / all", method="adjusted counts"
        )
        for c, s, h in zip(classes, shares, half, strict=True)
    )
    return ShareTable(tuple(classes), made)


def _solved(counts: Floats, heard: Floats) -> tuple[Floats, Floats]:
    """Shares (c,) and their standard errors from counts (predicted, true) and what was predicted of all."""
    table = counts / counts.sum(axis=0)
    blur = float(np.linalg.svd(table, compute_uv=False).min())
    if blur < BLURRED:
        hint = "the classifier mixes classes up wholly: merge classes, or use correct_sentiment"
        raise OutOfRange("smallest singular value of the table of errors", round(blur, 4), f"{BLURRED} or more", hint)
    n = heard.sum()
    q = heard / n
    shares = _on_simplex(table, q)
    smooth = (counts + 0.5) / (counts + 0.5).sum(axis=0)
    spread = (np.diag(q) - np.outer(q, q)) / n
    for share, column, k in zip(shares, smooth.T, counts.sum(axis=0), strict=True):
        spread += share**2 * (np.diag(column) - np.outer(column, column)) / k
    back = np.linalg.inv(table)
    return shares, np.sqrt(np.maximum(np.diag(back @ spread @ back.T), 0.0))


def _on_simplex(table: Floats, q: Floats) -> Floats:
    """Shares from 0 that add up to 1 and explain q best."""
    exact = np.linalg.solve(table, q)
    if (exact >= 0).all():
        found: Floats = exact / exact.sum()
        return found
    from scipy.optimize import nnls

    heavy = 1e3  # of the row that says: the sum is 1
    shares: Floats = nnls(np.vstack([table, np.full(len(q), heavy)]), np.append(q, heavy))[0]
    held: Floats = shares / shares.sum()
    return held
