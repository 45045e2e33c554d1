"""Recommendation: `python -m benchmarks.peers.recommendation`: quality on two splits of online_retail, and seconds.

Settings are chosen inside the part that is learnt from. `--turns 5` measures a fit and the lists of everybody beside
implicit's ALS, in turns in one process; where implicit is not installed, its row says so.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Row, Table, answer, child, data_dir, say

NONE = ["POSTAGE", "DOTCOM POSTAGE", "CARRIAGE", "MANUAL", "BANK CHARGES", "DISCOUNT"]
SPLITS = {
    "time from 2011-10-01": ("A", 0), "time from 2011-09-01": ("T", 9), "time from 2011-08-01": ("T", 8),
    "random 20 %, seed 7": ("B", 7), "random 20 %, seed 1": ("B", 1),
}  # fmt: skip
BARS = {"time from 2011-10-01": (0.110, 0.122), "random 20 %, seed 7": (0.282, 0.324)}


def orders(limit: int | None = None) -> Any:
    """Sold lines with a customer, without postage and the like."""
    import pandas as pd

    from crmcore.tables import OrderTable

    lines = pd.read_csv(data_dir() / "online_retail" / "lines.csv.gz", nrows=limit)
    lines = lines[lines.CustomerID.notna() & (lines.Quantity > 0) & (lines.UnitPrice > 0) & lines.Description.notna()]
    product = lines.Description.str.strip().str.upper()
    lines, product = lines[~product.isin(NONE)], product[~product.isin(NONE)]
    frame = {
        "customer": lines.CustomerID.astype(int).astype(str).to_numpy(), "product": product.to_numpy(),
        "time": pd.to_datetime(lines.InvoiceDate), "quantity": lines.Quantity.to_numpy(),
        "amount": (lines.Quantity * lines.UnitPrice).round(2).to_numpy(),
    }  # fmt: skip
    return OrderTable.from_frame(pd.DataFrame(frame), currency="GBP", zone="UTC")


def clock(work: Callable[[], Any]) -> tuple[Any, float]:
    """Result and CPU seconds of one thread, which other work on the machine does not stretch."""
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def measure(split_name: str, limit: int | None) -> list[Row]:
    """Rows of one split: popularity, neighbours, EASE as published, factors, and the house's choice."""
    import attrs

    from crmcore.idic.customize.recommending import (
        Ease,
        ImplicitAls,
        ItemNeighbours,
        compare_lists,
        evaluate,
        random_split,
        recommend,
        time_split,
    )

    kind, number = SPLITS[split_name]
    table = orders(limit)
    if kind == "B":
        split = random_split(table, seed=number)
    else:
        split = time_split(table, datetime(2011, number or 10, 1, tzinfo=UTC) if limit is None else _middle(table))
    aim = "missing" if kind == "B" else "next"
    plain: dict[str, Any] = {"trend_power": 0.0}
    recipes: dict[str, Any] = {
        "popularity": Popularity(), "neighbours, cosine": ItemNeighbours(**plain),
        "neighbours, BM25": ItemNeighbours(kind="bm25", neighbours=20, **plain),
        "factors, 64 (ALS)": ImplicitAls(**plain), "EASE, ridge 200": Ease(ridge=200.0, **plain), "crmcore": None,
    }  # fmt: skip
    rows, before = [], None
    for name, recipe in recipes.items():
        found, chosen_s = clock(partial(recommend, split.train, recipe=recipe, aim=aim, min_buyers=5))
        fit_s = chosen_s
        if recipe is None:
            found_again, fit_s = clock(partial(found.chosen.recipe.fit, found.histories))
            assert found_again.items == found.model.items
        _, top_s = clock(partial(getattr, found.top(20), "codes"))
        result = evaluate(found, split, seed=1)
        again = evaluate(found, split, seed=1, scope="both")
        row: Row = {
            "split": split_name, "engine": name, "NDCG@10": result.ndcg.value, "interval": _span(result.ndcg),
            "recall@20": result.recall.value, "MAP@10": result.map.value, "coverage": result.coverage,
            "NDCG@10 with repeats": again.ndcg.value, "customers": result.ndcg.n, "fit CPU s": fit_s,
            "top 20 CPU s": top_s,
        }  # fmt: skip
        if recipe is None:
            bar = BARS.get(split_name)
            row["over EASE"] = str(compare_lists(result, before).difference) if before is not None else ""
            row["bar"] = f"{bar[0]} / {bar[1]}" if bar else ""
            row["choosing CPU s"] = chosen_s - fit_s
            row["_settings"] = attrs.asdict(found.chosen.recipe)
        before = result if name.startswith("EASE") else before
        rows.append(row)
    return rows


def _span(estimate: Any) -> str:
    return f"{estimate.low:.4f}-{estimate.high:.4f}"


