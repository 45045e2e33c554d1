"""Which pairs people should look at first: those whose answer is expected to improve the entities most."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange
from crmcore.linkage.agglomerate import Cuts, probability
from crmcore.linkage.linking import Linkage, canonical_order

__all__ = ["Question", "Questions", "Reason", "choose_questions"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Reason(enum.StrEnum):
    """Why a pair is asked about."""

    UNSURE = "put together, but unsure"
    BRIDGE = "weakest link of a larger entity"
    APART = "kept apart, but alike"
    STOPPED = "alike, but stopped by a rule"


REASONS = tuple(Reason)


@attrs.frozen(kw_only=True)
class Question:
    """A pair of records to look at: is it one entity.

    Attributes
    ----------
    left, right : row numbers
    reason : why it is asked
    left_size, right_size : records that the answer moves
    probability : that the answer is yes: the mean over all pairs between both groups
    gain : expected rise of pair F1 when the answer is known
    """

    left: int
    right: int
    reason: Reason
    left_size: int
    right_size: int
    probability: float
    gain: float

    @property
    def n_pairs(self) -> int:
        """Pairs of records that the answer decides."""
        return self.left_size * self.right_size


@attrs.frozen(eq=False, repr=False)
class Questions:
    """Pairs to look at, most valuable first; row k of every column is question k.

    Attributes
    ----------
    left, right : (q,) row numbers
    reason : (q,) codes
        Position in `tuple(Reason)`.
    left_size, right_size : (q,) records that the answer moves
    probability : (q,) of the answer yes
    gain : (q,) expected rise of pair F1
    """

    left: Ints
    right: Ints
    reason: Ints
    left_size: Ints
    right_size: Ints
    probability: Floats
    gain: Floats

    def __len__(self) -> int:
        return len(self.left)

    def __getitem__(self, at: int) -> Question:
        return Question(
            left=int(self.left[at]),
            right=int(self.right[at]),
            reason=REASONS[self.reason[at]],
            left_size=int(self.left_size[at]),
            right_size=int(self.right_size[at]),
            probability=float(self.probability[at]),
            gain=float(self.gain[at]),
        )

    def __iter__(self) -> Iterator[Question]:
        return map(self.__getitem__, range(len(self)))

    def __repr__(self) -> str:
        return f"Questions({self})"

    def __str__(self) -> str:
        counts = np.bincount(self.reason, minlength=len(REASONS)).tolist()
        told = ", ".join(f"{n} {r.value}" for r, n in zip(REASONS, counts, strict=True) if n)
        return f"{len(self)} pairs to look at: {told or 'none'}"

    def take(self, rows: Ints | slice) -> Questions:
        """Some of the questions."""
        return Questions(*(getattr(self, f.name)[rows] for f in attrs.fields(Questions)))

    def rows(self) -> list[dict[str, object]]:
        """One row per question."""
        return [{**attrs.asdict(q), "reason": q.reason.value} for q in self]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per question, in a frame of `backend`."""
        columns = {f.name: getattr(self, f.name) for f in attrs.fields(Questions)}
        columns["reason"] = [REASONS[r].value for r in self.reason]
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self.rows(), caption=str(self))


def choose_questions(linkage: Linkage, size: int, /, *, settled: Sequence[tuple[int, int]] | Ints = ()) -> Questions:
    """Choose the pairs whose answer is expected to raise pair F1 most.

    Parameters
    ----------
    linkage : Linkage
    size : count
        At most so many.
    settled : pairs of row numbers
        Already answered: nothing is asked between their two entities again.

    Notes
    -----
    An answer moves all N pairs between two groups. With F the F1 that the model expects of itself, P pairs put together
    and M matches, "no" to a merge that was made is worth ``N F / (P + M)``, "yes" to one that was not is worth
    ``N (2 - F) / (P + M)``; each is taken times the probability of that answer. Merges that were made are asked about
    at the weakest place of each entity, those that were not by the mean probability between two entities. A merge of
    larger groups is worth making from its cut on, so there a mean at the cut counts as probability F / 2.

    Examples
    --------
    >>> from crmcore.linkage.linking import link
    >>> from crmcore.linkage.records import Records
    >>> names = Records.from_columns({"name": ["anna", "anna", "ana", "bert"]}, {"name": "given name"})
    >>> asked = choose_questions(link(names), 2)
    >>> len(asked) <= 2, bool((asked.gain >= 0).all())
    (True, True)
    """
    if size < 1:
        raise OutOfRange("size", size, "1 and more", "20 to 200 pairs are an afternoon's work")
    together, apart = _together(linkage), _apart(linkage)
    p = probability(linkage.log_odds)
    labels, sizes = linkage.labels, linkage.clustering.sizes
    inside = labels[linkage.lo] == labels[linkage.hi]
    put = float((sizes * (sizes - 1) / 2).sum())
    right, matches = float(p[inside].sum()), float(p.sum())
    total = max(put + matches, 1.0)
    f1 = min(2 * right / total, 1.0)
    cuts = linkage.model.cuts
    found = [_valued(_from_cut(part, cuts, f1), worth / total) for part, worth in ((together, f1), (apart, 2 - f1))]
    both = Questions(*(np.concatenate([getattr(q, f.name) for q in found]) for f in attrs.fields(Questions)))
    both = both.take(np.flatnonzero(~_settled(linkage, both, np.asarray(settled, np.int64).reshape(-1, 2))))
    rank = np.empty(len(linkage), np.int64)
    rank[canonical_order(linkage.records.ids)] = np.arange(len(linkage))
    left, right_rank = rank[both.left], rank[both.right]
    return both.take(np.lexsort((right_rank, left, -both.gain))[:size])


