"""Records to entities: average linkage on match probabilities inside connected components."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, reporter
from crmcore.errors import BadRow, BadRows, OutOfRange, WrongType
from crmcore.graphs import connected_parts
from crmcore.linkage.agglomerate import Agglomeration, Cuts, agglomerate, quantised
from crmcore.linkage.clustering import Clustering, Merges
from crmcore.linkage.components import RaisedFloor, bounded_components
from crmcore.linkage.constraints import MUST_NOT, Among, Constraints, crowded_values
from crmcore.linkage.layout import Layout, Score, square

__all__ = ["Clustering", "Constraints", "Cuts", "Merges", "RaisedFloor", "cluster", "crowded_values", "refine"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bits = NDArray[np.uint32]


def refine(
    p: Floats,
    cuts: Cuts,
    /,
    *,
    forbidden: NDArray[np.bool_] | None = None,
    among: Among | None = None,
) -> Ints:
    """Group labels of one component: exactly what `cluster` does inside every component.

    Parameters
    ----------
    p : (k, k) probabilities
        Symmetric match probabilities of all pairs, members in id order; the diagonal is not read.
    cuts : Cuts
        Evidence that a merge needs.
    forbidden : (k, k) answers, optional
        True: these two may not share a group.
    among : Among, optional
        Orders from `Constraints.among`.

    Returns
    -------
    (k,) labels, numbered by first member

    Examples
    --------
    >>> p = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.2], [0.1, 0.2, 1.0]])
    >>> refine(p, Cuts.constant(0.25))
    array([0, 0, 1])
    """
    k = len(p)
    bars = np.zeros((k, k), np.uint32) if among is None else among.bars.copy()
    if forbidden is not None:
        bars |= np.asarray(forbidden | forbidden.T, np.uint32) << np.uint32(MUST_NOT)
    result = agglomerate(
        quantised(np.asarray(p, np.float64))[None],
        cuts,
        start=None if among is None else among.start[None],
        barred=bars[None] if bars.any() else None,
        limits=() if among is None else [(held[None], most, bit) for held, most, bit in among.limits],
    )
    return _numbered(result.group[0])


def cluster(
    n: int,
    lo: NDArray[np.integer],
    hi: NDArray[np.integer],
    log_odds: Floats,
    /,
    *,
    rank: NDArray[np.integer],
    score: Score | None = None,
    cuts: Cuts | None = None,
    floor: float = -2.0,
    max_component: int = 200,
    constraints: Constraints | None = None,
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
        ``score(lo, hi)`` gives the log-odds of pairs that are not among the given ones but lie inside a component of 3
        or more records; called at most once. It must be symmetric and a pure function of the two records. Without it
        such pairs count as p = 0.
    cuts : Cuts, optional
        Lowest mean p of a merge; .25 for every size by default. Lower merges more.
    floor : natural log-odds
        Links below it do not connect components.
    max_component : count
        Largest component that is clustered as one; see `components.bounded_components` for what happens to larger ones.
    constraints : Constraints, optional
        Must-links join first and connect components; what is forbidden is passed over, and reported as blocked.
    progress : callable or bool

    Returns
    -------
    Clustering

    Raises
    ------
    BadRows
        Pairs outside the rows, with lo >= hi, without a number, or given twice inside a component.
    ConflictingConstraints
        A must-not-link inside what must-links join.

    Notes
    -----
    Merging two groups raises the expected pair F1 when the mean p between them exceeds half of it, which is why p and
    not log-odds are averaged. Among the merges that reach their cut the one with the largest mean goes first; equal
    means by the smallest ids. Probabilities are kept in multiples of 2^-32, so that equal evidence is equal in every
    order of addition.

    Examples
    --------
    >>> lo, hi, log_odds = np.array([0, 1, 0]), np.array([1, 2, 2]), np.array([5.0, 4.0, -1.0])
    >>> cluster(4, lo, hi, log_odds, rank=np.arange(4))
    Clustering(4 records in 2 entities, largest 3)
    """
    cuts = Cuts() if cuts is None else cuts
    report = reporter(progress)
    if not 2 <= max_component <= 2000:
        raise OutOfRange("max_component", max_component, "2 to 2000", "200 suits most data; time grows with its cube")
    first, second, log_odds = np.asarray(lo, np.int64), np.asarray(hi, np.int64), np.asarray(log_odds, np.float64)
    order, place = _ranked(n, rank)
    _check_pairs(n, first, second, log_odds)
    a, b = place[first], place[second]
    a, b = np.minimum(a, b), np.maximum(a, b)  # from here on a record is its place in id order
    orders = Constraints() if constraints is None else constraints
    orders.check(n)
    orders = orders.moved(order, place)
    must = (orders.must_link[:, 0], orders.must_link[:, 1])
    report("components", 0, 0)
    component, raised = bounded_components(n, a, b, log_odds, floor=floor, most=max_component, must=must)
    layout = Layout.of(component, most=max_component)
    p = layout.probabilities(a, b, log_odds, score, order)
    stops = _must_not(layout, orders)
    joined = connected_parts(n, *must) if len(orders.must_link) else None
    group = np.arange(n)
    for members in layout.whole:
        group[members] = members[0]
    log: list[tuple[Ints, Agglomeration]] = []
    done = 0
    for size in layout.sizes:
        for members, cells in layout.batches(size):
            if size == 2 and constraints is None:
                both = members[p[cells] >= cuts.at(2)]
                group[both[:, 1]] = both[:, 0]
            else:
                result = _batch(members, p[cells], cuts, orders, stops if stops is None else stops[cells], joined)
                group[members] = np.take_along_axis(members, result.group, axis=1)
                log.append((members, result))
            done += members.size
            report("clusters", done, layout.records)
    code = _numbered(group)
    return Clustering(
        labels=code[place].astype(np.int32),
        cuts=cuts,
        floor=floor,
        raised=tuple(attrs.evolve(r, record=int(order[r.record])) for r in raised),
        blocked=_blocked(log, code, order, orders),
        bridges=_bridges(log, code, order),
    )


