"""All frame libraries say the same, and reading does not depend on the order of rows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore._frames import MISSING_WORDS, read_frame, write_frame

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
cells = st.one_of(st.none(), text, st.sampled_from(MISSING_WORDS), st.just("  "))
numbers = st.one_of(st.none(), st.floats(allow_infinity=False, width=64))
columns = st.integers(1, 12).flatmap(
    lambda n: st.fixed_dictionaries(
        {"word": st.lists(cells, min_size=n, max_size=n), "size": st.lists(numbers, min_size=n, max_size=n)}
    )
)
SCHEMA = {"word": pl.String, "size": pl.Float64}
FLAVOURS: dict[str, Callable[[dict], object]] = {
    "polars": lambda c: pl.DataFrame(c, schema=SCHEMA),
    "pandas": lambda c: pd.DataFrame(
        {"word": pd.Series(c["word"], dtype=object), "size": pd.Series(c["size"], dtype=float)}
    ),
    "pyarrow": lambda c: pa.table(
        {"word": pa.array(c["word"], pa.string()), "size": pa.array(c["size"], pa.float64())}
    ),
    "rows": lambda c: [dict(zip(c, row, strict=True)) for row in zip(*c.values(), strict=True)],
}


@pytest.mark.parametrize("flavour", FLAVOURS)
@given(made=columns)
def test_every_flavour_reads_what_the_dict_reads(flavour: str, made: dict) -> None:
    want, got = read_frame(made), read_frame(FLAVOURS[flavour](made))
    for name in made:
        assert got.column(name) == want.column(name)
        codes, values = got.text(name)
        assert (codes.tolist(), values) == (want.text(name)[0].tolist(), want.text(name)[1])


@given(columns)
def test_cells_and_codes_agree(made: dict) -> None:
    frame = read_frame(made)
    codes, values = frame.text("word")
    assert [values[c] if c >= 0 else None for c in codes] == frame.column("word")
    assert len(set(values)) == len(values)


@given(columns, st.randoms(use_true_random=False))
def test_shuffled_rows_are_the_same_rows_shuffled(made: dict, random: object) -> None:
    order = list(range(len(made["word"])))
    random.shuffle(order)
    shuffled = read_frame({k: [v[i] for i in order] for k, v in made.items()})
    straight = read_frame(made)
    for name in made:
        assert shuffled.column(name) == [straight.column(name)[i] for i in order]


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow", None])
@given(made=columns)
def test_what_is_written_reads_back(backend: str | None, made: dict) -> None:
    clean = {"word": read_frame(made).column("word"), "size": np.array(read_frame(made).column("size"), float)}
    again = read_frame(write_frame(clean, backend=backend))
    assert again.column("word") == clean["word"]
    assert again.column("size") == [None if math.isnan(x) else x for x in clean["size"].tolist()]
