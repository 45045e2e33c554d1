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
from crmcore.idic.identify.code_columns import CodeColumn, column_names
from crmcore.idic.identify.folding import map_values, merge_codes
from crmcore.idic.identify.phone_reading import PhoneReading, region_shares
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.preparation import FieldReport, Preparation
from crmcore.idic.identify.roles import Meaning, meaning_of
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_cleaning import CLEANERS, CODES, Notes, Piece, Slot, SourceCleaner
from crmcore.idic.identify.source_table import rows_of
from crmcore.linkage.encode import value_hashes
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

OWN = frozenset({Kind.EMAIL, Kind.PHONE, Kind.IDENTIFIER, Kind.HANDLE})
"""Kinds whose values are a person's own."""


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
    slots = _pieces(table, bound, regions, notes, plan, fixed=default_region is not None)
    blocked = _blocked(blocked_values or {}, regions)
    columns, reports = [], []
    gone: dict[str, frozenset[int]] = {}
    named, code_names = _named(slots, plan)
    for name, kind, pieces in named:
        text = merge_codes(len(table), [(p.rows, p.text) for p in pieces])
        if plan is None:
            text, gone[name] = _without_blocked(name, kind, text, blocked.get(kind, frozenset()), notes)
        elif name in plan.fields:
            cleaned = [None if plan.is_blocked(name, v) else v for v in text.values]
            columns.append(Column(name, kind, _used(map_values(text.codes, cleaned))))
            reports.append(_report(name, kind, columns[-1].text, [p.origin for p in pieces]))
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
        columns.append(Column(name, kind, text))
        reports.append(_report(name, kind, text, [p.origin for p in pieces]))
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
        readings=notes.readings,
        code_names=code_names,
    )
    return records, _finish(table, bound, reports, notes, made)


def _pieces(
    table: RecordTable,
    schema: Schema,
    regions: Mapping[str, str | None],
    notes: Notes,
    plan: PreparationPlan | None,
    *,
    fixed: bool,
) -> dict[Slot, list[Piece]]:
    """Clean every source; those whose rows name their country come first, for their numbers help to read the others."""
    found: dict[int, list[tuple[Slot, Piece]]] = {}
    sure = [bool(schema.columns(s, Meaning.COUNTRY)) or fixed for s in table.sources]
    readings = {s: PhoneReading(regions[s], fixed=fixed) for s in table.sources}
    if plan is not None:
        readings |= {s: plan.readings[s] for s in table.sources if s in plan.readings}
    for late in (False, True):
        if late and plan is None and not all(sure):
            known = [
                v for ps in found.values() for s, p in ps if s.kind is Kind.PHONE for v in p.text.values if v[0] == "+"
            ]
            known += phone_regions.plus_numbers(table, schema, [i for i, s in enumerate(sure) if not s])
            if any(sure):
                shares = region_shares(known)
                hashed = frozenset(value_hashes(known).tolist())
                readings |= {
                    s: PhoneReading(regions[s], shares, hashed) for i, s in enumerate(table.sources) if not sure[i]
                }
        for code, source in enumerate(table.sources):
            rows = rows_of(table, code)
            if len(rows) and sure[code] != late:
                notes.readings[source] = readings[source]
                found[code] = SourceCleaner(table, schema, source, rows, readings[source], notes, plan).pieces()
    slots: dict[Slot, list[Piece]] = {}
    for _, pieces in sorted(found.items()):
        for slot, piece in pieces:
            slots.setdefault(slot, []).append(piece)
    return slots


def _named(
    slots: Mapping[Slot, list[Piece]], plan: PreparationPlan | None
) -> tuple[list[tuple[str, Kind, list[Piece]]], dict[str, str]]:
    """Name the columns: the n-th of a kind, or for codes the system that gave them; and the names of the codes."""
    kinds = list(Kind)
    plain = [s for s in slots if s.kind not in CODES]
    found = {
        slot: (slot.kind.value if not slot.place else f"{slot.kind.value} {slot.place + 1}", slots[slot])
        for slot in plain
    }
    code_names: dict[str, str] = {}
    for kind in sorted(CODES, key=kinds.index):
        pieces = [p for s in slots if s.kind is kind for p in slots[s]]
        codes = [CodeColumn(p.source, p.origin[len(p.source) + 1 :], frozenset(p.text.values)) for p in pieces]
        names = column_names(kind.value, codes) if plan is None else plan.code_names
        groups: dict[str, list[Piece]] = {}
        for piece, code in zip(pieces, codes, strict=True):
            groups.setdefault(names.get(code.origin, code.origin), []).append(piece)
        code_names.update({c.origin: names[c.origin] for c in codes if c.origin in names})
        for place, name in enumerate(sorted(groups, key=lambda n: (n != kind.value, n))):
            found[Slot(kind, place)] = (name, groups[name])
    ordered = sorted(found, key=lambda s: (s.place > 0, kinds.index(s.kind), s.place))
    return [(found[s][0], s.kind, found[s][1]) for s in ordered], code_names


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
    bad = counts > max(COMMON_AT_LEAST, COMMON * n) if kind in OWN else np.zeros(len(counts), bool)
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
