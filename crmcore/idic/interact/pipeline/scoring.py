"""Forecast against actual: how far the distribution was from what came."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.interact.pipeline.forecasting import Forecast
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.proportions import proportion

__all__ = ["ForecastScore", "ScoredGroup", "crps", "score_forecast"]

Floats = NDArray[np.float64]


def crps(values: Floats, weights: Floats, actual: float, /) -> float:
    """Continuous ranked probability score of a discrete distribution, in the unit of the values; 0 is perfect.

    E|X - y| - E|X - X'| / 2 (Gneiting and Raftery 2007). For a distribution of one point it is the absolute error.

    Parameters
    ----------
    values : (n,) ascending
    weights : (n,) shares that sum to 1
    actual : number

    Examples
    --------
    >>> crps(np.array([0.0, 100.0]), np.array([0.5, 0.5]), 100.0)
    25.0
    """
    upto = np.cumsum(weights)
    spread = 2 * float((weights * values * (2 * upto - weights - 1)).sum())
    return float((weights * np.abs(values - actual)).sum()) - spread / 2


@attrs.frozen(kw_only=True)
class ScoredGroup(Document):
    """One group: what was expected and what came, in minor units; the score is in the same unit, 0 is perfect."""

    name: str
    expected_minor: float
    actual_minor: float
    crps_minor: float
    inside: bool


@attrs.frozen(kw_only=True, repr=False)
class ForecastScore(Document):
    """Forecast against actual: a smaller CRPS is better; `inside` should be near the level of the intervals."""

    groups: tuple[ScoredGroup, ...]
    mean_crps_minor: float
    mean_error_minor: float
    inside: Estimate

    def __repr__(self) -> str:
        return f"ForecastScore({len(self.groups)} groups, mean CRPS {number_text(self.mean_crps_minor)})"

    def __str__(self) -> str:
        lines = [f"mean CRPS {number_text(self.mean_crps_minor)} minor, inside the interval: {self.inside}"]
        lines += [
            f"  {g.name}: expected {number_text(g.expected_minor)}, came {number_text(g.actual_minor)}"
            for g in self.groups
        ]
        return "\n".join(lines)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a group: name, expected_minor, actual_minor, crps_minor, inside."""
        rows = [attrs.asdict(g) for g in self.groups]
        return write_frame({n: [row[n] for row in rows] for n in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([attrs.asdict(g) for g in self.groups], caption=repr(self))


def score_forecast(made: Forecast, actual_minor: Mapping[str, float], /) -> ForecastScore:
    """Hold a forecast against what came.

    Parameters
    ----------
    made : Forecast
    actual_minor : mapping of group name to minor units
        Such as {"2026-06": 5_000_000}; groups without one are left out.

    Raises
    ------
    UnknownName, OutOfRange, EmptyInput
        A group that was not forecast, an amount that is no finite number, nothing to compare.
    """
    if not actual_minor:
        raise EmptyInput("actual_minor", "pass what came of at least one group")
    scored = []
    for name in sorted(actual_minor):
        g, actual = made[name], float(actual_minor[name])
        if not math.isfinite(actual):
            raise OutOfRange(
                f"actual_minor[{name!r}]", actual, "a finite number", "leave groups out that are not known"
            )
        scored.append(
            ScoredGroup(
                name=name,
                expected_minor=g.expected.value,
                actual_minor=actual,
                crps_minor=crps(g.values, g.weights, actual),
                inside=not g.expected.excludes(actual),
            )
        )
    n = len(scored)
    inside = proportion(sum(s.inside for s in scored), n, rule="actuals inside / groups", small_sample_ok=True)
    return ForecastScore(
        groups=tuple(scored),
        mean_crps_minor=sum(s.crps_minor for s in scored) / n,
        mean_error_minor=sum(s.expected_minor - s.actual_minor for s in scored) / n,
        inside=inside,
    )
