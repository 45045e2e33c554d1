"""Quality of touchpoints: what customers felt there, how many it reaches, how far it brings them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, named, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import cells_of, codes_of, numbers, people, refuse, same_length
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.proportions import Counts
from crmcore.metrics.shrinking import beta_prior, shrink_means
from crmcore.tables import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["QualityTable", "Steps", "TouchpointQuality", "advances", "touchpoint_quality"]

Floats = NDArray[np.float64]
WIDEST = 500.0  # log of the widest interval: nothing is known beyond


class Steps(Protocol):
    """Journeys as columns, such as `touchpoints.journeys.Journeys`."""

    @property
    def start(self) -> NDArray[np.int64]: ...  # (m + 1,) journey j is rows start[j] to start[j + 1]
    @property
    def step(self) -> NDArray[np.int32]: ...  # (n,) codes into steps
    @property
    def steps(self) -> tuple[str, ...]: ...


def advances(journeys: Steps, stages: Sequence[str] | Mapping[str, int], /) -> Floats:
    """Whether the step after each step is nearer to the end.

    Parameters
    ----------
    journeys : Journeys
        Or anything with `start`, `step` and `steps`.
    stages : list of steps from the first to the last, or step -> rank
        A step that is not named has no rank: neither it nor the step before it is judged.

    Returns
    -------
    (n,) 1 or 0
        1 where the next step ranks higher, 0 where it does not or the journey ends; NaN at the last stage (nothing is
        higher), and where a rank is not known.

    Examples
    --------
    >>> class Walk:
    ...     start, step, steps = np.array([0, 3, 5]), np.array([0, 1, 2, 1, 0]), ("ad", "shop", "buy")
    >>> advances(Walk(), ["ad", "shop", "buy"]).tolist()
    [1.0, 1.0, nan, 0.0, 0.0]
    """
    ranks = stages if isinstance(stages, Mapping) else {name: i for i, name in enumerate(stages)}
    if not ranks:
        raise EmptyInput("stages", "name the steps from the first to the last")
    rank = np.array([ranks.get(name, math.nan) for name in journeys.steps], np.float64)[journeys.step]
    following = np.append(rank[1:], math.nan)
    ends = np.zeros(len(rank), bool)
    ends[journeys.start[1:][np.diff(journeys.start) > 0] - 1] = True
    moved = np.where(np.isnan(following), math.nan, following > rank)
    moved[ends] = 0.0
    moved[np.isnan(rank) | (rank == max(ranks.values()))] = math.nan
    return moved.astype(np.float64)


@attrs.frozen(kw_only=True)
class TouchpointQuality:
    """One touchpoint: experience (0 to 1), reach (share of customers), lift (of the next step), and their product.

    `experience` is None where no answers were given, and `quality` is NaN then.
    """

    touchpoint: str
    touches: int
    experience: Estimate | None
    reach: Estimate
    lift: Estimate
    quality: Estimate


@attrs.frozen(kw_only=True)
class QualityTable(Document):
    """Touchpoints from the best to the worst; those whose quality is not known come last."""

    rows: tuple[TouchpointQuality, ...]
    assumptions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, touchpoint: str) -> TouchpointQuality:
        return named(self.rows, "touchpoint", touchpoint, what="touchpoint")

    def __str__(self) -> str:
        wide = max(len(r.touchpoint) for r in self.rows)
        lines = [f"{r.touchpoint:{wide}}  {_span(r.quality)}  n = {r.touches:,}" for r in self.rows]
        return "\n".join(["quality of touchpoints", *lines, *self.assumptions])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a touchpoint: each part with value, low and high."""
        rows = []
        for r in self.rows:
            row: dict[str, object] = {"touchpoint": r.touchpoint, "touches": r.touches}
            for part in ("quality", "experience", "reach", "lift"):
                e = getattr(r, part)
                for end in ("value", "low", "high"):
                    row[part if end == "value" else f"{part}_{end}"] = math.nan if e is None else getattr(e, end)
            rows.append(row)
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Quality with its interval, of touchpoints where it is known."""
        from crmcore.charts import dot_interval

        drawn = [r for r in self.rows if math.isfinite(r.quality.value)]
        if not drawn:
            raise EmptyInput("the table without a known quality", "collect answers at one touchpoint at least")
        names, values = [r.touchpoint for r in drawn], [r.quality for r in drawn]
        return dot_interval(
            names, values, title="Quality of touchpoints", description=str(self), axis=drawn[0].quality.rule
        )

    def _repr_html_(self) -> str:
        rows = [
            {"touchpoint": r.touchpoint, "touches": r.touches, "quality": _span(r.quality), "reach": _span(r.reach),
             "lift": _span(r.lift), "experience": "missing" if r.experience is None else _span(r.experience)}
            for r in self.rows
        ]  # fmt: skip
        return html_table(rows, caption="; ".join(self.assumptions))


def _span(e: Estimate) -> str:
    return "missing" if math.isnan(e.value) else f"{number_text(e.value)} [{number_text(e.low)}, {number_text(e.high)}]"


def touchpoint_quality(
    touchpoint: TextColumn | ArrayLike,
    customer: ArrayLike,
    *,
    advanced: ArrayLike,
    experience: ArrayLike | None = None,
    scale: tuple[float, float] = (1, 5),
    population: int | None = None,
    level: float = 0.95,
) -> QualityTable:
    """Quality of every touchpoint: experience x reach x lift of the next step.

    ``quality = experience * reach * lift``: experience is the mean answer at the touchpoint, from 0 to 1; reach the
    share of customers who met it; lift the rate of advancing after it over the rate after all touches. Experience and
    rate are empirical-Bayes estimates (`shrinking`): few answers say little, so they are pulled towards the others.
    The interval adds the relative variances of the three parts, as if they were independent.

    Parameters
    ----------
    touchpoint : (n,) text
        Of every touch.
    customer : (n,) codes or ids
        Who it was; -1 and None are visitors whom nobody knows: they count as touches, not for reach.
    advanced : (n,) truth
        Whether the next step was nearer to the goal, see `advances`; NaN and None are not judged.
    experience : (n,) answers, optional
        CSAT or ease given at this touch, on `scale`; NaN and None where nobody was asked. Without the column,
        quality is reach x lift, and says so.
    scale : (lowest, highest)
    population : count, optional
        Customers in all, also those who met nothing here; None counts those in the columns.
    level : share

    Raises
    ------
    EmptyInput, OutOfRange, BadRows
        No touches; columns of several lengths; answers off the scale; fewer in the population than in the columns.

    Examples
    --------
    >>> table = touchpoint_quality(
    ...     ["app"] * 60 + ["call centre"] * 40, list(range(50)) * 2, advanced=[1, 0, 1] * 20 + [0, 1] * 20,
    ...     experience=[5, 4] * 30 + [2, 3] * 20)
    >>> [row.touchpoint for row in table.rows], round(table["app"].experience.value, 2)
    (['app', 'call centre'], 0.87)
    """
    check_level(level)
    cells = cells_of("touchpoint", touchpoint)
    codes, names = codes_of(cells, len(cells), "touchpoint")
    who = people("customer", customer)
    known = who >= 0
    n_people = len(np.unique(who[known]))
    moved = _truth(advanced)
    felt = None if experience is None else _answers(experience, scale)
    same_length("touchpoint_quality", touchpoint=codes, customer=who, advanced=moved, experience=felt)
    if not len(codes):
        raise EmptyInput("touches", "pass at least one touch")
    everybody = n_people if population is None else population
    if everybody < max(n_people, 1):
        raise OutOfRange("population", everybody, f"at least {max(n_people, 1)}, the known customers", "count all")
    k = len(names)
    touches = np.bincount(codes, minlength=k)
    pairs = np.unique(np.column_stack([codes[known], who[known]]), axis=0)
    met = np.bincount(pairs[:, 0], minlength=k)
    felt_parts = None if felt is None else _experience(codes, felt, k)
    rates = _rates(codes, moved, k)
    rows = [_row(names[i], int(touches[i]), felt_parts, rates, (int(met[i]), everybody), i, level) for i in range(k)]
    rows.sort(
        key=lambda r: (
            math.isnan(r.quality.value),
            -r.quality.value if r.quality.value == r.quality.value else 0,
            r.touchpoint,
        )
    )
    said = ["lift compares what follows a touch; it is no proof that the touch is the cause"]
    if felt is None:
        said.append("no answers were given: quality is reach x lift")
    return QualityTable(rows=tuple(rows), assumptions=tuple(said))


def _truth(cells: ArrayLike) -> Floats:
    column = numbers("advanced", cells)
    odd = ~np.isnan(column) & (column != 0) & (column != 1)
    refuse("touchpoint_quality", "write 1 or 0, and NaN where it is not known", advanced=(odd, "neither 1 nor 0"))
    return column


def _answers(cells: ArrayLike, scale: tuple[float, float]) -> Floats:
    low, high = scale
    if not low < high:
        raise OutOfRange("scale", scale, "(lowest, highest)", "such as (1, 5)")
    column = numbers("experience", cells)
    off = ~np.isnan(column) & ((column < low) | (column > high))
    refuse(
        "touchpoint_quality", f"answers lie from {low:g} to {high:g}; pass scale=", experience=(off, "off the scale")
    )
    return (column - low) / (high - low)


def _experience(codes: NDArray[np.intp], felt: Floats, k: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Posterior mean and variance of each touchpoint's answers, and their number; the variance within is pooled."""
    there = ~np.isnan(felt)
    c, x = codes[there], felt[there]
    n = np.bincount(c, minlength=k)
    mean = np.bincount(c, weights=x, minlength=k) / np.maximum(n, 1)
    within = float(((x - mean[c]) ** 2).sum()) / max(len(x) - int((n > 0).sum()), 1)
    asked = n > 0
    posterior, variance = np.full(k, math.nan), np.full(k, math.nan)
    if asked.any():
        error = np.maximum(within, 1e-12) / n[asked]
        posterior[asked], variance[asked], _ = shrink_means(mean[asked], error)
    return posterior, variance, n


