"""Forests: things that hang below others, such as replies below posts, as columns of parents."""

from __future__ import annotations

from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, OutOfRange
from crmcore.metrics.columns import held_whole, refuse

__all__ = ["Forest", "tree_credit"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
N = TypeVar("N", bound=np.number[Any])


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Forest:
    """Trees over n rows.

    Parameters
    ----------
    parent : (n,) rows
        -1 for a root.
    root : (n,) rows
        Root of the tree of each row; a root is its own.
    depth : (n,) counts
        Steps up to the root.
    size : (n,) counts
        Rows at and below each row.
    order : (n,) rows
        Tree by tree, each row before those below it: what hangs below a row stands next to it.
    place : (n,) positions
        Of each row in `order`.

    Examples
    --------
    >>> talk = Forest.of([-1, 0, 0, 1, -1])
    >>> talk, talk.depth.tolist(), talk.size.tolist()
    (Forest(5 rows, 2 trees), [0, 1, 1, 2, 0], [4, 2, 1, 1, 1])
    """

    parent: Ints = attrs.field(converter=held_whole)
    root: Ints = attrs.field(converter=held_whole)
    depth: Ints = attrs.field(converter=held_whole)
    size: Ints = attrs.field(converter=held_whole)
    order: Ints = attrs.field(converter=held_whole)
    place: Ints = attrs.field(converter=held_whole)

    @classmethod
    def of(cls, parent: ArrayLike, /, *, what: str = "parent") -> Forest:
        """Read parents.

        Raises
        ------
        BadRows
            Rows that are not there, or that hang below each other in a circle.
        """
        up = np.asarray(parent)
        n = len(up)
        if up.ndim != 1 or (n and up.dtype.kind not in "iu"):
            raise OutOfRange(what, f"{up.shape} {up.dtype}", "(n,) rows", "-1 means nothing above")
        refuse("the forest", f"{what} is a row from 0, or -1", **{what: ((up < -1) | (up >= n), "no such row")})
        up = up.astype(np.int64)
        root = np.where(up < 0, np.arange(n), up)
        depth = (up >= 0).astype(np.int64)
        for _ in range(n.bit_length()):  # each round doubles how far up every row has looked
            depth += depth[root]
            root = root[root]
        ring = np.flatnonzero(up[root] >= 0)
        if len(ring):
            hint = "each hangs below one that was there before"
            raise BadRows("the forest", (BadRow(what, "refer in a circle", tuple(ring.tolist())),), hint)
        size = _summed(up, depth, np.ones(n, np.int64))
        place = _places(up, depth, size)
        return cls(parent=up, root=root, depth=depth, size=size, order=np.argsort(place, kind="stable"), place=place)

    def __len__(self) -> int:
        return len(self.parent)

    def __repr__(self) -> str:
        return f"Forest({len(self)} rows, {len(self.roots)} trees)"

    @property
    def roots(self) -> Ints:
        """(n_trees,) rows that hang below nothing."""
        return np.flatnonzero(self.parent < 0).astype(np.int64)

    def below(self, row: int, /) -> Ints:
        """(k,) rows below a row, itself left out, each before those below it."""
        begin = self.place[row]
        return self.order[begin + 1 : begin + self.size[row]]

    def trees(self, rows: Ints, /) -> tuple[Ints, Ints]:
        """Rows at and below each of k rows, one group after the other, and the number of the group of each."""
        size = self.size[rows]
        group = np.repeat(np.arange(len(rows)), size)
        within = np.arange(len(group)) - np.repeat(np.cumsum(size) - size, size)
        return self.order[self.place[rows][group] + within], group

    def height(self) -> Ints:
        """(n,) steps from each row down to the deepest one below it."""
        deepest = np.array(self.depth)
        for layer in _layers(self.depth):
            np.maximum.at(deepest, self.parent[layer], deepest[layer])
        height: Ints = deepest - self.depth
        return height

    def summed(self, own: NDArray[np.integer] | Floats, /) -> NDArray[np.float64]:
        """(n,) sums of a column over each row and all below it."""
        return _summed(self.parent, self.depth, np.asarray(own, np.float64))

    def virality(self) -> Floats:
        """(n_trees,) mean number of steps between two rows of a tree; NaN for a tree of one.

        Near 2 where all answered the first post, larger where answers were answered: Goel, Anderson, Hofman and Watts
        (2016), "The structural virality of online diffusion".
        """
        child = np.flatnonzero(self.parent >= 0)
        whole = self.size[self.root[child]]
        crossed = np.bincount(self.root[child], self.size[child] * (whole - self.size[child]), len(self))
        n = self.size[self.roots].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(2 * crossed[self.roots] / (n * (n - 1)), np.float64)


def _layers(depth: Ints) -> list[Ints]:
    """Rows below a root, deepest layer first."""
    order = np.argsort(-depth, kind="stable")
    cuts = np.flatnonzero(np.diff(depth[order])) + 1
    return [layer for layer in np.split(order, cuts) if len(layer) and depth[layer[0]] > 0]


def _places(parent: Ints, depth: Ints, size: Ints) -> Ints:
    """Positions at which every row stands before those below it, and these stand together."""
    place = np.zeros(len(parent), np.int64)
    roots = np.flatnonzero(parent < 0)
    for layer in (roots, *reversed(_layers(depth))):  # from the top: a row stands behind its parent and elder siblings
        by_parent = layer[np.argsort(parent[layer], kind="stable")]
        above = parent[by_parent]
        before = np.cumsum(size[by_parent]) - size[by_parent]
        first = np.concatenate(([True], above[1:] != above[:-1])) if len(above) else np.empty(0, np.bool_)
        begin = before[np.maximum.accumulate(np.where(first, np.arange(len(above)), 0))] if len(above) else before
        place[by_parent] = np.where(above < 0, 0, place[above] + 1) + before - begin
    return place


def _summed(parent: Ints, depth: Ints, own: NDArray[N]) -> NDArray[N]:
    total = own.copy()
    for layer in _layers(depth):
        np.add.at(total, parent[layer], total[layer])
    return total


def tree_credit(parent: ArrayLike, own: Floats, /, *, decay: float, what: str = "parent") -> Floats:
    """(n,) credit of every node for what hangs below it: sum over children of decay * (own + credit) of the child.

    Parameters
    ----------
    parent : (n,) rows
        -1 = none.
    own : (n,) numbers
    decay : share
        Of a child's that its parent is credited with.
    what : text
        Name of the parent in errors.

    Raises
    ------
    BadRows
        Rows that are not there, or that hang below each other in a circle.

    Examples
    --------
    >>> tree_credit([-1, 0, 1], np.array([100.0, 60.0, 40.0]), decay=0.5).tolist()
    [40.0, 20.0, 0.0]
    """
    if np.shape(parent) != (len(own),):
        raise OutOfRange(what, str(np.shape(parent)), f"({len(own)},) rows", "-1 means nobody")
    forest = Forest.of(parent, what=what)
    credited = np.zeros(len(own))
    for layer in _layers(forest.depth):
        np.add.at(credited, forest.parent[layer], decay * (own[layer] + credited[layer]))
    return credited
