"""What follows what: the directly-follows graph with its gaps, loops, and shares by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.columns import SAME, columns_frame, held, held_floats, held_whole
from crmcore.touchpoints.journeys.table import Journeys

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["FollowsGraph", "LoopCounts", "StepMatrix", "follows", "count_loops", "grouped_quantiles", "step_matrix"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def grouped_quantiles(group: NDArray[np.integer], value: Ints, shares: Sequence[float], /, *, n_groups: int) -> Floats:
    """Quantiles of the values of each group, between two values by straight line (Hyndman & Fan's type 7).

    Parameters
    ----------
    group : (n,) codes in [0, n_groups)
    value : (n,) whole numbers from 0
    shares : k shares in [0, 1]

    Returns
    -------
    (n_groups, k)
        NaN for a group without values.

    Examples
    --------
    >>> grouped_quantiles(np.array([0, 1, 0]), np.array([4, 7, 2]), [0.5], n_groups=3)[:, 0].tolist()
    [3.0, 7.0, nan]
    """
    count = np.bincount(group, minlength=n_groups)
    out = np.full((n_groups, len(shares)), np.nan)
    if not len(value):
        return out
    bits = int(value.max()).bit_length()
    if n_groups.bit_length() + bits <= 63:  # one packed sort
        ranked = np.sort((group.astype(np.int64) << bits) | value) & ((1 << bits) - 1)
    else:
        ranked = value[np.lexsort((value, group))]
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    some = count > 0
    for k, share in enumerate(shares):
        at = (count[some] - 1) * share
        low = np.floor(at).astype(np.int64)
        below = ranked[first[some] + low].astype(np.float64)
        above = ranked[first[some] + np.minimum(low + 1, count[some] - 1)]
        out[some, k] = below + (at - low) * (above - below)
    return out


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FollowsGraph(Document):
    """Which step directly follows which, how often and how long after; the most frequent first.

    Attributes
    ----------
    source, target : (e,) codes into `steps`
    count : (e,) how often target came directly after source
    mean_s, median_s : (e,) seconds between them
    quantile_s : (e, k) seconds, at the shares `quantiles`
    starts, ends, rows : (s,) how often each step begins a journey, ends one, happens
    journeys : count of journeys with a row

    Examples
    --------
    >>> print(follows(Journeys.of([["ad", "shop", "buy"], ["ad", "shop"]])))
    2 journeys, 2 edges between 3 steps
    ad -> shop   2 times, 1 s on average (median 1 s)
    shop -> buy  1 times, 1 s on average (median 1 s)
    """

    steps: tuple[str, ...]
    source: Ints = attrs.field(converter=held_whole)
    target: Ints = attrs.field(converter=held_whole)
    count: Ints = attrs.field(converter=held_whole)
    mean_s: Floats = attrs.field(converter=held_floats)
    median_s: Floats = attrs.field(converter=held_floats)
    quantile_s: Floats = attrs.field(converter=held_floats)
    quantiles: tuple[float, ...]
    starts: Ints = attrs.field(converter=held_whole)
    ends: Ints = attrs.field(converter=held_whole)
    rows: Ints = attrs.field(converter=held_whole)
    journeys: int

    def __len__(self) -> int:
        return len(self.count)

    def __repr__(self) -> str:
        return f"FollowsGraph({len(self)} edges, {len(self.steps)} steps, {self.journeys:,} journeys)"

    def __str__(self) -> str:
        head = f"{self.journeys:,} journeys, {len(self)} edges between {len(self.steps)} steps"
        rows = self._rows()[:20]
        wide = max((len(f"{r['source']} -> {r['target']}") for r in rows), default=0)
        lines = [
            f"{r['source']} -> {r['target']}".ljust(wide)
            + f"  {r['count']:,} times, {number_text(r['mean_s'])} s on average (median {number_text(r['median_s'])} s)"
            for r in rows
        ]
        more = [f"... {len(self) - 20} more"] if len(self) > 20 else []
        return "\n".join([head, *lines, *more])

    def matrix(self) -> Ints:
        """(s, s) counts, from the row's step to the column's."""
        made = np.zeros((len(self.steps), len(self.steps)), np.int64)
        made[self.source, self.target] = self.count
        return made

    def edge(self, source: str, target: str) -> Mapping[str, Any]:
        """One edge; a step that nobody took is refused, an edge that nobody took has the count 0."""
        for name in (source, target):
            if name not in self.steps:
                raise UnknownName("step", name, self.steps)
        a, b = self.steps.index(source), self.steps.index(target)
        at = np.flatnonzero((self.source == a) & (self.target == b))
        empty = {"source": source, "target": target, "count": 0, "mean_s": np.nan, "median_s": np.nan}
        return self._rows()[int(at[0])] if len(at) else empty

    def most_taken(self, n: int) -> FollowsGraph:
        """The n most frequent edges; starts, ends and rows stay."""
        part = {name: getattr(self, name)[:n] for name in _EDGE_COLUMNS}
        return attrs.evolve(self, **part)

    def _rows(self) -> list[dict[str, Any]]:
        columns = self.columns()
        return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]

    def columns(self) -> dict[str, list[Any]]:
        """source, target, count, mean_s, median_s, and one column a quantile."""
        made: dict[str, list[Any]] = {
            "source": [self.steps[i] for i in self.source],
            "target": [self.steps[i] for i in self.target],
            "count": self.count.tolist(),
            "mean_s": self.mean_s.tolist(),
            "median_s": self.median_s.tolist(),
        }
        return made | {f"q{100 * q:g}_s": self.quantile_s[:, k].tolist() for k, q in enumerate(self.quantiles)}

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an edge, with the names of `columns`."""
        named: dict[str, Any] = {k: v if k in ("source", "target") else np.array(v) for k, v in self.columns().items()}
        return columns_frame(named, backend=backend)

    def steps_frame(self, *, backend: Any = None) -> Any:
        """One row a step: how often it happens, begins a journey, ends one."""
        columns: dict[str, Any] = {
            "step": list(self.steps),
            "rows": self.rows,
            "starts": self.starts,
            "ends": self.ends,
        }
        return columns_frame(columns, backend=backend)

    def chart(self, *, edges: int = 15) -> Chart:
        """The most frequent edges as a map; a thicker line is taken more often."""
        from crmcore.touchpoints.journeys.charts import graph_chart

        return graph_chart(self, edges=edges)

    def _repr_html_(self) -> str:
        caption = f"{self.journeys:,} journeys, {len(self)} edges"
        rows = [
            {"from": r["source"], "to": r["target"], "times": r["count"], "median": f"{number_text(r['median_s'])} s"}
            for r in self._rows()
        ]
        return html_table(rows, caption=caption, limit=12)


_EDGE_COLUMNS = ("source", "target", "count", "mean_s", "median_s", "quantile_s")


def follows(journeys: Journeys, /, *, quantiles: Sequence[float] = (0.25, 0.5, 0.75, 0.95)) -> FollowsGraph:
    """Count which step directly follows which, and how long after.

    Parameters
    ----------
    journeys : Journeys
    quantiles : shares in [0, 1]
        Of the gaps of each edge.

    Examples
    --------
    >>> graph = follows(Journeys.of([["ad", "buy"], ["ad", "buy"]], times_s=[[0, 10], [0, 30]]))
    >>> graph.edge("ad", "buy")["mean_s"], graph.edge("buy", "ad")["count"]
    (20.0, 0)
    """
    for share in quantiles:
        if not 0 <= share <= 1:
            raise OutOfRange("quantiles", share, "shares from 0 to 1", "write the median as 0.5")
    k = len(journeys.steps)
    step, inner = journeys.step, journeys.inner
    after = np.flatnonzero(inner)
    pair = step[after].astype(np.int64) * k + step[after + 1]
    gap = journeys.time[after + 1] - journeys.time[after]
    counts = np.bincount(pair, minlength=k * k) if k < 4096 else None
    keys = np.unique(pair) if counts is None else np.flatnonzero(counts)
    edge = np.searchsorted(keys, pair) if counts is None else (np.cumsum(counts > 0) - 1)[pair]
    count = np.bincount(edge, minlength=len(keys)) if counts is None else counts[keys]
    total = np.bincount(edge, weights=gap, minlength=len(keys))
    shares = (0.5, *quantiles)
    found = grouped_quantiles(edge, gap, shares, n_groups=len(keys)) / 1e6
    order = np.lexsort((keys, -count))
    some = journeys.length > 0
    return FollowsGraph(
        steps=journeys.steps,
        source=keys[order] // max(k, 1),
        target=keys[order] % max(k, 1),
        count=count[order],
        mean_s=total[order] / count[order] / 1e6,
        median_s=found[order, 0],
        quantile_s=found[order, 1:],
        quantiles=tuple(float(q) for q in quantiles),
        starts=np.bincount(step[journeys.start[:-1][some]], minlength=k),
        ends=np.bincount(step[journeys.start[1:][some] - 1], minlength=k),
        rows=np.bincount(step, minlength=k),
        journeys=int(some.sum()),
    )


@attrs.frozen(kw_only=True)
class LoopCounts(Document):
    """How often journeys turn back, over all steps.

    Attributes
    ----------
    rows, self_loops : rows of all journeys; rows whose step is that of the row before (A, A)
    back_and_forth : windows A, B, A with A other than B
    reworked_rows : rows whose step the journey had taken before
    journeys, reworked_journeys : journeys with a row; those with a reworked row
    """

    rows: int
    self_loops: int
    back_and_forth: int
    reworked_rows: int
    journeys: int
    reworked_journeys: int

    @property
    def rework_share(self) -> float:
        """Share of rows that repeat a step of their journey; NaN without rows."""
        return self.reworked_rows / self.rows if self.rows else float("nan")

    def __str__(self) -> str:
        return (
            f"{self.reworked_rows:,} of {self.rows:,} rows repeat a step of their journey "
            f"({self.self_loops:,} at once, {self.back_and_forth:,} after one other); "
            f"{self.reworked_journeys:,} of {self.journeys:,} journeys repeat one"
        )


def first_visits(journeys: Journeys, /) -> NDArray[np.bool_]:
    """(n,) whether a journey takes its step for the first time."""
    key = journeys.journey * max(len(journeys.steps), 1) + journeys.step
    first = np.zeros(len(key), np.bool_)
    first[np.unique(key, return_index=True)[1]] = True
    return first


def count_loops(journeys: Journeys, /) -> LoopCounts:
    """Count self loops, back and forth, and rework.

    Examples
    --------
    >>> print(count_loops(Journeys.of([["ad", "shop", "ad", "ad"], ["ad", "buy"]])))
    2 of 6 rows repeat a step of their journey (1 at once, 1 after one other); 1 of 2 journeys repeat one
    """
    step, inner = journeys.step, journeys.inner
    same = inner & (step[1:] == step[:-1])
    back = inner[1:] & inner[:-1] & (step[2:] == step[:-2]) & (step[1:-1] != step[2:]) if len(step) > 2 else same[:0]
    again = ~first_visits(journeys)
    return LoopCounts(
        rows=len(step),
        self_loops=int(same.sum()),
        back_and_forth=int(back.sum()),
        reworked_rows=int(again.sum()),
        journeys=int((journeys.length > 0).sum()),
        reworked_journeys=len(np.unique(journeys.journey[again])),
    )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class StepMatrix(Document):
    """Share of all journeys that take each step at each position.

    `count` (s, p) is how often, `journeys` the number of all journeys: a column sums to the share that gets so far.
    """

    steps: tuple[str, ...]
    count: Ints = attrs.field(converter=held, eq=SAME)
    journeys: int

    @property
    def share(self) -> Floats:
        """(s, p) share of all journeys."""
        found: Floats = self.count / self.journeys
        return found

    def __repr__(self) -> str:
        return f"StepMatrix({len(self.steps)} steps, {self.count.shape[1]} positions, {self.journeys:,} journeys)"

    def __str__(self) -> str:
        wide = max(map(len, self.steps))
        rows = [
            f"{s:{wide}}  " + " ".join(f"{100 * x:5.1f}" for x in r)
            for s, r in zip(self.steps, self.share, strict=True)
        ]
        return "\n".join([f"% of {self.journeys:,} journeys by position 1, 2, ...", *rows])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a step and position: step, position (from 1), count, share."""
        s, p = self.count.shape
        columns: dict[str, Any] = {
            "step": [name for name in self.steps for _ in range(p)],
            "position": np.tile(np.arange(1, p + 1), s),
            "count": self.count.ravel(),
            "share": self.share.ravel(),
        }
        return columns_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {"step": s, **{f"{i + 1}": f"{100 * x:.0f} %" for i, x in enumerate(r[:8])}}
            for s, r in zip(self.steps, self.share, strict=True)
        ]
        return html_table(rows, caption=f"{self.journeys:,} journeys by position", limit=10)


def step_matrix(journeys: Journeys, /, *, positions: int = 10) -> StepMatrix:
    """Share of journeys by step and position: what comes first, second, third.

    Examples
    --------
    >>> print(step_matrix(Journeys.of([["ad", "shop"], ["ad"]]), positions=2))
    % of 2 journeys by position 1, 2, ...
    ad    100.0   0.0
    shop    0.0  50.0
    """
    if positions < 1:
        raise OutOfRange("positions", positions, "1 or more", "ten positions show most journeys")
    if not len(journeys.step):
        raise EmptyInput("journeys", "give at least one row")
    place = np.arange(len(journeys.step)) - journeys.start[journeys.journey]
    near = place < positions
    key = journeys.step[near].astype(np.int64) * positions + place[near]
    count = np.bincount(key, minlength=len(journeys.steps) * positions).reshape(-1, positions)
    return StepMatrix(steps=journeys.steps, count=count, journeys=int((journeys.length > 0).sum()))
