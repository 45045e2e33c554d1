from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crmcore._frames import Frame, read_frame, write_frame
from crmcore.errors import BadRows, EmptyInput, MissingColumn, WrongType

CELLS = {"name": ["Ann", None, "Bo", ""], "age": [40, 7, None, 3]}

FLAVOURS = {
    "dict": lambda c: c,
    "rows": lambda c: [dict(zip(c, row, strict=True)) for row in zip(*c.values(), strict=True)],
    "polars": pl.DataFrame,
    "polars lazy": pl.LazyFrame,
    "pandas": pd.DataFrame,
    "pandas nullable": lambda c: pd.DataFrame(c).convert_dtypes(),
    "pyarrow": pa.table,
    "numpy": lambda c: {k: np.array(v, object) for k, v in c.items()},
}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_flavour_reads_the_same_cells(flavour: str) -> None:
    frame = read_frame(FLAVOURS[flavour](CELLS))
    assert frame.columns == ("name", "age")
    assert len(frame) == 4
    assert frame.column("name") == ["Ann", None, "Bo", None]
    assert frame.column("age") == [40, 7, None, 3]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_flavour_encodes_the_same_text(flavour: str) -> None:
    frame = read_frame(FLAVOURS[flavour](CELLS))
    codes, values = frame.text("name")
    assert (codes.tolist(), values) == ([0, -1, 1, -1], ("Ann", "Bo"))
    codes, values = frame.text("age")
    assert (codes.tolist(), values) == ([0, 1, -1, 2], ("40", "7", "3"))


@pytest.mark.parametrize("cells", [[], [None], ["gold", None, "a", "gold"]])
def test_categories_read_alike_in_every_library_that_has_them(cells: list[str | None]) -> None:
    made = pl.DataFrame({"tier": pl.Series(cells, dtype=pl.Categorical)})  # Arrow counts its codes without a sign
    bytes_ = pa.dictionary(pa.uint8(), pa.string())
    small = pa.table({"tier": pa.array(cells, pa.string()).dictionary_encode().cast(bytes_)})
    for frame in (made, made.to_arrow(), small, pd.DataFrame({"tier": pd.Categorical(cells)})):
        codes, words = read_frame(frame).text("tier")
        assert [words[c] if c >= 0 else None for c in codes.tolist()] == cells


def test_a_duckdb_relation_is_a_frame() -> None:
    duckdb = pytest.importorskip("duckdb")
    frame = read_frame(duckdb.sql("select 1 as a, 'x' as b union all select null, 'N/A' order by a"))
    assert frame.column("a") == [1, None]
    assert frame.column("b") == ["x", None]


def test_missing_words_count_in_their_exact_spelling_only() -> None:
    frame = read_frame({"surname": ["Null", "NA", "None", "Nan", "N/A", "n/a", "nan", "  "]})
    assert frame.column("surname") == ["Null", "NA", "None", "Nan", None, None, None, None]


def test_the_caller_may_say_what_missing_is() -> None:
    assert read_frame({"a": ["-", "N/A"]}, missing={"-"}).column("a") == [None, "N/A"]


def test_pandas_missing_values_of_every_kind_are_none() -> None:
    frame = pd.DataFrame(
        {
            "o": ["x", pd.NA],
            "t": pd.to_datetime(["2020-01-01", None]),
            "f": [1.5, float("nan")],
            "c": pd.Categorical(["z", None]),
        }
    )
    read = read_frame(frame)
    assert [read.column(c)[1] for c in read.columns] == [None] * 4


def test_a_number_that_a_missing_cell_turned_into_a_float_is_still_a_phone_number() -> None:
    codes, values = read_frame(pd.DataFrame({"phone": [812345678, None]})).text("phone")
    assert values == ("812345678",)
    assert codes.tolist() == [0, -1]


def test_true_and_one_are_two_texts() -> None:
    codes, values = read_frame({"x": [True, 1, 0, 1.0, "1", False]}).text("x")
    assert values == ("true", "1", "0", "false")
    assert codes.tolist() == [0, 1, 2, 1, 1, 3]


