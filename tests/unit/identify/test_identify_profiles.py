from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crmcore.errors import MissingColumn, UnknownName, WrongType
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.tables import TextColumn
from tests.unit.identify.identify_examples import records

ROWS = [
    {
        "id": "web:1",
        "source": "web",
        "time": "2024-01-01",
        "name": "Somchai Jaidee",
        "mobile": "0812345678",
        "email": None,
    },
    {
        "id": "shop:9",
        "source": "shop",
        "time": "2024-02-01",
        "name": "Somchai J.",
        "mobile": "0899999999",
        "email": None,
    },
    {"id": "web:2", "source": "web", "time": None, "name": "Anna Berg", "mobile": None, "email": "anna@example.org"},
]


@pytest.fixture
def table() -> ProfileTable:
    return ProfileTable.build(records(ROWS), [5, 5, 7], roles={"mobile": "phone"})


def test_a_cell_knows_record_source_column_time_and_strategy(table):
    cell = table.of_record("web:1").cells("phone")[0]
    assert (cell.value, cell.record_id, cell.source, cell.column) == ("0899999999", "shop:9", "shop", "mobile")
    assert (cell.time, cell.strategy, cell.votes) == (datetime(2024, 2, 1, tzinfo=UTC), "union", 1)


def test_an_explanation_names_what_was_rejected_and_why(table):
    told = table.of_record("web:1").explain("name")
    assert [(r.record_id, r.value) for r in told.rejected] == [("web:1", "Somchai Jaidee")]
    assert str(told).splitlines() == [
        "name: vote",
        "  kept     S•••  shop:9 (shop, 2024-02-01T00:00+00:00), 1 of the records",
        "  rejected S•••  web:1 (web, 2024-01-01T00:00+00:00)",
    ]
    assert "<caption>name: vote</caption>" in told._repr_html_()


def test_nothing_that_is_shown_holds_a_value(table):
    profile = table.of_record("web:1")
    shown = [repr(profile), str(profile), profile._repr_html_(), table._repr_html_(), repr(table)]
    shown += [repr(profile.explain("phone")), str(profile.explain("phone")), profile.explain("phone")._repr_html_()]
    shown += [repr(profile.identifiers), repr(profile.records), repr(table.events), repr(table.field("phone"))]
    for text in shown:
        assert not any(v in text for row in ROWS for k, v in row.items() if k in ("name", "mobile", "email") and v)


def test_values_are_given_when_asked_for(table):
    assert table.of_record("web:2").values() == {"name": "Anna Berg", "email": ("anna@example.org",)}
    assert table.of_record("web:2").value("phone") is None
    assert table.of_record("web:2").explain("phone").cells == ()
    assert "no surviving value" in str(table.of_record("web:2").explain("phone"))


def test_identifiers_hold_every_value_even_if_the_plan_keeps_one(table):
    one = ProfileTable.build(
        table.records, [5, 5, 7], roles={"mobile": "phone"}, plan=table.plan.where("phone", "vote")
    )
    found = one.of_record("web:1").identifiers
    assert {(i.field, i.value, i.sources) for i in found} == {
        ("phone", "0812345678", ("web",)),
        ("phone", "0899999999", ("shop",)),
    }


def test_source_records_keep_what_was_read(table):
    profile = table.of_record("shop:9")
    assert profile.record_ids == ("shop:9", "web:1")
    assert profile.sources == ("shop", "web")
    assert profile.records[0].fields == {"name": "Somchai J.", "mobile": "0899999999"}
    assert profile.export() == [profile.records[0].fields, profile.records[1].fields]


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow", None])
def test_a_frame_has_one_row_per_customer_with_lineage(table, backend):
    frame = table.to_frame(backend=backend, lineage=True)
    columns = {"polars": lambda f: f.to_dict(as_series=False), "pandas": lambda f: f.to_dict("list")}
    got = columns.get(backend, lambda f: f.to_pydict() if hasattr(f, "to_pydict") else f)(frame)
    assert got["records"] == [2, 1]
    assert got["phone"][0] == "0899999999 | 0812345678"
    assert got["name source"] == ["shop", "web"]
    assert isinstance(frame, {"polars": pl.DataFrame, "pandas": pd.DataFrame}.get(backend, object))


def test_an_unknown_field_record_or_customer_is_told(table):
    with pytest.raises(MissingColumn, match="did you mean 'name'"):
        table[0].cells("nam")
    with pytest.raises(UnknownName, match="record"):
        table.of_record("web:77")
    with pytest.raises(UnknownName, match="one of 2 customer ids"):
        table["c-none"]
    with pytest.raises(IndexError):
        table[2]
    assert table[-1].code == 1
    assert table[table[1].customer_id].code == 1
    assert [p.code for p in table] == [0, 1]


def test_labels_roles_and_normal_forms_must_fit_the_records(table):
    with pytest.raises(WrongType, match="2 labels: expected 3"):
        ProfileTable.build(table.records, [0, 1])
    with pytest.raises(MissingColumn, match="'mobil'"):
        ProfileTable.build(table.records, [0, 1, 2], roles={"mobil": "phone"})
    with pytest.raises(WrongType, match="normal"):
        ProfileTable.build(table.records, [0, 1, 2], normal={"name": TextColumn.of(["a"])})


def test_columns_that_are_ignored_have_no_golden_field_but_are_exported():
    table = ProfileTable.build(records([{"id": "a", "name": "Ann", "row": "17"}]), [0], roles={"row": "record id"})
    assert table[0].fields == ("name",)
    assert table.export() == [{"name": "Ann", "row": "17"}]


def test_an_empty_table_is_no_special_case():
    empty = ProfileTable.build(records([]), np.zeros(0, np.int32))
    assert len(empty) == 0
    assert empty.export() == []
    assert empty.assignments() == {}
    assert empty.to_frame() == {"customer_id": [], "records": []}


def test_progress_is_told():
    seen = []
    ProfileTable.build(records(ROWS), [0, 0, 1], progress=lambda *step: seen.append(step))
    assert seen[-1] == ("golden records", 2, 2)
