"""The columns of one source, cleaned by what each means and folded into evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import mask
from crmcore.idic.identify import cleaners, dates, phones
from crmcore.idic.identify.folding import combine, map_values, unspelled
from crmcore.idic.identify.phone_reading import PhoneReading
from crmcore.idic.identify.phone_regions import country_regions
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.roles import Meaning
from crmcore.idic.identify.schema import Schema
from crmcore.linkage.fields import Kind
from crmcore.tables import RecordTable, TextColumn

__all__ = ["CLEANERS", "CODES", "Notes", "Piece", "Slot", "SourceCleaner"]

Cleaner = Callable[[Sequence[str]], list[str | None]]

RARE = 0.2
"""A further column of a kind that fewer rows fill is appended to the first; a fuller one stands alone."""

CLEANERS: dict[Meaning, Cleaner] = {
    Meaning.GIVEN_NAME: cleaners.clean_names,
    Meaning.SURNAME: cleaners.clean_names,
    Meaning.EMAIL: cleaners.clean_emails,
    Meaning.STREET: cleaners.clean_streets,
    Meaning.ADDRESS: cleaners.clean_streets,
    Meaning.STREET_NUMBER: cleaners.clean_street_numbers,
    Meaning.POSTCODE: cleaners.clean_postcodes,
    Meaning.CITY: cleaners.clean_places,
    Meaning.STATE: cleaners.clean_places,
    Meaning.OCCUPATION: cleaners.clean_text,
    Meaning.GENDER: cleaners.clean_genders,
    Meaning.IDENTIFIER: cleaners.clean_identifiers,
    Meaning.HANDLE: cleaners.clean_handles,
    Meaning.ORGANISATION: cleaners.clean_organisations,
    Meaning.TEXT: cleaners.clean_text,
}
CODES = frozenset({Kind.IDENTIFIER, Kind.HANDLE})
"""Kinds whose columns belong to the system that gave the codes (see `code_columns`); they are never folded."""

_JOINED = frozenset({Kind.GIVEN_NAME, Kind.SURNAME, Kind.STREET, Kind.ORGANISATION, Kind.OCCUPATION})
"""Kinds whose rare further parts belong to the same text; of the others a further part only fills a gap."""


@attrs.frozen
class Slot:
    """Where a piece goes: the n-th column of a kind."""

    kind: Kind
    place: int


@attrs.frozen(eq=False)
class Piece:
    """One cleaned column of one source."""

    rows: NDArray[np.intp]
    text: TextColumn
    origin: str  # source.column
    source: str


@attrs.define(eq=False)
class Notes:
    """What was noticed on the way, for the report."""

    junk: dict[str, int] = attrs.field(factory=dict)
    samples: dict[str, list[str]] = attrs.field(factory=dict)
    regions: dict[str, str] = attrs.field(factory=dict)
    readings: dict[str, PhoneReading] = attrs.field(factory=dict)
    orders: dict[str, str] = attrs.field(factory=dict)
    left_out: dict[str, str] = attrs.field(factory=dict)
    blocked: dict[str, int] = attrs.field(factory=dict)
    day_or_month_first: dict[str, dates.Order] = attrs.field(factory=dict)
    padded: set[str] = attrs.field(factory=set)
    folded: dict[str, tuple[bool, ...]] = attrs.field(factory=dict)


@attrs.frozen(eq=False)
class SourceCleaner:
    """The columns of one source, cleaned with what was decided for that source."""

    table: RecordTable
    schema: Schema
    name: str
    rows: NDArray[np.intp]
    reading: PhoneReading
    notes: Notes
    plan: PreparationPlan | None = None  # decisions that were made on other records; None: decide here

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
            key = f"{self.name}.{column}"
            self.notes.junk[key] = int(np.isin(raw.codes, junk).sum())
            self.notes.samples[key] = [mask(w) for w in sorted(raw.values[i] for i in junk)[:3]]

    def pieces(self) -> list[tuple[Slot, Piece]]:
        """All evidence of this source, each with the column it belongs to."""
        found: list[tuple[Slot, Piece]] = []
        for kind, parts in self._kinds().items():
            key = f"{self.name}.{kind.value}"
            into = _into_first(kind, parts) if self.plan is None else self.plan.into_first(key, len(parts))
            self.notes.folded[key] = into
            for place, (text, origin) in enumerate(_folded(kind, parts, into)):
                found.append((Slot(kind, place), Piece(self.rows, text, f"{self.name}.{origin}", self.name)))
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
        for meaning in (m for m in CLEANERS if m not in SPECIAL):
            for column in of(self.name, meaning):
                role = self.schema.roles[self.name][column]
                if meaning is Meaning.TEXT and not role.chosen:
                    self.notes.left_out[f"{self.name}.{column}"] = (
                        "free text (override it with kind 'text' to compare it)"
                    )
                elif meaning.kind is not None:
                    cleaner = self._postcodes(column) if meaning is Meaning.POSTCODE else CLEANERS[meaning]
                    kinds.setdefault(meaning.kind, []).append((self.clean(column, cleaner), column))
        return kinds

    def _postcodes(self, column: str) -> Cleaner:
        key = f"{self.name}.{column}"

        def cleaner(values: Sequence[str]) -> list[str | None]:
            padded = cleaners.has_lost_zeros(values) if self.plan is None else key in self.plan.padded
            if padded:
                self.notes.padded.add(key)
            return cleaners.clean_postcodes(values, padded=padded)

        return cleaner

    def _dates(self, column: str) -> Cleaner:
        key = f"{self.name}.{column}"

        def cleaner(values: Sequence[str]) -> list[str | None]:
            order, day_first, month_first = dates.date_order(values)
            if self.plan is not None:
                order = self.plan.date_orders.get(key, order)
            self.notes.day_or_month_first[key] = order
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
            written, cleaned = self._normal_numbers(TextColumn(raw.codes, tuple(cells)))
            if not place:
                self._count(column, written, cleaned)
            found.append((map_values(written.codes, cleaned), column))
        return found

    def _normal_numbers(self, numbers: TextColumn) -> tuple[TextColumn, list[str | None]]:
        """Numbers as written, one for each country that rows name with them, and their normal forms."""
        country = self.row_regions()
        if country is None:
            return numbers, self.reading.read(numbers.values)
        width = len(country.values) + 1
        key = numbers.codes.astype(np.int64) * width + country.codes + 1
        key[numbers.codes < 0] = -1
        pairs, codes = np.unique(key, return_inverse=True)
        gone = int(len(pairs) > 0 and pairs[0] < 0)
        value, place = np.divmod(pairs[gone:], width)
        cells = [numbers.values[i] for i in value.tolist()]
        cleaned: list[str | None] = [None] * len(cells)
        for region in np.unique(place).tolist():
            rows = np.flatnonzero(place == region).tolist()
            listed = [cells[i] for i in rows]
            normal = (
                phones.normalise_phones(listed, region=country.values[region - 1])
                if region
                else self.reading.read(listed)
            )
            for i, number in zip(rows, normal, strict=True):
                cleaned[i] = number
        return TextColumn((codes - gone).astype(np.int32), tuple(cells)), cleaned

    def row_regions(self) -> TextColumn | None:
        """Country that each row names, as ISO region; None where the source has no country column or one was given."""
        columns = self.schema.columns(self.name, Meaning.COUNTRY)
        if not columns or self.reading.fixed:
            return None
        raw = self.raw(columns[0])
        return map_values(raw.codes, country_regions(raw.values))

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

SPECIAL = frozenset({Meaning.GIVEN_NAME, Meaning.SURNAME, Meaning.STREET, Meaning.ADDRESS, Meaning.STREET_NUMBER})


def _first(parts: tuple[str | None, ...]) -> str | None:
    return next((p for p in parts if p), None)


def _joined(parts: tuple[str | None, ...]) -> str | None:
    return " ".join(dict.fromkeys(p for p in parts if p)) or None


def _into_first(kind: Kind, parts: Sequence[tuple[TextColumn, str]]) -> tuple[bool, ...]:
    """Whether each further column of a kind is rare, and folded into the first."""
    return tuple(
        kind is not Kind.PHONE and kind not in CODES and float((text.codes >= 0).mean()) < RARE for text, _ in parts[1:]
    )


def _folded(
    kind: Kind, parts: Sequence[tuple[TextColumn, str]], into_first: Sequence[bool]
) -> list[tuple[TextColumn, str]]:
    """Fold the rare further columns of a kind into its first; move values up where the first is empty."""
    kept = list(parts[:1])
    for (text, origin), rare in zip(parts[1:], into_first, strict=True):
        main, name = kept[0]
        if kind is Kind.PHONE or kind in CODES:
            kept.append((text, origin))
        elif rare:
            kept[0] = (combine([main, text], joiner(kind)), f"{name}+{origin}")
        else:
            kept.append((text, origin))
    return _moved_up(kept) if kind is Kind.PHONE else kept


def joiner(kind: Kind) -> Callable[[tuple[str | None, ...]], str | None]:
    """How the further columns of a kind join its first: as one text, or only to fill a gap."""
    return _joined if kind in _JOINED else _first


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
