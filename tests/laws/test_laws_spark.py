"""Laws of what runs inside Arrow batches, without Spark: no split of rows into batches and partitions changes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.linkage.blocking import BlockingKey, KeySpace, block_pairs, pack, row_bits, union
from crmcore.linkage.fields import Kind
from crmcore.linkage.records import Records
from crmcore.spark import faults, linking
from crmcore.spark.columns import columns_of, gathered, table_of
from crmcore.spark.records import arrow_of, hashes_of, text_of
from crmcore.tables import TextColumn

pa = pytest.importorskip("pyarrow")

FIELDS = {"surname": Kind.SURNAME, "city": Kind.CITY}
KEYS = [BlockingKey.parse(k) for k in ("surname/whole", "surname/first 1 + city/whole", "city/whole")]
CELLS = st.one_of(st.none(), st.sampled_from(["lee", "li", "low", "may", "mayer"]))


@given(
    rows=st.lists(st.tuples(CELLS, CELLS), min_size=2, max_size=40),
    batch=st.integers(1, 40),
    partitions=st.integers(1, 4),
    cap=st.integers(2, 8),
)
def test_batches_and_partitions_make_the_pairs_of_one_machine(
    rows: list[tuple[Any, Any]], batch: int, partitions: int, cap: int
) -> None:
    surname, city = zip(*rows, strict=True)
    records = Records.from_columns({"surname": surname, "city": city}, {n: k.value for n, k in FIELDS.items()})
    bits = row_bits(len(rows))
    space = KeySpace.of(records)
    wanted = union([p for key in KEYS for p in block_pairs(space.values(key), n=len(rows), cap=cap)])
    text = {"f0": pa.array(surname, pa.string()), "f1": pa.array(city, pa.string())}
    table = pa.table({"rank": np.arange(len(rows)), **text})
    keyed = [
        made for part in table.to_batches(batch) for made in linking._keyed(pa.table(part), FIELDS, KEYS, bits, cap)
    ]
    whole = pa.Table.from_batches(keyed)
    where = (whole.column("block").to_numpy() + whole.column("key").to_numpy()) % partitions
    found = [
        pack(np.asarray(b.column("lo")), np.asarray(b.column("hi")), bits)
        for p in range(partitions)
        for b in linking._expanded(whole.filter(where == p).to_batches(), bits, cap)
    ]
    assert union(found).tolist() == wanted.tolist() if found else not len(wanted)


@given(fields=st.integers(1, 19), rows=st.integers(0, 60), kinds=st.integers(1, 6), seed=st.integers(0, 99))
def test_patterns_are_the_distinct_rows_of_levels(fields: int, rows: int, kinds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 9, (kinds, fields), dtype=np.int8)[rng.integers(0, kinds, rows)]
    seen, count = linking._patterns(levels)
    wanted, often = np.unique(levels, axis=0, return_counts=True)
    assert sorted(zip(seen.tolist(), count.tolist(), strict=True)) == [
        *zip(wanted.tolist(), often.tolist(), strict=True)
    ]


@given(bad=st.sets(st.integers(0, 59), max_size=8), groups=st.integers(1, 60))
def test_the_rows_to_blame_are_found_and_no_others(bad: set[int], groups: int) -> None:
    def kernel(table: Any) -> int:
        if set(table.column("n").to_pylist()) & bad:
            raise KeyError("somebody's value")
        return int(table.num_rows)

    group = np.arange(60) * groups // 60
    table = pa.table({"n": np.arange(60), faults.AT: np.arange(60) + 1000})
    value, found = faults.attempt(kernel, table, group, name="kernel")
    assert (value is None) == bool(bad)
    first = {int(np.flatnonzero(group == group[b])[0]) + 1000 for b in bad}
    assert {f.at for f in found} == first
    assert {f.reason for f in faults.read([faults.written(found)])} == ({"kernel raised KeyError"} if bad else set())


@given(st.lists(st.text(max_size=70), unique=True, max_size=30))
def test_signed_hashes_keep_the_order_of_unsigned_ones(ids: list[str]) -> None:
    from crmcore.linkage.encode import value_hashes

    order = np.argsort(value_hashes(ids), kind="stable").tolist() if ids else []
    assert np.argsort(hashes_of(ids), kind="stable").tolist() == order if ids else True


@given(
    cells=st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=5)), min_size=1, max_size=30),
    rows=st.integers(1, 9),
)
def test_text_goes_to_arrow_and_back_whatever_the_batches(cells: list[str | None], rows: int) -> None:
    column = arrow_of(TextColumn.of(cells))
    again = pa.chunked_array([column.slice(i, rows) for i in range(0, len(cells), rows)])
    assert text_of(again).to_list() == cells
    tables = list(gathered(pa.table({"t": again}).to_batches(), 7))
    assert [v for t in tables for v in t.column("t").to_pylist()] == cells
    assert all(t.num_rows >= 7 for t in tables[:-1])


def test_columns_of_every_kind_go_to_a_kernel_and_back() -> None:
    table = pa.table(
        {
            "n": pa.array([1, None], pa.int64()),
            "whole": pa.array([1, 2], pa.int32()),
            "yes": [True, False],
            "maybe": [True, None],
            "at": pa.array([0, None], pa.timestamp("us", tz="UTC")),
            "day": pa.array([0, 1], pa.date32()),
            "who": ["ann", None],
        }
    )
    found = columns_of(table)
    kinds = {name: str(column.dtype) for name, column in found.items()}
    assert kinds == {
        "n": "float64", "whole": "int32", "yes": "bool", "maybe": "object", "at": "datetime64[us]",
        "day": "datetime64[D]", "who": "object",
    }  # fmt: skip
    back = table_of(found)
    assert back.column("at").type == pa.timestamp("us", tz="UTC")
    assert back.column("who").to_pylist() == ["ann", None]
    assert back.column("day").to_pylist() == table.column("day").to_pylist()


def test_a_kernel_that_returns_something_else_is_told_what_to_return() -> None:
    from crmcore.errors import WrongType

    with pytest.raises(WrongType, match="result of score is a list: expected a mapping of columns"):
        table_of([1, 2], kernel="score")
    with pytest.raises(WrongType, match="return the same columns for every batch"):
        table_of({"a": [1]}, pa.schema([("b", pa.int64())]), kernel="score")
