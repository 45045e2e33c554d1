"""Weighted graphs over named nodes: degrees, reciprocity, parts, and where a walk from one node spends its time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import mask
from crmcore.errors import EmptyInput, NotConverged, OutOfRange
from crmcore.metrics.columns import held_floats, held_whole, numbers, refuse
from crmcore.metrics.estimates import frame_of

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

__all__ = ["Graph", "connected_parts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CLOSE = 1e-14  # change of a walk, summed over nodes, at which it stands still
STEPS = 10_000


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Graph:
    """Directed edges with weights above 0 between n named nodes; parallel edges are one, their weights added.

    Names may be of persons: they never stand in a repr.

    Examples
    --------
    >>> graph = Graph.of(["ann", "ben", "ann"], ["ben", "ann", "cyd"])
    >>> graph, graph.density, round(graph.reciprocity, 3)
    (Graph(3 nodes, 3 edges), 0.5, 0.667)
    """

    nodes: tuple[str, ...]
    source: Ints = attrs.field(converter=held_whole)
    target: Ints = attrs.field(converter=held_whole)
    weight: Floats = attrs.field(converter=held_floats)

    @classmethod
    def of(
        cls,
        source: Sequence[str],
        target: Sequence[str],
        weight: ArrayLike | None = None,
        /,
        *,
        nodes: Sequence[str] = (),
    ) -> Graph:
        """Read edges by name; `nodes` come first, also those without an edge.

        Raises
        ------
        BadRows
            Edges without a name, or with a weight that is not above 0.
        """
        if len(source) != len(target):
            raise OutOfRange("len(target)", len(target), f"{len(source)}, as source", "row i of both is one edge")
        w = np.ones(len(source)) if weight is None else numbers("weight", weight)
        lost = np.array([not a or not b for a, b in zip(source, target, strict=True)], np.bool_)
        refuse("edges", "name both ends; leave out what weighs nothing", ends=(lost, "no name"), weight=(~((w > 0) & np.isfinite(w)), "not above 0"))  # noqa: E501  # fmt: skip
        number = {name: i for i, name in enumerate(dict.fromkeys((*nodes, *source, *target)))}
        a, b = (np.array([number[x] for x in side], np.int64) for side in (source, target))
        key, code = np.unique(a * max(len(number), 1) + b, return_inverse=True)
        return cls(
            nodes=tuple(number), source=key // max(len(number), 1), target=key % max(len(number), 1),
            weight=np.bincount(code, w, len(key)),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"Graph({len(self.nodes)} nodes, {len(self.source)} edges)"

    @property
    def density(self) -> float:
        """Share of the ordered pairs of nodes that have an edge; NaN below two nodes."""
        n = len(self.nodes)
        return float(np.count_nonzero(self.source != self.target) / (n * (n - 1))) if n > 1 else float("nan")

    @property
    def reciprocity(self) -> float:
        """Share of the edges that also run the other way; NaN without edges."""
        inner = self.source != self.target
        edges = _matrix(len(self), self.source, self.target, inner.astype(np.float64))
        back = edges.multiply(edges.T.tocsr()).sum()
        return float(back / inner.sum()) if inner.any() else float("nan")

    def degrees(self) -> tuple[Floats, Floats]:
        """(n,) weight that comes in, and weight that goes out."""
        n = len(self.nodes)
        return (
            np.bincount(self.target, self.weight, n).astype(np.float64),
            np.bincount(self.source, self.weight, n).astype(np.float64),
        )

    def parts(self) -> Ints:
        """(n,) connected part of each node, whatever the direction, numbered by its first node."""
        return connected_parts(len(self.nodes), self.source, self.target)

    def undirected(self) -> Graph:
        """Every edge both ways."""
        names = self.nodes
        a, b = np.concatenate([self.source, self.target]), np.concatenate([self.target, self.source])
        return Graph.of([names[i] for i in a], [names[i] for i in b], np.tile(self.weight, 2), nodes=names)

    def walk_shares(self, start: str | ArrayLike, /, *, restart: float = 0.15) -> Floats:
        """(n,) share of time that a walk spends on each node; they sum to 1.

        The walk follows edges in proportion to their weight, goes back to the start with probability `restart` at each
        step, and always where no edge leads on (personalised PageRank; Page and others 1999).

        Parameters
        ----------
        start : node, or (n,) weights
            Where it begins and goes back to.
        restart : share
            Higher stays closer to the start.
        """
        n = len(self.nodes)
        if not 0 < restart <= 1:
            raise OutOfRange("restart", restart, "above 0, up to 1", "0.15 is usual")
        if isinstance(start, str):
            if start not in self.nodes:
                raise OutOfRange("start", mask(start), "a node of the graph", "take one of graph.nodes")
            first = np.zeros(n)
            first[self.nodes.index(start)] = 1.0
        else:
            first = numbers("start", start)
            if first.shape != (n,) or not (first >= 0).all() or not first.sum() > 0:
                raise OutOfRange("start", first.shape, f"({n},) weights from 0, not all 0", "one weight a node")
            first = first / first.sum()
        out = np.bincount(self.source, self.weight, n)
        step = _matrix(n, self.source, self.target, self.weight * ((1 - restart) / out[self.source])).T
        dead = out == 0
        x = new = _about(step, first)
        for _ in range(STEPS):
            new = step @ x + first * (restart + (1 - restart) * float(x[dead].sum()))
            if np.abs(new - x).sum() < CLOSE:
                return np.asarray(new / new.sum(), np.float64)
            x = new
        raise NotConverged("the walk", STEPS, float(np.abs(new - x).sum()), "take a higher restart")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an edge: source, target, weight."""
        rows = [
            {"source": self.nodes[a], "target": self.nodes[b], "weight": float(w)}
            for a, b, w in zip(self.source.tolist(), self.target.tolist(), self.weight.tolist(), strict=True)
        ]
        if not rows:
            raise EmptyInput("edges", "the graph has none to write")
        return frame_of(rows, backend=backend)


