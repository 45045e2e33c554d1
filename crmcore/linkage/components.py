"""Connected components of bounded size: where records could belong together at all."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.graphs import connected_parts

__all__ = ["CEILING", "RaisedFloor", "bounded_components", "too_large"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CEILING = 12.0  # p = .999994: links above this are no noise, so raising the floor further would only cut good links


@attrs.frozen(kw_only=True)
class RaisedFloor:
    """A component that was too large and was taken apart before clustering.

    Attributes
    ----------
    record : row number
        Its first record in id order.
    size, parts, largest : counts
        Records before; parts after, and records in the largest of them.
    floor : natural log-odds
        The highest floor that was needed inside it.
    by_strongest_links : answer
        Whether even that left parts too large, which were then grown from their strongest links up to the limit.
    """

    record: int
    size: int
    parts: int
    largest: int
    floor: float
    by_strongest_links: bool


def bounded_components(
    n: int,
    a: Ints,
    b: Ints,
    log_odds: Floats,
    /,
    *,
    floor: float,
    most: int,
    must: tuple[Ints, Ints],
    ceiling: float = CEILING,
) -> tuple[Ints, tuple[RaisedFloor, ...]]:
    """Components over links of at least `floor`, taken apart until none has more than `most` nodes.

    Inside a component that is too large the floor rises by 1 as often as needed, up to `ceiling`. What is still too
    large then is grown anew: the links of its maximum spanning forest, strongest first (ties by node), join parts as
    long as the sum of both has at most `most` nodes. Nodes joined by `must` stay together whatever their number.

    Parameters
    ----------
    n : count
        Nodes 0..n-1 in id order.
    a, b : (m,) nodes
        Links, ``a < b``.
    log_odds : (m,) natural log-odds
        Strength of each link.
    floor, most, must, ceiling
        See above.

    Returns
    -------
    (n,) component of each node, and a record of what was taken apart.
    """
    sure_a, sure_b = must
    keep = log_odds >= floor
    a, b, log_odds = a[keep], b[keep], log_odds[keep]
    label = connected_parts(n, np.concatenate([a, sure_a]), np.concatenate([b, sure_b]))
    size = np.bincount(label, minlength=1)
    if n == 0 or size.max() <= most:
        return label, ()
    bound = connected_parts(n, sure_a, sure_b)  # what can never be taken apart
    base, original, reached = floor, label, np.full(len(size), floor)
    strong = np.zeros(len(size), bool)
    while floor < ceiling:
        large = too_large(label, bound, most)
        if not large.any():
            break
        floor += 1.0
        reached[original[large]] = floor
        keep = ~large[a] | (log_odds >= floor)
        a, b, log_odds = a[keep], b[keep], log_odds[keep]
        label = connected_parts(n, np.concatenate([a, sure_a]), np.concatenate([b, sure_b]))
    large = too_large(label, bound, most)
    if large.any():
        strong[original[large]] = True
        inside = large[a]
        tree = _grown(n, a[inside], b[inside], log_odds[inside], sure_a, sure_b, most)
        a, b = np.concatenate([a[~inside], tree[0]]), np.concatenate([b[~inside], tree[1]])
        label = connected_parts(n, np.concatenate([a, sure_a]), np.concatenate([b, sure_b]))
    return label, _report(original, label, size, reached, strong, np.flatnonzero((reached > base) | strong))


def too_large(label: Ints, bound: Ints, most: int) -> NDArray[np.bool_]:
    """(n,) whether a node's component is over the limit and could still be taken apart."""
    size = np.bincount(label)
    whole = np.bincount(bound)[bound] == size[label]
    return np.asarray((size[label] > most) & ~whole)


def _grown(n: int, a: Ints, b: Ints, log_odds: Floats, sure_a: Ints, sure_b: Ints, most: int) -> tuple[Ints, Ints]:
    """Links of the maximum spanning forest that join parts of together at most `most` nodes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    order = np.lexsort((b, a, -log_odds))
    a, b = a[order], b[order]
    # distinct weights (the place in the order) make the forest unique, so ties cannot depend on the order of the input
    forest = minimum_spanning_tree(coo_array((np.arange(1.0, len(a) + 1), (a, b)), shape=(n, n)).tocsr())
    strongest = np.sort(forest.data).astype(np.int64) - 1
    a, b = a[strongest], b[strongest]
    parent = connected_parts(n, sure_a, sure_b)
    count = np.bincount(parent, minlength=n).tolist()
    up, part = list(range(n)), parent.tolist()

    def root(i: int) -> int:
        while up[i] != i:
            up[i] = up[up[i]]
            i = up[i]
        return i

    taken = []
    for link, (x, y) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        rx, ry = root(part[x]), root(part[y])
        if rx != ry and count[rx] + count[ry] <= most:
            up[ry] = rx
            count[rx] += count[ry]
            taken.append(link)
    return a[taken], b[taken]


def _report(
    before: Ints, after: Ints, size: Ints, reached: Floats, strong: NDArray[np.bool_], which: Ints
) -> tuple[RaisedFloor, ...]:
    asked = np.isin(before, which)
    nodes = np.flatnonzero(asked)
    parts = np.bincount(after)
    log = []
    for component in which.tolist():
        mine = nodes[before[nodes] == component]
        of = np.unique(after[mine])
        log.append(
            RaisedFloor(
                record=int(mine[0]),
                size=int(size[component]),
                parts=len(of),
                largest=int(parts[of].max()),
                floor=float(reached[component]),
                by_strongest_links=bool(strong[component]),
            )
        )
    return tuple(log)
