"""Records to entities: average linkage on match probabilities inside connected components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore.errors import BadRow, BadRows, OutOfRange, WrongType
from crmcore.linkage.agglomerate import Agglomeration, Cuts, agglomerate, probability
from crmcore.linkage.components import RaisedFloor, bounded_components

__all__ = ["Clustering", "Cuts", "Merges", "RaisedFloor", "cluster", "refine"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Score = Callable[[Ints, Ints], Floats]

CELLS = 1 << 21  # matrix cells worked on at a time: bounds memory, never changes a result


@attrs.frozen(eq=False, repr=False)
class Merges:
    """Merges worth a look, one per row: two groups named by their first record in id order.

    Attributes
    ----------
    cluster : (q,) labels
        Cluster of the left group in the result.
    left, right : (q,) row numbers
        First record of each group.
    left_size, right_size : (q,) counts
        Records in each group when they met.
    mean : (q,) probabilities
        Mean match probability over all pairs between the two groups.
    reason : (q,) text
        What stopped the merge; empty where it took place.
    """

    cluster: NDArray[np.int32]
    left: Ints
    right: Ints
    left_size: Ints
    right_size: Ints
    mean: Floats
    reason: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.cluster)

    def __repr__(self) -> str:
        return f"Merges({len(self)})"

    def weakest(self, most: int) -> Merges:
        """The `most` merges with the lowest mean, weakest first; ties by cluster."""
        rows = np.lexsort((self.cluster, self.mean))[:most]
        return Merges(*(getattr(self, f.name)[rows] for f in attrs.fields(Merges)))

    def to_frame(self, *, backend: Any) -> Any:
        """One row per merge, in a frame of `backend` (such as "polars", "pandas", "pyarrow")."""
        import narwhals.stable.v2 as nw

        columns = {f.name: getattr(self, f.name) for f in attrs.fields(Merges)}
        columns["reason"] = self.reason.tolist()
        return nw.from_dict(columns, backend=backend).to_native()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Clustering:
    """Which records are one entity.

    Attributes
    ----------
    labels : (n,) codes
        Entity of each record; numbered by the smallest id rank in each.
    cuts, floor : settings
        What decided.
    raised : components
        Where the floor had to rise because a component was too large.
    blocked : merges
        Where a constraint stopped a merge that evidence wanted: for review.
    bridges : merges
        For each entity of 3 and more records the weakest merge that made it: weak ones go to review.
    """

    labels: NDArray[np.int32]
    cuts: Cuts
    floor: float
    raised: tuple[RaisedFloor, ...]
    blocked: Merges
    bridges: Merges

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_clusters(self) -> int:
        """Number of entities."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0

    @property
    def sizes(self) -> Ints:
        """(n_clusters,) records of each entity."""
        return np.bincount(self.labels, minlength=self.n_clusters)

    @property
    def histogram(self) -> dict[int, int]:
        """Size -> number of entities of that size, smallest first."""
        counts = np.bincount(self.sizes)
        return {int(s): int(counts[s]) for s in np.flatnonzero(counts)}

    def __str__(self) -> str:
        largest = max(self.histogram, default=0)
        parts = [f"{len(self)} records in {self.n_clusters} entities, largest {largest}"]
        if self.raised:
            parts.append(f"{len(self.raised)} components were too large and taken apart")
        if len(self.blocked):
            parts.append(f"{len(self.blocked)} merges stopped by constraints")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"Clustering({self})"

    def _repr_html_(self) -> str:
        rows = [{"records in entity": s, "entities": c} for s, c in self.histogram.items()]
        return html_table(rows, caption=str(self))

    def to_frame(self, *, backend: Any) -> Any:
        """One row per record: row, entity, records in that entity."""
        import narwhals.stable.v2 as nw

        columns = {"row": np.arange(len(self)), "entity": self.labels, "size": self.sizes[self.labels]}
        return nw.from_dict(columns, backend=backend).to_native()