def connected_parts(n: int, a: Ints, b: Ints, /) -> Ints:
    """Connected part of each of n nodes, numbered in the order of their first node.

    Examples
    --------
    >>> connected_parts(4, np.array([3]), np.array([1])).tolist()
    [0, 1, 2, 1]
    """
    every = len(a) // (2 * n) if n else 0
    if every < 2:
        return _parts(n, a, b)
    # some edges show most parts already, and only edges between those are looked at then (Sutton and others 2018)
    some = _parts(n, a[::every], b[::every])
    x, y = some[a], some[b]
    between = np.flatnonzero(x != y)
    return _parts(int(some.max()) + 1, x[between], y[between])[some]


def _parts(n: int, a: Ints, b: Ints) -> Ints:
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(_matrix(n, a, b, np.ones(len(a))), directed=False)
    return _by_first(label.astype(np.int64))


def _by_first(label: Ints) -> Ints:
    """Number parts in the order of their first node, as scipy does without a promise."""
    last = np.maximum.accumulate(np.append(-1, label))
    if (label <= last[:-1] + 1).all():
        return label
    _, first, code = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(rank[code], np.int64)


def _matrix(n: int, row: Ints, column: Ints, cell: Floats) -> csr_array[Any, tuple[int, int]]:
    from scipy.sparse import csr_array

    if (row[1:] >= row[:-1]).all():  # as edges mostly stand
        begins = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))])
        return csr_array((cell, column.astype(np.int32), begins.astype(np.int32)), shape=(n, n))
    return csr_array((cell, (row.astype(np.int32), column.astype(np.int32))), shape=(n, n))


def _about(step: csc_array[Any], first: Floats) -> Floats:
    """About where the walk ends: x - step x = first, up to a factor, in fewer steps than the walk takes."""
    from scipy.sparse.linalg import LinearOperator, bicgstab

    left = LinearOperator(step.shape, lambda x: x - step @ x, dtype=np.float64)
    with np.errstate(all="ignore"):
        x = np.maximum(bicgstab(left, first, x0=first, rtol=CLOSE, maxiter=100)[0], 0.0)
        x = x / x.sum()
    return x if np.isfinite(x).all() else first
