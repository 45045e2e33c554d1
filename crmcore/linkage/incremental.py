"""Entities that follow their records: the result of `link` under one model, kept up as records come and go.

What is kept: the pairs at or above the model's floor (with their evidence), the connected component of each record, and
the entities inside each component. A change touches a few components, and only they are clustered again, by the same
code as in the batch. So the state depends on which records and decisions there are, never on their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import ConflictingConstraints, DuplicateIds
from crmcore.linkage.components import CEILING, bounded_components
from crmcore.linkage.few import Grouped, Orders, group
from crmcore.linkage.held import MOST, HeldEntities, Limits, Pair
from crmcore.linkage.scalar import Values, value_hash

__all__ = ["Change", "EntityGraph", "Limits"]


@attrs.frozen
class Change:
    """What one call did: entities that ended, entities that began, each with its rows.

    Attributes
    ----------
    before, after : entities that are not the same any more, by their smallest row
    weakest : for each new entity of three and more records, the lowest mean probability at which it was joined
    blocked : pairs of entities that decisions or rules kept apart although the evidence would join them, and the reason
    """

    before: Mapping[int, tuple[int, ...]]
    after: Mapping[int, tuple[int, ...]]
    weakest: Mapping[int, float]
    blocked: tuple[tuple[int, int, str], ...]


class EntityGraph(HeldEntities):
    """Records, candidate pairs and entities under one model, one change at a time.

    Examples
    --------
    >>> from crmcore.linkage.model import LinkageModel
    >>> model = LinkageModel.default({"name": "given name", "email": "email"})
    >>> graph = EntityGraph(model)
    >>> _ = graph.add("a", ["anna", "anna@x.org"]), graph.add("b", ["bert", "bert@x.org"])
    >>> change = graph.add("c", ["anna", "anna@x.org"])
    >>> graph.members(graph.entity("c"))
    ('a', 'c')
    """

    # ---- changes -----------------------------------------------------------------------------------------------

    def add(self, record_id: str, values: Values, *, source: str = "records") -> Change:
        """Hold one more record.

        Raises
        ------
        DuplicateIds
            The id is held already.
        """
        return self.add_many([(record_id, values, source)])

    def add_many(self, records: Iterable[tuple[str, Values, str]]) -> Change:
        """Hold several more records (id, values, source); entities are formed again once, for all of them."""
        listed = list(records)
        first: dict[str, int] = {}
        again = tuple(i for i, (name, _, _) in enumerate(listed) if name in self._row or first.setdefault(name, i) != i)
        if again:
            raise DuplicateIds("records", len(again), again)
        touched: dict[int, float] = {}
        for name, values, source in listed:
            self._hold(name, self.index.row_of(values), source, touched)
        return self._settle(touched)

    def remove(self, record_id: str) -> Change:
        """Forget a record, and the decisions about it, as if it had never come."""
        row = self.row(record_id)
        touched: dict[int, float] = {row: math.inf}
        for decisions in (self._must, self._must_not):
            for other in decisions.pop(row, ()):
                decisions[other].discard(row)
                touched[other] = math.inf
        for other, odds in self.near(row).items():
            self._writable(other).pop(row, None)
            touched[other] = max(touched.get(other, -math.inf), odds)
        self._near[row] = {}
        keys = self.index.hasher(self.index.values(row))
        self.index.remove(row)
        del self._row[record_id]
        cap = self.model.cap
        for _, block in self.index.blocks(keys, most=cap):
            if len(block) == cap:
                self._revive(block, touched)
        return self._settle(touched, gone=row)

    def decide(
        self,
        *,
        must_link: Iterable[Pair] = (),
        must_not_link: Iterable[Pair] = (),
        withdrawn_must_link: Iterable[Pair] = (),
        withdrawn_must_not_link: Iterable[Pair] = (),
    ) -> Change:
        """Add and withdraw decisions about pairs of rows.

        Raises
        ------
        ConflictingConstraints
            What is left would contradict itself, be it through others; nothing is changed then.
        """
        plus = [(self._must, i, j) for i, j in must_link] + [(self._must_not, i, j) for i, j in must_not_link]
        minus = [(self._must, i, j) for i, j in withdrawn_must_link]
        minus += [(self._must_not, i, j) for i, j in withdrawn_must_not_link]
        # only what is not there yet is added, and only what is there is taken back, so that all can be undone
        minus = [(held, i, j) for held, i, j in minus if j in held.get(i, ())]
        for held, i, j in minus:
            held[i].discard(j)
            held[j].discard(i)
        plus = [(held, i, j) for held, i, j in plus if j not in held.get(i, ())]
        for held, i, j in plus:
            held.setdefault(i, set()).add(j)
            held.setdefault(j, set()).add(i)
        touched = dict.fromkeys([r for _, i, j in (*plus, *minus) for r in (i, j)], math.inf)
        against = self._contradictions(touched)
        if against:
            for held, i, j in plus:
                held[i].discard(j)
                held[j].discard(i)
            for held, i, j in minus:
                held[i].add(j)
                held[j].add(i)
            hint = "withdraw one of the decisions; a chain of must-links may join records that no single one names"
            raise ConflictingConstraints("must_link and must_not_link", against, hint)
        return self._settle(touched)

    def _contradictions(self, rows: Iterable[int]) -> tuple[str, ...]:
        found = set()
        for row in rows:
            together = self._bound(row)
            for a in together:
                for b in self._must_not.get(a, ()):
                    if b in together:
                        found.add(f"records {self.ids[min(a, b)]} and {self.ids[max(a, b)]}")
        return tuple(sorted(found))

    def _hold(self, name: str, values: tuple[str | None, ...], source: str, touched: dict[int, float]) -> None:
        """Add a record and its candidate pairs; take back pairs that only an overgrown block supported."""
        index, cap, floor = self.index, self.model.cap, self.model.floor
        keys = index.hasher(values)
        rows: set[int] = set()
        full: list[list[int]] = []
        for _, block in index.blocks(keys, most=cap):
            if len(block) < cap:
                rows.update(block)
            else:
                full.append(block)
        pairs = index.scored(values, sorted(rows), least=floor)
        row = index.add(values, keys=keys)
        self.ids.append(name)
        self._sources.append(source)
        self._row[name] = row
        self._component.append(row)
        self._entity.append(row)
        self._near[row] = near = dict(pairs)
        touched[row] = math.inf
        for other, odds in near.items():
            self._writable(other)[row] = odds
            touched[other] = max(touched.get(other, -math.inf), odds)
        for block in full:
            self._retract(block, touched)

    def _writable(self, row: int) -> dict[int, float]:
        found = self._near.get(row)
        if found is None:
            found = self._near[row] = dict(self.near(row))
        return found

    def _retract(self, block: Sequence[int], touched: dict[int, float]) -> None:
        """Take back pairs of a block that has just outgrown the cap, where no other block holds both."""
        inside = set(block)
        keys: dict[int, list[int]] = {}
        for row in block:
            for other in [o for o in self.near(row) if o > row and o in inside]:
                for r in (row, other):
                    if r not in keys:
                        keys[r] = self.index.hasher(self.index.values(r))
                shared = [a if a == b else 0 for a, b in zip(keys[row], keys[other], strict=True)]
                if not self.index.blocks(shared, most=self.model.cap):
                    odds = self._writable(row).pop(other)
                    self._writable(other).pop(row)
                    for r in (row, other):
                        touched[r] = max(touched.get(r, -math.inf), odds)

    def _revive(self, block: Sequence[int], touched: dict[int, float]) -> None:
        """Compare the pairs of a block that is within the cap again."""
        floor = self.model.floor
        for place, row in enumerate(block):
            near = self.near(row)
            fresh = [r for r in block[place + 1 :] if r not in near]
            for other, odds in self.index.scored(self.index.values(row), fresh, least=floor):
                self._writable(row)[other] = odds
                self._writable(other)[row] = odds
                for r in (row, other):
                    touched[r] = max(touched.get(r, -math.inf), odds)

    # ---- components and entities -------------------------------------------------------------------------------

    def _reach(self, row: int, floor: float, most: float) -> set[int] | None:
        """Rows connected with this one over pairs of at least `floor` and must-links; None if more than `most`."""
        found, queue = {row}, [row]
        while queue:
            at = queue.pop()
            fresh = [o for o, odds in self.near(at).items() if odds >= floor and o not in found]
            if at in self._must:
                fresh += [o for o in self._must[at] if o not in found]
            found.update(fresh)
            queue += fresh
            if len(found) > most:
                return None
        return found

    def _part(self, row: int, floor: float) -> set[int] | None:
        """The component of a row at one floor; None where it is too large and can be taken apart."""
        found = self._reach(row, floor, MOST)
        if found is None:
            bound = self._bound(row)
            if len(bound) > MOST and (whole := self._reach(row, floor, math.inf)) == bound:
                return whole
        return found

    def _settle(self, touched: dict[int, float], *, gone: int | None = None) -> Change:
        """Find the components that changed, and form their entities again.

        As in the batch, a component that is too large is taken apart by raising the floor, step by step. A row takes
        part in a step where its component at the floor before is too large, and was not so before the change, or where
        something changed above the new floor.
        """
        base = self.model.floor
        was = {r: self._component[r] for r in touched}
        before = {c: self._in_component.get(c) or (c,) for c in dict.fromkeys(was.values())}
        floors = {c: self._floor.get(c, base) for c in before}
        parts: list[tuple[set[int], float, bool]] = []
        placed: set[int] = set()
        floor = base
        wanted: dict[int, float] = {r: x for r, x in touched.items() if r != gone}
        while wanted:
            following: dict[int, float] = {}
            last = floor >= CEILING
            for row in wanted:
                if row in placed:
                    continue
                part = self._part(row, floor)
                if part is None and last:
                    part = self._reach(row, floor, math.inf) or {row}
                    parts.append((part, floor, True))
                    placed |= part
                elif part is not None:
                    parts.append((part, floor, False))
                    placed |= part
            for row, odds in wanted.items():
                if row in placed:
                    continue
                component = was.get(row, self._component[row])
                if floors.get(component, self._floor.get(component, base)) <= floor:
                    for r in before.get(component) or self._in_component.get(component) or (component,):
                        if r not in placed and r != gone:
                            following[r] = math.inf
                elif odds >= floor + 1:
                    following[row] = odds
            wanted = following
            floor += 1.0
        return self._write(parts, gone)

    def _write(self, parts: list[tuple[set[int], float, bool]], gone: int | None) -> Change:
        """Form the entities of the components found, replace the old ones, and say what changed."""
        old_components: dict[int, None] = {}
        old_entities: dict[int, tuple[int, ...]] = {}
        for part, _, _ in parts:
            for row in part:
                old_components.setdefault(self._component[row])
                if (e := self._entity[row]) not in old_entities:
                    old_entities[e] = self.rows_of(e)
        if gone is not None:
            old_components.setdefault(self._component[gone])
            old_entities[self._entity[gone]] = self.rows_of(self._entity[gone])
        matrices = {c: self._matrix.pop(c) for c in old_components if c in self._matrix}
        for c in old_components:
            self._in_component.pop(c, None)
            self._floor.pop(c, None)
        for e in old_entities:
            self._in_entity.pop(e, None)
        after: dict[int, tuple[int, ...]] = {}
        weakest: dict[int, float] = {}
        blocked: list[tuple[int, int, str]] = []
        for part, floor, grown in parts:
            for rows, found in self._form(part, floor, grown, matrices):
                blocked += [(rows[a], rows[b], why) for a, b, why in found.blocked]
                name = min(rows)
                for r in rows:
                    self._component[r] = name
                if len(rows) > 1:
                    self._in_component[name] = tuple(sorted(rows))
                    if floor > self.model.floor:
                        self._floor[name] = floor
                for members in found.groups:
                    entity: tuple[int, ...] = tuple(sorted(rows[i] for i in members))
                    head = entity[0]
                    for r in entity:
                        self._entity[r] = head
                    if len(entity) > 1:
                        self._in_entity[head] = entity
                    after[head] = entity
                    if members[0] in found.weakest:
                        weakest[head] = found.weakest[members[0]]
        first_new, self._settled = self._settled, len(self.ids)
        before = {e: rows for e, rows in old_entities.items() if rows != after.get(e) and e < first_new}
        changed = {e: rows for e, rows in after.items() if rows != old_entities.get(e) or rows[-1] >= first_new}
        stopped = tuple((self._entity[a], self._entity[b], why) for a, b, why in blocked)
        return Change(before, changed, weakest, stopped)

    def _form(
        self,
        part: set[int],
        floor: float,
        grown: bool,
        matrices: Mapping[int, tuple[tuple[int, ...], NDArray[np.float64]]],
    ) -> list[tuple[list[int], Grouped]]:
        """Entities inside one component; a component that is still too large is grown anew from its strongest pairs."""
        rows = sorted(part, key=self._order) if len(part) > 1 else list(part)
        if grown:
            return [(piece, self._entities(piece, matrices)) for piece in self._regrown(rows, floor)]
        if len(rows) > MOST:  # joined by decisions alone
            return [(rows, Grouped(((*range(len(rows)),),), {}, ()))]
        return [(rows, self._entities(rows, matrices))]

    def _regrown(self, rows: list[int], floor: float) -> list[list[int]]:
        at = {r: i for i, r in enumerate(rows)}
        links = [(at[r], at[o], x) for r in rows for o, x in self.near(r).items() if at[o] > at[r] and x >= floor]
        a, b, odds = (np.array(v) for v in zip(*links, strict=True))
        sure = [(at[r], at[o]) for r in rows for o in self._must.get(r, ()) if at[o] > at[r]]
        must = np.array(sure, np.int64).reshape(-1, 2)
        label, _ = bounded_components(len(rows), a, b, odds, floor=floor, most=MOST, must=(must[:, 0], must[:, 1]))
        order = np.argsort(label, kind="stable")
        cuts = np.flatnonzero(np.diff(label[order])) + 1
        return [[rows[i] for i in piece.tolist()] for piece in np.split(order, cuts)]

    def _order(self, row: int) -> tuple[int, str]:
        """Place in canonical order: by the hash of the id, then the id."""
        found = self._rank.get(row)
        if found is None:
            found = self._rank[row] = (value_hash(self.ids[row]), self.ids[row])
        return found

    def _entities(
        self, rows: list[int], matrices: Mapping[int, tuple[tuple[int, ...], NDArray[np.float64]]]
    ) -> Grouped:
        """Group rows that stand in canonical order."""
        k = len(rows)
        if k == 1:
            return Grouped(((0,),), {}, ())
        odds: dict[Pair, float] = {}
        if len(rows) > 8:
            self._remembered(rows, matrices, odds)
        values: list[tuple[str | None, ...] | None] = [None] * k
        for i, a in enumerate(rows):
            near = self.near(a)
            for j in range(i + 1, k):
                found = near.get(rows[j])
                if found is not None:
                    odds[i, j] = found
                elif (i, j) not in odds:
                    if k == 2:
                        odds[i, j] = -math.inf  # joined by a decision: a pair that no block made counts as p = 0
                        continue
                    left = values[i] = values[i] or self.index.values(a)
                    right = values[j] = values[j] or self.index.values(rows[j])
                    odds[i, j] = self.index.scorer.log_odds(left, right)
        if k > 8:
            p = np.zeros((k, k))
            for (i, j), x in odds.items():
                p[i, j] = x
            self._matrix[min(rows)] = (tuple(rows), p)
        return group(k, odds, self.model.cuts, self._orders(rows))

    def _remembered(
        self,
        rows: list[int],
        matrices: Mapping[int, tuple[tuple[int, ...], NDArray[np.float64]]],
        odds: dict[Pair, float],
    ) -> None:
        """Take over log-odds of pairs that were compared before: both old and new rows stand in canonical order."""
        at = {r: i for i, r in enumerate(rows)}
        for held, p in matrices.values():
            kept = [(i, at[r]) for i, r in enumerate(held) if r in at]
            cells = p.tolist()
            for x, (i, to) in enumerate(kept):
                for j, further in kept[x + 1 :]:
                    odds[to, further] = cells[i][j]

    def _orders(self, rows: list[int]) -> Orders | None:
        """Decisions and rules that concern these rows, None where there is none."""
        at = {r: i for i, r in enumerate(rows)}
        must = tuple((at[r], at[o]) for r in rows for o in self._must.get(r, ()) if o > r)
        must_not = tuple((at[r], at[o]) for r in rows for o in self._must_not.get(r, ()) if o in at and o > r)
        if not (must or must_not or self.limits):
            return None
        sources = [self._sources[r] for r in rows]
        fields = list(self.model.fields)
        held = {
            name: ([self.index.values(r)[fields.index(name)] for r in rows], most)
            for name, most in self.limits.max_values.items()
        }
        return Orders(must, must_not, sources, self.limits.one_to_one, held)
