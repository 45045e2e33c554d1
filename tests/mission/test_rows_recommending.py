"""Rows 7 and 105 through the public names, and what a user tries next; 104 as far as items are offered with reasons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.idic import customize
from crmcore.idic.customize.recommending import Ease, Preferences, evaluate, homepage, recommend, time_split
from crmcore.idic.identify import ProfileTable, SingleCustomerView
from crmcore.idic.identify.facts import link
from crmcore.tables import OrderTable, RecordTable

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TEA, COFFEE = [f"tea {i}" for i in range(6)], [f"coffee {i}" for i in range(6)]
KINDS = dict.fromkeys(TEA, "tea") | dict.fromkeys(COFFEE, "coffee")


def shop(n: int = 40) -> OrderTable:
    rng = np.random.default_rng(5)
    rows = [
        (f"c{c}", item, NOW - timedelta(days=float(rng.integers(1, 120))))
        for c in range(n)
        for item in rng.choice(TEA if c % 2 else COFFEE, 4, replace=False).tolist()
    ]
    columns = {"customer": [r[0] for r in rows], "product": [r[1] for r in rows], "time": [r[2] for r in rows]}
    return OrderTable.from_frame({**columns, "amount": [5] * len(rows)}, currency="EUR")


def retail(data_dir: Path) -> OrderTable:
    """Sold lines of online_retail without postage and the like."""
    pl = pytest.importorskip("polars")
    lines = pl.read_csv(data_dir / "online_retail" / "lines.csv.gz", infer_schema_length=None)
    product = pl.col("Description").str.strip_chars().str.to_uppercase()
    none = ["POSTAGE", "DOTCOM POSTAGE", "CARRIAGE", "MANUAL", "BANK CHARGES", "DISCOUNT"]
    sold = lines.filter(pl.col("CustomerID").is_not_null(), pl.col("Quantity") > 0, pl.col("UnitPrice") > 0,
                        pl.col("Description").is_not_null(), ~product.is_in(none))  # fmt: skip
    frame = sold.select(
        pl.col("CustomerID").cast(pl.Float64).cast(pl.Int64).cast(pl.String).alias("customer"),
        product.alias("product"), pl.col("Quantity").alias("quantity"),
        pl.col("InvoiceDate").str.slice(0, 16).str.to_datetime("%Y-%m-%d %H:%M").alias("time"),
        (pl.col("Quantity") * pl.col("UnitPrice")).round(2).alias("amount"),
    )  # fmt: skip
    return OrderTable.from_frame(frame, currency="GBP", zone="UTC")


# 7 ----------------------------------------------------------------------------------------------------------------


def test_row_007_two_orders_one_open_session_and_a_trained_future() -> None:
    people = ProfileTable.build(RecordTable.from_frame([{"email": "ann@example.org"}], source="crm"), [0])
    ann = "ann@example.org"
    orders = [{"email": ann, "time": NOW - timedelta(days=d), "category": "tea"} for d in (90, 9)]
    steps = [{"email": "ann@example.org", "time": NOW - timedelta(minutes=5), "page": "/tea/2"}]
    view = SingleCustomerView(
        people,
        [link(people, rows, facet=facet, source="shop", by={"email": "email"})
         for rows, facet in ((orders, "transactions"), (steps, "interactions"))],
    )  # fmt: skip
    trained = Preferences().fit(shop(), KINDS)
    seen = view[0].time_facets(now=NOW, future=trained.of("c1").probabilities)
    assert len(seen.past) == 2
    assert seen.present is not None
    assert seen.present.values["page"] == "/tea/2"
    assert [p.category for p in seen.future] == ["tea", "coffee"]
    assert sum(p.probability for p in seen.future) == pytest.approx(1)


def test_row_007_two_orders_alone_are_enough_and_nobody_is_everybody() -> None:
    two = OrderTable.from_frame(
        {"customer": ["a", "a"], "product": ["tea 1", "coffee 1"], "amount": [1, 1],
         "time": [NOW - timedelta(days=90), NOW]}, currency="EUR")  # fmt: skip
    model = Preferences().fit(two, KINDS)
    assert sum(model.of("a").probabilities.values()) == pytest.approx(1)
    assert next(iter(model.of("a").probabilities)) == "coffee"  # the later order weighs more
    assert model.of("z").n == 0
    assert model.n == 0  # too little was hidden to learn weights from


# 105 --------------------------------------------------------------------------------------------------------------


def test_row_105_different_people_get_different_pages_with_reasons() -> None:
    found = customize.recommend(shop(), recipe=Ease(ridge=3.0))
    tea, coffee, cold = (homepage(found, c, per_shelf=2) for c in ("c1", "c2", None))
    assert set(tea.items) != set(coffee.items)
    assert all(len(set(p.items)) == len(p.items) for p in (tea, coffee, cold))
    assert all(shelf.reason and shelf.items for p in (tea, coffee, cold) for shelf in p.shelves)
    mine = next(s for s in tea.shelves if s.title in ("For you",) or s.title.startswith("Because you bought"))
    assert all(s.item in TEA for s in mine.items)
    assert cold.cold
    assert [s.title for s in cold.shelves] == ["Popular now"]
    assert type(tea).from_dict(tea.to_dict()) == tea
    assert "c1" not in repr(tea) + tea._repr_html_()


def test_row_105_what_is_searched_for_now_moves_the_page() -> None:
    found = customize.recommend(shop(), recipe=Ease(ridge=3.0))
    page = homepage(found, "c1", looked_at=["coffee 0", "moon"], per_shelf=3)
    assert page.shelves[0].title == "Because you looked at"
    assert page.shelves[0].items[0].item in COFFEE
    assert "coffee 0" not in page.items
    assert page.note == "not in the catalogue: moon"
    visitor = homepage(found, None, looked_at=["coffee 0"])
    assert not visitor.cold
    assert visitor.shelves[0].items[0].item in COFFEE


def test_row_105_what_is_sold_out_stands_on_no_shelf() -> None:
    found = customize.recommend(shop(), recipe=Ease(ridge=3.0))
    for customer in ("c1", "c2", None):
        page = homepage(found, customer, eligible=lambda item: item.endswith(("1", "3")), looked_at=["tea 0"])
        assert page.items
        assert all(item.endswith(("1", "3")) for item in page.items)
    assert homepage(found, "c1", eligible=[]).shelves == ()


def test_row_105_the_time_split_of_a_shop_is_far_above_popularity(data_dir: Path) -> None:
    split = time_split(retail(data_dir), datetime(2011, 10, 1, tzinfo=UTC))
    found: Any = recommend(split.train, recipe=Ease(), min_buyers=5)
    measured = evaluate(found, split, seed=1)
    assert measured.ndcg.n == 1754
    assert measured.ndcg.value > 0.140
    assert measured.ndcg.low > 0.110
    assert measured.recall.value > 0.150
    one, two = (homepage(found, c) for c in ("12347", "12583"))
    assert set(one.items) != set(two.items)


# 104, as far as it is items ---------------------------------------------------------------------------------------


def test_row_104_the_reason_names_the_purchases_used() -> None:
    found = customize.recommend(shop(), recipe=Ease(ridge=3.0))
    best = found.top(1)["c1"][0]
    bought = {found.model.items[i] for i in found.asked(["c1"]).item.tolist()}
    assert best.because in bought
    assert {p.item for p in found.explain("c1", best.item).parts} <= bought
