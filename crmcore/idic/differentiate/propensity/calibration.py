"""Turn scores into honest probabilities: Platt's line, a beta curve, or the isotonic steps that fit best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadDocument
from crmcore.idic.differentiate.propensity.features import read_weights
from crmcore.idic.differentiate.propensity.newton import fit_logistic, probabilities
from crmcore.idic.differentiate.propensity.scoring import logits_of
from crmcore.metrics.columns import SAME, held_floats, numbers, refuse, same_length, truths
from crmcore.metrics.scalars import named

__all__ = ["METHODS", "Calibration", "calibrate", "isotonic"]

Floats = NDArray[np.float64]
METHODS = ("platt", "beta", "isotonic")


@attrs.frozen(kw_only=True, hash=False)
class Calibration:
    """A monotone map from probabilities to better ones, learnt on rows that the model did not see.

    Attributes
    ----------
    method : "platt", "beta" or "isotonic"
    x, y : knots of the isotonic curve, or nothing
    coefficients : intercept and slopes, or nothing
    n : rows that it was learnt on
    """

    method: str
    coefficients: tuple[float, ...] = ()
    x: Floats = attrs.field(converter=held_floats, eq=SAME, factory=lambda: np.empty(0))
    y: Floats = attrs.field(converter=held_floats, eq=SAME, factory=lambda: np.empty(0))
    n: int = 0

    def apply(self, probability: ArrayLike, /) -> Floats:
        """(n,) calibrated probabilities; the order of rows is kept, though distinct values may become equal.

        Examples
        --------
        >>> held = calibrate([0, 0, 1, 1] * 25, [0.2, 0.4, 0.4, 0.9] * 25, method="isotonic")
        >>> held.apply([0.1, 0.4, 0.95]).tolist()
        [0.0, 0.5, 1.0]
        """
        p = _shares(probability)
        if self.method == "isotonic":
            return np.interp(p, self.x, self.y)
        c = self.coefficients
        if self.method == "platt":
            return probabilities(c[0] + c[1] * logits_of(p))
        p = np.clip(p, 1e-15, 1 - 1e-15)
        return probabilities(c[0] + c[1] * np.log(p) - c[2] * np.log1p(-p))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        from crmcore.documents import to_dict

        return dict(to_dict(self))

    @classmethod
    def from_dict(cls, document: object) -> Calibration:
        """Read what `to_dict` wrote."""
        from crmcore.documents import from_dict

        made = from_dict(cls, dict(document) if isinstance(document, Mapping) else document)
        wanted = {"platt": 2, "beta": 3, "isotonic": 0}.get(made.method, -1)
        if len(made.coefficients) != wanted or len(made.x) != len(made.y) or (not wanted and not len(made.x)):
            hint = "write it with to_dict of the same version of crmcore"
            raise BadDocument("Calibration", (f"method {made.method!r} with other numbers than it has",), hint)
        return made


def _shares(probability: ArrayLike) -> Floats:
    p = numbers("probability", probability)
    refuse("probability", "pass shares between 0 and 1", probability=(~((p >= 0) & (p <= 1)), "not from 0 to 1"))
    return p


def calibrate(
    happened: ArrayLike, probability: ArrayLike, *, method: str = "beta", weights: ArrayLike | None = None
) -> Calibration:
    """Learn how probabilities of rows that the model did not see relate to what happened.

    Parameters
    ----------
    happened, probability : (n,)
        Truths; shares from 0 to 1.
    method
        `"platt"`: a line in log odds (Platt 1999); `"beta"`: log p and log(1 − p) with slopes of 0 or more (Kull,
        Silva Filho & Flach 2017, EJS 11:5052), which holds Platt's line; `"isotonic"`: the rising steps of least
        squares, for a thousand rows or more. The first two put a ridge of 1e-6 on slopes, so that they always end, and
        their slopes are not below 0: the order of customers stays.
    weights : (n,) numbers, optional
        Of rows.
    """
    method = named("calibration method", method, METHODS)
    y, p = truths("happened", happened).astype(np.float64), _shares(probability)
    same_length("calibrate", happened=y, probability=p)
    w = read_weights(weights, y)
    if method == "isotonic":
        x, fitted = isotonic(p, y, w)
        return Calibration(method=method, x=x, y=fitted, n=len(y))
    q = np.clip(p, 1e-15, 1 - 1e-15)
    design = logits_of(p)[:, None] if method == "platt" else np.column_stack([np.log(q), -np.log1p(-q)])
    signs = np.ones(design.shape[1], np.int64)
    found = fit_logistic(design, y, w, penalty=1e-6 * float(w.sum()), signs=signs)
    return Calibration(method=method, coefficients=tuple(map(float, found.coefficients)), n=len(y))


def isotonic(x: Floats, y: Floats, weight: Floats, /) -> tuple[Floats, Floats]:
    """Knots of the rising step function of least squares: pool adjacent violators, ties of x pooled first.

    Ayer, Brunk, Ewing, Reid & Silverman (1955), Annals of Mathematical Statistics 26:641.

    Examples
    --------
    >>> isotonic(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0]), np.ones(3))[1].tolist()
    [0.0, 0.5, 0.5]
    """
    use = weight > 0
    values, where = np.unique(x[use], return_inverse=True)
    mass = np.bincount(where, weights=weight[use])
    mean = np.bincount(where, weights=weight[use] * y[use]) / mass
    blocks: list[list[float]] = []  # mean, weight, how many values
    for m, w in zip(mean.tolist(), mass.tolist(), strict=True):
        blocks.append([m, w, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            last, before = blocks.pop(), blocks[-1]
            total = before[1] + last[1]
            before[:] = [(before[0] * before[1] + last[0] * last[1]) / total, total, before[2] + last[2]]
    fitted = np.repeat([b[0] for b in blocks], [int(b[2]) for b in blocks])
    return values, fitted
