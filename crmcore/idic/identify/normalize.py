"""Raw records to records that can be compared: one normalised, dictionary-encoded column per kind of evidence.

All cleaning runs on distinct values; rows only see integer look-ups. Several sources' columns of one kind become one
column, so records of all sources meet in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput
from crmcore.idic.identify import cleaners, dates, phone_regions, phones
from crmcore.idic.identify.folding import checksum_sample, combine, map_values, merge_codes, unspelled
from crmcore.idic.identify.preparation import FieldReport, Preparation
from crmcore.idic.identify.roles import Meaning
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import rows_of
from crmcore.linkage.fields import Kind
from crmcore.linkage.records import Column, Records
from crmcore.tables import RecordTable, TextColumn

__all__ = ["prepare"]

Cells = tuple[NDArray[np.int32], Sequence[str]]
Cleaner = Callable[[Sequence[str]], list[str | None]]

RARE = 0.2
"""A further column of a kind that fewer rows fill is appended to the first; a fuller one becomes a column of its own."""

COMMON = 0.005
"""Share of records above which one e-mail, phone, identifier or handle cannot be a person's own ..."""

COMMON_AT_LEAST = 50
"""... but only from this many records on."""

_OWN = frozenset({Kind.EMAIL, Kind.PHONE, Kind.IDENTIFIER, Kind.HANDLE})

_CLEANERS: dict[Meaning, Cleaner] = {
    Meaning.GIVEN_NAME: cleaners.clean_names,
    Meaning.SURNAME: cleaners.clean_names,
    Meaning.EMAIL: cleaners.clean_emails,
    Meaning.STREET: cleaners.clean_streets,
    Meaning.ADDRESS: cleaners.clean_streets,
    Meaning.STREET_NUMBER: cleaners.clean_street_numbers,
    Meaning.POSTCODE: cleaners.clean_postcodes,
    Meaning.CITY: cleaners.clean_text,
    Meaning.STATE: cleaners.clean_text,
    Meaning.OCCUPATION: cleaners.clean_text,
    Meaning.GENDER: cleaners.clean_genders,
    Meaning.IDENTIFIER: cleaners.clean_identifiers,
    Meaning.HANDLE: cleaners.clean_handles,
    Meaning.ORGANISATION: cleaners.clean_organisations,
    Meaning.TEXT: cleaners.clean_text,
}
_JOINED = frozenset({Kind.GIVEN_NAME, Kind.SURNAME, Kind.STREET, Kind.ORGANISATION, Kind.OCCUPATION})
"""Kinds whose rare further parts belong to the same text; of the others a further part only fills a gap."""


@attrs.frozen
class _Slot:
    """Where a piece goes: the n-th column of a kind."""

    kind: Kind
    place: int


@attrs.frozen(eq=False)
class _Piece:
    """One cleaned column of one source."""

    rows: NDArray[np.intp]
    text: TextColumn
    origin: str


@attrs.define(eq=False)
class _Notes:
    """What was noticed on the way, for the report."""

    junk: dict[str, int] = attrs.field(factory=dict)
    samples: dict[str, list[str]] = attrs.field(factory=dict)
    regions: dict[str, str] = attrs.field(factory=dict)
    orders: dict[str, str] = attrs.field(factory=dict)
    left_out: dict[str, str] = attrs.field(factory=dict)
    blocked: dict[str, int] = attrs.field(factory=dict)


