"""Nicknames learned from the data: which different given names keep meeting in one entity.

After a first clustering, a pair of given names (bob, robert) that stands together in c entities, where chance would put
it in e, earns log(c / (e + 1)) nats in every later comparison, clipped to [-1.5, 4]. One entity is left out of c, so that
a pair of records never votes for itself.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.linkage.compare import Comparer, _levels
from crmcore.linkage.mixture import Weights

__all__ = ["Nicknames"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LOW, HIGH = -1.5, 4.0
FIRST, LAST = 3, 6  # levels at which two given names count as different words


@attrs.frozen(eq=False, repr=False)
class Nicknames:
    """Learned pairs of given names; `left[i] < right[i]` are value codes."""

    field: int  # which field holds the given name
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    together: Ints  # entities that hold both
    expected: Floats  # entities that would hold both by chance
    n_values: int

    def __len__(self) -> int:
        return len(self.left)

    def __repr__(self) -> str:
        return f"Nicknames({len(self)} pairs)"

    @classmethod
    def learn(cls, comparer: Comparer, labels: NDArray[np.int32], weights: Weights) -> Nicknames | None:
        """Count name pairs in entities; None where there is no given name or no entity of two."""
        if comparer.given is None:
            return None
        field = comparer.given
        e = comparer.fields[field]
        k = len(e.words)
        held = np.flatnonzero(e.codes >= 0)
        cells = np.unique(labels[held].astype(np.int64) * k + e.codes[held])
        entity, value = cells // k, cells % k
        entities, left, right = _pairs_within(entity, value)
        if not len(left):
            return None
        level = _levels(e, left.astype(np.int32), right.astype(np.int32))
        keep = (level >= FIRST) & (level <= LAST)
        packed, first, count = np.unique(left[keep] * k + right[keep], return_index=True, return_counts=True)
        level = level[keep][first]
        left, right = packed // k, packed % k
        share = e.counts / max(e.filled, 1)
        n_entities = len(np.unique(entity))
        expected = n_entities * weights.theta[0, field, level] * 2 * share[left] * share[right] / weights.u[field, level]
        return cls(field, left.astype(np.int32), right.astype(np.int32), count, expected, k)

    @property
    def nats(self) -> Floats:
        """(q,) what each pair of names adds to the evidence for one person."""
        others = np.maximum(self.together - 1, 0)
        return np.where(others > 0, np.clip(np.log((others + 1) / (self.expected + 1)), LOW, HIGH), 0.0)

    def terms(self, comparer: Comparer, lo: Ints, hi: Ints, levels: NDArray[np.int8]) -> Floats:
        """(m,) nats for each pair of records."""
        out = np.zeros(len(lo))
        at = np.flatnonzero((levels[:, self.field] >= FIRST) & (levels[:, self.field] <= LAST))
        if not len(at) or not len(self):
            return out
        a, b = comparer.table[lo[at], self.field].astype(np.int64), comparer.table[hi[at], self.field].astype(np.int64)
        key = np.minimum(a, b) * self.n_values + np.maximum(a, b)
        known = self.left.astype(np.int64) * self.n_values + self.right
        place = np.minimum(np.searchsorted(known, key), len(known) - 1)
        hit = known[place] == key
        out[at[hit]] = self.nats[place[hit]]
        return out


def _pairs_within(group: Ints, value: Ints) -> tuple[Ints, Ints, Ints]:
    """All pairs of values of each group; rows sorted by group, then value."""
    starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    sizes = np.diff(np.append(starts, len(group)))
    parts = []
    for size in range(2, int(sizes.max(initial=1)) + 1):
        at = starts[sizes == size]
        if len(at):
            i, j = np.triu_indices(size, 1)
            members = at[:, None] + np.arange(size)
            parts.append((members[:, i].ravel(), members[:, j].ravel()))
    if not parts:
        empty = np.empty(0, np.int64)
        return empty, empty, empty
    left, right = (np.concatenate([p[s] for p in parts]) for s in (0, 1))
    return group[left], value[left], value[right]
