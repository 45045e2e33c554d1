"""Loyalty: `python -m benchmarks.speed.loyalty [--sizes 100000,1000000] [--checkouts 3000]`.

Points of order lines as columns (three rules, two bonuses, lives to the end of a month), and tills one purchase at a
time into the built-in stores, coupons, points and automatic rewards included. Every run has its own fresh process.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say
from crmcore.idic.customize.loyalty import (
    AmountOff,
    Bonus,
    Club,
    Coupon,
    Earn,
    Line,
    Programme,
    Purchase,
    Reward,
    Validity,
    earn_table,
)
from crmcore.ledger import Ledger
from crmcore.rules import field
from crmcore.stores import EventStore, MemoryStore, SqliteStore
from crmcore.tables import CustomerIndex, OrderTable, TextColumn
from crmcore.values import Money

SIZES, CHECKOUTS = (100_000, 1_000_000), 3_000
START = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = Programme(
    name="club", currency="THB", zone="Asia/Bangkok", worth=Money(100, "THB"),
    validity=Validity(months=12, to_end_of="month"),
    earns=[
        Earn(name="base", points=1, per=Money.of("25", "THB")),
        Earn(name="shoes", points=5, pieces=True, when=field("product") == "shoes"),
        Earn(name="web", points=2, when=field("channel") == "web"),
    ],
    bonuses=[Bonus(name="weekend", times=2, when=field("weekday").isin(["sat", "sun"])),
             Bonus(name="night", times=3, when=field("hour") >= 22)],
    rewards=[Reward(name="hundred", points=100, coupon="off", automatic=True)],
    coupons=[Coupon(name="off", gives=AmountOff(Money.of("50", "THB")), validity=Validity(days=30))],
)  # fmt: skip


def columns(n: int) -> Row:
    """Seconds and memory for the points of n order lines."""
    rng = np.random.default_rng(1)
    orders = n // 2
    order = np.sort(rng.integers(0, orders, n)).astype(np.int32)
    customer, at = rng.integers(0, orders // 10, orders), rng.integers(0, 360 * 86_400_000_000, orders)
    table = OrderTable(
        customer=customer[order].astype(np.int32),
        time=np.datetime64("2025-01-01", "us") + at[order].astype("timedelta64[us]"),
        amount_minor=rng.integers(100, 200_000, n), currency="THB",
        order_id=TextColumn(order, tuple(f"o{i}" for i in range(orders))),
        product=TextColumn(rng.integers(0, 3, n).astype(np.int32), ("shirt", "shoes", "socks")),
        quantity=rng.integers(1, 4, n),
        attributes={"channel": TextColumn((order % 2).astype(np.int32), ("store", "web"))},
        customers=CustomerIndex(tuple(map(str, range(orders // 10)))),
    )  # fmt: skip
    with Meter() as meter:
        found = earn_table(TERMS, table)
    return {"wall_s": meter.cost.wall_s, "cpu_s": meter.cost.cpu_s, "peak_mb": meter.cost.peak_mb,
            "points": int(found.amount.sum())}  # fmt: skip


def tills(way: str, n: int) -> Row:
    """Seconds for n purchases of n / 20 customers, one at a time."""
    rng = np.random.default_rng(2)
    people, amounts = rng.integers(0, max(n // 20, 1), n).tolist(), rng.integers(1_000, 200_000, n).tolist()
    with TemporaryDirectory() as folder:
        store: EventStore = MemoryStore() if way == "MemoryStore" else SqliteStore(Path(folder) / "club.db")
        with store:
            club = Club(TERMS, Ledger(store))
            points = 0
            with Meter() as meter:
                for i, (who, amount) in enumerate(zip(people, amounts, strict=True)):
                    basket = Purchase(
                        id=f"p{i}", customer=str(who), at=START + timedelta(minutes=i), currency="THB",
                        lines=[Line("shirt", amount)], facts={"channel": "store"},
                    )  # fmt: skip
                    points += club.checkout(basket, coupons=club.best(basket).used).earned.total
    return {"wall_s": meter.cost.wall_s, "cpu_s": meter.cost.cpu_s, "peak_mb": meter.cost.peak_mb, "points": points}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--checkouts", type=int, default=CHECKOUTS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WAY", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        way, n = given.child[0], int(given.child[1])
        answer(columns(n) if way == "columns" else tills(way, n))
        return
    cases = {f"columns, {int(n):,} lines": ("columns", n) for n in given.sizes.split(",")}
    cases |= {
        f"{way}, {given.checkouts:,} purchases": (way, str(given.checkouts)) for way in ("MemoryStore", "SqliteStore")
    }
    runs = in_turns("benchmarks.speed.loyalty", cases, repeats=given.repeats)
    rows = [
        {"way": way, "lines or purchases": int(n), "runs": len(got), "wall s": middle(got, "wall_s"),
         "cpu s": middle(got, "cpu_s"), "per s": int(n) / middle(got, "wall_s"),
         "peak GB": middle(got, "peak_mb") / 1000}
        for (way, n), got in zip(cases.values(), runs.values(), strict=True)
    ]  # fmt: skip
    Table(
        name="speed-loyalty", section="speed", order=31, title="Loyalty: points of orders, and tills",
        about="Columns: `earn_table` under three rules and two bonuses. Stores: `Club.best` and `Club.checkout` of one "
        "purchase after the other, coupons used and automatic rewards issued.",
        rows=rows, key=("way", "lines or purchases"), arrange=("columns", "MemoryStore", "SqliteStore"),
    ).save(folder)  # fmt: skip
    for row in rows:
        say(f"{row['way']}, {row['lines or purchases']:,}: {row['per s']:,.0f} a second")


if __name__ == "__main__":
    main()