def refine(p: Floats, cuts: Cuts, /, *, barred: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Group labels of one component: the same function that `cluster` applies to every component.

    Parameters
    ----------
    p : (k, k) probabilities
        Symmetric match probabilities, members in id order; the diagonal is not read.
    cuts : Cuts
        Evidence that a merge needs.
    barred : (k, k) answers, optional
        True: these two may not share a group.

    Returns
    -------
    (k,) labels, numbered by first member

    Examples
    --------
    >>> p = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.2], [0.1, 0.2, 1.0]])
    >>> refine(p, Cuts.constant(0.25))
    array([0, 0, 1])
    """
    from crmcore.linkage.agglomerate import QUANTUM

    exact = np.rint(np.asarray(p, float) / QUANTUM) * QUANTUM
    bars = None if barred is None else barred.astype(np.uint32)[None]
    group = agglomerate(exact[None], cuts, barred=bars).group[0]
    first = group == np.arange(len(group))
    return np.asarray((np.cumsum(first) - 1)[group])


def cluster(
    n: int,
    lo: Ints,
    hi: Ints,
    log_odds: Floats,
    /,
    *,
    rank: Ints,
    score: Score | None = None,
    cuts: Cuts | None = None,
    floor: float = -2.0,
    max_component: int = 200,
    progress: Progress | bool = False,
) -> Clustering:
    """Group records by average linkage on match probabilities, component by component.

    Parameters
    ----------
    n : count
        Records.
    lo, hi : (m,) row numbers
        Scored pairs, ``lo < hi``, each pair once.
    log_odds : (m,) natural log-odds
        Evidence that both are the same.
    rank : (n,) distinct integers
        Order of the records' ids. It breaks every tie, so the order of rows and pairs cannot matter.
    score : function, optional
        ``score(lo, hi)`` gives the log-odds of pairs that are not among the given ones but lie inside a component of 3 or
        more records; called at most once. It must be symmetric and a pure function of the two records. Without it such
        pairs count as p = 0.
    cuts : Cuts, optional
        Lowest mean p of a merge; .25 for every size by default. Lower merges more.
    floor : natural log-odds
        Links below it do not connect components.
    max_component : count
        Largest component that is clustered as one; see `components.bounded_components` for what happens to larger ones.
    progress : callable or bool

    Returns
    -------
    Clustering

    Raises
    ------
    BadRows
        Pairs outside the rows, with lo >= hi, without a number, or given twice.

    Notes
    -----
    Merging two groups raises the expected pair F1 when the mean p between them exceeds half of it, which is why p and not
    log-odds are averaged.

    Examples
    --------
    >>> lo, hi, log_odds = np.array([0, 1, 0]), np.array([1, 2, 2]), np.array([5.0, 4.0, -1.0])
    >>> cluster(4, lo, hi, log_odds, rank=np.arange(4))
    Clustering(4 records in 2 entities, largest 3)
    """
    cuts = Cuts() if cuts is None else cuts
    report = reporter(progress)
    if max_component < 2:
        raise OutOfRange("max_component", max_component, "2 and more", "200 suits most data")
    lo, hi, log_odds = np.asarray(lo, np.int64), np.asarray(hi, np.int64), np.asarray(log_odds, np.float64)
    order, place = _ranked(n, rank)
    _check_pairs(n, lo, hi, log_odds)
    a, b = place[lo], place[hi]
    a, b = np.minimum(a, b), np.maximum(a, b)  # from here on a record is its place in id order
    report("components", 0, 0)
    nothing = np.zeros(0, np.int64)
    component, raised = bounded_components(n, a, b, log_odds, floor=floor, most=max_component, must=(nothing, nothing))
    layout = _Layout.of(component)
    p = layout.matrix_cells(a, b, log_odds, score, order)
    group = np.arange(n)
    log: list[tuple[Ints, Agglomeration]] = []
    done = 0
    for size in layout.sizes:
        for members, cells in layout.batches(size, p):
            if size == 2:
                joined = cells[:, 0] >= cuts.at(2)
                group[members[joined, 1]] = members[joined, 0]
            else:
                result = agglomerate(_square(cells, size), cuts)
                group[members.ravel()] = np.take_along_axis(members, result.group, axis=1).ravel()
                log.append((members, result))
            done += members.size
            report("clusters", done, layout.records)
    return _result(group, order, place, log, cuts=cuts, floor=floor, raised=raised)


def _ranked(n: int, rank: Ints) -> tuple[Ints, Ints]:
    """Rows in id order, and each row's place in it."""
    rank = np.asarray(rank)
    if rank.shape != (n,):
        raise WrongType("rank", f"an array of shape {rank.shape}", f"({n},)", "one rank per record")
    order = np.argsort(rank, kind="stable")
    if n > 1 and (again := order[1:][rank[order[1:]] == rank[order[:-1]]]).size:
        rows = tuple(int(i) for i in np.sort(again))
        raise BadRows("rank", (BadRow("rank", "repeated rank", rows),), "rank by a unique id, such as the record id")
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    return order, place


