"""Simpler journeys: steps that are done twice, how complex journeys are, and which steps could be one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from crmcore._base import html_table, named, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.columns import columns_frame
from crmcore.touchpoints.journeys.following import count_loops, first_visits, follows
from crmcore.touchpoints.journeys.paths import variants
from crmcore.touchpoints.journeys.table import Journeys

__all__ = [
    "Complexity",
    "Merge",
    "RedundancyTable",
    "RedundantStep",
    "Simplification",
    "complexity",
    "merged",
    "redundancies",
    "simplify",
]


@attrs.frozen(kw_only=True)
class RedundantStep:
    """One step that journeys take again: how often, in how many journeys, and the minutes that it took."""

    step: str
    count: int
    journeys: int
    minutes: float


@attrs.frozen(kw_only=True)
class RedundancyTable(Document):
    """Repeated steps, the ones that cost most time first."""

    steps: tuple[RedundantStep, ...]
    rows: int

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, step: str) -> RedundantStep:
        return named(self.steps, "step", step, what="redundant step")

    @property
    def minutes(self) -> float:
        """Minutes of all repeated steps."""
        return float(sum(s.minutes for s in self.steps))

    def __str__(self) -> str:
        lines = [f"{s.step}: {s.count:,} times too often, {number_text(s.minutes)} minutes" for s in self.steps]
        return "\n".join(lines) or f"no repeated step in {self.rows:,} rows"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a step: step, count, journeys, minutes."""
        columns: dict[str, Any] = {"step": [s.step for s in self.steps]}
        columns |= {n: np.array([getattr(s, n) for s in self.steps]) for n in ("count", "journeys", "minutes")}
        return columns_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        return html_table((attrs.asdict(s) for s in self.steps), caption="repeated steps", limit=12)


def redundancies(journeys: Journeys, /, *, scope: str = "direct", times: str = "end") -> RedundancyTable:
    """Find steps that journeys take again.

    Parameters
    ----------
    journeys : Journeys
    scope : "direct", "journey"
        A step is redundant where it repeats the one just before it, or any one before it in its journey.
    times : "end", "start"
        Whether the time of a row is when its step ended (its minutes are those since the row before) or began (those to
        the row after; of a last row none are known, and 0 are counted).

    Examples
    --------
    >>> trace = Journeys.of([["A", "B", "B", "C"]], times_s=[[0, 600, 1500, 1800]])
    >>> print(redundancies(trace))
    B: 1 times too often, 15 minutes
    """
    for name, given, known in (("scope", scope, ("direct", "journey")), ("times", times, ("end", "start"))):
        if given not in known:
            raise UnknownName(name, given, known)
    step, inner = journeys.step, journeys.inner
    n = len(step)
    again = ~first_visits(journeys)
    if scope == "direct":
        again = np.concatenate([[False], inner & (step[1:] == step[:-1])])[:n]
    gap = np.where(inner, np.diff(journeys.time), 0) / 60e6 if n else np.zeros(0)
    minutes = (np.concatenate([[0.0], gap]) if times == "end" else np.append(gap, 0.0))[:n]
    k = len(journeys.steps)
    count = np.bincount(step[again], minlength=k)
    cost = np.bincount(step[again], weights=minutes[again], minlength=k)
    pairs = np.unique(journeys.journey[again] * max(k, 1) + step[again])
    whose = np.bincount(pairs % max(k, 1), minlength=k)
    order = [i for i in np.lexsort((np.arange(k), -count, -cost)).tolist() if count[i]]
    rows = tuple(
        RedundantStep(step=journeys.steps[i], count=int(count[i]), journeys=int(whose[i]), minutes=float(cost[i]))
        for i in order
    )
    return RedundancyTable(steps=rows, rows=n)


