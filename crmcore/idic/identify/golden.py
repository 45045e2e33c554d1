"""The golden record of a whole population: for each field which records survive, as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import MissingColumn
from crmcore.idic.identify.choosing import choose, record_order, source_ranks
from crmcore.idic.identify.survivorship import DEFAULT_RULES, Cells, FieldRule, Strategy, SurvivorshipPlan
from crmcore.tables import RecordTable, TextColumn

__all__ = ["GoldenField", "Members", "survive"]

Rows = NDArray[np.int32]


@attrs.frozen(eq=False, repr=False)
class Members:
    """Records of each customer: `order[start[c]:start[c + 1]]` are the rows of customer c, by record id."""

    order: NDArray[np.intp]  # (n,)
    start: NDArray[np.int64]  # (k + 1,)

    def __repr__(self) -> str:
        return f"Members({len(self.order)} records of {len(self.start) - 1} customers)"

    def __getitem__(self, customer: int) -> NDArray[np.intp]:
        return self.order[self.start[customer] : self.start[customer + 1]]

    @classmethod
    def of(cls, labels: Rows, record_id: NDArray[np.object_], *, n_customers: int) -> Members:
        """Group rows by customer; only customers of several records need their ids sorted."""
        order = np.argsort(labels, kind="stable")
        size = np.bincount(labels, minlength=n_customers)
        several = np.flatnonzero(size[labels[order]] > 1)
        if len(several):
            names = record_id[order[several]].tolist()
            rank = np.empty(len(names), np.int64)
            rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
            rows = order[several]
            order[several] = rows[np.lexsort((rank, labels[rows]))]
        return cls(order, np.concatenate([[0], np.cumsum(size)]))


@attrs.frozen(eq=False, repr=False)
class GoldenField:
    """Surviving cells of one field: customer c has those from `start[c]` to `start[c + 1]`, best first.

    A field that keeps one value has at most one cell per customer; a union has as many as there are distinct values.
    """

    name: str
    rule: FieldRule
    columns: tuple[str, ...]
    start: NDArray[np.int64]  # (k + 1,)
    record: Rows  # (u,) row of the record table
    column: NDArray[np.int8]  # (u,) position in columns

    def __repr__(self) -> str:
        return f"GoldenField({self.name!r}, {self.rule.label}, {len(self.record)} values)"

    def texts(self, text: Mapping[str, TextColumn]) -> list[str]:
        """All surviving values, in order."""
        out = np.empty(len(self.record), object)
        for i, name in enumerate(self.columns):
            here = np.flatnonzero(self.column == i)
            out[here] = np.array(text[name].values, object)[text[name].codes[self.record[here]]]
        return list(out)

    def best(self, text: Mapping[str, TextColumn]) -> list[str | None]:
        """First value of each customer; None where there is none."""
        texts = np.array([*self.texts(text), None], object)
        at = np.where(np.diff(self.start) > 0, self.start[:-1], -1)
        return list(texts[at])


def survive(
    records: RecordTable,
    text: Mapping[str, TextColumn],
    fields: Mapping[str, tuple[str, ...]],
    members: Members,
    plan: SurvivorshipPlan,
) -> dict[str, GoldenField]:
    """Golden fields of every customer.

    Parameters
    ----------
    records : RecordTable
        For source, time and id of each record.
    text : column -> text
        What is compared and shown; two spellings with one normal form must be one text here.
    fields : field -> columns
        Several columns of one role are one field.
    members : Members
        Records of each customer.
    plan : SurvivorshipPlan
        A rule that the caller wrote and none of whose fields exists is a `MissingColumn`.
    """
    whole = _Population(records, text, members, {})
    rules = _present(plan, fields)
    found: dict[str, GoldenField] = {}
    for rule in rules:
        if len(rule.fields) == 1:
            found[rule.fields[0]] = _one(whole, rule, fields[rule.fields[0]], plan)
        else:
            found |= _group(whole, rule, fields, plan)
    return {name: found[name] for name in fields}


def _present(plan: SurvivorshipPlan, fields: Mapping[str, tuple[str, ...]]) -> Iterator[FieldRule]:
    usual = {f for r in DEFAULT_RULES for f in r.fields}
    for rule in plan.rules:
        here = tuple(f for f in rule.fields if f in fields)
        if here:
            yield rule if here == rule.fields else attrs.evolve(rule, fields=here)
        elif not set(rule.fields) & usual:
            raise MissingColumn(rule.fields[0], tuple(fields), "the survivorship plan's fields")
    ruled = {f for r in plan.rules for f in r.fields}
    yield from (FieldRule((f,), plan.otherwise) for f in fields if f not in ruled)


@attrs.frozen(eq=False)
class _Population:
    records: RecordTable
    text: Mapping[str, TextColumn]
    members: Members
    orders: dict[tuple[str, ...], tuple[NDArray[np.int64], NDArray[np.int64]]]  # by source priority

    def ranks(self, rule: FieldRule, plan: SurvivorshipPlan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rank of each source, and recency rank of each record: the same for every rule with this priority."""
        priority = rule.sources or plan.source_priority
        if priority not in self.orders:
            ranks = source_ranks(self.records.sources, priority)
            self.orders[priority] = ranks, record_order(self.records.time, self.records.source, ranks=ranks)
        return self.orders[priority]

    def split(self) -> tuple[Rows, Rows, Rows, Rows]:
        """Customers of one record with it, and the records of the others with their customers: no contest, no sort."""
        size = np.diff(self.members.start)
        customer = np.repeat(np.arange(len(size), dtype=np.int32), size)
        alone = size[customer] == 1
        order = self.members.order.astype(np.int32)
        return customer[alone], order[alone], customer[~alone], order[~alone]

    def pick(self, cells: Cells, rule: FieldRule, plan: SurvivorshipPlan) -> NDArray[np.intp]:
        ranks, recency = self.ranks(rule, plan)
        kept = choose(cells, rule, recency=recency, ranks=ranks, record_id=self.records.record_id)
        if rule.strategy is Strategy.UNION or not len(kept):
            return kept
        entity = cells.entity[kept]
        first: NDArray[np.intp] = kept[np.concatenate([[True], entity[1:] != entity[:-1]])]
        return first

    def field(
        self, name: str, rule: FieldRule, columns: tuple[str, ...], entity: Rows, record: Rows, column: NDArray[np.int8]
    ) -> GoldenField:
        order = np.argsort(entity, kind="stable")
        size = np.bincount(entity, minlength=len(self.members.start) - 1)
        return GoldenField(name, rule, columns, np.concatenate([[0], np.cumsum(size)]), record[order], column[order])


