"""Evidence of rare and common values: agreeing on Featherstonehaugh says more than agreeing on Smith."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.linkage.compare import Comparer
from crmcore.linkage.encode import Encoded, value_hashes
from crmcore.linkage.fields import DEFINITIONS
from crmcore.linkage.mixture import WIDTH, free_fields

__all__ = ["Rarity", "Shares", "chance_levels"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MOST = 3.0  # nats that a fuzzy agreement may add or take


@attrs.frozen(eq=False, repr=False)
class Shares:
    """How often values occurred in the records that a model was fitted on, by the hash of the value.

    Only values that occurred twice or more are kept: all others count once, as unseen values do.
    """

    hashes: NDArray[np.uint64]  # (q,) ascending
    counts: Ints  # (q,)
    filled: int  # records that said anything

    @classmethod
    def of(cls, field: Encoded) -> Shares:
        """Count the values of one field."""
        again = np.flatnonzero(field.counts >= 2)
        hashes = value_hashes(field.words[again])
        order = np.argsort(hashes)
        return cls(hashes[order], field.counts[again][order], field.filled)

    def find(self, words: NDArray[np.object_]) -> Floats:
        """(k,) share of each value."""
        counts = np.ones(len(words))
        if len(self.hashes) and len(words):
            wanted = value_hashes(words)
            at = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
            counts = np.where(self.hashes[at] == wanted, self.counts[at], 1)
        return counts / max(self.filled, 1)


@attrs.frozen(eq=False)
class Rarity:
    """Per value, how much more or less than average an agreement on it says.

    Level 1 adds log(mean share / share of the value); the next levels half of that for the commoner of the two values,
    clipped to +-3 nats (the frequency adjustment of Winkler 1989, carried to fuzzy levels). The mean share is
    u_same + 1 / n: like the share of a value it counts a record with itself, or values of near-unique columns (a
    membership number on two records) would look common.
    """

    excess: tuple[Floats, ...]  # per field (k,) log(mean share / share)
    levels: tuple[int, ...]  # per field: last level that counts
    free: NDArray[np.bool_]  # (5, f) classes that feel it

    @classmethod
    def of(cls, comparer: Comparer, u: Floats, shares: Sequence[Shares] | None = None) -> Rarity:
        """Take shares from a model, or from the records themselves."""
        kinds = [e.kind for e in comparer.fields]
        free = free_fields(kinds)
        free[4] = False  # namesakes agree by chance, whatever the name
        found = (
            [np.maximum(e.counts, 1) / max(e.filled, 1) for e in comparer.fields]
            if shares is None
            else [s.find(e.words) for s, e in zip(shares, comparer.fields, strict=True)]
        )
        filled = [e.filled for e in comparer.fields] if shares is None else [s.filled for s in shares]
        excess = tuple(np.log(u[f, 1] + 1 / max(filled[f], 1)) - np.log(share) for f, share in enumerate(found))
        return cls(excess, tuple(DEFINITIONS[k].frequency_levels for k in kinds), free)

    def terms(
        self, comparer: Comparer, lo: NDArray[np.integer], hi: NDArray[np.integer], levels: NDArray[np.int8]
    ) -> Floats:
        """(m, f) nats that each field's values add to a class that feels them."""
        out = np.zeros(levels.shape)
        for f, excess in enumerate(self.excess):
            at = np.flatnonzero((levels[:, f] > 0) & (levels[:, f] <= self.levels[f]))
            if not len(at):
                continue
            a, b = comparer.table[lo[at], f], comparer.table[hi[at], f]
            same = levels[at, f] == 1
            fuzzy = np.clip(0.5 * np.minimum(excess[a], excess[b]), -MOST, MOST)
            out[at, f] = np.where(same, excess[a], fuzzy)
        return out

    def by_class(self, terms: Floats) -> Floats:
        """(m, 5) sum of the terms that each class feels."""
        out = np.zeros((len(terms), len(self.free)))
        for f in range(terms.shape[1]):
            for c in np.flatnonzero(self.free[:, f]):
                out[:, c] += terms[:, f]
        return out


FEW_PAIRS = 100.0  # pseudo-pairs of typical unrelated people: a handful of records says next to nothing about chance


def chance_levels(levels: NDArray[np.int8], comparer: Comparer) -> Floats:
    """(f, 8) share of each level among random pairs: level 1 exactly from value counts, the others as sampled.

    Where pairs are few, what is typical of the kind of field weighs in as `FEW_PAIRS` pairs.
    """
    u = np.full((len(comparer.fields), WIDTH), 1e-9)
    u[:, 0] = 1.0
    for f, (e, k) in enumerate(zip(comparer.fields, comparer.n_levels, strict=True)):
        filled = e.filled
        pairs = filled * (filled - 1) / 2
        same = (e.counts * (e.counts - 1) / 2).sum()
        typical = np.array(DEFINITIONS[e.kind].by_chance(k))
        u_same = (same + 0.5 + FEW_PAIRS * typical[0]) / (pairs + 1 + FEW_PAIRS)
        counts = np.bincount(levels[:, f], minlength=WIDTH)[2 : k + 1] + FEW_PAIRS * typical[1:]
        u[f, 1] = u_same
        u[f, 2 : k + 1] = counts / counts.sum() * (1 - u_same)
    return u
