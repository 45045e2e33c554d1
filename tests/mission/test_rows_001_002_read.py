"""Rows 1 and 2: many identifiers in and out; card files."""

from __future__ import annotations

from pathlib import Path

from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import export_records


def test_row_001_three_dicts_are_three_records_and_come_back_the_same() -> None:
    people = [
        {"name": "Ann Lee", "phone": "081-234-5678", "email": "ann@example.org"},
        {"name": "Somchai Jaidee", "phone": 897654321, "email": None},
        {"name": "Bo", "email": ""},
    ]
    table = read(people)
    assert len(table) == 3
    assert export_records(table) == people
    records, _ = prepare(table, Schema.infer())
    assert len(records) == 3


def test_row_002_one_card_with_two_phones_is_one_record_with_two_phones_in_one_form(tmp_path: Path) -> None:
    path = tmp_path / "cards.vcf"
    path.write_text("BEGIN:VCARD\nVERSION:4.0\nFN:Somchai Jaidee\nTEL:081-234-5678\nTEL:+66 (0)2 123 4567\nEND:VCARD\n")
    records, _ = prepare(read(path), Schema.infer())
    phones = [c.text.to_list() for c in records.columns if c.kind.value == "phone"]
    assert len(records) == 1
    assert phones == [["+66812345678"], ["+6621234567"]]