@attrs.frozen(kw_only=True)
class Complexity(Document):
    """How complex journeys are.

    Attributes
    ----------
    journeys, steps, edges, variants : counts; steps and edges that differ
    mean_steps : rows of a journey
    entropy_bits : of the variants; 0 where all journeys are alike
    rework_share : rows that repeat a step of their journey
    density : edges of all that could be (steps squared)
    mean_minutes : from the first row to the last
    """

    journeys: int
    steps: int
    edges: int
    variants: int
    mean_steps: float
    entropy_bits: float
    rework_share: float
    density: float
    mean_minutes: float

    def __str__(self) -> str:
        return (
            f"{self.journeys:,} journeys of {number_text(self.mean_steps)} steps ({self.steps} different), "
            f"{self.variants:,} variants ({number_text(self.entropy_bits)} bits), "
            f"{100 * self.rework_share:.1f} % rework, {number_text(self.mean_minutes)} minutes"
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row."""
        return columns_frame({k: np.array([v]) for k, v in attrs.asdict(self).items()}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"measure": k, "value": number_text(v)} for k, v in attrs.asdict(self).items()])


def complexity(journeys: Journeys, /) -> Complexity:
    """Measure how complex journeys are.

    Examples
    --------
    >>> print(complexity(Journeys.of([["ad", "shop", "buy"], ["ad", "ad", "buy"]])))
    2 journeys of 3 steps (3 different), 2 variants (1 bits), 16.7 % rework, 0.0333 minutes
    """
    some = journeys.take(journeys.length > 0)
    if not len(some):
        raise EmptyInput("journeys", "give at least one row")
    graph, found = follows(some, quantiles=()), variants(some)
    used = int((graph.rows > 0).sum())
    return Complexity(
        journeys=len(some),
        steps=used,
        edges=len(graph),
        variants=len(found),
        mean_steps=float(some.length.mean()),
        entropy_bits=found.entropy,
        rework_share=count_loops(some).rework_share,
        density=len(graph) / used**2,
        mean_minutes=float(some.duration_s.mean()) / 60,
    )


@attrs.frozen(kw_only=True)
class Merge:
    """A proposal: two steps that nearly always come together could be one.

    `after` is the share of `first` that is directly followed by `second`, `before` the share of `second` that directly
    follows `first`; `minutes` is all the time between the two, the most that one step in their place could save.
    """

    first: str
    second: str
    count: int
    after: float
    before: float
    minutes: float

    @property
    def name(self) -> str:
        """Name of the step that takes their place."""
        return f"{self.first} + {self.second}"


@attrs.frozen(kw_only=True)
class Simplification(Document):
    """Merges that are proposed, the one that saves most minutes first, and what they would leave."""

    merges: tuple[Merge, ...]
    before: Complexity
    after: Complexity

    @property
    def minutes(self) -> float:
        """Minutes between all merged steps: an upper bound of what is saved."""
        return float(sum(m.minutes for m in self.merges))

    def __str__(self) -> str:
        lines = [
            f"merge {m.first} and {m.second}: {m.count:,} times, {number_text(m.minutes)} minutes" for m in self.merges
        ]
        head = f"{number_text(self.before.mean_steps)} steps a journey -> {number_text(self.after.mean_steps)}"
        return "\n".join([head, *lines])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a merge: first, second, count, after, before, minutes."""
        columns: dict[str, Any] = {n: [getattr(m, n) for m in self.merges] for n in ("first", "second")}
        columns |= {n: np.array([getattr(m, n) for m in self.merges]) for n in ("count", "after", "before", "minutes")}
        return columns_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"merge": m.name, "times": m.count, "minutes": number_text(m.minutes)} for m in self.merges]
        return html_table(rows, caption=str(self).partition("\n")[0], limit=12)


def simplify(
    journeys: Journeys,
    /,
    *,
    together: float = 0.9,
    owner: Mapping[str, str] | None = None,
    most: int | None = None,
) -> Simplification:
    """Propose steps that could be one, because they nearly always come together.

    Parameters
    ----------
    journeys : Journeys
    together : share, above 0.5
        Least share of the first step that is directly followed by the second, and of the second that directly follows
        the first. Each step is in at most one proposal; those that save most minutes are taken first.
    owner : step -> who does it, optional
        Merge only steps of one owner (a department, a touchpoint); steps without one are left alone.
    most : count, optional
        Of proposals.

    Examples
    --------
    >>> walks = Journeys.of([["fill in", "confirm", "pay"], ["fill in", "confirm", "ask", "pay"]])
    >>> print(simplify(walks))
    3.5 steps a journey -> 2.5
    merge fill in and confirm: 2 times, 0.0333 minutes
    """
    if not 0.5 < together <= 1:
        raise OutOfRange("together", together, "above 0.5, at most 1", "0.9 merges what hardly ever comes apart")
    for name in owner or ():
        journeys.code_of(name)
    before = complexity(journeys)
    graph = follows(journeys, quantiles=())
    after = graph.count / np.maximum(graph.rows[graph.source], 1)
    back = graph.count / np.maximum(graph.rows[graph.target], 1)
    minutes = graph.count * graph.mean_s / 60
    ok = (graph.source != graph.target) & (after >= together) & (back >= together)
    merges: list[Merge] = []
    used: set[int] = set()
    for i in np.lexsort((np.arange(len(graph)), -graph.count, -minutes)).tolist():
        a, b = int(graph.source[i]), int(graph.target[i])
        first, second = graph.steps[a], graph.steps[b]
        apart = owner is not None and (first not in owner or owner[first] != owner.get(second))
        if not ok[i] or apart or {a, b} & used or (most is not None and len(merges) >= most):
            continue
        used |= {a, b}
        merges.append(
            Merge(first=first, second=second, count=int(graph.count[i]), after=float(after[i]), before=float(back[i]),
                  minutes=float(minutes[i]))
        )  # fmt: skip
    return Simplification(merges=tuple(merges), before=before, after=complexity(merged(journeys, merges)))


def merged(journeys: Journeys, merges: Sequence[Merge], /) -> Journeys:
    """Journeys in which each pair is one step, at the time of its first; a lone one of the two takes the new name too.

    Examples
    --------
    >>> walks = Journeys.of([["fill in", "confirm", "pay"]])
    >>> merged(walks, simplify(walks.take([0, 0]), owner={"fill in": "web", "confirm": "web"}).merges)[0].steps
    ('fill in + confirm', 'pay')
    """
    drop = np.zeros(len(journeys.step), np.bool_)
    names: dict[str, str] = {}
    for m in merges:
        pair = journeys.inner & (journeys.step[:-1] == journeys.code_of(m.first))
        drop[1:] |= pair & (journeys.step[1:] == journeys.code_of(m.second))
        names |= {m.first: m.name, m.second: m.name}
    return journeys.keep(~drop).renamed(names)
