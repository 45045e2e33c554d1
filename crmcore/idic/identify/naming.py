"""Customer ids under change: an id stays with the larger part of its records, every end of an id is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from crmcore.idic.identify.ids import Change, stable_id
from crmcore.linkage import incremental

__all__ = ["Names", "Renamed"]


@attrs.frozen
class Renamed:
    """Records that came to a customer, and changes of ids: (customer, change, other, records)."""

    moved: Mapping[str, list[str]]
    changes: tuple[tuple[str, Change, str | None, int], ...]


NOTHING = Renamed({}, ())


class Names:
    """Customer id of every entity."""

    def __init__(self) -> None:
        self.of: dict[int, str] = {}  # entity -> customer
        self.entity: dict[str, int] = {}  # customer -> entity

    def give(self, entity: int, customer: str) -> None:
        """Give an entity its customer id."""
        self.of[entity] = customer
        self.entity[customer] = entity

    def follow(self, change: incremental.Change, record_id: Callable[[int], str]) -> Renamed:
        """Carry ids over a change of entities.

        An entity keeps the id with which it shares most records; ties go to the customer, then to the entity, that was
        observed first. Any other entity gets the hash of its smallest record id, as in `assign_ids`.
        """
        before, after = change.before, change.after
        if not before and len(after) == 1:  # nearly every call: somebody new
            ((entity, rows),) = after.items()
            name = self._fresh(min(map(record_id, rows)), ())
            self.give(entity, name)
            return Renamed({name: [record_id(r) for r in rows]}, ())
        was = {r: self.of[e] for e, rows in before.items() for r in rows}
        anchors = {e: min(map(record_id, rows)) for e, rows in after.items()}
        shared: dict[tuple[int, str], int] = {}
        for e, rows in after.items():
            for r in rows:
                if r in was:
                    shared[e, was[r]] = shared.get((e, was[r]), 0) + 1
        since = {self.of[e]: e for e in before}
        ranked = sorted(shared, key=lambda pair: (-shared[pair], since[pair[1]], pair[0]))
        keeps: dict[int, str] = {}
        kept: set[str] = set()
        for e, name in ranked:
            if e not in keeps and name not in kept:
                keeps[e] = name
                kept.add(name)
        old = sorted({self.of[e] for e in before})
        for e in before:
            del self.entity[self.of.pop(e)]
        for e, name in keeps.items():
            self.give(e, name)
        for e in sorted((e for e in after if e not in keeps), key=anchors.__getitem__):
            self.give(e, self._fresh(anchors[e], old))
        moved = {
            self.of[e]: came
            for e, rows in after.items()
            if (came := [record_id(r) for r in rows if was.get(r) != self.of[e]])
        }
        return Renamed(moved, self._changes(ranked, shared, keeps, kept, old))

    def _changes(
        self,
        ranked: Sequence[tuple[int, str]],
        shared: Mapping[tuple[int, str], int],
        keeps: Mapping[int, str],
        kept: set[str],
        old: Sequence[str],
    ) -> tuple[tuple[str, Change, str | None, int], ...]:
        out: list[tuple[str, Change, str | None, int]] = []
        for e, name in ranked:
            if keeps.get(e) == name:
                continue
            n = shared[e, name]
            if name not in kept:
                out.append((name, Change.MERGED_INTO, self.of[e], n))
            else:
                out.append((self.of[e], Change.MOVED_FROM if e in keeps else Change.SPLIT_FROM, name, n))
        here = {name for _, name in ranked}
        out += [(name, Change.GONE, None, 0) for name in old if name not in here]
        return tuple(sorted(out, key=lambda c: (c[0], c[1], c[2] or "")))

    def _fresh(self, anchor: str, taken: Sequence[str]) -> str:
        attempt = 0
        while (name := stable_id(anchor, attempt=attempt)) in self.entity or name in taken:
            attempt += 1
        return name
