"""Reading: frames, files, cards; ids and times."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crmcore.errors import BadRows, DuplicateIds, EmptyInput, UnknownName, WrongType
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import export_records
from crmcore.idic.identify.vcards import read_vcards, write_vcards

COLUMNS = {"id": ["a", "b"], "name": ["Ann Lee", None], "phone": ["0812345678", "0812345679"]}


@pytest.mark.parametrize("make", [pl.DataFrame, pd.DataFrame, pa.table, lambda c: pl.DataFrame(c).lazy(), dict])
def test_every_kind_of_frame_gives_the_same_table(make: object) -> None:
    table = read({"shop": make(COLUMNS)})  # type: ignore[operator]
    assert table.record_id.tolist() == ["shop:a", "shop:b"]
    assert {n: c.to_list() for n, c in table.columns.items()} == COLUMNS


def test_sources_are_named_by_mapping_by_file_or_by_place(tmp_path: Path) -> None:
    (tmp_path / "members.csv").write_text("id,name\n7,Ann\n")
    frame = pl.DataFrame(COLUMNS)
    assert read(frame).sources == ("records",)
    assert read([frame, frame]).sources == ("source1", "source2")
    assert read({"x": tmp_path / "members.csv"}).sources == ("x",)
    assert read(tmp_path).record_id.tolist() == ["members:7"]
    assert read([str(tmp_path / "members.csv"), frame]).sources == ("members", "source2")


def test_rows_without_an_id_column_are_numbered_and_several_sources_share_columns() -> None:
    table = read({"a": [{"email": "x@y.org"}], "b": [{"email": "z@y.org", "city": "Bath"}, {"city": "York"}]})
    assert table.record_id.tolist() == ["a:0", "b:0", "b:1"]
    assert table.columns["email"].to_list() == ["x@y.org", "z@y.org", None]


def test_the_update_time_is_read_in_utc() -> None:
    table = read(
        {
            "email": ["a@b.org", "c@d.org", "e@f.org"],
            "updated_at": ["2025-01-02T07:00:00+07:00", "2025-01-02 00:00:00", "x 1:00"],
        }
    )
    assert table.time[:2].tolist() == [np.datetime64("2025-01-02T00:00:00").item()] * 2
    assert np.isnat(table.time[2])


def test_repeated_ids_are_all_named() -> None:
    schema = Schema.infer(overrides={"key": "record id"})
    with pytest.raises(DuplicateIds, match=r"2 repeated ids, at rows \[1, 3\]"):
        read({"shop": {"key": ["a", "a", "b", "b"], "email": ["a@b.org"] * 4}}, schema)


def test_missing_ids_are_all_named() -> None:
    schema = Schema.infer(overrides={"key": "record id"})
    with pytest.raises(BadRows, match=r"no record id in 2 rows \[1, 2\]"):
        read({"shop": {"key": ["a", None, ""], "email": ["a@b.org"] * 3}}, schema)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_dialect_and_encoding_are_found_out(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = [["name", "city"], ["สมชาย", '"Bath"'], ["Müller", '"a\nb"']]
    path = tmp_path / "shop.csv"
    path.write_bytes("\r\n".join(delimiter.join(r) for r in rows).encode(encoding))
    assert export_records(read(path)) == [{"name": "สมชาย", "city": "Bath"}, {"name": "Müller", "city": "a\nb"}]


@pytest.mark.parametrize(("encoding", "word"), [("cp874", "สมชาย ใจดี"), ("cp1252", "Müller-Lüdenscheid")])
def test_old_windows_files_are_read(tmp_path: Path, encoding: str, word: str) -> None:
    path = tmp_path / "shop.csv"
    path.write_bytes(f"name,city\n{word},x\n".encode(encoding))
    assert read(path).columns["name"].to_list() == [word]


def test_broken_csv_rows_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("a,b\n1,2\n3\n4,5\n6,7,8\n")
    with pytest.raises(BadRows, match=r"does not have 2 cells in 2 rows \[1, 3\]"):
        read(path)


def test_json_lines_gzip_and_parquet_are_read(tmp_path: Path) -> None:
    records = [{"name": "Ann", "phones": ["1", "2"], "n": 3}, {"name": "Bo"}]
    lines = "\n".join(map(json.dumps, records))
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "c.json").write_text(json.dumps(records))
    pl.DataFrame({"name": ["Ann"]}).write_parquet(tmp_path / "d.parquet")
    table = read(tmp_path)
    for source in "abc":
        assert export_records(table, source=source) == records
    assert export_records(table, source="d") == [{"name": "Ann"}]
    with pytest.raises(UnknownName, match="unknown source"):
        export_records(table, source="z")


def test_bad_json_lines_are_named_and_masked(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"name": "Ann"}\n{secret\n')
    with pytest.raises(BadRows, match="is not JSON") as caught:
        read(path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("nothing", [[], {}, {"a": []}, pl.DataFrame({"a": []})])
def test_no_record_at_all_is_refused(nothing: object) -> None:
    with pytest.raises(EmptyInput):
        read(nothing)


def test_an_empty_source_beside_others_is_kept() -> None:
    table = read({"a": [{"email": "x@y.org"}], "b": pl.DataFrame({"email": []}, schema={"email": pl.String})})
    assert (table.sources, len(table)) == (("a", "b"), 1)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"name": "Ann", "age": 7}, "wrap one record in a list"),
        ("no such text", "does not exist"),
        (7, "pass a polars"),
        ({"a": [1], "b": [1, 2]}, "one cell per record"),
    ],
)
def test_a_wrong_input_says_the_way_out(wrong: object, hint: str) -> None:
    with pytest.raises(WrongType, match=hint):
        read(wrong)


def test_records_that_are_no_dicts_are_all_named() -> None:
    with pytest.raises(BadRows, match=r"is not a mapping in 2 rows \[1, 2\]"):
        read([{"a": 1}, "b", "c"])


CARD = """BEGIN:VCARD\r
VERSION:3.0\r
N:Jaidee;Somchai;;Khun;\r
FN:Khun Somchai\r
  Jaidee\r
