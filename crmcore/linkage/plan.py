"""Choose blocking keys from the data, and fit the mixture on the same probes.

Probe records are drawn; for every key only the pairs that touch a probe are made, with the block sizes of all records.
One sample of these pairs (all that agree in two fields, some of the rest) and of random background pairs fits the
mixture, which then tells how many matches each key would find; keys are taken greedily by matches per pair until the
budget is spent. Up to `ALL_PROBES` records, every record is a probe and nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress
from crmcore.linkage.blocking import BlockingKey, KeySpace, Pairs, _blocks, _distinct, expand, pack, row_bits, unpack
from crmcore.linkage.compare import Comparer
from crmcore.linkage.mixture import Weights, fit_em, log_odds, start
from crmcore.linkage.rarity import Rarity, chance_levels
from crmcore.linkage.scoring import spread

__all__ = ["BlockingPlan", "PlannedKey", "Sample", "choose_keys", "draw_sample", "fit_weights"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

ALL_PROBES = 30_000  # records: up to here every record is a probe
PROBES = 6_000
RANDOM_PAIRS = 600_000
KEPT = 200_000  # candidate pairs that agree in two fields and more; as many of the others
LEAST_GAIN = 3e-5  # of all expected matches: below that a key is not worth running
MOST_PER_RECORD = 10  # pairs a record that one key may make
_WIDE_BLOCK = 64  # records: above, only the pairs of the probes are made
WIDE = 300  # expected pairs a record above which a key is not even tried


@attrs.frozen
class PlannedKey:
    """One chosen key and what it is expected to do."""

    key: BlockingKey
    pairs: float  # pairs that it makes
    matches: float  # expected matches that no earlier key finds


@attrs.frozen(eq=False)
class BlockingPlan:
    """Which keys to run, in order, and what they are expected to cost and find.

    Attributes
    ----------
    keys : chosen keys, best first
    cap : largest block that is compared
    pairs : expected number of candidate pairs
    recall : share of the matches that any key could find, found by the chosen ones (without labels: optimistic)
    tried : keys that were weighed
    """

    keys: tuple[PlannedKey, ...]
    cap: int
    pairs: float
    recall: float
    tried: int

    def __str__(self) -> str:
        lines = [
            f"{len(self.keys)} of {self.tried} keys, about {self.pairs:,.0f} pairs, "
            f"{self.recall:.1%} of reachable matches"
        ]
        lines += [f"  {k.key}: {k.pairs:,.0f} pairs, {k.matches:,.0f} new matches" for k in self.keys]
        return "\n".join(lines)


@attrs.frozen(eq=False, repr=False)
class Sample:
    """Pairs that stand for all: candidates around the probes, and random background pairs."""

    lo: Rows
    hi: Rows
    weight: Floats
    background: NDArray[np.bool_]
    keys: tuple[BlockingKey, ...]
    members: tuple[NDArray[np.int32], ...]  # per key: positions in lo/hi of the pairs that it makes
    key_pairs: Floats  # per key: pairs that it would make over all records
    cap: int


def draw_sample(
    space: KeySpace,
    comparer: Comparer,
    *,
    cap: int,
    rng: np.random.Generator,
    progress: Progress,
    only: Sequence[BlockingKey] = (),
) -> Sample:
    """Draw the pairs from which keys are chosen and the mixture is fitted; rows stand in an order free of meaning.

    `only`, where given, are the keys to draw from; else all that are worth trying.
    """
    n = space.n
    bits = row_bits(n)
    probes = np.arange(n) if n <= ALL_PROBES else np.sort(rng.choice(n, PROBES, replace=False))
    scale = 1.0 if n <= ALL_PROBES else n / (2 * PROBES)
    keys = list(only) or _worth_trying(space, n, cap)

    def pairs_of(key: BlockingKey) -> Pairs:
        return _probe_pairs(space, key, probes, cap, everything=n <= ALL_PROBES)

    found: list[tuple[BlockingKey, Pairs]] = []
    for i, (key, pairs) in enumerate(zip(keys, spread(pairs_of, keys), strict=True), 1):
        if len(pairs) and (only or len(pairs) * scale <= MOST_PER_RECORD * n):
            found.append((key, pairs))
        progress("plan blocking", i, len(keys))
    every = _distinct(np.concatenate([p for _, p in found])) if found else np.empty(0, np.uint64)
    lo, hi = unpack(every, bits)
    kept, weight = _stratify(comparer, lo, hi, rng)
    place = np.full(len(every), -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    members = []
    for _, pairs in found:
        at = place[np.searchsorted(every, pairs)]
        members.append(at[at >= 0])
    far_lo, far_hi = _random_pairs(n, rng)
    inside = _contains(every, pack(far_lo, far_hi, bits))
    far_lo, far_hi = far_lo[~inside], far_hi[~inside]
    rest = n * (n - 1) / 2 - len(every) * scale
    return Sample(
        np.concatenate([lo[kept], far_lo]),
        np.concatenate([hi[kept], far_hi]),
        np.concatenate([weight * scale, np.full(len(far_lo), max(rest, 0.0) / max(len(far_lo), 1))]),
        np.arange(len(kept) + len(far_lo)) >= len(kept),
        tuple(k for k, _ in found),
        tuple(members),
        np.array([len(p) * scale for _, p in found]),
        cap,
    )


def _worth_trying(space: KeySpace, n: int, cap: int) -> list[BlockingKey]:
    """Keys but those too wide, and those whose one part alone already makes small blocks for nearly every record."""
    collide, narrow = {}, {}
    for atom, values in space.atoms.items():
        held = np.sort(values[values != 0])
        cut = np.flatnonzero(np.concatenate([[True], held[1:] != held[:-1], [True]])) if len(held) else np.array([0])
        sizes = np.diff(cut)
        collide[atom] = float((sizes.astype(np.float64) ** 2).sum() / max(len(held), 1) ** 2)
        narrow[atom] = float(sizes[sizes <= cap].sum() / max(len(held), 1)) > 0.97
    out = []
    for key in space.every_key():
        if len(key.parts) == 2:
            a, b = key.parts
            if n > ALL_PROBES and (narrow[a] or narrow[b] or n * collide[a] * collide[b] > WIDE):
                continue
        out.append(key)
    return out


def _probe_pairs(space: KeySpace, key: BlockingKey, probes: Rows, cap: int, *, everything: bool) -> Pairs:
    """Distinct pairs of one key that touch a probe, packed."""
    bits = row_bits(space.n)
    values = space.values(key)
    rows: Rows | None = None
    if not everything:
        wanted = values[probes]
        seen = np.zeros(1 << 22, np.bool_)
        shift = np.uint64(42)
        seen[wanted[wanted != 0] >> shift] = True
        rows = np.flatnonzero(seen[values >> shift] & (values != 0))
        values = values[rows]
    members, starts, sizes = _blocks(values, rows, bits)
    starts, sizes = starts[sizes <= cap], sizes[sizes <= cap]
    if everything:
        parts = [pack(a, b, bits) for a, b in expand(members, starts, sizes)]
        return np.concatenate(parts) if parts else np.empty(0, np.uint64)
    is_probe = np.zeros(space.n, np.bool_)
    is_probe[probes] = True
    parts = []
    for a, b in expand(members, starts[sizes <= _WIDE_BLOCK], sizes[sizes <= _WIDE_BLOCK]):
        touch = is_probe[a] | is_probe[b]
        parts.append(pack(a[touch], b[touch], bits))
    for begin, size in zip(starts[sizes > _WIDE_BLOCK].tolist(), sizes[sizes > _WIDE_BLOCK].tolist(), strict=True):
        block = members[begin : begin + size]
        inside = block[is_probe[block]]
        a, b = np.repeat(inside, size), np.tile(block, len(inside))
        low, high = np.minimum(a, b), np.maximum(a, b)
        parts.append(_distinct(pack(low[low != high], high[low != high], bits)))
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def _stratify(comparer: Comparer, lo: Rows, hi: Rows, rng: np.random.Generator) -> tuple[Rows, Floats]:
    """Positions of the kept candidate pairs, and how many each stands for."""
    same = np.zeros(len(lo), np.int8)
    for e in comparer.fields:
        a = e.codes[lo]
        same += (a >= 0) & (a == e.codes[hi])
    kept, weight = [], []
    for stratum in (np.flatnonzero(same >= 2), np.flatnonzero(same < 2)):
        take = stratum if len(stratum) <= KEPT else np.sort(rng.choice(stratum, KEPT, replace=False))
        kept.append(take)
        weight.append(np.full(len(take), len(stratum) / max(len(take), 1)))
    positions, weights = np.concatenate(kept), np.concatenate(weight)
    order = np.argsort(positions)
    return positions[order], weights[order]


def _random_pairs(n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Distinct random pairs; all of them where they are few."""
    if n * (n - 1) // 2 <= 2 * RANDOM_PAIRS:
        i, j = np.triu_indices(n, 1)
        return i.astype(np.int64), j.astype(np.int64)
    a, b = rng.integers(0, n, RANDOM_PAIRS), rng.integers(0, n, RANDOM_PAIRS)
    keep = a != b
    return np.minimum(a, b)[keep], np.maximum(a, b)[keep]