def test_dates_and_decimals_have_a_text_form() -> None:
    cells = [date(2026, 3, 1), Decimal("1.50"), datetime(2026, 3, 1, tzinfo=UTC)]
    assert read_frame({"x": cells}).text("x")[1] == ("2026-03-01", "1.50", "2026-03-01T00:00:00+00:00")


def test_a_list_in_a_cell_is_refused_with_all_its_rows() -> None:
    with pytest.raises(BadRows) as caught:
        read_frame({"tags": [["a"], "b", {"c": 1}]}).text("tags")
    assert caught.value.problems[0].positions == (0, 2)
    assert "dict and list where text is expected in 2 rows [0, 2]" in str(caught.value)


def test_a_wrong_column_name_proposes_the_nearest() -> None:
    with pytest.raises(MissingColumn, match="did you mean 'email'"):
        read_frame({"email": [], "phone": []}).column("e-mail")


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(BadRows, match="b: 1 cells where others have 3 in 2 rows"):
        read_frame({"a": [1, 2, 3], "b": [1]})


def test_what_is_no_frame_is_refused_with_the_way_out() -> None:
    with pytest.raises(WrongType, match="list of dicts"):
        read_frame(7)
    with pytest.raises(WrongType, match="wrap one row"):
        read_frame({"name": "Ann"})
    with pytest.raises(BadRows, match="str where a dict is expected in 1 row"):
        read_frame([{"a": 1}, "x"])
    with pytest.raises(EmptyInput):
        read_frame([])


def test_rows_may_leave_keys_out() -> None:
    frame = read_frame([{"a": 1}, {"b": 2}])
    assert frame.column("a") == [1, None]
    assert frame.column("b") == [None, 2]


def test_a_frame_that_was_read_is_read_as_it_is() -> None:
    frame = read_frame({"a": [1]})
    assert read_frame(frame) is frame
    assert isinstance(frame, Frame)


def test_the_repr_of_a_frame_shows_no_cell() -> None:
    assert repr(read_frame({"email": ["ann@example.org"]})) == "Frame(1 rows, columns ['email'])"


COLUMNS = {
    "n": np.array([1, 2]),
    "at": np.array(["2026-01-01", "NaT"], "datetime64[us]"),
    "word": ["a", None],
    "share": np.array([0.5, np.nan]),
    "none": [None, None],
}


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
def test_what_is_written_reads_back(backend: str) -> None:
    frame = read_frame(write_frame(COLUMNS, backend=backend))
    assert frame.backend == backend
    assert frame.column("n") == [1, 2]
    assert frame.column("at") == [datetime(2026, 1, 1, tzinfo=UTC), None]
    assert frame.column("word") == ["a", None]
    assert frame.column("share") == [0.5, None]
    assert frame.column("none") == [None, None]


def test_without_backend_columns_are_lists() -> None:
    assert write_frame(COLUMNS)["at"] == [datetime(2026, 1, 1, tzinfo=UTC), None]


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
def test_an_empty_table_keeps_its_columns_and_zone(backend: str) -> None:
    frame = read_frame(write_frame({k: v[:0] for k, v in COLUMNS.items()}, backend=backend))
    assert (len(frame), frame.columns) == (0, tuple(COLUMNS))
    assert "UTC" in str(frame.series("at").dtype)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_text_that_a_library_factorises_reads_like_the_list_of_its_cells(library: str) -> None:
    cells = ["b", None, "a", " ", "n/a", "b", "ü", "1", "true"]
    frame = pytest.importorskip(library).DataFrame({"id": cells})
    codes, values = read_frame(frame).text("id")
    plain, words = read_frame({"id": cells}).text("id")
    assert (codes.tolist(), values) == (plain.tolist(), words)


def test_an_object_column_of_text_and_other_cells_keeps_true_and_one_apart() -> None:
    frame = pytest.importorskip("pandas").DataFrame({"id": [*"abcdefgh" * 20, True, 1, 1.0, "1"]}, dtype=object)
    codes, values = read_frame(frame).text("id")
    assert [values[c] for c in codes[-4:]] == ["true", "1", "1", "1"]