def _middle(table: Any) -> Any:
    return np.datetime64(np.sort(table.time)[len(table) * 3 // 4])


class Popularity:
    """What most customers bought."""

    def fit(self, starts: Any, item: Any, age_days: Any, n_items: int, /) -> Popularity:
        """Count buyers."""
        self.share = np.bincount(item, minlength=n_items) / max(len(starts) - 1, 1)
        return self

    def scores(self, starts: Any, item: Any, weight: Any, /) -> Any:
        """(n, n_items) shares."""
        return np.tile(self.share, (len(starts) - 1, 1))


def synthetic(n_customers: int = 3000, n_items: int = 2000, *, seed: int = 1) -> Any:
    """Seeded orders: tastes of 20 groups over popular and rare items."""
    from crmcore.tables import OrderTable

    rng = np.random.default_rng(seed)
    liked = rng.gamma(0.3, size=(20, n_items)) / np.arange(1, n_items + 1) ** 0.8
    liked /= liked.sum(1, keepdims=True)
    sizes = np.minimum(rng.geometric(1 / 40, n_customers), n_items // 4)
    item = np.concatenate([rng.choice(n_items, s, replace=False, p=liked[rng.integers(20)]) for s in sizes])
    frame = {"customer": [f"c{c}" for c in np.repeat(np.arange(n_customers), sizes)], "amount": np.ones(len(item)),
             "product": [f"i{i}" for i in item], "time": ["2026-03-01T10:00Z"] * len(item)}  # fmt: skip
    return OrderTable.from_frame(frame, currency="EUR")


def turns(count: int) -> list[Row]:
    """CPU seconds to fit, and to rank 20 for everybody, of both in turns; seeded orders where the file is absent."""
    import attrs

    from crmcore.idic.customize.recommending import Ease, recommend, time_split

    there = (data_dir() / "online_retail").exists()
    train = time_split(orders(), datetime(2011, 10, 1, tzinfo=UTC)).train if there else synthetic()
    found = recommend(train, recipe=Ease(), min_buyers=5)
    held = found.histories.matrix()
    customers: Any = np.arange(held.shape[0])

    def ours() -> tuple[float, float]:
        model, fit_s = clock(partial(Ease().fit, found.histories))
        return fit_s, clock(partial(getattr, attrs.evolve(found, model=model).top(20), "codes"))[1]

    def implicit() -> tuple[float, float]:
        model = als.AlternatingLeastSquares(factors=64, iterations=15, num_threads=1, random_state=1)
        _, fit_s = clock(partial(model.fit, held, show_progress=False))
        return fit_s, clock(partial(model.recommend, customers, held, N=20))[1]

    engines = {"crmcore, EASE": ours}
    try:
        als = importlib.import_module("implicit.als")
        engines["implicit, ALS 64"] = implicit
    except ImportError:
        als = None
    spent = [{name: run() for name, run in engines.items()} for _ in range(count)]
    rows: list[Row] = []
    for i, (what, bar) in enumerate((("fit", 1.0), ("top 20 for everybody", 1.2))):
        mine = [s["crmcore, EASE"][i] for s in spent]
        row: Row = {
            "orders": "online_retail" if there else "seeded",
            "what": what,
            "crmcore CPU s": float(np.median(mine)),
        }
        if als is None:
            row["note"] = "implicit is not installed"
        else:
            theirs = [s["implicit, ALS 64"][i] for s in spent]
            ratios = np.array(mine) / np.array(theirs)
            row |= {
                "implicit CPU s": float(np.median(theirs)), "ratio x": float(np.median(ratios)),
                "lowest-highest": f"{ratios.min():.2f}-{ratios.max():.2f}", "bar x": bar,
                "met": bool(np.median(ratios) <= bar),
            }  # fmt: skip
        rows.append({**row, "customers": held.shape[0], "items": held.shape[1], "runs": count})
    return rows


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure each split in a fresh process, and store the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", nargs="*", default=list(SPLITS))
    parser.add_argument("--turns", type=int, default=5, help="beside implicit; 0 leaves it out")
    parser.add_argument("--limit", type=int, default=None, help="lines of the file, for a quick try")
    parser.add_argument("--child", nargs="*")
    given = parser.parse_args(arguments)
    if given.child is not None:
        name, limit = given.child
        found = turns(int(limit)) if name == "turns" else measure(name, int(limit) or None)
        answer({"rows": found})
        return
    rows = [r for name in given.splits for r in child(__spec__.name, name, str(given.limit or 0))["rows"]]
    if given.turns:
        beside = child(__spec__.name, "turns", str(given.turns))["rows"]
        Table(
            name="peers-recommendation-speed", section="peers", order=61,
            title="Recommendation: seconds beside implicit",
            about="One fit of EASE against one of implicit's ALS (64 factors, 15 rounds), and the 20 best items for "
            "every customer, in turns in one process of one thread. Ours are the exact sums that `explain` shows.",
            rows=beside, key=("orders", "what"),
        ).save(folder)  # fmt: skip
        for row in beside:
            say(f"{row}")
    if not rows:
        return
    Table(
        name="peers-recommendation", section="peers", title="Recommendation", order=60,
        about="New items for customers of online_retail, hidden by time or at random; items with at least 5 customers.",
        rows=rows, key=("split", "engine"), arrange=list(SPLITS),
        notes=("One thread. \"crmcore\" is `recommend(orders)`: its settings are chosen inside the part that is learnt "
               "from; \"fit CPU s\" is one fit with them, \"choosing CPU s\" the search before it.",
               "Bars (NDCG@10 / recall@20) are for new items; \"with repeats\" counts every purchase."),
    ).save(folder)  # fmt: skip
    for row in rows:
        ndcg = row.get("NDCG@10", float("nan"))
        say(f"{row['split']}, {row['engine']}: NDCG {ndcg:.4f}, fit {row['fit CPU s']:.1f} s")


if __name__ == "__main__":
    main()