def _contains(ranked: Pairs, wanted: Pairs) -> NDArray[np.bool_]:
    if not len(ranked):
        return np.zeros(len(wanted), np.bool_)
    at = np.minimum(np.searchsorted(ranked, wanted), len(ranked) - 1)
    return np.asarray(ranked[at] == wanted)


def fit_weights(
    comparer: Comparer, sample: Sample, *, n_records: int, rng: np.random.Generator
) -> tuple[Weights, Rarity, Floats]:
    """Fit the mixture on a sample; also the log-odds of the sample's pairs."""
    levels = (
        np.concatenate(
            list(
                spread(
                    lambda s: comparer.levels(sample.lo[s], sample.hi[s]),
                    [slice(i, i + 100_000) for i in range(0, len(sample.lo), 100_000)],
                )
            )
        )
        if len(sample.lo)
        else np.zeros((0, len(comparer.fields)), np.int8)
    )
    far_lo, far_hi = _random_pairs(n_records, rng)
    chance = (
        np.concatenate(
            list(
                spread(
                    lambda s: comparer.levels(far_lo[s], far_hi[s]),
                    [slice(i, i + 100_000) for i in range(0, len(far_lo), 100_000)],
                )
            )
        )
        if len(far_lo)
        else levels
    )
    u = chance_levels(chance, comparer)
    rarity = Rarity.of(comparer, u)
    felt = rarity.by_class(rarity.terms(comparer, sample.lo, sample.hi, levels))
    begin = start([e.kind for e in comparer.fields], comparer.n_levels, u, n_records=n_records)
    weights, _ = fit_em(begin, levels, felt, sample.weight, sample.background, n_records=n_records)
    return weights, rarity, log_odds(weights, levels, felt)