def _check_pairs(n: int, lo: Ints, hi: Ints, log_odds: Floats) -> None:
    if not len(lo) == len(hi) == len(log_odds):
        raise WrongType(
            "log_odds", f"{len(lo)}, {len(hi)} and {len(log_odds)} rows", "equal lengths", "one score per pair"
        )
    problems = [
        BadRow(column, reason, tuple(int(i) for i in np.flatnonzero(bad)))
        for column, reason, bad in (
            ("lo", "not below hi", lo >= hi),
            ("lo, hi", f"a row outside 0 to {n - 1}", (lo < 0) | (hi >= n)),
            ("log_odds", "not a number", np.isnan(log_odds)),
        )
        if bad.any()
    ]
    if problems:
        raise BadRows("pairs", tuple(problems), "give each pair once, the smaller row number first")


def _square(cells: Floats, k: int) -> Floats:
    """(B, k, k) from the upper triangles, diagonal 0."""
    i, j = np.triu_indices(k, 1)
    p = np.zeros((len(cells), k, k))
    p[:, i, j] = cells
    p[:, j, i] = cells
    return p


@attrs.frozen(eq=False)
class _Layout:
    """Records of all components of two and more, components of one size side by side, members in id order."""

    members: dict[int, Ints]  # size -> (B, size) records
    start: dict[int, int]  # size -> first cell
    cell: Ints  # (n,) first cell of the record's component; -1 for records alone
    local: Ints  # (n,) place in its component
    width: Ints  # (n,) size of its component

    @property
    def sizes(self) -> list[int]:
        return sorted(self.members)

    @property
    def records(self) -> int:
        return sum(m.size for m in self.members.values())

    @classmethod
    def of(cls, component: Ints) -> _Layout:
        n = len(component)
        count = np.bincount(component) if n else np.zeros(0, np.int64)
        width = count[component]
        linked = np.flatnonzero(width > 1)
        # components are numbered by smallest member: sorting by component, then record, keeps both in id order
        packed = np.sort((component[linked] << 32) | linked)
        sorted_records = packed & 0xFFFFFFFF
        cell, local = np.full(n, -1), np.zeros(n, np.int64)
        members: dict[int, Ints] = {}
        start: dict[int, int] = {}
        cells = 0
        wide = width[sorted_records]
        for size in np.flatnonzero(np.bincount(wide)).tolist() if len(wide) else []:
            rows = sorted_records[wide == size].reshape(-1, size)
            members[size], start[size] = rows, cells
            local[rows] = np.arange(size)
            per = size * (size - 1) // 2
            cell[rows] = (cells + np.arange(len(rows)) * per)[:, None]
            cells += len(rows) * per
        return cls(members, start, cell, local, width)

    def matrix_cells(self, a: Ints, b: Ints, log_odds: Floats, score: Score | None, order: Ints) -> Floats:
        """Probability of every pair inside a component, upper triangles one after the other."""
        total = sum(m.shape[0] * s * (s - 1) // 2 for s, m in self.members.items())
        inside = np.flatnonzero((self.cell[a] >= 0) & (self.cell[a] == self.cell[b]))
        i, j, k = self.local[a[inside]], self.local[b[inside]], self.width[a[inside]]
        at = self.cell[a[inside]] + i * (2 * k - i - 1) // 2 + (j - i - 1)
        p = np.zeros(total)
        known = np.zeros(total, bool)
        known[at] = True
        if int(known.sum()) < len(at):
            first = np.full(total, -1)
            first[at[::-1]] = inside[::-1]
            rows = tuple(int(r) for r in inside[first[at] != inside])
            raise BadRows("pairs", (BadRow("lo, hi", "a pair given again", rows),), "give each pair once")
        p[at] = probability(log_odds[inside])
        if score is not None and not known.all():
            left, right = self._records(np.flatnonzero(~known))
            rows_a, rows_b = order[left], order[right]
            p[~known] = probability(
                np.asarray(score(np.minimum(rows_a, rows_b), np.maximum(rows_a, rows_b)), np.float64)
            )
        return p

    def _records(self, cells: Ints) -> tuple[Ints, Ints]:
        left, right = [], []
        for size in self.sizes:
            rows, per = self.members[size], size * (size - 1) // 2
            begin, end = np.searchsorted(cells, [self.start[size], self.start[size] + len(rows) * per])
            which, pair = np.divmod(cells[begin:end] - self.start[size], per)
            i, j = np.triu_indices(size, 1)
            left.append(rows[which, i[pair]])
            right.append(rows[which, j[pair]])
        return np.concatenate(left), np.concatenate(right)

    def batches(self, size: int, p: Floats) -> list[tuple[Ints, Floats]]:
        """Slices of the components of one size with their cells; each slice small enough to square."""
        rows, per = self.members[size], size * (size - 1) // 2
        cells = p[self.start[size] : self.start[size] + len(rows) * per].reshape(-1, per)
        step = max(1, CELLS // (size * size))
        return [(rows[i : i + step], cells[i : i + step]) for i in range(0, len(rows), step)]


def _result(
    group: Ints,
    order: Ints,
    place: Ints,
    log: list[tuple[Ints, Agglomeration]],
    *,
    cuts: Cuts,
    floor: float,
    raised: tuple[RaisedFloor, ...],
) -> Clustering:
    """Back from places in id order to row numbers."""
    code = np.cumsum(group == np.arange(len(group))) - 1
    by_place = code[group]
    size = np.bincount(group, minlength=len(group))
    parts = []
    for members, result in log:
        large = np.isfinite(result.weakest) & (size[members] >= 3)
        rows, first = np.nonzero(large)
        left, right = members[rows, result.left[large]], members[rows, result.right[large]]
        parts.append(
            (
                members[rows, first],
                left,
                right,
                result.left_size[large],
                result.right_size[large],
                result.weakest[large],
            )
        )
    at, left, right, left_size, right_size, mean = _stacked(parts, (np.int64,) * 5 + (np.float64,))
    by = np.argsort(at)
    empty = np.zeros(0, np.int64)
    return Clustering(
        labels=by_place[place].astype(np.int32),
        cuts=cuts,
        floor=floor,
        raised=tuple(attrs.evolve(r, record=int(order[r.record])) for r in raised),
        blocked=Merges(empty.astype(np.int32), empty, empty, empty, empty, np.zeros(0), np.zeros(0, object)),
        bridges=Merges(
            by_place[at[by]].astype(np.int32),
            order[left[by]],
            order[right[by]],
            left_size[by],
            right_size[by],
            mean[by],
            np.full(len(at), "", object),
        ),
    )


def _stacked(parts: list[tuple[NDArray[Any], ...]], types: tuple[type, ...]) -> list[NDArray[Any]]:
    return [np.concatenate([np.zeros(0, t), *(p[i] for p in parts)]) for i, t in enumerate(types)]
