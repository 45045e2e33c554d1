"""Who lives together: the cluster engine a second time, over entities instead of records, on the class "household".

Entities are never merged by this: a household holds whole customers, and each customer is in exactly one.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, reporter
from crmcore.linkage.agglomerate import Cuts
from crmcore.linkage.blocking import BlockingKey, KeySpace, block_pairs, row_bits, union, unpack
from crmcore.linkage.cluster import cluster
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.linking import Linkage, canonical_order
from crmcore.linkage.mixture import CLASSES, PairClass, class_scores
from crmcore.linkage.scoring import CHUNK, Scorer, spread

__all__ = ["household_labels", "household_log_odds"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CAP = 30  # records that may share an address or a telephone and still be compared
CUT = 0.5  # mean probability of living together that joins two groups
FLOOR = -3.0
_SHARED = (Kind.PHONE, Kind.EMAIL, Kind.STREET, Kind.STREET_NUMBER, Kind.POSTCODE, Kind.SURNAME)
_ALONE = (Kind.PHONE, Kind.EMAIL, Kind.STREET)  # of these one alone may bring two records together


def household_log_odds(scorer: Scorer, lo: Ints, hi: Ints) -> Floats:
    """(m,) log-odds that two records of different people are of one household, and not of one place or by chance.

    That they are one person was decided before and is left out: of the classes that remain, household against all.
    """
    house = CLASSES.index(PairClass.HOUSEHOLD)
    other = [CLASSES.index(c) for c in (PairClass.PLACE, PairClass.NAMESAKE)]

    def work(part: slice) -> Floats:
        levels, rarity = scorer.evidence(lo[part], hi[part])
        scores = class_scores(scorer.weights, levels, rarity)
        against = np.full(len(levels), np.log1p(-scorer.weights.pi.sum()))
        for c in other:
            against = np.logaddexp(against, scores[:, c])
        return np.asarray(scores[:, house] - against)

    parts = [slice(at, at + CHUNK) for at in range(0, len(lo), CHUNK)]
    return np.concatenate(list(spread(work, parts))) if parts else np.empty(0)


def household_labels(linkage: Linkage, /, *, cut: float = CUT, progress: Progress | bool = False) -> Ints:
    """Household of every record.

    Parameters
    ----------
    linkage : Linkage
    cut : mean probability that joins two groups of customers
    progress : callable or bool

    Returns
    -------
    (n,) codes; records of one entity always share theirs

    Notes
    -----
    Candidates are records that share a telephone, a mailbox, a street, or two of telephone, mailbox, street, number,
    postcode and surname. Two customers are linked by their most telling pair of records, since one of them may have an
    old address on another record. Where the records hold nothing that people of one household share, everybody lives
    alone.
    """
    report = reporter(progress)
    records = linkage.model.select(linkage.records)
    order = canonical_order(records.ids)
    records, entity = records.take(order), linkage.labels[order].astype(np.int64)
    by_kind = [c.name for kind in _SHARED for c in records.columns if c.kind is kind]
    alone = [c.name for c in records.columns if c.kind in _ALONE]
    keys = [BlockingKey(((name, "whole"),)) for name in alone]
    keys += [BlockingKey(((a, "whole"), (b, "whole"))) for a, b in combinations(by_kind, 2)]
    contact = any(DEFINITIONS[c.kind].contact and DEFINITIONS[c.kind].household for c in records.columns)
    if not keys or not (contact or alone):
        return linkage.labels.astype(np.int64)
    space = KeySpace.of(records)
    report("households", 0, 2)
    packed = union([part for key in keys for part in block_pairs(space.values(key), n=space.n, cap=CAP)])
    lo, hi = unpack(packed, row_bits(space.n))
    apart = entity[lo] != entity[hi]
    lo, hi = lo[apart].astype(np.int64), hi[apart].astype(np.int64)
    scorer = linkage.model.bind_records(records)
    odds = household_log_odds(scorer, lo, hi)
    report("households", 1, 2)
    first = np.full(linkage.clustering.n_clusters, len(records))
    np.minimum.at(first, entity, np.arange(len(records)))  # rank of an entity: its first record in canonical order
    a, b, strength = _strongest(entity[lo], entity[hi], odds, linkage.clustering.n_clusters)
    keep = strength >= FLOOR
    members = _Members(entity)

    def score(x: Ints, y: Ints) -> Floats:
        return members.strongest(x, y, scorer)

    found = cluster(
        linkage.clustering.n_clusters,
        a[keep],
        b[keep],
        strength[keep],
        rank=first,
        score=score,
        cuts=Cuts.constant(cut),
        floor=FLOOR,
    )
    report("households", 2, 2)
    out = np.empty(len(records), np.int64)
    out[order] = found.labels[entity]
    return out


def _strongest(a: Ints, b: Ints, odds: Floats, n: int) -> tuple[Ints, Ints, Floats]:
    """Each pair of entities once, with its largest log-odds."""
    key = np.minimum(a, b) * n + np.maximum(a, b)
    order = np.lexsort((-odds, key))
    ranked = key[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(key) else np.zeros(0, np.int64)
    return ranked[first] // n, ranked[first] % n, odds[order][first]


class _Members:
    """Rows of each entity, for pairs of entities that no key brought together."""

    def __init__(self, entity: Ints) -> None:
        self.rows = np.argsort(entity, kind="stable")
        self.count = np.bincount(entity)
        self.start = np.cumsum(self.count) - self.count

    def strongest(self, x: Ints, y: Ints, scorer: Scorer) -> Floats:
        """(m,) largest log-odds over all pairs of records of two entities."""
        pairs = self.count[x] * self.count[y]
        which = np.repeat(np.arange(len(x)), pairs)
        begin = np.cumsum(pairs) - pairs
        at = np.arange(int(pairs.sum())) - begin[which]
        i, j = np.divmod(at, self.count[y][which])
        left, right = self.rows[self.start[x][which] + i], self.rows[self.start[y][which] + j]
        odds = household_log_odds(scorer, np.minimum(left, right), np.maximum(left, right))
        return np.asarray(np.maximum.reduceat(odds, begin)) if len(begin) else np.zeros(0)