def choose_keys(sample: Sample, odds: Floats, *, budget_pairs: float) -> BlockingPlan:
    """Take the key with the most new matches per new pair, until the budget is spent (lazy greedy, Minoux 1978)."""
    p = sample.weight / (1 + np.exp(-odds))
    p[odds < -2] = 0.0  # below the floor of the clustering a pair joins nothing
    candidates = ~sample.background
    total = float(p[candidates].sum())
    covered = np.zeros(len(p), np.bool_)
    queue: list[tuple[float, int]] = []
    for k, members in enumerate(sample.members):
        cost = float(sample.weight[members].sum())
        queue.append((-float(p[members].sum()) / max(cost, 1e-9), k))
    heapify(queue)
    chosen: list[PlannedKey] = []
    spent = found = 0.0
    while queue and spent < budget_pairs:
        _, k = heappop(queue)
        fresh = sample.members[k][~covered[sample.members[k]]]
        gain, cost = float(p[fresh].sum()), float(sample.weight[fresh].sum())
        if gain < LEAST_GAIN * total:
            continue
        rate = -gain / max(cost, 1e-9)
        if queue and rate > queue[0][0]:
            heappush(queue, (rate, k))
            continue
        if spent + cost > budget_pairs * 1.1 and chosen:
            continue
        covered[fresh] = True
        spent, found = spent + cost, found + gain
        chosen.append(PlannedKey(sample.keys[k], float(sample.key_pairs[k]), gain))
    return BlockingPlan(tuple(chosen), sample.cap, spent, found / total if total else 1.0, len(sample.keys))
