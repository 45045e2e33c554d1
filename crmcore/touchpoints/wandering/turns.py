"""How far customers wander, and whether the order of two touchpoints matters for the goal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics import Counts, Estimate, mean
from crmcore.metrics.columns import truths
from crmcore.metrics.comparing import p_text
from crmcore.metrics.estimates import frame_of
from crmcore.metrics.multiplicity import adjust

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["OrderEffect", "OrderEffects", "Wandering", "order_effects", "wandering"]

Floats = NDArray[np.float64]


class Steps(Protocol):
    """Journeys as columns."""

    @property
    def start(self) -> NDArray[np.int64]: ...  # (m + 1,) journey j is rows start[j] to start[j + 1]
    @property
    def step(self) -> NDArray[np.int32]: ...  # (n,) codes into steps
    @property
    def steps(self) -> tuple[str, ...]: ...


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Wandering:
    """How far each of m journeys strays.

    Attributes
    ----------
    length : (m,) steps
    distinct : (m,) different touchpoints
    returns : (m,) steps to a touchpoint where the journey was before, other than the one it stands on
    straightness : (m,) distinct moves / moves; 1 = no move was made twice; NaN below two steps
    """

    length: NDArray[np.int64]
    distinct: NDArray[np.int64]
    returns: NDArray[np.int64]
    straightness: Floats

    def __len__(self) -> int:
        return len(self.length)

    def means(self, *, level: float = 0.95) -> dict[str, Estimate]:
        """Mean of each measure over journeys."""
        found = {}
        for name in ("length", "distinct", "returns", "straightness"):
            column = np.asarray(getattr(self, name), np.float64)
            told = f"{name} a journey"
            found[name] = mean(column[~np.isnan(column)], level=level, rule=told, small_sample_ok=True)
        return found

    def __str__(self) -> str:
        return "\n".join(f"{name:12}  {e}" for name, e in self.means().items())

    def __repr__(self) -> str:
        return f"Wandering({len(self)} journeys)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a journey: length, distinct, returns, straightness."""
        from crmcore.metrics.columns import columns_frame

        names = ("length", "distinct", "returns", "straightness")
        return columns_frame({n: getattr(self, n) for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"measure": n, "mean": str(e)} for n, e in self.means().items()], caption=repr(self))


