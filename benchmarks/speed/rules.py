"""Rules over a population: `python -m benchmarks.speed.rules [--sizes 100000,1000000]`.

One rule of ten conditions, two of them counts of events in a window, is asked of every customer: by `Rule.mask`, by the
same logic written by hand in numpy, and in polars. Then one facts object at a time, with three conditions.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Row, Table, answer, in_turns, middle, say

SIZES = (100_000, 1_000_000)
EVENTS_EACH = 3
ROUNDS = 5
SINGLE = 100_000
NOW = datetime(2026, 6, 1, tzinfo=UTC)
MASK_BAR_S = 1.0
DECIDE_BAR = 100_000  # a second

Columns = dict[str, Any]


def make(n: int) -> Columns:
    """Columns of n customers and their events, a tenth of the profits unknown."""
    rng, m = np.random.default_rng(7), EVENTS_EACH * n
    profit = rng.normal(10_000, 4_000, n)
    profit[rng.random(n) < 0.1] = np.nan
    ago_us = rng.integers(0, 400 * 86_400_000_000, m)
    return {
        "profit": profit, "age": rng.integers(10, 90, n), "tier": rng.integers(-1, 4, n, np.int32),
        "country": rng.integers(-1, 20, n, np.int32), "spent": rng.integers(0, 10**6, n), "opted": rng.random(n) < 0.7,
        "visits": rng.poisson(3, n).astype(np.float64), "days_open": rng.integers(0, 3, n).astype(np.float64),
        "customer": rng.integers(0, n, m, np.int32), "kind": rng.integers(0, 3, m, np.int32),
        "time": np.datetime64(NOW.replace(tzinfo=None), "us") - ago_us.astype("m8[us]"),
    }  # fmt: skip


KINDS = ("order", "view", "complaint")
TIERS = ("basic", "silver", "gold", "VIP")
COUNTRIES = tuple(f"country {i}" for i in range(20))


def ours(data: Columns) -> Callable[[], int]:
    """`Rule.mask` over a `FactTable`."""
    from crmcore.rules import FactTable, Rule, count, field
    from crmcore.rules.fact_table import MoneyColumn
    from crmcore.tables import CustomerIndex, EventTable, TextColumn
    from crmcore.values import Money

    n, m = len(data["profit"]), len(data["customer"])
    index = CustomerIndex(tuple(f"c{i:08}" for i in range(n)))
    none = TextColumn.empty(m)
    events = EventTable(
        customer=data["customer"], time=data["time"], channel=none, touchpoint=none,
        kind=TextColumn(data["kind"], KINDS), direction=none, reference=none,
        amount_minor=np.zeros(m, np.int64), currency="THB", attributes={}, customers=index,
    )  # fmt: skip
    table = FactTable(
        index,
        {
            "profit": data["profit"], "age": data["age"], "tier": TextColumn(data["tier"], TIERS),
            "country": TextColumn(data["country"], COUNTRIES), "spent": MoneyColumn(data["spent"], "THB"),
            "opted": data["opted"], "visits": data["visits"], "days_open": data["days_open"],
        },
        events=events,
    )  # fmt: skip
    rule = Rule(
        "ten",
        (field("profit") >= 8_000) & field("age").between(18, 80) & ~(field("tier") == "basic")
        & field("country").isin(COUNTRIES[:12]) & (field("spent") > Money(1_000, "THB")) & field("opted")
        & ((field("visits") / field("days_open") > 1) | (field("profit") > 15_000))
        & (count("order", within_days=180) >= 1) & (count("complaint", within_days=90) <= 1),
    )  # fmt: skip
    return lambda: int(rule.mask(table, now=NOW).true.sum())


def by_hand(data: Columns) -> Callable[[], int]:
    """The same in numpy, as somebody writes it who knows that only yes counts."""
    now = np.datetime64(NOW.replace(tzinfo=None), "us")

    def counted(kind: int, days: int) -> Any:
        keep = (data["kind"] == kind) & (data["time"] > now - np.timedelta64(days, "D")) & (data["time"] <= now)
        return np.bincount(data["customer"][keep], minlength=len(data["profit"]))

    def run() -> int:
        with np.errstate(all="ignore"):
            ratio = np.where(data["days_open"] == 0, np.nan, data["visits"] / data["days_open"])
        found = (
            (data["profit"] >= 8_000) & (data["age"] >= 18) & (data["age"] <= 80)
            & (data["tier"] != 0) & (data["tier"] >= 0)
            & np.isin(data["country"], np.arange(12)) & (data["spent"] > 1_000) & data["opted"]
            & ((ratio > 1) | (data["profit"] > 15_000))
            & (counted(0, 180) >= 1) & (counted(2, 90) <= 1)
        )  # fmt: skip
        return int(found.sum())

    return run


def in_polars(data: Columns) -> Callable[[], int]:
    """The same in polars, frames made beforehand."""
    import polars as pl

    names = ("profit", "age", "tier", "country", "spent", "opted", "visits", "days_open")
    people = pl.DataFrame({k: data[k] for k in names}).with_columns(
        pl.col("profit").fill_nan(None), customer=pl.int_range(pl.len(), dtype=pl.Int32)
    )
    events = pl.DataFrame({k: data[k] for k in ("customer", "kind", "time")})
    now = NOW.replace(tzinfo=None)

    def counted(kind: int, days: int, name: str) -> Any:
        keep = (pl.col("kind") == kind) & (pl.col("time") > now - timedelta(days=days)) & (pl.col("time") <= now)
        return events.lazy().filter(keep).group_by("customer").len(name=name)

    def run() -> int:
        joined = (
            people.lazy()
            .join(counted(0, 180, "orders"), on="customer", how="left")
            .join(counted(2, 90, "complaints"), on="customer", how="left")
        )
        ratio = pl.when(pl.col("days_open") != 0).then(pl.col("visits") / pl.col("days_open"))
        found = joined.filter(
            (pl.col("profit") >= 8_000) & pl.col("age").is_between(18, 80)
            & (pl.col("tier") > 0) & pl.col("country").is_between(0, 11) & (pl.col("spent") > 1_000) & pl.col("opted")
            & ((ratio > 1) | (pl.col("profit") > 15_000))
            & (pl.col("orders").fill_null(0) >= 1) & (pl.col("complaints").fill_null(0) <= 1)
        )  # fmt: skip
        return int(found.select(pl.len()).collect().item())

    return run


ENGINES = {"crmcore": ours, "numpy by hand": by_hand, "polars": in_polars}


def run_mask(engine: str, n: int) -> Row:
    """Best of some rounds of one engine; the first round counts what is made on first use."""
    ask = ENGINES[engine](make(n))
    seconds, found = [], 0
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        found = ask()
        seconds.append(time.perf_counter() - begin)
    return {"wall_s": float(np.median(seconds)), "first_s": seconds[0], "found": found}


def run_single(n: int) -> Row:
    """Decisions one at a time: three conditions, the truth asked for, reasons not."""
    from crmcore.rules import Facts, Rule, field

    rule = Rule("three", (field("profit") >= 8_000) & (field("age") >= 18) & (field("tier") == "gold"))
    facts = [Facts({"profit": 7_990.0 + i % 20, "age": 17 + i % 3, "tier": "gold"}) for i in range(1_000)]
    begin = time.perf_counter()
    held = sum(rule.decide(facts[i % 1_000], now=NOW).holds for i in range(n))
    wall = time.perf_counter() - begin
    begin = time.perf_counter()
    for i in range(n // 100):
        str(rule.decide(facts[i % 1_000], now=NOW))
    told = time.perf_counter() - begin
    return {"wall_s": wall, "rate": n / wall, "told": (n // 100) / told, "held": held}


def store(masks: dict[str, list[Row]], sizes: Sequence[int], single: list[Row], folder: Path) -> None:
    """Keep a row per size and engine, and one for single decisions."""
    rows = []
    for n in sizes:
        base = middle(masks[f"crmcore {n}"], "wall_s")
        for engine in ENGINES:
            got = masks[f"{engine} {n}"]
            seconds = middle(got, "wall_s")
            rows.append({
                "customers": n, "engine": engine, "runs": len(got), "seconds": seconds,
                "first s": middle(got, "first_s"),
                "ratio to crmcore": seconds / base, "found": got[0]["found"],
                "bar s": MASK_BAR_S if engine == "crmcore" else None,
                "met": seconds <= MASK_BAR_S if engine == "crmcore" else None,
            })  # fmt: skip
    Table(
        name="speed-rules-mask", section="speed", order=30, title="Rules: a population at once",
        about=f"One rule of ten conditions, two of them counts of events in a window over {EVENTS_EACH} events a "
        "customer. crmcore keeps three truth values; the others answer yes or not yes, and polars uses all its cores.",
        rows=rows, key=("customers", "engine"),
    ).save(folder)  # fmt: skip
    rate = middle(single, "rate")
    Table(
        name="speed-rules-decide", section="speed", order=31, title="Rules: one subject at a time",
        about="`Rule.decide` of three conditions on a `Facts` object; "
        "explained: the sentence with its reasons is written, too.",
        rows=[{
            "conditions": 3, "runs": len(single), "decisions per s": rate, "explained per s": middle(single, "told"),
            "bar per s": DECIDE_BAR, "met": rate >= DECIDE_BAR,
        }],
        key=("conditions",),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--single", type=int, default=SINGLE)
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        engine, n = given.child
        answer(run_single(int(n)) if engine == "single" else run_mask(engine, int(n)))
        return
    sizes = [int(s) for s in given.sizes.split(",")]
    asked = {f"{engine} {n}": (engine, str(n)) for n in sizes for engine in ENGINES}
    runs = in_turns("benchmarks.speed.rules", {**asked, "single": ("single", str(given.single))}, repeats=given.repeats)
    single = runs.pop("single")
    store(runs, sizes, single, folder)
    for name, got in runs.items():
        say(f"{name} customers: {middle(got, 'wall_s') * 1e3:.1f} ms")
    say(f"single decisions: {middle(single, 'rate'):,.0f} a second")


if __name__ == "__main__":
    main()
