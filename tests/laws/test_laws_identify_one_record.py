"""One record is normalised exactly as its batch was, under the batch's decisions kept as data."""

# ruff: noqa: E501  (tables of cells read best as lines)

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.datasets import simulate_records
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.one_record import RecordNormaliser
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.roles import Meaning, Role
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import export_records
from crmcore.tables import RecordTable

COLUMNS = {
    "first": Meaning.GIVEN_NAME, "middle": Meaning.GIVEN_NAME, "last": Meaning.SURNAME, "name": Meaning.FULL_NAME,
    "born": Meaning.BIRTH_DATE, "mail": Meaning.EMAIL, "tel": Meaning.PHONE, "mobile": Meaning.PHONE,
    "road": Meaning.STREET, "road2": Meaning.STREET, "zip": Meaning.POSTCODE, "town": Meaning.CITY, "sex": Meaning.GENDER,
    "card": Meaning.IDENTIFIER,
}  # fmt: skip
CELLS = {
    "first": ["Ann", "Dr. José", "ANN", "-", "J."], "middle": ["Maria", "von", "n/a"], "last": ["Lee", "O'Brien, Jr.", "คุณสมชาย"],
    "name": ["Ann Lee", "Lee, Ann", "Cher", "Mr Somchai Jaidee"], "born": ["03/04/1990", "25/12/1980", "12/25/1980", "1990-04-03", "x"],
    "mail": ["Ann.B+x@gmail.com", "none@none.com", "bo@example.org"], "tel": ["081-234-5678", "02 123 4567, 081-999-5555", "0000000000"],
    "mobile": ["+66812345678", "0819995555", '["0812223333", "0814445555"]'], "road": ["12 Main Street", "Hauptstraße 5a", "Soi 11"],
    "road2": ["Flat 3", "rear"], "zip": ["10115", "20095", "1067", "80331", "50667", "60311"], "town": ["München", "bath"],
    "sex": ["Male", "f", "?"], "card": ["AB-1", "0000000"],
}  # fmt: skip
RECORD = st.fixed_dictionaries({c: st.sampled_from([None, None, *v]) for c, v in CELLS.items()})


def check(table: RecordTable, schema: Schema, sources: list[str], raw: list[dict[str, object]], **options) -> None:
    records, report = prepare(table, schema, **options)
    plan = PreparationPlan.from_dict(json.loads(json.dumps(report.plan.to_dict())))
    assert plan == report.plan
    expected = list(zip(*(c.text.to_list() for c in records.columns), strict=True))
    again, _ = prepare(table, schema, plan=plan)
    assert list(zip(*(c.text.to_list() for c in again.columns), strict=True)) == expected
    normaliser = RecordNormaliser(plan)
    assert [normaliser.values(s, r) for s, r in zip(sources, raw, strict=True)] == expected


@settings(max_examples=80)
@given(st.lists(RECORD, min_size=2, max_size=25), st.booleans())
def test_one_record_is_normalised_as_in_its_batch(rows, blocked):
    rows = [*rows, {"name": "Ann Lee", "mail": "ann@example.org"}]
    table = read({"crm": rows})
    schema = Schema(
        {"crm": {c: Role(m, 1.0, part=1 + (c in ("middle", "mobile", "road2"))) for c, m in COLUMNS.items()}}
    )
    options = {"blocked_values": {"phone": ["081-234-5678"]}} if blocked else {}
    check(table, schema, ["crm"] * len(rows), rows, default_region="TH", **options)


@pytest.mark.parametrize("seed", [3, 4])
def test_simulated_records_are_normalised_one_by_one_as_in_their_batch(seed):
    table = read(simulate_records(1_200, seed=seed).sources)
    names = [table.sources[c] for c in table.source]
    check(table, Schema.infer(), names, export_records(table))
