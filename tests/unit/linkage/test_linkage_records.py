"""Records and their columns: one cell per id, ids once, dictionaries shared."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import DuplicateIds, WrongType
from crmcore.linkage.fields import Kind
from crmcore.linkage.records import Column, Records
from crmcore.tables import TextColumn


def test_cells_are_encoded_and_empty_text_is_missing():
    column = Column.of("city", "city", ["bath", "", None, "york", "bath"])
    assert column.codes.tolist() == [0, -1, -1, 1, 0]
    assert column.values == ("bath", "york")
    assert column.kind is Kind.CITY
    assert repr(column) == "Column('city', city, 5 rows, 2 values)"


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="shoe size"):
        Column.of("x", "shoe size", ["a"])


def test_ids_that_repeat_are_named_by_row_all_at_once():
    with pytest.raises(DuplicateIds) as error:
        Records.from_columns({"x": list("abcde")}, {"x": "text"}, ids=["1", "2", "1", "3", "2"])
    assert error.value.positions == (2, 4)
    assert error.value.count == 2


def test_a_column_needs_one_cell_per_id():
    with pytest.raises(WrongType, match="2 rows"):
        Records(
            np.array(["a", "b"], object), np.zeros(2, np.int32), ("s",), (Column("x", Kind.TEXT, TextColumn.empty(3)),)
        )


def test_sources_are_coded_in_order_of_their_names():
    records = Records.from_columns({"x": list("abc")}, {"x": "text"}, source=["web", "crm", "web"])
    assert records.sources == ("crm", "web")
    assert records.source.tolist() == [1, 0, 1]
    assert records.ids.tolist() == ["0", "1", "2"]
    assert len(records) == 3


def test_rows_taken_keep_their_ids_sources_and_words():
    records = Records.from_columns({"x": ["a", None, "c"]}, {"x": "text"}, ids=["p", "q", "r"], source=["s", "t", "t"])
    taken = records.take(np.array([2, 0]))
    assert taken.ids.tolist() == ["r", "p"]
    assert taken.source.tolist() == [1, 0]
    assert taken.columns[0].text.to_list() == ["c", "a"]
    assert taken.columns[0].values is records.columns[0].values


def test_people_never_show_in_a_repr():
    records = Records.from_columns({"surname": ["featherstone"]}, {"surname": "surname"}, ids=["secret"])
    assert repr(records) == "Records(1 records, 1 sources, fields ['surname'])"
    assert "featherstone" not in repr(records.columns)
