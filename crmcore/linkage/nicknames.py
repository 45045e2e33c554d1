"""Nicknames learned from the data: which different given names keep meeting in one entity.

After a first clustering, a pair of given names (bob, robert) that stands together in c + 1 entities, where chance would
put it in e, earns log((c + 1) / (e + 1)) nats in every later comparison, clipped to [-1.5, 4]. Pairs seen in one entity
only earn nothing, so that two records never vote for themselves alone.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.linkage.compare import Comparer
from crmcore.linkage.encode import value_hashes
from crmcore.linkage.mixture import Weights

__all__ = ["BoundNicknames", "Nicknames"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LOW, HIGH = -1.5, 4.0
FIRST, LAST = 3, 6  # levels at which two given names count as different words


@attrs.frozen(eq=False, repr=False)
class Nicknames:
    """Learned pairs of given names, by the hash of each name: plain data that fits any set of records.

    Attributes
    ----------
    left, right : (q,) hashes of two names
    nats : (q,) what the pair adds to the evidence for one person
    together : (q,) entities that held both
    """

    left: NDArray[np.uint64]
    right: NDArray[np.uint64]
    nats: Floats
    together: Ints

    def __len__(self) -> int:
        return len(self.left)

    def __repr__(self) -> str:
        return f"Nicknames({len(self)} pairs)"

    @classmethod
    def learn(cls, comparer: Comparer, labels: NDArray[np.int32], weights: Weights) -> Nicknames | None:
        """Count name pairs in entities; None where there is no given name, or no two names share an entity."""
        if comparer.given is None:
            return None
        field = comparer.given
        e = comparer.fields[field]
        k = len(e.words)
        named = np.zeros(int(labels.max(initial=-1)) + 1, np.bool_)
        named[labels[e.codes >= 0]] = True
        held = np.flatnonzero((e.codes >= 0) & (np.bincount(labels)[labels] > 1))
        cells = np.unique(labels[held].astype(np.int64) * k + e.codes[held])
        entity, value = cells // k, cells % k
        _, left, right = _pairs_within(entity, value)
        if not len(left):
            return None
        level = comparer.levels_of(field, left.astype(np.int32), right.astype(np.int32))
        keep = (level >= FIRST) & (level <= LAST)
        packed, first, count = np.unique(left[keep] * k + right[keep], return_index=True, return_counts=True)
        level = level[keep][first]
        left, right = packed // k, packed % k
        share = e.counts / max(e.filled, 1)
        n_entities = int(named.sum())
        expected = (
            n_entities * weights.theta[0, field, level] * 2 * share[left] * share[right] / weights.u[field, level]
        )
        again = count >= 2
        nats = np.clip(np.log(count[again] / (expected[again] + 1)), LOW, HIGH)
        hashes = value_hashes(e.words)
        return cls(hashes[left[again]], hashes[right[again]], nats, count[again])

    def bind(self, comparer: Comparer) -> BoundNicknames:
        """Look the names up among the values of these records."""
        field = comparer.given
        if field is None:
            return BoundNicknames(0, 1, np.empty(0, np.int64), np.empty(0))
        k = len(comparer.fields[field].words)
        hashes = value_hashes(comparer.fields[field].words)
        order = np.argsort(hashes)
        left, right = (_find(hashes, order, side) for side in (self.left, self.right))
        known = np.flatnonzero((left >= 0) & (right >= 0))
        key = np.minimum(left, right)[known] * k + np.maximum(left, right)[known]
        ranked = np.argsort(key)
        return BoundNicknames(field, k, key[ranked], self.nats[known][ranked])


def _find(hashes: NDArray[np.uint64], order: Ints, wanted: NDArray[np.uint64]) -> Ints:
    """Position of each wanted hash, -1 where it is not there."""
    if not len(hashes):
        return np.full(len(wanted), -1, np.int64)
    at = order[np.minimum(np.searchsorted(hashes, wanted, sorter=order), len(order) - 1)]
    return np.where(hashes[at] == wanted, at, -1).astype(np.int64)


@attrs.frozen(eq=False, repr=False)
class BoundNicknames:
    """Learned names as codes of one set of records."""

    field: int
    n_values: int
    key: Ints  # (q,) lower code * n_values + higher code, ascending
    nats: Floats

    def terms(
        self, comparer: Comparer, lo: NDArray[np.integer], hi: NDArray[np.integer], levels: NDArray[np.int8]
    ) -> Floats:
        """(m,) nats for each pair of records."""
        out = np.zeros(len(lo))
        if not len(self.key):
            return out
        at = np.flatnonzero((levels[:, self.field] >= FIRST) & (levels[:, self.field] <= LAST))
        a, b = comparer.table[lo[at], self.field].astype(np.int64), comparer.table[hi[at], self.field].astype(np.int64)
        key = np.minimum(a, b) * self.n_values + np.maximum(a, b)
        place = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        hit = self.key[place] == key
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