def _rates(codes: NDArray[np.intp], moved: Floats, k: int) -> tuple[Floats, Floats, float]:
    """Parameters of each touchpoint's posterior rate of advancing, and the rate of all; NaN where none was judged."""
    judged = ~np.isnan(moved)
    n = np.bincount(codes[judged], minlength=k).astype(float)
    s = np.bincount(codes[judged], weights=moved[judged], minlength=k).astype(float)
    some = n > 0
    a, b = np.full(k, math.nan), np.full(k, math.nan)
    if some.any():
        prior = beta_prior(s[some], n[some])
        a[some], b[some] = s[some] + prior[0], n[some] - s[some] + prior[1]
    return a, b, float(s.sum() / n.sum()) if n.sum() else math.nan


def _row(
    name: str, touches: int, felt: tuple[Floats, Floats, NDArray[np.int64]] | None, rates: tuple[Floats, Floats, float],
    met: tuple[int, int], i: int, level: float,
) -> TouchpointQuality:  # fmt: skip
    from scipy.special import betaincinv, polygamma

    z = normal_quantile(level)
    tail = (1 - level) / 2
    reach = Counts(*met).estimate(level=level, rule="customers who met it / customers", small_sample_ok=True)
    a, b, base = float(rates[0][i]), float(rates[1][i]), rates[2]
    rate = a / (a + b)
    lift = estimate_of(
        rate / base if base else math.nan, betaincinv(a, b, tail) / base if base else math.nan,
        betaincinv(a, b, 1 - tail) / base if base else math.nan,
        level=level, n=touches, rule="rate of advancing / rate of all touches", method="beta posterior",
    )  # fmt: skip
    parts, log_variance = [reach.value, lift.value], float(polygamma(1, a) - polygamma(1, a + b))
    log_variance += float(polygamma(1, met[0] + 0.5) - polygamma(1, met[1] + 1.0))
    experience = None
    if felt is not None:
        e, variance, n = float(felt[0][i]), float(felt[1][i]), int(felt[2][i])
        if n:
            half = z * math.sqrt(variance)
            experience = estimate_of(
                e,
                max(e - half, 0.0),
                min(e + half, 1.0),
                level=level,
                n=n,
                rule="mean answer, 0 to 1",
                method="empirical Bayes",
            )
        parts.append(e if n else math.nan)
        log_variance += variance / e**2 if n and e > 0 else 0.0
    value = math.prod(parts)
    width = math.exp(min(z * math.sqrt(log_variance), WIDEST)) if math.isfinite(log_variance) else math.nan
    rule = "reach x lift" if felt is None else "experience x reach x lift"
    quality = estimate_of(
        value, value / width, value * width, level=level, n=touches, rule=rule, method="relative variances"
    )
    return TouchpointQuality(
        touchpoint=name, touches=touches, experience=experience, reach=reach, lift=lift, quality=quality
    )
