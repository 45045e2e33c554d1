"""RFM: `python -m benchmarks.speed.rfm [--sizes 100000,1000000]`: seconds from order lines to scores."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say

BAR_S = 1.0  # a million lines


def run(n: int) -> Row:
    """Seconds for n lines of n / 10 customers."""
    from crmcore.idic.differentiate import rfm
    from crmcore.tables import CustomerIndex, OrderTable, TextColumn

    rng, k = np.random.default_rng(0), max(n // 10, 1)
    orders = OrderTable(
        customer=rng.integers(0, k, n), amount_minor=rng.integers(-100, 5000, n), currency="GBP",
        time=np.datetime64("2025-01-01", "us") + rng.integers(0, 365 * 86400, n).astype("m8[s]"),
        order_id=TextColumn.empty(n), product=TextColumn.empty(n), quantity=np.ones(n, np.int64), attributes={},
        customers=CustomerIndex.of([f"c{i}" for i in range(k)]),
    )  # fmt: skip
    with Meter() as meter:
        rfm.score(orders, now=datetime(2026, 1, 1, tzinfo=UTC))
    return {"wall_s": meter.cost.wall_s, "peak_mb": meter.cost.peak_mb}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100000,1000000")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="N")
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(int(given.child)))
        return
    sizes = [int(s) for s in given.sizes.split(",")]
    runs = in_turns("benchmarks.speed.rfm", {f"{n:,} lines": (str(n),) for n in sizes}, repeats=given.repeats)
    rows = [
        {
            "lines": n, "runs": len(got), "score s": middle(got, "wall_s"), "bar s": BAR_S,
            "met": middle(got, "wall_s") <= BAR_S, "peak GB": middle(got, "peak_mb") / 1000,
        }
        for n, got in zip(sizes, runs.values(), strict=True)
    ]  # fmt: skip
    Table(
        name="speed-rfm", section="speed", title="RFM: from order lines to scores", order=41,
        about="`rfm.score` on a table of orders, ten lines a customer. The bar holds for a million lines.",
        rows=rows, key=("lines",),
    ).save(folder)  # fmt: skip
    say("; ".join(f"{r['lines']:,}: {r['score s']:.2f} s" for r in rows))


if __name__ == "__main__":
    main()
