"""How sure class shares and profiles are: intervals from the observed information of the fitted classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.needs.classes import Answers, LatentClassModel, Measures
from crmcore.idic.differentiate.needs.em import Blocks, Parameters, responsibilities
from crmcore.metrics.estimates import Estimate, check_level

__all__ = ["ClassIntervals", "class_intervals", "louis_information"]

Floats = NDArray[np.float64]
EDGE = 1e-6
"""A probability this close to 0 or 1 stands at the boundary, where a likelihood has no curvature to read."""
SINGULAR = 1e13
"""Condition of the scaled information from which a class is not identified by the data."""
LOUIS = "observed information (Louis), logit"


@attrs.frozen(kw_only=True, repr=False)
class ClassIntervals:
    """Shares and profiles of classes with their intervals.

    Attributes
    ----------
    shares : (K,) share of customers in each class
    answers : question to level to (K,) probability of that answer in each class
    means : measure to (K,) mean in each class, in its own unit
    identified : whether the information could be inverted; intervals inside the parameter space are NaN otherwise
    """

    shares: tuple[Estimate, ...]
    answers: Mapping[str, Mapping[str, tuple[Estimate, ...]]]
    means: Mapping[str, tuple[Estimate, ...]]
    identified: bool

    def _rows(self) -> list[dict[str, Any]]:
        found = [("share", "", self.shares)]
        found += [(q, level, v) for q, levels in self.answers.items() for level, v in levels.items()]
        found += [(m, "mean", v) for m, v in self.means.items()]
        return [
            {"class": k, "column": column, "answer": answer, **attrs.asdict(e)}
            for column, answer, estimates in found
            for k, e in enumerate(estimates)
        ]

    def __str__(self) -> str:
        return "\n".join(f"class {k}: share {e}" for k, e in enumerate(self.shares))

    def __repr__(self) -> str:
        return f"ClassIntervals({len(self.shares)} classes)"

    def _repr_html_(self) -> str:
        rows = [{"class": k, "share": e.value, "low": e.low, "high": e.high} for k, e in enumerate(self.shares)]
        return html_table(rows, caption=self.shares[0].method)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a class and number: class, column, answer and the fields of the estimate."""
        rows = self._rows()
        return write_frame({name: [row[name] for row in rows] for name in rows[0]}, backend=backend)


def class_intervals(
    model: LatentClassModel, *, answers: Answers | None = None, measures: Measures | None = None, level: float = 0.95
) -> ClassIntervals:
    """Intervals of class shares, answers and means from the customers that the model was fitted on.

    Parameters
    ----------
    model : fitted classes
    answers, measures : the columns of the fit, None or NaN where not known
    level : coverage aimed at

    Raises
    ------
    OutOfRange
        Not as many customers as the model was fitted on.

    Notes
    -----
    Observed information of the mixture by Louis (1982), JRSS B 44:226: expected information of the complete data less
    the variance of its score over the unknown classes, both given the data. Shares and answers are wide on the logit
    scale, means on their own. A probability at 0 or 1 gets the exact binomial end for the expected size of its class.
    The intervals take the number of classes as given and the classes as those of the best start.

    Examples
    --------
    >>> from crmcore.idic.differentiate.needs import LatentClasses
    >>> visits = {"visits": [1.0, 2.0, 3.0] * 20 + [51.0, 52.0, 53.0] * 20}
    >>> model = LatentClasses(classes=2).fit(measures=visits, seed=1)
    >>> print(class_intervals(model, measures=visits))
    class 0: share 0.5 [0.411, 0.589] (95 %, n = 120, observed information (Louis), logit)
    class 1: share 0.5 [0.411, 0.589] (95 %, n = 120, observed information (Louis), logit)
    """
    check_level(level)
    data, p = model.blocks(answers=answers, measures=measures), model.parameters()
    if len(data.weight) != model.n:
        raise OutOfRange("customers", len(data.weight), f"{model.n}, as in the fit", "pass the columns of the fit")
    r = responsibilities(data, p)[0]
    covariance, identified = _covariance(data, p, r, set(model.at_floor), tuple(model.means))
    at = _Places.of(p)
    z = float(ndtri((1 + level) / 2))

    def share(value: float, block: slice, j: int, group: Floats, size: float, rule: str) -> Estimate:
        if min(value, 1 - value) < EDGE and len(group) > 1:
            end = 1 - ((1 - level) / 2) ** (1 / max(size, 1.0))
            low, high = (0.0, end) if value < 0.5 else (1 - end, 1.0)
            return Estimate(value=value, low=low, high=high, level=level, n=round(size), rule=rule,
                            method="exact end at the boundary")  # fmt: skip
        if len(group) == 1:
            return Estimate(value=value, low=1.0, high=1.0, level=level, n=round(size), rule=rule, method="only one")
        slope = (np.eye(len(group))[j] - group) / (1 - value)
        half = z * float(np.sqrt(slope @ covariance[block, block] @ slope))
        centre = float(logit(value))
        return Estimate(value=value, low=float(expit(centre - half)), high=float(expit(centre + half)), level=level,
                        n=round(size), rule=rule, method=LOUIS)  # fmt: skip

    n, classes = float(data.weight.sum()), range(len(p.share))
    shares = tuple(share(float(p.share[k]), at.share, k, p.share, n, "customers of the class / all") for k in classes)
    profiles: dict[str, dict[str, tuple[Estimate, ...]]] = {}
    for q, (name, levels) in enumerate(model.levels.items()):
        a, b = data.starts[q], data.starts[q + 1]
        sizes = (r * data.weight[:, None]).T @ data.hot[:, a:b].sum(1)
        profiles[name] = {
            text: tuple(
                share(float(p.answer[k, a + j]), at.answer(k, a, b), j, p.answer[k, a:b], float(sizes[k]),
                      "answers of the class")
                for k in classes
            )
            for j, text in enumerate(levels)
        }  # fmt: skip
    means = {}
    for d, name in enumerate(model.means):
        size = (r * data.weight[:, None]).T @ data.seen[:, d]
        deviation = [model.scale[name] * float(np.sqrt(covariance[at.mean(k, d), at.mean(k, d)])) for k in classes]
        means[name] = tuple(
            Estimate(value=m, low=m - z * s, high=m + z * s, level=level, n=round(float(c)), rule="mean of the class",
                     method="observed information (Louis)")
            for m, s, c in zip(model.means[name], deviation, size, strict=True)
        )  # fmt: skip
    return ClassIntervals(shares=shares, answers=profiles, means=means, identified=identified)