def _one(whole: _Population, rule: FieldRule, columns: tuple[str, ...], plan: SurvivorshipPlan) -> GoldenField:
    """A field by itself, from one column or several of one role."""
    lone_e, lone_r, entity, record = whole.split()
    if len(columns) > 1:  # one record may fill several columns of the role: even a customer of one record has a contest
        entity, record = np.concatenate([lone_e, entity]), np.concatenate([lone_r, record])
        lone_e, lone_r = lone_e[:0], lone_r[:0]
    text, codes = _merged([whole.text[c] for c in columns])
    filled = [np.flatnonzero(c[record] >= 0) for c in codes]
    place = np.concatenate(filled)
    column = np.repeat(np.arange(len(columns), dtype=np.int8), [len(f) for f in filled])
    order = np.argsort(entity[place], kind="stable")
    place, column = place[order], column[order]
    rows = record[place]
    code = np.empty(len(rows), np.int32)
    for i, c in enumerate(codes):
        code[column == i] = c[rows[column == i]]
    ones = np.ones(len(rows), np.int32)
    cells = Cells(
        entity[place],
        rows,
        code,
        whole.records.source[rows],
        whole.records.sources,
        whole.records.time[rows],
        text,
        ones,
        ones > 0,
    )
    kept = whole.pick(cells, rule, plan)
    sure = codes[0][lone_r] >= 0
    return whole.field(
        rule.fields[0],
        rule,
        columns,
        np.concatenate([cells.entity[kept], lone_e[sure]]),
        np.concatenate([rows[kept], lone_r[sure]]),
        np.concatenate([column[kept], np.zeros(int(sure.sum()), np.int8)]),
    )


def _merged(columns: Sequence[TextColumn]) -> tuple[Sequence[str], list[Rows]]:
    """One dictionary for several columns."""
    if len(columns) == 1:
        return columns[0].values, [columns[0].codes]
    seen: dict[str, int] = {}
    out = []
    for column in columns:
        to = np.fromiter((seen.setdefault(v, len(seen)) for v in column.values), np.int32, len(column.values))
        out.append(np.append(to, np.int32(-1))[column.codes])
    return tuple(seen), out


class _Joined(Sequence[str]):
    """Text of combinations, built when it is looked at: most are never compared."""

    def __init__(self, parts: Sequence[TextColumn], rows: NDArray[np.intp]) -> None:
        self._parts, self._rows = parts, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i):  # type: ignore[no-untyped-def]  # the two overloads of Sequence say nothing here
        row = int(self._rows[i])
        return "\n".join(p[row] or "" for p in self._parts)


def _group(
    whole: _Population, rule: FieldRule, fields: Mapping[str, tuple[str, ...]], plan: SurvivorshipPlan
) -> dict[str, GoldenField]:
    """Fields that survive together: one record is chosen, and every field is its."""
    found = [_first_filled([whole.text[c] for c in fields[f]]) for f in rule.fields]
    parts = [part for part, _ in found]
    lone_e, lone_r, entity, record = whole.split()
    count: Rows = np.stack([p.codes[record] >= 0 for p in parts]).sum(axis=0).astype(np.int32)
    entity, record, count = entity[count > 0], record[count > 0], count[count > 0]
    code = np.zeros(len(record), np.int64)
    for part in parts:
        mixed = code * (len(part.values) + 1) + part.codes[record] + 1
        code = np.unique(mixed, return_inverse=True)[1].astype(np.int64)
    _, example = np.unique(code, return_index=True)
    text = _Joined(parts, record[example].astype(np.intp))
    leads = parts[0].codes[record] >= 0
    cells = Cells(
        entity,
        record,
        code.astype(np.int32),
        whole.records.source[record],
        whole.records.sources,
        whole.records.time[record],
        text,
        count,
        leads,
    )
    kept = whole.pick(cells, rule, plan)
    entity, record = np.concatenate([entity[kept], lone_e]), np.concatenate([record[kept], lone_r])
    out = {}
    for name, (part, column) in zip(rule.fields, found, strict=True):
        has = part.codes[record] >= 0
        out[name] = whole.field(name, rule, fields[name], entity[has], record[has], column[record[has]])
    return out


def _first_filled(columns: Sequence[TextColumn]) -> tuple[TextColumn, NDArray[np.int8]]:
    """The first column of a role that a record fills, and which one that was."""
    values, codes = _merged(columns)
    stacked = np.stack([c >= 0 for c in codes])
    home = stacked.argmax(axis=0).astype(np.int8)
    if len(codes) == 1:
        return columns[0], home
    both: Rows = np.stack(codes)
    return TextColumn(np.take_along_axis(both, home[None].astype(np.intp), axis=0)[0], tuple(values)), home
