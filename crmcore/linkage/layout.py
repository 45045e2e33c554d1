"""Where the pairs of all components lie in memory: components of one size side by side, members in id order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import BadRow, BadRows, WrongType
from crmcore.linkage.agglomerate import probability

__all__ = ["Layout", "Score", "square"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Cell = TypeVar("Cell", bound=np.generic)
Score = Callable[[Ints, Ints], Floats]

CELLS = 1 << 21  # matrix cells worked on at a time: bounds memory, never changes a result


def square(cells: NDArray[Cell], size: int, /) -> NDArray[Cell]:
    """(B, size, size) symmetric matrices from the cells of B components; diagonal 0.

    Examples
    --------
    >>> square(np.array([0.9, 0.1, 0.2]), 3)[0].tolist()
    [[0.0, 0.9, 0.1], [0.9, 0.0, 0.2], [0.1, 0.2, 0.0]]
    """
    i, j = np.triu_indices(size, 1)
    upper = cells.reshape(-1, len(i))
    p = np.zeros((len(upper), size, size), cells.dtype)
    p[:, i, j] = upper
    p[:, j, i] = upper
    return p


@attrs.frozen(eq=False)
class Layout:
    """Records of the components of two and up to `most`; larger ones are `whole`: they were joined by order.

    The cells of a component are the upper triangle of its matrix, row by row.
    """

    members: dict[int, Ints]  # size -> (B, size) records
    start: dict[int, int]  # size -> first cell
    cell: Ints  # (n,) first cell of the record's component; -1 for records alone
    local: Ints  # (n,) place in its component
    width: Ints  # (n,) size of its component
    whole: tuple[Ints, ...]  # records of each component that is one entity by order

    @property
    def sizes(self) -> list[int]:
        return sorted(self.members)

    @property
    def records(self) -> int:
        return sum(m.size for m in self.members.values())

    @property
    def cells(self) -> int:
        return sum(len(m) * size * (size - 1) // 2 for size, m in self.members.items())

    @classmethod
    def of(cls, component: Ints, /, *, most: int) -> Layout:
        """Lay out components numbered by smallest member."""
        n = len(component)
        width = np.bincount(component)[component] if n else np.zeros(0, np.int64)
        linked = np.flatnonzero((width > 1) & (width <= most))
        # sorting by component, then record, keeps components in order of their smallest member, and members in id order
        records = np.sort((component[linked] << 32) | linked) & 0xFFFFFFFF
        wide = width[records]
        cell, local = np.full(n, -1), np.zeros(n, np.int64)
        members: dict[int, Ints] = {}
        start: dict[int, int] = {}
        cells = 0
        for size in np.flatnonzero(np.bincount(wide, minlength=1)).tolist():
            rows = records[wide == size].reshape(-1, size)
            members[size], start[size] = rows, cells
            local[rows] = np.arange(size)
            per = size * (size - 1) // 2
            cell[rows] = (cells + np.arange(len(rows)) * per)[:, None]
            cells += len(rows) * per
        over = np.flatnonzero(width > most)
        whole = tuple(over[component[over] == c] for c in np.flatnonzero(np.bincount(component[over], minlength=1)))
        return cls(members, start, cell, local, width, whole)

    def inside(self, a: Ints, b: Ints) -> tuple[Ints, Ints]:
        """Which pairs (a < b) lie inside a component, and their cells."""
        which = np.flatnonzero((self.cell[a] >= 0) & (self.cell[a] == self.cell[b]))
        i, j, k = self.local[a[which]], self.local[b[which]], self.width[a[which]]
        return which, self.cell[a[which]] + i * (2 * k - i - 1) // 2 + (j - i - 1)

    def probabilities(self, a: Ints, b: Ints, log_odds: Floats, score: Score | None, order: Ints) -> Floats:
        """Probability in every cell: given ones as they are, missing ones asked from `score` at once, else 0."""
        which, at = self.inside(a, b)
        p = np.zeros(self.cells)
        known = np.zeros(self.cells, bool)
        known[at] = True
        if int(known.sum()) < len(at):
            first = np.full(self.cells, -1)
            first[at[::-1]] = which[::-1]
            rows = tuple(int(r) for r in which[first[at] != which])
            raise BadRows("pairs", (BadRow("lo, hi", "a pair given again", rows),), "give each pair once")
        p[at] = probability(log_odds[which])
        known[: self._first_of_large()] = True
        if score is not None and not known.all():
            left, right = (order[records] for records in self._records(np.flatnonzero(~known)))
            asked = np.asarray(score(np.minimum(left, right), np.maximum(left, right)), np.float64)
            if asked.shape != left.shape or np.isnan(asked).any():
                got = f"shape {asked.shape}, {int(np.isnan(asked).sum())} without a number"
                raise WrongType("score(lo, hi)", got, f"{len(left)} numbers", "give one log-odds per pair asked for")
            p[~known] = probability(asked)
        return p

    def _first_of_large(self) -> int:
        """First cell of the components of 3 and more."""
        return min((self.start[size] for size in self.members if size > 2), default=self.cells)

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

    def batches(self, size: int) -> Iterator[tuple[Ints, slice]]:
        """Components of one size and where their cells are, few enough at a time to be squared."""
        rows, per = self.members[size], size * (size - 1) // 2
        step = max(1, CELLS // (size * size))
        for i in range(0, len(rows), step):
            some = rows[i : i + step]
            yield some, slice(self.start[size] + i * per, self.start[size] + (i + len(some)) * per)
