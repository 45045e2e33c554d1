"""Records, pairs with evidence and entities, held for reading: what `EntityGraph` keeps up."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Self

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import UnknownName
from crmcore.graphs import connected_parts
from crmcore.linkage.components import CEILING, too_large
from crmcore.linkage.constraints import Constraints
from crmcore.linkage.index import LinkageIndex
from crmcore.linkage.linking import Linkage, link
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Column, Records

__all__ = ["MOST", "HeldEntities", "Limits", "Pair"]

MOST = 200  # records of a component that is clustered as one: as in `cluster`
Pair = tuple[int, int]


@attrs.frozen(kw_only=True)
class Limits:
    """General rules that clustering obeys: sources without duplicates, and how many values a field may have.

    `max_values` names fields of the model.
    """

    one_to_one: tuple[str, ...] = ()
    max_values: Mapping[str, int] = attrs.field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self.one_to_one or self.max_values)


class HeldEntities:
    """Records and entities under one model: loading, reading, saving."""

    def __init__(self, model: LinkageModel, *, limits: Limits | None = None) -> None:
        for name in (limits or Limits()).max_values:
            if name not in model.fields:
                raise UnknownName("field of max_values", name, tuple(model.fields))
        self.model = model
        self.limits = limits or Limits()
        self.index = LinkageIndex(model)
        self.ids: list[str] = []
        self._row: dict[str, int] = {}
        self._sources: list[str] = []
        self._rank: dict[int, tuple[int, str]] = {}
        # pairs of the first records lie in arrays (row -> slice); a row that changes is copied into `_near`
        self._begin: NDArray[np.int64] = np.zeros(1, np.int64)
        self._other: NDArray[np.int32] = np.zeros(0, np.int32)
        self._odds: NDArray[np.float64] = np.zeros(0)
        self._near: dict[int, dict[int, float]] = {}
        self._must: dict[int, set[int]] = {}
        self._must_not: dict[int, set[int]] = {}
        self._component = array("q")
        self._entity = array("q")
        self._in_component: dict[int, tuple[int, ...]] = {}  # of two and more
        self._in_entity: dict[int, tuple[int, ...]] = {}
        self._floor: dict[int, float] = {}  # components whose floor had to rise
        self._settled = 0  # rows below it were there before the present change
        self._matrix: dict[int, tuple[tuple[int, ...], NDArray[np.float64]]] = {}

    # ---- many at once ------------------------------------------------------------------------------------------

    @classmethod
    def of(cls, linkage: Linkage, *, limits: Limits | None = None, constraints: Constraints | None = None) -> Self:
        """Go on from a batch: `constraints` are those that it was given.

        The rules of `constraints` must say the same as `limits`; only its pairs are taken over.
        """
        graph = cls(linkage.model, limits=limits)
        records = linkage.records
        names = np.array(records.sources, object)[records.source].tolist() if len(records) else []
        pairs = Constraints() if constraints is None else constraints
        graph._load(
            records,
            [str(i) for i in records.ids.tolist()],
            names,
            (linkage.lo, linkage.hi, linkage.log_odds),
            linkage.labels,
            pairs.must_link,
            pairs.must_not_link,
        )
        return graph

    @classmethod
    def linked(
        cls,
        model: LinkageModel,
        records: Records,
        *,
        limits: Limits | None = None,
        must_link: Sequence[tuple[str, str]] = (),
        must_not_link: Sequence[tuple[str, str]] = (),
    ) -> Self:
        """Link records under a model and hold the result; decisions name record ids."""
        row = {str(r): i for i, r in enumerate(records.ids)}
        rules = limits or Limits()
        held = {c.name: c for c in records.columns}
        orders = Constraints(
            must_link=np.array([(row[a], row[b]) for a, b in must_link], np.int64).reshape(-1, 2),
            must_not_link=np.array([(row[a], row[b]) for a, b in must_not_link], np.int64).reshape(-1, 2),
            source=records.source,
            one_to_one=tuple([records.sources.index(s) for s in rules.one_to_one if s in records.sources]),
            max_values={name: (held[name].codes, most) for name, most in rules.max_values.items()},
        )
        none = not (must_link or must_not_link or rules)
        return cls.of(
            link(records, model=model, constraints=None if none else orders), limits=rules, constraints=orders
        )

    def _load(
        self,
        records: Records,
        ids: list[str],
        sources: list[str],
        pairs: tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.float64]],
        labels: NDArray[np.integer],
        must: NDArray[np.int64],
        must_not: NDArray[np.int64],
    ) -> None:
        n = len(ids)
        self.index = LinkageIndex.of(records, self.model)
        self.ids, self._sources, self._settled = ids, sources, n
        self._row = {name: i for i, name in enumerate(ids)}
        lo, hi, odds = pairs
        a, b = np.concatenate([lo, hi]), np.concatenate([hi, lo])
        order = np.argsort(a, kind="stable")
        self._begin = np.searchsorted(a[order], np.arange(n + 1)).astype(np.int64)
        self._other = b[order].astype(np.int32)
        self._odds = np.concatenate([odds, odds])[order]
        for held, given in ((self._must, must), (self._must_not, must_not)):
            for i, j in given.tolist():
                held.setdefault(i, set()).add(j)
                held.setdefault(j, set()).add(i)
        component, floors = _components(n, lo.astype(np.int64), hi.astype(np.int64), odds, must, self.model.floor)
        self._component, self._in_component = _groups(component)
        self._entity, self._in_entity = _groups(labels)
        for row in np.flatnonzero(floors > self.model.floor).tolist():
            self._floor[self._component[row]] = float(floors[row])

    def records(self) -> Records:
        """All records held, in the order of their rows."""
        rows = self.rows()
        cells = [self.index.values(r) for r in rows]
        names = tuple(dict.fromkeys(self._sources[r] for r in rows))
        code = {s: i for i, s in enumerate(names)}
        columns = tuple(
            Column.of(name, kind, [c[f] for c in cells]) for f, (name, kind) in enumerate(self.model.fields.items())
        )
        ids = np.array([self.ids[r] for r in rows], object)
        return Records(ids, np.array([code[self._sources[r]] for r in rows], np.int32), names, columns)

    # ---- reading -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.index)

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._row

    def __repr__(self) -> str:
        return f"EntityGraph({len(self)} records)"

    def rows(self) -> list[int]:
        """Rows of the records held, ascending."""
        return [r for r in range(len(self.ids)) if r in self.index]

    def row(self, record_id: str) -> int:
        """Row of a record.

        Raises
        ------
        UnknownName
            No such record; the nearest is proposed.
        """
        found = self._row.get(record_id)
        if found is None:
            raise UnknownName("record", record_id, tuple(list(self._row)[:10_000]))
        return found

    def source(self, row: int) -> str:
        """Source of the record at a row."""
        return self._sources[row]

    def entity(self, record_id: str) -> int:
        """Entity of a record, named by its smallest row."""
        return self._entity[self.row(record_id)]

    def rows_of(self, entity: int) -> tuple[int, ...]:
        """Rows of an entity, ascending."""
        return self._in_entity.get(entity) or (entity,)

    def members(self, entity: int) -> tuple[str, ...]:
        """Record ids of an entity, in the order of their rows."""
        return tuple(self.ids[r] for r in self.rows_of(entity))

    def labels(self) -> dict[str, int]:
        """Record id -> entity, named by its smallest row."""
        return {name: self._entity[row] for name, row in self._row.items()}

    def partition(self) -> set[frozenset[str]]:
        """The entities as sets of record ids."""
        return {frozenset(self.members(self._entity[r])) for r in self._row.values()}

    def near(self, row: int) -> Mapping[int, float]:
        """Candidate pairs of a record that reach the floor: other row -> log-odds."""
        found = self._near.get(row)
        if found is not None:
            return found
        if row + 1 >= len(self._begin):
            return {}
        at = slice(self._begin[row], self._begin[row + 1])
        return dict(zip(self._other[at].tolist(), self._odds[at].tolist(), strict=True))

    def must(self, row: int) -> frozenset[int]:
        """Rows that a decision joins with this one directly."""
        return frozenset(self._must.get(row, ()))

    def must_not(self, row: int) -> frozenset[int]:
        """Rows that a decision parts from this one directly."""
        return frozenset(self._must_not.get(row, ()))

    def bound(self, row: int) -> frozenset[int]:
        """Rows that decisions join with this one, through others too."""
        return frozenset(self._bound(row))

    def decisions(self) -> tuple[list[Pair], list[Pair]]:
        """Must-links and must-not-links as pairs of rows, each once, ascending."""
        both = [
            sorted((a, b) for a, held in all_.items() for b in held if a < b) for all_ in (self._must, self._must_not)
        ]
        return both[0], both[1]

    def state(
        self,
    ) -> tuple[Records, tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]], NDArray[np.int64]]:
        """Records held, their pairs with evidence, and the entity of each: what `restore` takes."""
        rows = np.array(self.rows(), np.int64)
        place = np.full(len(self.ids) + 1, -1, np.int64)
        place[rows] = np.arange(len(rows))
        first = np.repeat(np.arange(len(self._begin) - 1), np.diff(self._begin))
        changed = np.zeros(len(self.ids) + 1, np.bool_)
        changed[list(self._near)] = True
        keep = (first < self._other) & ~changed[first]
        later = [(a, b, x) for a, near in self._near.items() for b, x in near.items() if a < b or b not in self._near]
        a = np.concatenate([first[keep], np.array([p[0] for p in later], np.int64)])
        b = np.concatenate([self._other[keep], np.array([p[1] for p in later], np.int64)])
        odds = np.concatenate([self._odds[keep], np.array([p[2] for p in later], np.float64)])
        lo, hi = np.minimum(a, b), np.maximum(a, b)
        fresh = np.unique(lo * (len(self.ids) + 1) + hi, return_index=True)[1]
        labels = np.frombuffer(self._entity, np.int64)[rows] if len(rows) else rows
        pairs = (place[lo[fresh]].astype(np.int32), place[hi[fresh]].astype(np.int32), odds[fresh])
        return self.records(), pairs, labels

    @classmethod
    def restore(
        cls,
        model: LinkageModel,
        records: Records,
        pairs: tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.float64]],
        labels: NDArray[np.integer],
        *,
        limits: Limits | None = None,
        must_link: Sequence[tuple[str, str]] = (),
        must_not_link: Sequence[tuple[str, str]] = (),
    ) -> Self:
        """Hold what `state` gave, without comparing anything again."""
        graph = cls(model, limits=limits)
        row = {str(r): i for i, r in enumerate(records.ids)}
        must, must_not = (
            np.array([(row[a], row[b]) for a, b in given], np.int64).reshape(-1, 2)
            for given in (must_link, must_not_link)
        )
        names = np.array(records.sources, object)[records.source].tolist() if len(records) else []
        graph._load(records, [str(i) for i in records.ids.tolist()], names, pairs, labels, must, must_not)
        return graph

    def _bound(self, row: int) -> set[int]:
        """Rows that must-links join with this one, through others too."""
        if row not in self._must:
            return {row}
        found, queue = {row}, [row]
        while queue:
            for other in self._must.get(queue.pop(), ()):
                if other not in found:
                    found.add(other)
                    queue.append(other)
        return found


def _groups(labels: NDArray[np.integer]) -> tuple[array[int], dict[int, tuple[int, ...]]]:
    """Name of each row's group (its smallest row), and the rows of groups of two and more."""
    if not len(labels):
        return array("q"), {}
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    starts = np.concatenate([[0], cuts])
    sizes = np.diff(np.append(starts, len(order)))
    name = np.empty(len(labels), np.int64)
    name[order] = np.repeat(order[starts], sizes)
    several = {}
    for begin, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        members = order[begin : begin + size].tolist()
        several[members[0]] = tuple(members)
    return array("q", name.tolist()), several


def _components(
    n: int,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    odds: NDArray[np.float64],
    must: NDArray[np.int64],
    floor: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Component of each row as `bounded_components` finds it, and the floor at which it holds."""
    sure_a, sure_b = must[:, 0], must[:, 1]
    label = connected_parts(n, np.concatenate([a, sure_a]), np.concatenate([b, sure_b]))
    floors = np.full(n, floor)
    if not n or np.bincount(label).max() <= MOST:
        return label, floors
    bound = connected_parts(n, sure_a, sure_b)
    while floor < CEILING and (large := too_large(label, bound, MOST)).any():
        floor += 1.0
        floors[large] = floor
        keep = ~large[a] | (odds >= floor)
        a, b, odds = a[keep], b[keep], odds[keep]
        label = connected_parts(n, np.concatenate([a, sure_a]), np.concatenate([b, sure_b]))
    return label, floors
