"""Raw records to records that can be compared: one normalised, dictionary-encoded column per kind of evidence.

All cleaning runs on distinct values; rows only see integer look-ups. Several sources' columns of one kind become one
column, so records of all sources meet in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from crmcore._base import mask
from crmcore.errors import EmptyInput
from crmcore.idic.identify import dates, phone_regions, phones
from crmcore.idic.identify.folding import map_values, merge_codes
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.preparation import FieldReport, Preparation
from crmcore.idic.identify.roles import Meaning, meaning_of
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_cleaning import CLEANERS, Notes, Piece, Slot, SourceCleaner
from crmcore.idic.identify.source_table import rows_of
from crmcore.linkage.fields import Kind
from crmcore.linkage.linking import FEW
from crmcore.linkage.records import Column, Records
from crmcore.linkage.scalar import value_hash
from crmcore.tables import RecordTable, TextColumn

__all__ = ["prepare"]

COMMON = 0.005
"""Share of records above which one e-mail, phone, identifier or handle cannot be a person's own ..."""

COMMON_AT_LEAST = 50
"""... but only from this many records on."""

_OWN = frozenset({Kind.EMAIL, Kind.PHONE, Kind.IDENTIFIER, Kind.HANDLE})


def prepare(
    table: RecordTable,
    schema: Schema,
    *,
    default_region: str | None = None,
    blocked_values: Mapping[str, Collection[str]] | None = None,
    plan: PreparationPlan | None = None,
) -> tuple[Records, Preparation]:
    """Normalise raw records for linkage, and say what was done.

    Parameters
    ----------
    table : RecordTable
        Raw text, as `read` gives it.
    schema : Schema
        Roles of its columns; a deferred schema infers them here.
    default_region : ISO 3166 alpha-2, optional
        Country of telephone numbers without "+". None: found out per source, from its country column, from the
        numbers that have a "+", or from where most of its numbers would be valid.
    blocked_values : mapping, optional
        Kind -> raw or normalised values that belong to nobody (`{"phone": ["02 123 4567"]}`): they become missing.
        In e-mails, phones, identifiers and handles a value of more than 50 records and 0.5 % of them is blocked too.

    plan : PreparationPlan, optional
        Decide nothing here: do what was decided for earlier records (`preparation.plan`). Columns are then those of the
        plan, with or without values.

    Returns
    -------
    records, preparation
        Columns are named after their kind; a second column of a kind is `phone 2`. Columns without values or with one
        value only are left out, and the report says so.

    Errors
    ------
    EmptyInput
        No row, or no column that can tell records apart.
    UnknownName
        `blocked_values` names an unknown kind, or `default_region` no region.

    Examples
    --------
    >>> from crmcore.idic.identify.readers import read
    >>> table = read([{"name": "Dr Ann Lee", "tel": "081-234-5678"}, {"name": "Chai Dee", "tel": "+66898765432"}])
    >>> records, report = prepare(table, Schema.infer())
    >>> {c.name: c.text.to_list() for c in records.columns}
    {'given name': ['ann', 'chai'], 'surname': ['lee', 'dee'], 'phone': ['+66812345678', '+66898765432']}
    """
    if not len(table):
        raise EmptyInput("the record table", "read at least one record")
    bound = schema.bind(table) if plan is None else plan.schema
    if plan is None:
        regions, region_notes = phone_regions.regions_of(table, bound, default_region)
    else:
        regions = {s: plan.regions.get(s) for s in table.sources}
        region_notes = {s: f"{r or 'unknown'} (as planned)" for s, r in regions.items()}
    notes = Notes(regions=region_notes)
    slots: dict[Slot, list[Piece]] = {}
    for code, source in enumerate(table.sources):
        rows = rows_of(table, code)
        if len(rows):
            reader = SourceCleaner(table, bound, source, rows, regions[source], notes, plan)
            for slot, piece in reader.pieces():
                slots.setdefault(slot, []).append(piece)
    blocked = _blocked(blocked_values or {}, regions)
    columns, reports = [], []
    gone: dict[str, frozenset[int]] = {}
    kinds = list(Kind)
    for slot in sorted(slots, key=lambda s: (s.place > 0, kinds.index(s.kind), s.place)):
        name = slot.kind.value if not slot.place else f"{slot.kind.value} {slot.place + 1}"
        text = merge_codes(len(table), [(p.rows, p.text) for p in slots[slot]])
        if plan is None:
            text, gone[name] = _without_blocked(name, slot.kind, text, blocked.get(slot.kind, frozenset()), notes)
        elif name in plan.fields:
            cleaned = [None if plan.is_blocked(name, v) else v for v in text.values]
            columns.append(Column(name, slot.kind, _used(map_values(text.codes, cleaned))))
            reports.append(_report(name, slot.kind, columns[-1].text, [p.origin for p in slots[slot]]))
            continue
        else:
            notes.left_out[name] = "no column of the plan"
            continue
        text = _used(text)
        if len(text.values) == 1 and int((text.codes >= 0).sum()) > FEW:
            notes.left_out[name] = "one value in all records"
            continue
        if not text.values:
            notes.left_out[name] = "no value in any record"
            continue
        columns.append(Column(name, slot.kind, text))
        reports.append(_report(name, slot.kind, text, [p.origin for p in slots[slot]]))
    if plan is not None:
        held = {c.name: c for c in columns}
        none = TextColumn.empty(len(table))
        columns = [held.get(name) or Column(name, kind, none) for name, kind in plan.fields.items()]
    if not columns:
        raise EmptyInput(
            "the evidence", "no column holds values that tell records apart; see Schema.infer(...) and override it"
        )
    records = Records(table.record_id, table.source, table.sources, tuple(columns))
    made = plan or PreparationPlan(
        schema=bound,
        regions=regions,
        date_orders=notes.day_or_month_first,
        padded=frozenset(notes.padded),
        into_first_column=notes.folded,
        blocked={name: hashes for name, hashes in gone.items() if hashes},
        blocked_kinds={kind: frozenset(map(value_hash, sorted(listed))) for kind, listed in blocked.items()},
        fields={c.name: c.kind for c in columns},
    )
    return records, _finish(table, bound, reports, notes, made)