item1.TEL;TYPE=CELL:081-234-5678\r
TEL;TYPE="home,voice":+66 2 123 4567\r
EMAIL;TYPE=INTERNET:somchai@example.org\r
ADR;TYPE=HOME:;;12 Soi 3\\, Sukhumvit;Bangkok;;10110;Thailand\r
BDAY:1990-04-03\r
ORG:Siam Trading;Sales\r
NOTE:likes tea\\nand rain\r
UID:c-1\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:2.1\r
FN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:M=C3=BC=\r
ller\r
TEL;VALUE=uri:tel:+49-30-123456\r
END:VCARD\r
"""


def test_cards_of_all_versions_become_records() -> None:
    first, second = read_vcards(CARD)
    assert first == {
        "surname": "Jaidee",
        "given_name": "Somchai",
        "name": "Khun Somchai Jaidee",
        "phone": "081-234-5678",
        "phone_2": "+66 2 123 4567",
        "email": "somchai@example.org",
        "street": "12 Soi 3, Sukhumvit",
        "city": "Bangkok",
        "postcode": "10110",
        "country": "Thailand",
        "birth_date": "1990-04-03",
        "organisation": "Siam Trading",
        "note": "likes tea\nand rain",
        "id": "c-1",
    }
    assert second == {"name": "Müller", "phone": "+49-30-123456"}


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_written_cards_are_folded_and_read_back(version: str) -> None:
    cards = read_vcards(CARD)
    text = write_vcards([*cards, {"name": "ก" * 100}], version=version)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert read_vcards(text) == [*cards, {"name": "ก" * 100}]


def test_broken_cards_are_named_and_text_without_cards_is_refused() -> None:
    with pytest.raises(BadRows, match=r"no END:VCARD in 1 row \[1\]"):
        read_vcards("BEGIN:VCARD\nFN:a\nEND:VCARD\nBEGIN:VCARD\nFN:b\n")
    with pytest.raises(WrongType, match="BEGIN:VCARD"):
        read_vcards("FN:nobody\n")
    with pytest.raises(UnknownName, match="vCard version"):
        write_vcards([], version="5")