@attrs.frozen(eq=False)
class _Places:
    """Where each parameter stands: shares, then answers, means and log variances of class 0, 1, ..."""

    k: int
    levels: int
    measures: int

    @classmethod
    def of(cls, p: Parameters, /) -> _Places:
        return cls(len(p.share), p.answer.shape[1], p.mean.shape[1])

    @property
    def share(self) -> slice:
        return slice(0, self.k)

    @property
    def size(self) -> int:
        return self.k + self.k * (self.levels + 2 * self.measures)

    def answer(self, k: int, a: int, b: int) -> slice:
        begin = self.k + k * (self.levels + 2 * self.measures)
        return slice(begin + a, begin + b)

    def mean(self, k: int, d: int) -> int:
        return self.k + k * (self.levels + 2 * self.measures) + self.levels + d

    def log_variance(self, k: int, d: int) -> int:
        return self.mean(k, d) + self.measures


def louis_information(data: Blocks, p: Parameters, r: Floats, /) -> Floats:
    """Minus the second derivative of the log-likelihood in logits, means and log variances: (P, P).

    Every simplex keeps all its logits, so the matrix has one null direction a simplex; `class_intervals` fixes one.
    """
    at = _Places.of(p)
    out, average = np.zeros((at.size, at.size)), np.zeros((len(data.weight), at.size))
    w = data.weight[:, None] * r
    out[at.share, at.share] += w.sum() * (np.diag(p.share) - np.outer(p.share, p.share))
    for k in range(at.k):
        score = np.zeros((len(data.weight), at.size))
        score[:, at.share] = np.eye(at.k)[k] - p.share
        for a, b in zip(data.starts[:-1], data.starts[1:], strict=True):
            here, known, q = at.answer(k, a, b), data.hot[:, a:b].sum(1), p.answer[k, a:b]
            score[:, here] = data.hot[:, a:b] - known[:, None] * q
            out[here, here] += (w[:, k] @ known) * (np.diag(q) - np.outer(q, q))
        for d in range(at.measures):
            m, s, v = at.mean(k, d), at.log_variance(k, d), p.variance[k, d]
            away = (data.value[:, d] - p.mean[k, d]) * data.seen[:, d]
            score[:, m], score[:, s] = away / v, (away**2 / v - data.seen[:, d]) / 2
            out[m, m] += w[:, k] @ data.seen[:, d] / v
            out[s, s] += w[:, k] @ away**2 / (2 * v)
            out[m, s] += w[:, k] @ away / v
            out[s, m] = out[m, s]
        out -= score.T @ (score * w[:, [k]])
        average += r[:, [k]] * score
    return np.asarray(out + average.T @ (average * data.weight[:, None]), np.float64)


def _covariance(
    data: Blocks, p: Parameters, r: Floats, floored: set[str], measures: tuple[str, ...]
) -> tuple[Floats, bool]:
    at = _Places.of(p)
    free = np.ones(at.size, bool)
    groups = [(at.share, p.share)]
    groups += [
        (at.answer(k, a, b), p.answer[k, a:b])
        for k in range(at.k)
        for a, b in zip(data.starts[:-1], data.starts[1:], strict=True)
    ]
    for where, values in groups:
        keep = (values >= EDGE) & (values <= 1 - EDGE)
        keep[int(values.argmax())] = False  # the reference of the logits
        free[where] = keep
    for d, name in enumerate(measures):
        for k in range(at.k if name in floored else 0):
            free[at.log_variance(k, d)] = False
    information = louis_information(data, p, r)[np.ix_(free, free)]
    out = np.zeros((at.size, at.size))
    if not free.any():
        return out, True
    size = np.sqrt(np.maximum(np.diag(information), 0.0))
    scaled = information / np.outer(np.where(size > 0, size, 1.0), np.where(size > 0, size, 1.0))
    values = np.linalg.eigvalsh(scaled)
    identified = bool(values[0] > 0 and values[-1] / values[0] < SINGULAR)
    part = np.linalg.inv(scaled) / np.outer(size, size) if identified else np.full(scaled.shape, np.nan)
    out[np.ix_(free, free)] = part
    return out, identified
