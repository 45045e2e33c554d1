"""The test of proportional hazards: whether scaled Schoenfeld residuals drift with time."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.idic.differentiate.hazards.durations_in import Lives
from crmcore.idic.differentiate.hazards.partial import Cohort, Moments
from crmcore.metrics.durations.survival import kaplan_meier

__all__ = ["Proportionality", "proportionality_of"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class Proportionality:
    """One column: whether its effect drifts with time.

    Attributes
    ----------
    label : of the column
    drift : correlation of the scaled Schoenfeld residuals with 1 − S(t)
    statistic, p_value : chi-square of one degree of freedom; a small p says that the hazard ratio is not constant
    """

    label: str
    drift: float
    statistic: float
    p_value: float

    def __str__(self) -> str:
        return f"{self.label}: drift {self.drift:+.2f}, p = {self.p_value:.3g}"


def proportionality_of(
    cohort: Cohort, moments: Moments, covariance: Floats, labels: tuple[str, ...], lives: Lives, /
) -> tuple[Proportionality, ...]:
    """Test every column on the Kaplan-Meier scale of time.

    Grambsch & Therneau (1994), Biometrika 81:515, with the average information in place of that at each time; events
    that share a time share Efron's mean of their risk set.
    """
    events, k = cohort.events, len(cohort.time)
    often = np.bincount(cohort.of_event, minlength=k)
    mean = np.zeros((k, cohort.x.shape[1]))
    np.add.at(mean, moments.place, moments.mean)
    mean /= np.maximum(often, 1)[:, None]
    weight = cohort.weight[events]
    residual = (cohort.x[events] - mean[cohort.of_event]) * weight[:, None]
    scaled = residual @ covariance * float(weight.sum())
    counted = lives.weight > 0
    curve = kaplan_meier(lives.duration[counted], lives.event[counted], weights=lives.weight[counted])
    place = np.searchsorted(curve.time, lives.duration[events], side="left")
    gone = 1 - np.concatenate([np.ones(1), curve.survival])[place]  # just before each event
    lean = gone - np.average(gone, weights=weight)
    spread = float(weight @ lean**2)
    made = []
    for j, label in enumerate(labels):
        push = float(lean @ scaled[:, j])
        size = float(weight.sum()) * float(covariance[j, j]) * spread
        statistic = push**2 / size if size > 0 else 0.0
        spread_j = float(np.sum((scaled[:, j] - scaled[:, j].mean()) ** 2))
        drift = push / np.sqrt(spread * spread_j) if spread * spread_j > 0 else 0.0
        made.append(Proportionality(label=label, drift=float(drift), statistic=statistic, p_value=_tail(statistic)))
    return tuple(made)


def _tail(statistic: float) -> float:
    """Chance of a chi-square of one degree of freedom above `statistic`."""
    return math.erfc(math.sqrt(statistic / 2))
