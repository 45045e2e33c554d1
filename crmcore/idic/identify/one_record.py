"""One raw record to comparable values: the scalar form of `prepare` under a plan, with the same cleaners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from crmcore.idic.identify import cleaners, dates, phones
from crmcore.idic.identify.phone_reading import PhoneReading
from crmcore.idic.identify.phone_regions import country_regions
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.roles import Meaning
from crmcore.idic.identify.source_cleaning import CLEANERS, MOST_PHONES, SPECIAL, joiner
from crmcore.idic.identify.source_table import text_of
from crmcore.linkage.fields import Kind

__all__ = ["RecordNormaliser"]

Cells = Mapping[str, object]
Parts = dict[str, list[str | None]]  # a kind, or the field of codes of one system, to what the record says
Step = Callable[[Mapping[str, str], Parts], None]
KEPT = 50_000  # cleaned values remembered per column


class RecordNormaliser:
    """Normalises records of known sources one at a time.

    Examples
    --------
    >>> from crmcore.idic.identify.normalize import prepare
    >>> from crmcore.idic.identify.readers import read
    >>> from crmcore.idic.identify.schema import Schema
    >>> rows = [{"name": "Dr. Ann Lee", "tel": "081-234-5678"}, {"name": "Bo Ek", "tel": "+66898765432"}]
    >>> table = read({"crm": rows})
    >>> normaliser = RecordNormaliser(prepare(table, Schema.infer())[1].plan)
    >>> normaliser.values("crm", {"name": "Mr. Ann Lee", "tel": "0812345678"})
    ('ann', 'lee', '+66812345678')
    """

    def __init__(self, plan: PreparationPlan) -> None:
        self.plan = plan
        self._fields = {name: i for i, name in enumerate(plan.fields)}
        self._steps = {source: self._compile(source) for source in plan.schema.roles}

    def values(self, source: str, record: Cells) -> tuple[str | None, ...]:
        """Normalised values in the order of the plan's fields; None where missing.

        Parameters
        ----------
        source : a source of the plan's schema
        record : column -> cell of any type; columns that the schema does not know say nothing
        """
        cells = {}
        for name, cell in record.items():
            if type(cell) is not str:
                cell = text_of(cell.item() if isinstance(cell, np.generic) else cell)
            if cell:
                cells[name] = cell
        parts: Parts = {}
        for step in self._steps[source]:
            step(cells, parts)
        out: list[str | None] = [None] * len(self._fields)
        plan = self.plan
        for field, found in parts.items():
            for place, value in enumerate(self._placed(source, field, found)):
                if value:
                    name = str(field) if not place else f"{field} {place + 1}"
                    at = self._fields.get(name)
                    if at is not None and not plan.is_blocked(name, value):
                        out[at] = value
        return tuple(out)

    def _placed(self, source: str, field: str, found: Sequence[str | None]) -> Sequence[str | None]:
        """Values of a kind by place: rare further columns folded into the first, telephone numbers moved up."""
        if field == Kind.PHONE:
            return list(dict.fromkeys(v for v in found if v))
        if len(found) < 2:
            return found
        kept = [found[0]]
        for value, rare in zip(found[1:], self.plan.into_first(f"{source}.{field}", len(found)), strict=True):
            if rare:
                kept[0] = joiner(Kind(field))((kept[0], value))
            else:
                kept.append(value)
        return kept

    def _compile(self, source: str) -> list[Step]:
        """Steps in the order in which `SourceCleaner` gathers evidence."""
        of = self.plan.schema.columns
        steps: list[Step] = []
        for meaning in (Meaning.GIVEN_NAME, Meaning.SURNAME):
            steps += [_plain(c, Kind(meaning.value), _one(cleaners.clean_names)) for c in of(source, meaning)]
        steps += [_full_name(c) for c in of(source, Meaning.FULL_NAME)]
        for c in of(source, Meaning.BIRTH_DATE):
            order = self.plan.date_orders.get(f"{source}.{c}", "dmy")
            steps.append(_plain(c, Kind.BIRTH_DATE, _one(_dates(order))))
        names = [of(source, m) for m in (Meaning.BIRTH_YEAR, Meaning.BIRTH_MONTH, Meaning.BIRTH_DAY)]
        if all(names):
            steps.append(_birth_parts(names[0][0], names[1][0], names[2][0]))
        reading = self.plan.readings.get(source) or PhoneReading(self.plan.regions.get(source))
        countries = () if reading.fixed else of(source, Meaning.COUNTRY)
        steps += [_phones(c, reading, countries[0] if countries else None) for c in of(source, Meaning.PHONE)]
        numbers = of(source, Meaning.STREET_NUMBER)
        steps += [_plain(c, Kind.STREET_NUMBER, _one(cleaners.clean_street_numbers)) for c in numbers]
        for i, c in enumerate(of(source, Meaning.STREET, Meaning.ADDRESS)):
            steps.append(_street(c, split=not numbers and not i))
        for meaning in (m for m in CLEANERS if m not in SPECIAL):
            for c in of(source, meaning):
                if meaning.kind is None or (meaning is Meaning.TEXT and not self.plan.schema.roles[source][c].chosen):
                    continue
                clean = _one(CLEANERS[meaning])
                if meaning is Meaning.POSTCODE:
                    clean = _one(_postcodes(f"{source}.{c}" in self.plan.padded))
                field = self.plan.code_names.get(f"{source}.{c}", meaning.kind.value)
                steps.append(_plain(c, field, clean))
        return steps


def _one(cleaner: Callable[[Sequence[str]], list[str | None]]) -> Callable[[str], str | None]:
    """A cleaner of one value that remembers what it cleaned."""
    known: dict[str, str | None] = {}

    def clean(value: str) -> str | None:
        try:
            return known[value]
        except KeyError:
            if len(known) >= KEPT:
                known.clear()
            found = known[value] = cleaner((value,))[0]
            return found

    return clean


def _plain(column: str, field: str, clean: Callable[[str], str | None]) -> Step:
    def step(cells: Mapping[str, str], parts: Parts) -> None:
        raw = cells.get(column)
        parts.setdefault(field, []).append(clean(raw) if raw else None)

    return step


def _full_name(column: str) -> Step:
    def step(cells: Mapping[str, str], parts: Parts) -> None:
        raw = cells.get(column)
        given, last = cleaners.split_full_names((raw,)) if raw else ([None], [None])
        for kind, found in ((Kind.GIVEN_NAME, given[0]), (Kind.SURNAME, last[0])):
            if kind in parts:
                parts[kind][0] = parts[kind][0] or found
            else:
                parts[kind] = [found]

    return step


def _dates(order: dates.Order) -> Callable[[Sequence[str]], list[str | None]]:
    return lambda values: dates.parse_dates(values, order=order, impossible="keep")


def _postcodes(padded: bool) -> Callable[[Sequence[str]], list[str | None]]:
    return lambda values: cleaners.clean_postcodes(values, padded=padded)


def _birth_parts(year: str, month: str, day: str) -> Step:
    def step(cells: Mapping[str, str], parts: Parts) -> None:
        found = dates.parse_parts(cells.get(year), cells.get(month), cells.get(day))
        parts.setdefault(Kind.BIRTH_DATE, []).append(found)

    return step


def _phones(column: str, reading: PhoneReading, country: str | None) -> Step:
    region_of = _one(country_regions)

    def step(cells: Mapping[str, str], parts: Parts) -> None:
        held = parts.setdefault(Kind.PHONE, [])
        raw = cells.get(column)
        if raw:
            listed = phones.split_numbers(raw) if len(raw) > 14 or raw[:1] == "[" else [raw]
            named = cells.get(country) if country else None
            region = region_of(named) if named else None
            kept = listed[:MOST_PHONES]
            held += phones.normalise_phones(kept, region=region) if region else reading.read(kept)

    return step


def _street(column: str, *, split: bool) -> Step:
    clean = _one(cleaners.clean_streets)

    def step(cells: Mapping[str, str], parts: Parts) -> None:
        raw = cells.get(column)
        street = clean(raw) if raw else None
        if split and street:
            streets, numbers = cleaners.split_streets((street,))
            street = streets[0]
            if numbers[0]:
                parts.setdefault(Kind.STREET_NUMBER, []).append(numbers[0])
        parts.setdefault(Kind.STREET, []).append(street)

    return step
