"""Text columns of pandas are coded by pandas, and read as every other column is."""

from __future__ import annotations

import pytest

from crmcore._frames import read_frame

CELLS = ["b", None, "a", "b", " ", "n/a", "é", float("nan"), ""]


@pytest.mark.parametrize("dtype", ["object", "string"])
def test_text_of_pandas_reads_as_a_plain_list_does(dtype: str) -> None:
    pd = pytest.importorskip("pandas")
    codes, values = read_frame({"x": CELLS}).text("x")
    series = pd.Series([None if c != c else c for c in CELLS], dtype=dtype)
    found, words = read_frame(pd.DataFrame({"x": series})).text("x")
    assert (found.tolist(), words) == (codes.tolist(), values)
    assert found.tolist() == [0, -1, 1, 0, -1, -1, 2, -1, -1]


def test_a_mixed_column_of_pandas_is_read_cell_by_cell() -> None:
    pd = pytest.importorskip("pandas")
    cells = [1, "1", True, None, 2.0]
    found, words = read_frame(pd.DataFrame({"x": pd.Series(cells, dtype=object)})).text("x")
    assert words == ("1", "true", "2")
    assert found.tolist() == [0, 0, 1, -1, 2]
