"""Customer ids that stay: derived from the records of a cluster, kept through re-runs, every change written down."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import write_frame
from crmcore.errors import WrongType

__all__ = ["Change", "CustomerIds", "IdentityEvent", "IdentityEvents", "assign_ids", "keepers", "stable_id"]


class Change(enum.StrEnum):
    """What a re-run did to a customer id."""

    NEW = "new"  # no record of it was known before
    KEPT = "kept"
    MERGED_INTO = "merged into"  # the id ended; its records went to `other`
    SPLIT_FROM = "split from"  # the id began with records of `other`, which lives on
    MOVED_FROM = "moved from"  # the id is older, and took over records of `other`, which lives on
    GONE = "gone"  # the id ended; none of its records is left


KINDS = tuple(Change)


@attrs.frozen
class IdentityEvent:
    """One change: what happened to `customer`, with whom, and how many records it concerned."""

    customer: str
    change: Change
    other: str | None
    records: int


@attrs.frozen(eq=False, repr=False)
class IdentityEvents:
    """The changes of one run, columnar; row i of every column is one change."""

    customer: NDArray[np.object_]
    change: NDArray[np.int8]  # position in tuple(Change)
    other: NDArray[np.object_]  # None where nobody else is concerned
    records: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.customer)

    def __getitem__(self, row: int) -> IdentityEvent:
        return IdentityEvent(self.customer[row], KINDS[self.change[row]], self.other[row], int(self.records[row]))

    def __iter__(self) -> Iterator[IdentityEvent]:
        return map(self.__getitem__, range(len(self)))

    def __repr__(self) -> str:
        counts = np.bincount(self.change, minlength=len(KINDS))
        told = ", ".join(f"{n} {k}" for k, n in zip(KINDS, counts.tolist(), strict=True) if n)
        return f"IdentityEvents({told or 'none'})"

    def of(self, customer: str) -> tuple[IdentityEvent, ...]:
        """Every change that names this customer, on either side."""
        rows = np.flatnonzero((self.customer == customer) | (self.other == customer))
        return tuple(self[int(i)] for i in rows)

    def to_frame(self, *, backend: Any = None) -> Any:
        """Return one row per change."""
        words = np.array([str(k) for k in KINDS], object)[self.change]
        return write_frame(
            {"customer": self.customer, "change": words, "other": self.other, "records": self.records}, backend=backend
        )


@attrs.frozen(eq=False, repr=False)
class CustomerIds:
    """Customers in the order of their smallest record id, the customer of each record, and what changed."""

    ids: tuple[str, ...]  # (k,)
    labels: NDArray[np.int32]  # (n,) position in ids of each record's customer
    events: IdentityEvents

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"CustomerIds({len(self.ids)} customers, {len(self.labels)} records, {self.events!r})"


def stable_id(record_id: str, *, attempt: int = 0) -> str:
    """Customer id that a cluster starts with: a hash of its smallest record id, 64 bits as 16 characters.

    `attempt` gives other ids for the same record, for the case that the first is taken. Among 10 million customers two
    collide with probability 3e-6 (birthday bound), and then the second is hashed again.

    Examples
    --------
    >>> stable_id("members:17")
    'c-b8939174f0965e57'
    """
    seed = record_id if not attempt else f"{record_id}#{attempt}"
    return f"c-{blake2b(seed.encode(), digest_size=8).hexdigest()}"


def assign_ids(
    labels: NDArray[np.integer[Any]],
    record_ids: Sequence[str] | NDArray[np.object_],
    previous: Mapping[str, str] | None = None,
) -> CustomerIds:
    """Give every cluster of records a customer id that survives re-runs.

    A cluster keeps the previous id with which it shares most records; ties go to the smaller id, then to the cluster
    with the smaller record id. Every other cluster gets the hash of its smallest record id. Neither the order of the
    records nor the numbers used as labels matter, and an id that ended is never given to anybody else.

    Parameters
    ----------
    labels : (n,) integers
        Cluster of each record; any numbers.
    record_ids : (n,) text
        Unique.
    previous : record id -> customer id
        What the last run said, `ProfileTable.assignments()`; None for the first run.

    Returns
    -------
    CustomerIds

    Examples
    --------
    >>> records = ["web:1", "web:2", "shop:1"]
    >>> first = assign_ids(np.array([0, 0, 1]), records)
    >>> again = assign_ids(np.array([0, 0, 0]), records, {"web:1": "A", "web:2": "A", "shop:1": "B"})
    >>> len(first), again.ids, [(e.customer, e.change.value, e.other) for e in again.events]
    (2, ('A',), [('A', 'kept', None), ('B', 'merged into', 'A')])
    """
    names = np.asarray(record_ids, dtype=object)
    if len(labels) != len(names):
        raise WrongType(
            "labels",
            f"{len(labels)} labels",
            f"{len(names)}, one per record",
            "pass the labels of exactly these records",
        )
    dense, anchors = _anchored(np.asarray(labels), names)
    if previous is None:
        ids = _fresh(anchors, [None] * len(anchors), set())
        return CustomerIds(tuple(ids), dense, _events([], []))
    return _carried(dense, anchors, names, previous)


def _anchored(labels: NDArray[np.integer[Any]], names: NDArray[np.object_]) -> tuple[NDArray[np.int32], list[str]]:
    """Clusters renumbered by their smallest record id, and those ids."""
    _, first, dense, size = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    anchor = names[first]
    several = np.flatnonzero(size[dense] > 1)  # a cluster of one is its own smallest: sort only the others
    if len(several):
        some = names[several].tolist()
        order = several[sorted(range(len(some)), key=some.__getitem__)]
        anchor[dense[order[::-1]]] = names[order[::-1]]  # the smallest is written last
    listed = anchor.tolist()
    rank = np.empty(len(listed), np.int32)
    by_name = sorted(range(len(listed)), key=listed.__getitem__)
    rank[by_name] = np.arange(len(listed), dtype=np.int32)
    return rank[dense], [listed[i] for i in by_name]


def _fresh(anchors: Sequence[str], given: list[str | None], taken: set[str]) -> list[str]:
    out: list[str] = []
    for anchor, kept in zip(anchors, given, strict=True):
        chosen, attempt = kept, 0
        while chosen is None:
            proposal = stable_id(anchor, attempt=attempt)
            chosen = None if proposal in taken else proposal
            attempt += 1
        taken.add(chosen)
        out.append(chosen)
    return out


def _carried(
    dense: NDArray[np.int32], anchors: list[str], names: NDArray[np.object_], previous: Mapping[str, str]
) -> CustomerIds:
    old_ids = sorted(set(previous.values()))
    code = {c: i for i, c in enumerate(old_ids)}
    was = np.fromiter((code[previous[r]] if r in previous else -1 for r in names.tolist()), np.int64, len(names))
    known = was >= 0
    width = max(len(old_ids), 1)
    pair, overlap = np.unique(dense[known].astype(np.int64) * width + was[known], return_counts=True)
    new, old = np.divmod(pair, width)
    order = np.lexsort((new, old, -overlap))  # codes are in the order of the ids, so ties are by id
    new, old, overlap = new[order], old[order], overlap[order]
    keeper = keepers(new, old, len(anchors), len(old_ids))
    given = [old_ids[o] if o >= 0 else None for o in keeper.tolist()]
    ids = _fresh(anchors, given, set(old_ids))
    return CustomerIds(tuple(ids), dense, _changes(new, old, overlap, keeper, ids, old_ids))


def keepers(new: NDArray[np.int64], old: NDArray[np.int64], n_new: int, n_old: int) -> NDArray[np.int64]:
    """Match clusters with the ids that they keep, greedily over pairs that come best first.

    Parameters
    ----------
    new, old : (m,) codes
        A cluster, and an old id with which it shares records.
    n_new, n_old : counts

    Returns
    -------
    (n_new,) code of the old id that each cluster keeps, -1 = none.
    """
    keeper = np.full(n_new, -1, np.int64)
    free = np.ones(n_old, bool)
    simple = (np.bincount(new, minlength=n_new)[new] == 1) & (np.bincount(old, minlength=n_old)[old] == 1)
    keeper[new[simple]] = old[simple]
    free[old[simple]] = False
    for c, o in zip(new[~simple].tolist(), old[~simple].tolist(), strict=True):
        if keeper[c] < 0 and free[o]:
            keeper[c] = o
            free[o] = False
    return keeper


def _changes(
    new: NDArray[np.int64],
    old: NDArray[np.int64],
    overlap: NDArray[np.int64],
    keeper: NDArray[np.int64],
    ids: list[str],
    old_ids: list[str],
) -> IdentityEvents:
    lives = np.zeros(len(old_ids), bool)
    lives[keeper[keeper >= 0]] = True
    met = np.zeros(len(ids), bool)
    met[new] = True
    here = np.zeros(len(old_ids), bool)
    here[old] = True
    own = keeper[new] == old
    plain = [(ids[c], Change.KEPT, None, n) for c, n in zip(new[own].tolist(), overlap[own].tolist(), strict=True)]
    plain += [(ids[c], Change.NEW, None, 0) for c in np.flatnonzero(~met).tolist()]
    plain += [(old_ids[o], Change.GONE, None, 0) for o in np.flatnonzero(~here).tolist()]
    joint: list[tuple[str, Change, str | None, int]] = []
    for c, o, n in zip(new[~own].tolist(), old[~own].tolist(), overlap[~own].tolist(), strict=True):
        if not lives[o]:
            joint.append((old_ids[o], Change.MERGED_INTO, ids[c], n))
        else:
            joint.append((ids[c], Change.SPLIT_FROM if keeper[c] < 0 else Change.MOVED_FROM, old_ids[o], n))
    return _events(plain, joint)


def _events(
    plain: Sequence[tuple[str, Change, str | None, int]], joint: Sequence[tuple[str, Change, str | None, int]]
) -> IdentityEvents:
    rows = sorted((*plain, *joint), key=lambda r: (r[0], r[1], r[2] or ""))
    customer, change, other, records = zip(*rows, strict=True) if rows else ((), (), (), ())
    return IdentityEvents(
        np.array(customer, object),
        np.array([KINDS.index(c) for c in change], np.int8),
        np.array(other, object),
        np.array(records, np.int64),
    )
