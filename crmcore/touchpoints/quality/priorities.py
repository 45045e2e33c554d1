"""Importance and performance: which touchpoints to invest in, which to keep up, and how sure that is."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, named, number_text
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.estimate_tables import EstimateTable
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.scalars import real

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Priorities", "Priority", "Quadrant", "importance_performance"]

Floats = NDArray[np.float64]
Given = Mapping[str, "Estimate | float"] | EstimateTable


class Quadrant(enum.StrEnum):
    """What to do (Martilla & James 1977), by importance and performance."""

    CONCENTRATE = "concentrate here"  # important, performs below
    KEEP_UP = "keep up the good work"  # important, performs above
    LOW_PRIORITY = "low priority"  # less important, performs below
    OVERKILL = "possible overkill"  # less important, performs above

    @classmethod
    def at(cls, *, important: bool, strong: bool) -> Quadrant:
        """Quadrant of a touchpoint."""
        if important:
            return cls.KEEP_UP if strong else cls.CONCENTRATE
        return cls.OVERKILL if strong else cls.LOW_PRIORITY


@attrs.frozen(kw_only=True)
class Priority:
    """One touchpoint: its quadrant, how probable that is, and how far importance runs ahead of performance.

    Attributes
    ----------
    probability : share
        That importance and performance truly lie on these sides of the cuts; NaN where no intervals were given.
    gap : Estimate
        Importance minus performance, each in standard deviations over the touchpoints: the larger, the more urgent.
    """

    touchpoint: str
    importance: Estimate
    performance: Estimate
    quadrant: Quadrant
    probability: float
    gap: Estimate


@attrs.frozen(kw_only=True)
class Priorities(Document):
    """Touchpoints, the most urgent first (largest gap; ties by name)."""

    rows: tuple[Priority, ...]
    importance_cut: float
    performance_cut: float
    cut: str
    level: float

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, touchpoint: str) -> Priority:
        return named(self.rows, "touchpoint", touchpoint, what="touchpoint")

    @property
    def unsure(self) -> tuple[str, ...]:
        """Touchpoints whose quadrant is less probable than `level`, where intervals were given."""
        return tuple(r.touchpoint for r in self.rows if r.probability < self.level)

    def quadrant(self, which: Quadrant | str, /) -> tuple[str, ...]:
        """Touchpoints of one quadrant, the most urgent first."""
        known = tuple(q.value for q in Quadrant)
        if which not in known:
            raise UnknownName("quadrant", str(which), known)
        return tuple(r.touchpoint for r in self.rows if r.quadrant == which)

    def __str__(self) -> str:
        wide = max(len(r.touchpoint) for r in self.rows)
        lines = [f"{r.touchpoint:{wide}}  {r.quadrant.value}{_sure(r.probability)}" for r in self.rows]
        cuts = f"cuts ({self.cut}): importance {number_text(self.importance_cut)}, performance "
        return "\n".join([*lines, cuts + number_text(self.performance_cut)])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a touchpoint: quadrant, probability, gap, importance and performance with their intervals."""
        rows = []
        for r in self.rows:
            row: dict[str, object] = {
                "touchpoint": r.touchpoint,
                "quadrant": r.quadrant.value,
                "probability": r.probability,
            }
            for part in ("gap", "importance", "performance"):
                e: Estimate = getattr(r, part)
                row |= {part: e.value, f"{part}_low": e.low, f"{part}_high": e.high}
            rows.append(row)
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Importance over performance, with intervals and the four quadrants."""
        from crmcore.charts import quadrants

        return quadrants(
            [r.touchpoint for r in self.rows],
            [r.performance for r in self.rows],
            [r.importance for r in self.rows],
            cuts=(self.performance_cut, self.importance_cut),
            names=(
                Quadrant.CONCENTRATE.value,
                Quadrant.KEEP_UP.value,
                Quadrant.LOW_PRIORITY.value,
                Quadrant.OVERKILL.value,
            ),
            title="Which touchpoints deserve attention",
            description=str(self),
            axes=("performance", "importance"),
        )

    def _repr_html_(self) -> str:
        rows = [
            {
                "touchpoint": r.touchpoint,
                "quadrant": r.quadrant.value,
                "probability": "" if math.isnan(r.probability) else f"{r.probability:.0%}",
                "importance": number_text(r.importance.value),
                "performance": number_text(r.performance.value),
            }
            for r in self.rows
        ]
        return html_table(rows, caption=f"importance and performance, cut at the {self.cut}")


def _sure(probability: float) -> str:
    return "" if math.isnan(probability) else f" ({probability:.0%})"


def importance_performance(
    importance: Given, performance: Given, /, *, cut: str | tuple[float, float] = "mean", level: float = 0.95
) -> Priorities:
    """Sort touchpoints into four quadrants of importance and performance, with the probability of each answer.

    Parameters
    ----------
    importance, performance : touchpoint -> Estimate or number, or an EstimateTable
        Of the same touchpoints, at least two. Importance from `derived_importance` or from asking; performance such
        as the mean satisfaction (`metrics.mean`). Plain numbers have no uncertainty.
    cut : text or (importance, performance)
        "mean" (default), "median", or two numbers. A value at the cut counts as above it.
    level : share
        Of the interval of the gap, and the probability below which a quadrant is called unsure.

    Returns
    -------
    Priorities
        Probabilities take estimates as normal with the standard errors that their intervals tell, importance and
        performance as independent, and a mean cut as moving with the estimates; a median or given cut stands still.

    Raises
    ------
    EmptyInput, UnknownName, BadRows
        Fewer than two touchpoints; one that only one side has; a number that is not finite.

    Examples
    --------
    >>> print(importance_performance({"app": 0.6, "store": 0.5, "e-mail": 0.2, "calls": 0.3},
    ...                              {"app": 2.9, "store": 4.2, "e-mail": 4.1, "calls": 2.5}))
    app     concentrate here
    calls   low priority
    store   keep up the good work
    e-mail  possible overkill
    cuts (mean): importance 0.4, performance 3.42
    """
    check_level(level)
    x, y = _estimates("importance", importance, level), _estimates("performance", performance, level)
    names = tuple(x)
    odd = sorted(set(x) ^ set(y))
    if odd:
        raise UnknownName("touchpoint of one side", odd[0], tuple(n for n in names if n in y) or names)
    if len(names) < 2:
        raise EmptyInput("touchpoints", "quadrants compare touchpoints: pass two at least")
    sides = {"importance": [x[n] for n in names], "performance": [y[n] for n in names]}
    values = {part: np.array([e.value for e in es]) for part, es in sides.items()}
    errors = {part: np.array([_error(e) for e in es]) for part, es in sides.items()}
    cuts, said = _cuts(values, cut)
    moving = said == "mean"
    above = {part: values[part] >= cuts[part] for part in values}
    chance = np.ones(len(names))
    for part in values:
        chance *= _side(values[part] - cuts[part], _distance_error(errors[part], moving=moving))
    if not any(error.any() for error in errors.values()):
        chance[:] = math.nan
    gap, error = _gap(values, errors)
    z = normal_quantile(level)
    rows = [
        Priority(
            touchpoint=name,
            importance=x[name],
            performance=y[name],
            quadrant=Quadrant.at(important=bool(above["importance"][i]), strong=bool(above["performance"][i])),
            probability=float(chance[i]),
            gap=estimate_of(
                gap[i], gap[i] - z * error[i], gap[i] + z * error[i], level=level, n=min(x[name].n, y[name].n),
                rule="importance - performance, in standard deviations", method="normal",
            ),
        )
        for i, name in enumerate(names)
    ]  # fmt: skip
    rows.sort(key=lambda r: (-r.gap.value, r.touchpoint))
    return Priorities(
        rows=tuple(rows),
        importance_cut=cuts["importance"],
        performance_cut=cuts["performance"],
        cut=said,
        level=level,
    )


def _estimates(side: str, given: Given, level: float) -> dict[str, Estimate]:
    pairs = zip(given.labels, given.estimates, strict=True) if isinstance(given, EstimateTable) else given.items()
    found = {name: e if isinstance(e, Estimate) else _exact(side, e, level) for name, e in pairs}
    bad = [i for i, e in enumerate(found.values()) if not all(map(math.isfinite, (e.value, e.low, e.high)))]
    if bad:
        row = BadRow(side, "not a finite number", tuple(bad), tuple(list(found)[i] for i in bad))
        raise BadRows("importance_performance", (row,), "leave out touchpoints that nobody answered for")
    return found


def _exact(side: str, value: float, level: float) -> Estimate:
    number = real(side, value)
    return estimate_of(number, number, number, level=level, n=0, rule=side, method="given")


def _error(e: Estimate) -> float:
    return (e.high - e.low) / (2 * normal_quantile(e.level))


def _cuts(values: Mapping[str, Floats], cut: str | Sequence[float]) -> tuple[dict[str, float], str]:
    if isinstance(cut, str):
        if cut not in ("mean", "median"):
            raise UnknownName("cut", cut, ("mean", "median"))
        return {part: float(np.mean(v) if cut == "mean" else np.median(v)) for part, v in values.items()}, cut
    if len(cut) != 2:
        raise OutOfRange("cut", tuple(cut), "two numbers: importance, performance", "or 'mean', or 'median'")
    return {part: real(f"cut of {part}", c) for part, c in zip(values, cut, strict=True)}, "given"


def _distance_error(error: Floats, *, moving: bool) -> Floats:
    """Standard errors of the distances to the cut; a mean moves with each of its k values."""
    if not moving:
        return error
    k, squared = len(error), error**2
    errors: Floats = np.sqrt(squared * (1 - 1 / k) ** 2 + (squared.sum() - squared) / k**2)
    return errors


def _side(distance: Floats, error: Floats) -> Floats:
    """Probability that the true distance has the sign of the estimated one."""
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(error > 0, np.abs(distance) / error, np.inf)
    sure: Floats = np.asarray(ndtr(score), dtype=np.float64)
    return sure


def _gap(values: Mapping[str, Floats], errors: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    gap, variance = np.zeros(len(values["importance"])), np.zeros(len(values["importance"]))
    for part, sign in (("importance", 1), ("performance", -1)):
        spread = float(values[part].std()) or 1.0
        gap += sign * (values[part] - values[part].mean()) / spread
        variance += (_distance_error(errors[part], moving=True) / spread) ** 2
    return gap, np.sqrt(variance)