def _blocked(values: Mapping[str, Collection[str]], regions: Mapping[str, str | None]) -> dict[Kind, frozenset[str]]:
    """What the caller blocks, raw and in every normal form it may take."""
    out: dict[Kind, frozenset[str]] = {}
    for name, listed in values.items():
        meaning = meaning_of(name)
        kind = meaning.kind
        cells = [str(v) for v in listed]
        if kind is None or not cells:
            continue
        forms: set[str | None] = set(cells)
        if kind is Kind.PHONE:
            for region in dict.fromkeys([*regions.values(), None]):
                forms.update(phones.normalise_phones(cells, region=region))
        elif kind is Kind.BIRTH_DATE:
            forms.update(dates.parse_dates(cells, order=dates.date_order(cells)[0], impossible="keep"))
        elif meaning in CLEANERS:
            forms.update(CLEANERS[meaning](cells))
        out[kind] = frozenset(f for f in forms if f)
    return out


def _without_blocked(
    name: str, kind: Kind, text: TextColumn, listed: frozenset[str], notes: Notes
) -> tuple[TextColumn, frozenset[int]]:
    """Make values missing that the caller blocks, or that too many records share; also their hashes."""
    n = len(text)
    counts = np.bincount(text.codes[text.codes >= 0], minlength=len(text.values))
    bad = counts > max(COMMON_AT_LEAST, COMMON * n) if kind in _OWN else np.zeros(len(counts), bool)
    if listed:
        bad = bad | np.fromiter((v in listed for v in text.values), bool, len(text.values))
    for i in np.flatnonzero(bad).tolist():
        notes.blocked[f"{name} {mask(text.values[i])}"] = notes.blocked.get(f"{name} {mask(text.values[i])}", 0) + int(
            counts[i]
        )
    if not bad.any():
        return text, frozenset()
    hashes = frozenset(value_hash(text.values[i]) for i in np.flatnonzero(bad).tolist())
    return map_values(text.codes, [None if b else v for v, b in zip(text.values, bad.tolist(), strict=True)]), hashes


def _used(text: TextColumn) -> TextColumn:
    """Drop values that no row has."""
    counts = np.bincount(text.codes[text.codes >= 0], minlength=len(text.values))
    if counts.all():
        return text
    return map_values(text.codes, [v if c else None for v, c in zip(text.values, counts.tolist(), strict=True)])


def _report(name: str, kind: Kind, text: TextColumn, origins: list[str]) -> FieldReport:
    filled = int((text.codes >= 0).sum())
    return FieldReport(
        name, kind.value, tuple(origins), filled / max(len(text), 1), len(text.values) / max(filled, 1), filled
    )


def _finish(
    table: RecordTable, schema: Schema, fields: list[FieldReport], notes: Notes, plan: PreparationPlan
) -> Preparation:
    ignored = {
        f"{source}.{name}": "; ".join(role.reasons)
        for source, roles in schema.roles.items()
        if source in table.sources
        for name, role in roles.items()
        if role.kind is Meaning.IGNORE
    }
    return Preparation(
        len(table),
        tuple(fields),
        dict(notes.junk),
        {k: tuple(v) for k, v in notes.samples.items()},
        dict(notes.blocked),
        dict(notes.regions),
        dict(notes.orders),
        {**ignored, **notes.left_out},
        schema,
        plan,
    )