def wandering(journeys: Steps, /) -> Wandering:
    """Measure how far journeys stray from a straight way.

    Examples
    --------
    >>> class Walk:
    ...     start, step, steps = np.array([0, 5]), np.array([0, 1, 0, 1, 2]), ("explore", "evaluate", "buy")
    >>> found = wandering(Walk())
    >>> found.distinct.tolist(), found.returns.tolist(), found.straightness.tolist()
    ([3], [2], [0.75])
    """
    edges, codes = np.asarray(journeys.start, np.int64), np.asarray(journeys.step, np.int64)
    m, s = len(edges) - 1, max(len(journeys.steps), 1)
    if m < 1:
        raise EmptyInput("journeys", "pass at least one")
    path = np.repeat(np.arange(m), np.diff(edges))
    _, first = np.unique(path * s + codes, return_index=True)
    new = np.zeros(len(codes), np.bool_)
    new[first] = True
    same = np.zeros(len(codes), np.bool_)
    same[1:] = (path[1:] == path[:-1]) & (codes[1:] == codes[:-1])
    inner = np.flatnonzero(path[1:] == path[:-1])
    moves = np.bincount(path[inner], minlength=m)
    kinds = np.bincount(np.unique(path[inner] * s * s + codes[inner] * s + codes[inner + 1]) // (s * s), minlength=m)
    return Wandering(
        length=np.diff(edges), distinct=np.bincount(path[new], minlength=m),
        returns=np.bincount(path[~new & ~same], minlength=m),
        straightness=np.divide(kinds, moves, out=np.full(m, np.nan), where=moves > 0),
    )  # fmt: skip


@attrs.frozen(kw_only=True)
class OrderEffect:
    """Journeys that met both touchpoints: how often they reached the goal by which came first."""

    first: str
    then: str
    in_order: Estimate
    turned: Estimate
    difference: Estimate
    p_value: float
    p_adjusted: float


@attrs.frozen(kw_only=True)
class OrderEffects(Document):
    """Pairs of touchpoints, the surest first; `found` are those that chance does not explain, all pairs considered."""

    rows: tuple[OrderEffect, ...]
    alpha: float

    def __len__(self) -> int:
        return len(self.rows)

    def found(self) -> tuple[OrderEffect, ...]:
        """Pairs whose adjusted p-value is at most alpha."""
        return tuple(r for r in self.rows if r.p_adjusted <= self.alpha)

    def __str__(self) -> str:
        sure = self.found()
        head = f"{len(self.rows)} pairs of touchpoints, {len(sure)} whose order matters"
        lines = [f"  {r.first} before {r.then}: {r.difference} ({p_text(r.p_adjusted)})" for r in sure]
        return "\n".join([head, *lines])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a pair: first, then, in_order, turned, difference, low, high, n, p_value, p_adjusted."""
        rows = [
            {
                "first": r.first, "then": r.then, "in_order": r.in_order.value, "turned": r.turned.value,
                "difference": r.difference.value, "low": r.difference.low, "high": r.difference.high,
                "n": r.difference.n, "p_value": r.p_value, "p_adjusted": r.p_adjusted,
            }
            for r in self.rows
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Differences with intervals, the surest first."""
        from crmcore.charts import dot_interval

        rows = self.rows[:15]
        if not rows:
            raise EmptyInput("pairs of touchpoints", "no two were met in both orders often enough")
        return dot_interval(
            [f"{r.first} before {r.then}" for r in rows], [r.difference for r in rows], percent=True, reference=0.0,
            title="Does it matter what comes first?", description=str(self),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [
            {"first": r.first, "then": r.then, "difference": str(r.difference), "p": p_text(r.p_adjusted)}
            for r in self.rows[:20]
        ]
        return html_table(rows, caption=str(self).split("\n")[0])


def order_effects(
    journeys: Steps, goal: ArrayLike, /, *, level: float = 0.95, least: int = 30, adjustment: str = "holm"
) -> OrderEffects:
    """Whether meeting one touchpoint before another goes with reaching the goal.

    Compared are journeys that met both: first meeting of the one before that of the other, and the other way round. A
    comparison, not an experiment: who meets what first is not drawn by lot.

    Parameters
    ----------
    journeys : Journeys
    goal : (m,) truths
        Whether each journey reached it.
    least : count
        Pairs with fewer journeys in either order are left out.
    adjustment : name
        Of the correction for looking at many pairs; see `crmcore.metrics.multiplicity`.
    """
    edges, codes = np.asarray(journeys.start, np.int64), np.asarray(journeys.step, np.int64)
    m, s, won = len(edges) - 1, len(journeys.steps), truths("goal", goal)
    if len(won) != m:
        raise OutOfRange("len(goal)", len(won), f"{m}, one a journey", "say for every journey whether it got there")
    path = np.repeat(np.arange(m), np.diff(edges))
    first = np.full((m, s), np.iinfo(np.int64).max)
    np.minimum.at(first, (path, codes), np.arange(len(codes)))
    rows = []
    for a in range(s):
        for b in range(a + 1, s):
            both = (first[:, a] < np.iinfo(np.int64).max) & (first[:, b] < np.iinfo(np.int64).max)
            ahead = both & (first[:, a] < first[:, b])
            behind = both & ~ahead
            if min(ahead.sum(), behind.sum()) < least:
                continue
            counts = [Counts(int(won[x].sum()), int(x.sum())) for x in (ahead, behind)]
            made = counts[0].minus(counts[1], level=level)
            turn = made.difference.value < 0  # tell the order that helps
            if turn:
                made = counts[1].minus(counts[0], level=level)
            names = (journeys.steps[b], journeys.steps[a]) if turn else (journeys.steps[a], journeys.steps[b])
            rows.append((names, made))
    raw = [made.p_value for _, made in rows]
    adjusted = adjust(raw, method=adjustment).tolist() if rows else raw
    told = [
        OrderEffect(
            first=names[0], then=names[1], in_order=made.first, turned=made.second, difference=made.difference,
            p_value=made.p_value, p_adjusted=float(p),
        )
        for (names, made), p in zip(rows, adjusted, strict=True)
    ]  # fmt: skip
    return OrderEffects(rows=tuple(sorted(told, key=lambda r: r.p_value)), alpha=1 - level)