def _from_cut(asked: Questions, cuts: Cuts, f1: float) -> Questions:
    """Means between groups as probabilities: log-odds are counted from the cut, where yes and no are worth the same."""
    several = asked.left_size + asked.right_size > 2
    of_size = np.array([cuts.at(s) for s in range(int((asked.left_size + asked.right_size).max(initial=2)) + 1)])
    cut = np.clip(of_size[asked.left_size + asked.right_size], 1e-9, 1 - 1e-9)
    mean, even = np.clip(asked.probability, 1e-9, 1 - 1e-9), min(max(f1 / 2, 1e-3), 1 - 1e-3)
    odds = mean / (1 - mean) * (1 - cut) / cut * even / (1 - even)
    return attrs.evolve(asked, probability=np.where(several, odds / (1 + odds), asked.probability))


def _valued(asked: Questions, worth: float) -> Questions:
    """Questions with their gain: the chance that the answer changes something, times what it changes."""
    made = asked.reason <= REASONS.index(Reason.BRIDGE)
    chance = np.where(made, 1 - asked.probability, asked.probability)
    return attrs.evolve(asked, gain=np.asarray(chance * asked.left_size * asked.right_size * worth, np.float64))


def _of(left: Ints, right: Ints, reason: Reason | Ints, left_size: Ints, right_size: Ints, p: Floats) -> Questions:
    why = np.full(len(left), REASONS.index(reason)) if isinstance(reason, Reason) else reason
    return Questions(left, right, why, left_size, right_size, p, np.zeros(len(left)))


def _together(linkage: Linkage) -> Questions:
    """Merges that were made: the pair of each entity of two, the weakest merge of each larger one."""
    labels, sizes = linkage.labels, linkage.clustering.sizes
    two = np.flatnonzero((labels[linkage.lo] == labels[linkage.hi]) & (sizes[labels[linkage.lo]] == 2))
    one = np.ones(len(two), np.int64)
    pairs = _of(linkage.lo[two], linkage.hi[two], Reason.UNSURE, one, one, probability(linkage.log_odds[two]))
    b = linkage.clustering.bridges
    bridges = _of(b.left, b.right, Reason.BRIDGE, b.left_size, b.right_size, b.mean)
    return Questions(*(np.concatenate([getattr(q, f.name) for q in (pairs, bridges)]) for f in attrs.fields(Questions)))


def _apart(linkage: Linkage) -> Questions:
    """Two entities between which some pair is alike, by the mean over all their pairs; shown by the strongest pair."""
    labels, sizes = linkage.labels.astype(np.int64), linkage.clustering.sizes
    a, b = labels[linkage.lo], labels[linkage.hi]
    at = np.flatnonzero(a != b)
    p = probability(linkage.log_odds[at])
    low, high = np.minimum(a[at], b[at]), np.maximum(a[at], b[at])
    packed = low * max(len(sizes), 1) + high
    order = np.lexsort((-p, packed))  # within two entities the strongest first, then by place, which is by id
    first = np.flatnonzero(np.r_[True, packed[order][1:] != packed[order][:-1]]) if len(at) else np.zeros(0, np.int64)
    total = np.add.reduceat(p[order], first) if len(first) else np.zeros(0)
    best = at[order[first]]
    left, right = linkage.lo[best], linkage.hi[best]
    left_size, right_size = sizes[labels[left]], sizes[labels[right]]
    reason = np.full(len(best), REASONS.index(Reason.APART))
    stopped = linkage.clustering.blocked
    if len(stopped):
        x, y = labels[stopped.left], labels[stopped.right]
        barred = np.minimum(x, y) * len(sizes) + np.maximum(x, y)
        reason[np.isin(packed[order[first]], barred)] = REASONS.index(Reason.STOPPED)
    return _of(left, right, reason, left_size, right_size, total / (left_size * right_size))


def _settled(linkage: Linkage, asked: Questions, pairs: Ints) -> NDArray[np.bool_]:
    """(q,) whether somebody answered between the same two entities, or about this very pair."""
    if not len(pairs):
        return np.zeros(len(asked), np.bool_)
    labels, k = linkage.labels.astype(np.int64), linkage.clustering.n_clusters
    n = len(linkage)

    def key(x: Ints, y: Ints, width: int) -> Ints:
        return np.asarray(np.minimum(x, y) * width + np.maximum(x, y))

    same = np.isin(key(asked.left, asked.right, n), key(pairs[:, 0], pairs[:, 1], n))
    apart = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    between = key(labels[pairs[apart, 0]], labels[pairs[apart, 1]], k)
    crossed = (labels[asked.left] != labels[asked.right]) & np.isin(
        key(labels[asked.left], labels[asked.right], k), between
    )
    return np.asarray(same | crossed)