def _batch(
    members: Ints, cells: Floats, cuts: Cuts, orders: Constraints, stops: Bits | None, joined: Ints | None
) -> Agglomeration:
    """Merge inside components of one size, under orders."""
    size = members.shape[1]
    start = None
    if joined is not None:
        start = (joined[members][:, :, None] == joined[members][:, None, :]).argmax(axis=2)
    bars, limits = orders.rules(members) if orders.has_rules else (None, [])
    if stops is not None:
        bars = square(stops, size) if bars is None else bars | square(stops, size)
    if bars is not None and not bars.any():
        bars = None
    return agglomerate(square(cells, size), cuts, start=start, barred=bars, limits=limits)


def _must_not(layout: Layout, orders: Constraints) -> Bits | None:
    """Bars in every cell, where there is a must-not-link at all."""
    if not len(orders.must_not_link):
        return None
    pairs = np.sort(orders.must_not_link, axis=1)
    stops = np.zeros(layout.cells, np.uint32)
    stops[layout.inside(pairs[:, 0], pairs[:, 1])[1]] = 1 << MUST_NOT
    return stops


def _numbered(group: Ints) -> Ints:
    """Labels 0, 1, ... in order of the first member, from the first member of each one's group."""
    first = group == np.arange(len(group))
    return np.asarray((np.cumsum(first) - 1)[group])


def _ranked(n: int, rank: NDArray[np.integer]) -> tuple[Ints, Ints]:
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


def _bridges(log: Iterable[tuple[Ints, Agglomeration]], code: Ints, order: Ints) -> Merges:
    """Weakest merge of every entity of three and more, in order of the entities."""
    size = np.bincount(code) if len(code) else np.zeros(0, np.int64)
    groups, means = [np.zeros((4, 0), np.int64)], [np.zeros(0)]
    for members, found in log:
        large = np.isfinite(found.weakest) & (size[code[members]] >= 3)
        # absorbed groups keep what they remembered: only the first member of a finished group speaks for it
        large &= found.group == np.arange(members.shape[1])
        rows = np.nonzero(large)[0]
        left, right = members[rows, found.left[large]], members[rows, found.right[large]]
        groups.append(np.stack([left, right, found.left_size[large], found.right_size[large]]))
        means.append(found.weakest[large])
    met, mean = np.concatenate(groups, axis=1), np.concatenate(means)
    by = np.argsort(code[met[0]])
    return Merges.of(code, order, met[:, by], mean[by], np.full(len(by), "", object))


def _blocked(log: Iterable[tuple[Ints, Agglomeration]], code: Ints, order: Ints, orders: Constraints) -> Merges:
    """Merges that orders stopped, by the ids of their groups."""
    groups, means, bars = [np.zeros((4, 0), np.int64)], [np.zeros(0)], [np.zeros(0, np.uint32)]
    for members, found in log:
        which, a, b, left_size, right_size = found.blocked
        groups.append(np.stack([members[which, a], members[which, b], left_size, right_size]))
        means.append(found.blocked_mean)
        bars.append(found.blocked_bar)
    met, mean, bar = np.concatenate(groups, axis=1), np.concatenate(means), np.concatenate(bars)
    by = np.lexsort((met[1], met[0]))
    bits, which = np.unique(bar[by], return_inverse=True)
    reasons = np.array([orders.reason(int(b)) for b in bits] + [""], object)
    return Merges.of(code, order, met[:, by], mean[by], reasons[which])
