"""Kernels give one answer: in memory, in batches, and on Spark with 1, 2 and 7 partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spark_kernels as kernels

from crmcore.errors import BadRows, MissingColumn
from crmcore.spark.columns import columns_of, table_of

pytestmark = pytest.mark.spark
pa = pytest.importorskip("pyarrow")

EVENTS = kernels.simulated(3000, 300, seed=7)


def frame(spark: Any, columns: dict[str, Any], partitions: int) -> Any:
    return spark.createDataFrame(table_of(columns)).repartition(partitions)


def rows_of(columns: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Rows in a fixed order, comparable."""
    cells = [[c.item() if hasattr(c, "item") else c for c in columns[k]] for k in columns]
    return sorted(zip(*cells, strict=True), key=lambda r: tuple(map(str, r[:2])))


def same(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> None:
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        for x, y in zip(a, b, strict=True):
            assert x == pytest.approx(y, rel=1e-9, nan_ok=True) if isinstance(y, float) else x == y


@pytest.mark.parametrize("partitions", [1, 2, 7])
@pytest.mark.parametrize("kernel", kernels.PER_CUSTOMER, ids=lambda k: k.__name__)
def test_a_kernel_per_customer_says_the_same_on_spark(spark: Any, kernel: Callable[..., Any], partitions: int) -> None:
    from crmcore.spark import per_customer

    found = per_customer(kernel, frame(spark, EVENTS, partitions), order=["time"], buckets=partitions)
    same(rows_of(columns_of(found.toArrow())), rows_of(columns_of(table_of(kernel(EVENTS)))))


@pytest.mark.parametrize("partitions", [1, 2, 7])
@pytest.mark.parametrize("counts", kernels.COUNTS, ids=lambda k: k.__name__)
def test_what_adds_up_says_the_same_on_spark(spark: Any, counts: Callable[..., Any], partitions: int) -> None:
    from crmcore.spark import aggregate

    found, wanted = aggregate(counts, frame(spark, EVENTS, partitions)), counts(EVENTS)
    if isinstance(wanted, np.ndarray):
        np.testing.assert_allclose(found, wanted, rtol=1e-9)
    else:
        assert found == wanted


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_paths_and_what_is_bought_together_add_up_over_customers(spark: Any, partitions: int) -> None:
    from crmcore.spark import per_customer

    df = frame(spark, EVENTS, partitions)
    paths = per_customer(kernels.paths, df, buckets=partitions).groupBy("path").sum("times").collect()
    assert {r[0]: r[1] for r in paths} == Counter(kernels.path_counts(EVENTS))
    pairs = per_customer(kernels.gram_rows, df, buckets=partitions).groupBy("left", "right").sum("together").collect()
    wanted = kernels.gram_rows(EVENTS)
    assert {r[:2]: r[2] for r in map(tuple, pairs)} == {
        (int(i), int(j)): int(n) for i, j, n in zip(*wanted.values(), strict=True)
    }


def test_the_parts_of_many_partitions_are_added_in_their_order_on_the_workers_first(spark: Any) -> None:
    from crmcore.spark import aggregate

    found = [aggregate(kernels.revenue, frame(spark, EVENTS, 40)) for _ in range(2)]
    np.testing.assert_allclose(found[0], kernels.revenue(EVENTS), rtol=1e-9)
    assert found[0].tobytes() == found[1].tobytes()


def test_a_frame_without_rows_counts_as_nothing(spark: Any) -> None:
    from crmcore.spark import aggregate, per_customer

    none = frame(spark, EVENTS, 2).limit(0)
    assert aggregate(kernels.revenue, none).sum() == 0
    made = per_customer(kernels.order_summaries, none, returns="customer string, frequency double, recency double, "
                        "spend double")  # fmt: skip
    assert made.count() == 0


def poisoned(at: list[int]) -> dict[str, Any]:
    amount = EVENTS["amount"].copy()
    amount[at] = -1.0
    return {**EVENTS, "amount": amount}


def test_every_poisoned_row_is_named_with_file_partition_and_row(spark: Any, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from crmcore.spark import aggregate, per_customer

    table = table_of(poisoned([5, 1600, 2999]))
    for i in range(3):
        pq.write_table(table.slice(1000 * i, 1000), tmp_path / f"day{i}.parquet")
    df = spark.read.parquet(str(tmp_path))
    with pytest.raises(BadRows) as counted:
        aggregate(kernels.strict_count, df, source="orders")
    where = {(p.column.partition(", ")[2], p.reason, p.positions) for p in counted.value.problems}
    assert where == {(f"day{i}.parquet, amount", "below 0", (r,)) for i, r in ((0, 5), (1, 600), (2, 999))}
    with pytest.raises(BadRows, match="orders has rows that cannot be read") as ran:
        per_customer(kernels.touchy, df, returns="customer string, spent double", source="orders")
    assert {p.reason for p in ran.value.problems} == {"touchy raised ArithmeticError"}
    assert sum(len(p.positions) for p in ran.value.problems) == 3
    assert "somebody" not in str(ran.value)  # a foreign message may hold what a row says


def test_a_wrong_column_fails_before_anything_runs(spark: Any) -> None:
    from crmcore.spark import per_customer

    with pytest.raises(MissingColumn, match="did you mean 'customer'"):
        per_customer(kernels.sessions, frame(spark, EVENTS, 1), by="custommer")