def prepare(
    table: RecordTable,
    schema: Schema,
    *,
    default_region: str | None = None,
    blocked_values: Mapping[str, Collection[str]] | None = None,
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
    >>> table = read([{"name": "Dr. Ann Lee", "tel": "081-234-5678"}, {"name": "Somchai Jaidee", "tel": "+66898765432"}])
    >>> records, report = prepare(table, Schema.infer())
    >>> {c.name: c.text.to_list() for c in records.columns}
    {'given name': ['ann', 'somchai'], 'surname': ['lee', 'jaidee'], 'phone': ['+66812345678', '+66898765432']}
    """
    if not len(table):
        raise EmptyInput("the record table", "read at least one record")
    bound = schema.bind(table)
    notes = _Notes()
    regions = _regions(table, bound, default_region, notes)
    slots: dict[_Slot, list[_Piece]] = {}
    for code, source in enumerate(table.sources):
        rows = rows_of(table, code)
        if len(rows):
            reader = _Source(table, bound, source, rows, regions[source], notes)
            for slot, piece in reader.pieces():
                slots.setdefault(slot, []).append(piece)
    blocked = _blocked(blocked_values or {}, regions)
    columns, reports = [], []
    kinds = list(Kind)
    for slot in sorted(slots, key=lambda s: (s.place > 0, kinds.index(s.kind), s.place)):
        name = slot.kind.value if not slot.place else f"{slot.kind.value} {slot.place + 1}"
        text = merge_codes(len(table), [(p.rows, p.text) for p in slots[slot]])
        text = _without_blocked(name, slot.kind, text, blocked.get(slot.kind, frozenset()), notes)
        text = _used(text)
        if len(text.values) < 2 and len(table) > 1:
            notes.left_out[name] = "no value in any record" if not text.values else "one value in all records"
            continue
        if not text.values:
            notes.left_out[name] = "no value in any record"
            continue
        columns.append(Column(name, slot.kind, text))
        reports.append(_report(name, slot.kind, text, [p.origin for p in slots[slot]]))
    if not columns:
        raise EmptyInput(
            "the evidence", "no column holds values that tell records apart; see Schema.infer(...) and override it"
        )
    records = Records(table.record_id, table.source, table.sources, tuple(columns))
    return records, _finish(table, bound, reports, notes)


@attrs.frozen(eq=False)
class _Source:
    """The columns of one source, cleaned with what was decided for that source."""

    table: RecordTable
    schema: Schema
    name: str
    rows: NDArray[np.intp]
    region: str | None
    notes: _Notes

    def raw(self, column: str) -> TextColumn:
        """Rows and distinct values of this source alone."""
        whole = self.table.columns[column]
        if len(self.rows) == len(self.table):
            return whole
        codes = whole.codes[self.rows]
        present = np.flatnonzero(np.bincount(codes + 1, minlength=len(whole.values) + 1)[1:])
        table = np.full(len(whole.values) + 1, -1, np.int32)
        table[present] = np.arange(len(present), dtype=np.int32)
        return TextColumn(table[codes], tuple(whole.values[i] for i in present.tolist()))

    def clean(self, column: str, cleaner: Cleaner) -> TextColumn:
        """Clean one column and count what was thrown away."""
        raw = self.raw(column)
        cleaned = cleaner(raw.values)
        self._count(column, raw, cleaned)
        return map_values(raw.codes, cleaned)

    def _count(self, column: str, raw: TextColumn, cleaned: Sequence[str | None]) -> None:
        lost = [i for i, c in enumerate(cleaned) if not c]
        if not lost:
            return
        gone = unspelled([raw.values[i] for i in lost])
        junk = [i for i, word in zip(lost, gone, strict=True) if not word]  # words for "missing" are not junk
        if junk:
            from crmcore._base import mask

            key = f"{self.name}.{column}"
            self.notes.junk[key] = int(np.isin(raw.codes, junk).sum())
            self.notes.samples[key] = [mask(w) for w in sorted(raw.values[i] for i in junk)[:3]]

    def pieces(self) -> list[tuple[_Slot, _Piece]]:
        """All evidence of this source, each with the column it belongs to."""
        found: list[tuple[_Slot, _Piece]] = []
        for kind, parts in self._kinds().items():
            for place, (text, origin) in enumerate(_folded(kind, parts)):
                found.append((_Slot(kind, place), _Piece(self.rows, text, f"{self.name}.{origin}")))
        return found

    def _kinds(self) -> dict[Kind, list[tuple[TextColumn, str]]]:
        of = self.schema.columns
        kinds: dict[Kind, list[tuple[TextColumn, str]]] = {}
        for meaning in (Meaning.GIVEN_NAME, Meaning.SURNAME):
            for column in of(self.name, meaning):
                kinds.setdefault(Kind(meaning.value), []).append((self.clean(column, cleaners.clean_names), column))
        for column in of(self.name, Meaning.FULL_NAME):
            self._full_name(column, kinds)
        for column in of(self.name, Meaning.BIRTH_DATE):
            kinds.setdefault(Kind.BIRTH_DATE, []).append((self.clean(column, self._dates(column)), column))
        self._birth_parts(kinds)
        for column in of(self.name, Meaning.PHONE):
            kinds.setdefault(Kind.PHONE, []).extend(self._phones(column))
        self._streets(kinds)
        for meaning in (m for m in _CLEANERS if m not in _SPECIAL):
            for column in of(self.name, meaning):
                role = self.schema.roles[self.name][column]
                if meaning is Meaning.TEXT and not role.chosen:
                    self.notes.left_out[f"{self.name}.{column}"] = (
                        "free text (override it with kind 'text' to compare it)"
                    )
                elif meaning.kind is not None:
                    kinds.setdefault(meaning.kind, []).append((self.clean(column, _CLEANERS[meaning]), column))
        return kinds

    def _dates(self, column: str) -> Cleaner:
        def cleaner(values: Sequence[str]) -> list[str | None]:
            order, day_first, month_first = dates.date_order(values)
            if day_first or month_first:
                self.notes.orders[f"{self.name}.{column}"] = (
                    f"{order} ({day_first} day first, {month_first} month first)"
                )
            return dates.parse_dates(values, order=order, impossible="keep")

        return cleaner

    def _full_name(self, column: str, kinds: dict[Kind, list[tuple[TextColumn, str]]]) -> None:
        """Split full names; where the source has given name or surname too, full names only fill their gaps."""
        raw = self.raw(column)
        given, last = cleaners.split_full_names(raw.values)
        self._count(column, raw, [g or s for g, s in zip(given, last, strict=True)])
        for kind, cleaned in ((Kind.GIVEN_NAME, given), (Kind.SURNAME, last)):
            text = map_values(raw.codes, cleaned)
            if kind in kinds:
                main, origin = kinds[kind][0]
                kinds[kind][0] = (combine([main, text], _first), origin)
            else:
                kinds[kind] = [(text, column)]

    def _birth_parts(self, kinds: dict[Kind, list[tuple[TextColumn, str]]]) -> None:
        names = [
            self.schema.columns(self.name, m) for m in (Meaning.BIRTH_YEAR, Meaning.BIRTH_MONTH, Meaning.BIRTH_DAY)
        ]
        if all(names):
            year, month, day = (self.raw(n[0]) for n in names)
            text = combine([year, month, day], lambda p: dates.parse_parts(p[0], p[1], p[2]))
            kinds.setdefault(Kind.BIRTH_DATE, []).append((text, "+".join(n[0] for n in names)))
        else:
            for column in (c for n in names for c in n):
                self.notes.left_out[f"{self.name}.{column}"] = "part of a birth date whose other parts are not there"

    def _phones(self, column: str) -> list[tuple[TextColumn, str]]:
        """One column, or two where cells hold several numbers ("081..., 089...", a JSON list)."""
        raw = self.raw(column)
        several = {
            i: p
            for i, v in enumerate(raw.values)
            if (len(v) > 14 or v[:1] == "[") and (p := phones.split_numbers(v)) != [v]
        }
        found = []
        for place in range(min(max(map(len, several.values()), default=1), MOST_PHONES)):
            cells = [""] * len(raw.values) if place else list(raw.values)
            for i, parts in several.items():
                cells[i] = parts[place] if place < len(parts) else ""
            cleaned = phones.normalise_phones(cells, region=self.region)
            if not place:
                self._count(column, raw, cleaned)
            found.append((map_values(raw.codes, cleaned), column))
        return found

    def _streets(self, kinds: dict[Kind, list[tuple[TextColumn, str]]]) -> None:
        """Streets, and house numbers where the source has no column for them."""
        numbers = self.schema.columns(self.name, Meaning.STREET_NUMBER)
        for column in numbers:
            kinds.setdefault(Kind.STREET_NUMBER, []).append((self.clean(column, cleaners.clean_street_numbers), column))
        for i, column in enumerate(self.schema.columns(self.name, Meaning.STREET, Meaning.ADDRESS)):
            text = self.clean(column, cleaners.clean_streets)
            if not numbers and not i:
                street, number = cleaners.split_streets(text.values)
                if any(number):
                    kinds.setdefault(Kind.STREET_NUMBER, []).append((map_values(text.codes, number), column))
                    text = map_values(text.codes, street)
            kinds.setdefault(Kind.STREET, []).append((text, column))


MOST_PHONES = 4
"""Numbers of one cell that are kept."""

_SPECIAL = frozenset({Meaning.GIVEN_NAME, Meaning.SURNAME, Meaning.STREET, Meaning.ADDRESS, Meaning.STREET_NUMBER})


def _first(parts: tuple[str | None, ...]) -> str | None:
    return next((p for p in parts if p), None)


def _joined(parts: tuple[str | None, ...]) -> str | None:
    return " ".join(dict.fromkeys(p for p in parts if p)) or None


def _folded(kind: Kind, parts: Sequence[tuple[TextColumn, str]]) -> list[tuple[TextColumn, str]]:
    """Fold the rare further columns of a kind into its first; move values up where the first is empty."""
    kept = list(parts[:1])
    for text, origin in parts[1:]:
        main, name = kept[0]
        filled = float((text.codes >= 0).mean())
        if kind is Kind.PHONE:
            kept.append((text, origin))
        elif filled < RARE:
            kept[0] = (combine([main, text], _joined if kind in _JOINED else _first), f"{name}+{origin}")
        else:
            kept.append((text, origin))
    return _moved_up(kept) if kind is Kind.PHONE else kept


def _moved_up(parts: list[tuple[TextColumn, str]]) -> list[tuple[TextColumn, str]]:
    """Let the first column take the first number of each record, and drop a number that a record repeats."""
    if len(parts) < 2:
        return parts
    columns = [p[0] for p in parts]

    def nth(place: int) -> Callable[[tuple[str | None, ...]], str | None]:
        def pick(cells: tuple[str | None, ...]) -> str | None:
            distinct = list(dict.fromkeys(c for c in cells if c))
            return distinct[place] if place < len(distinct) else None

        return pick

    moved = [(combine(columns, nth(i)), parts[i][1]) for i in range(len(parts))]
    return [m for m in moved if m[0].values] or moved[:1]


def _regions(table: RecordTable, schema: Schema, default: str | None, notes: _Notes) -> dict[str, str | None]:
    """Region of the telephone numbers of each source."""
    if default is not None:
        code = phone_regions.known_region(default)
        return dict.fromkeys(table.sources, code)
    plus: dict[str, dict[str, int]] = {}
    local: dict[str, list[str]] = {}
    for i, source in enumerate(table.sources):
        rows = rows_of(table, i)
        cells: set[str] = set()
        for column in schema.columns(source, Meaning.PHONE):
            text = table.columns[column]
            here = np.bincount(text.codes[rows] + 1, minlength=len(text.values) + 1)[1:] > 0
            cells.update(text.values if here.all() else (text.values[i] for i in np.flatnonzero(here).tolist()))
        sample = checksum_sample(list(cells), 20_000)
        plus[source] = phone_regions.region_of_plus(sample)
        local[source] = phone_regions.local_sample(sample)
    together: dict[str, int] = {}
    for counts in plus.values():
        for region, n in counts.items():
            together[region] = together.get(region, 0) + n
    pooled = phone_regions.local_sample(v for cells in local.values() for v in cells)
    most = sorted(together, key=lambda r: (-together[r], r))
    guess, share = phone_regions.guess_region(pooled, tried=phone_regions.REGIONS) if not most else (most[0], 0.0)
    out: dict[str, str | None] = {}
    for i, source in enumerate(table.sources):
        out[source] = None
        if local[source] or plus[source]:
            named = _country(table, schema, i)
            own = sorted(plus[source], key=lambda r: (-plus[source][r], r))
            if named:
                out[source], why = named, "its country column"
            elif own:
                out[source], why = own[0], "its numbers written with +"
            elif most:
                out[source], why = most[0], "numbers of other sources written with +"
            elif guess:
                out[source], why = guess, f"guess: {share:.0%} of all local numbers are valid there"
            else:
                why = "local numbers fit no region; their digits are kept"
            notes.regions[source] = f"{out[source] or 'unknown'} ({why})"
    return out


def _country(table: RecordTable, schema: Schema, source: int) -> str | None:
    """Most frequent country that a source names itself."""
    rows = rows_of(table, source)
    for column in schema.columns(table.sources[source], Meaning.COUNTRY):
        text = table.columns[column]
        codes = text.codes[rows]
        counts = np.bincount(codes[codes >= 0], minlength=len(text.values))
        named = {v: int(n) for v, n in zip(text.values, counts.tolist(), strict=True) if n}
        region = phone_regions.region_of_countries(named)
        if region:
            return region
    return None


def _blocked(values: Mapping[str, Collection[str]], regions: Mapping[str, str | None]) -> dict[Kind, frozenset[str]]:
    """What the caller blocks, raw and in every normal form it may take."""
    from crmcore.idic.identify.roles import meaning_of

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
        elif meaning in _CLEANERS:
            forms.update(_CLEANERS[meaning](cells))
        out[kind] = frozenset(f for f in forms if f)
    return out


def _without_blocked(name: str, kind: Kind, text: TextColumn, listed: frozenset[str], notes: _Notes) -> TextColumn:
    """Make values missing that the caller blocks, or that stand on too many records to be one person's."""
    n = len(text)
    counts = np.bincount(text.codes[text.codes >= 0], minlength=len(text.values))
    bad = counts > max(COMMON_AT_LEAST, COMMON * n) if kind in _OWN else np.zeros(len(counts), bool)
    if listed:
        bad = bad | np.fromiter((v in listed for v in text.values), bool, len(text.values))
    for i in np.flatnonzero(bad).tolist():
        from crmcore._base import mask

        notes.blocked[f"{name} {mask(text.values[i])}"] = notes.blocked.get(f"{name} {mask(text.values[i])}", 0) + int(
            counts[i]
        )
    return (
        map_values(text.codes, [None if b else v for v, b in zip(text.values, bad.tolist(), strict=True)])
        if bad.any()
        else text
    )


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


def _finish(table: RecordTable, schema: Schema, fields: list[FieldReport], notes: _Notes) -> Preparation:
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
    )
