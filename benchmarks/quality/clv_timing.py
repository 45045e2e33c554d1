"""Repeat buying: intervals against the truth, and real logs split in time: `python -m benchmarks.quality.clv_timing`.

Cohorts are drawn from models with known parameters. The 90 % intervals of every customer's expected purchases and of
the chance of being there are held against the values at the true parameters; where the model knows the chance without
any parameter (BG/NBD: who bought once is there), there is nothing to cover. Real logs are split in time; the model is
chosen by AIC on the first part alone, and its mean absolute error on the second stands beside the best one known of
lifetimes and CLVTools.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Row, Table, data_dir, say

WORLDS = {
    "bg": (0.243, 4.414, 0.793, 2.426), "mbg": (0.525, 6.18, 0.89, 1.61), "pareto": (0.553, 10.58, 0.606, 11.67),
    "nbd": (0.385, 12.0),
}  # fmt: skip
LEVEL = 0.9
BAR = (0.87, 0.93)
# name, split, end, anchor, its mean absolute error (lifetimes 0.11.3, CLVTools 0.12.1)
SPLITS = (
    ("cdnow", "1997-10-01", "1998-07-01", "MBG/NBD at its MLE", 0.7648),
    ("online_retail", "2011-09-01", "2011-12-10", "lifetimes Pareto/NBD", 0.9970),
    ("apparel_simulated", "2007-01-01", "2010-12-21", "CLVTools Pareto/NBD", 2.040),
)


def coverage(name: str, n: int, cohorts: int) -> list[Row]:
    """Share of intervals that hold the truth, by what they are of."""
    from crmcore.idic.differentiate.buying import BuyingModel, RepeatBuying, forecast, simulate_cohort

    truth = BuyingModel(
        model=name, k=1, theta=tuple(np.log(WORLDS[name])), covariance=None, log_likelihood=0.0, n=1, unit="week"
    )  # fmt: skip
    rng, held, edge = np.random.default_rng(11), {"purchases": [], "alive": [], "total": []}, 0
    for _ in range(cohorts):
        age = rng.uniform(27, 39, n)
        seen = simulate_cohort(truth, n, age=age, ahead=1, seed=rng).purchases
        found = RepeatBuying(model=name).fit(seen)
        if found.boundary:
            edge += 1
            continue
        made = forecast(found, seen, horizon=39, level=LEVEL)
        r = seen.row
        x, t, end = seen.frequency[r], seen.recency[r], seen.age[r]
        true = truth.expected(x, t, end, horizon=39)
        there = truth.p_alive(x, t, end)
        held["purchases"].append(float(((made.expected_low <= true) & (true <= made.expected_high)).mean()))
        held["total"].append(float(made.total.low <= true.sum() <= made.total.high))
        if name != "nbd":
            open_ = there < 1 - 1e-9  # BG/NBD knows of one-time buyers that they are there: nothing to cover
            inside = (made.p_alive_low - 1e-12 <= there) & (there <= made.p_alive_high + 1e-12)
            held["alive"].append(float(inside[open_].mean()))
    return [
        {
            "model": name, "of": what, "customers": n, "cohorts": len(c), "at a boundary": edge,
            "coverage": float(np.mean(c)), "standard error": float(np.std(c) / len(c) ** 0.5),
            "bar": f"{BAR[0]:.0%}-{BAR[1]:.0%}", "met": bool(BAR[0] <= np.mean(c) <= BAR[1]),
        }
        for what, c in held.items()
        if c
    ]  # fmt: skip


def log_of(name: str) -> tuple[list[str], list[str], list[float]]:
    """Customers, times and amounts of a set."""
    folder = data_dir() / name
    place, who, when = {
        "cdnow": ("sample_log.csv.gz", "customer_id", "date"),
        "apparel_simulated": ("apparelTrans.csv.gz", "Id", "Date"),
        "online_retail": ("lines.csv.gz", "CustomerID", "InvoiceDate"),
    }[name]  # fmt: skip
    with gzip.open(folder / place, "rt", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r[who]]
    if name == "online_retail":
        amounts = [round(float(r["Quantity"]) * float(r["UnitPrice"]), 2) for r in rows]
    else:
        amounts = [float(r["value" if name == "cdnow" else "Price"]) for r in rows]
    return [r[who] for r in rows], [r[when] for r in rows], amounts


def split(name: str, at: str, end: str, anchor: str, best: float, *, short_ok: bool) -> Row:
    """Error of the chosen model, in the chosen time, on what came after the split."""
    from crmcore.idic.differentiate.buying import choose_calendar, choose_model, forecast, split_orders
    from crmcore.tables import OrderTable

    who, when, amounts = log_of(name)
    orders = OrderTable.from_frame({"customer": who, "time": when, "amount": amounts}, currency="EUR", zone="UTC")
    since, until = (datetime.fromisoformat(d).replace(tzinfo=UTC) for d in (at, end))
    season = choose_calendar(orders, until=since, short_ok=short_ok)
    seen = split_orders(orders, at=since, until=until, calendar=season.calendar)
    model = choose_model(seen.seen).model
    check = forecast(model, seen.seen, horizon=seen.horizon).against(seen.later)
    return {
        "log": name, "season": "vouched for" if short_ok else "by the rule",
        "time": "plain" if season.calendar is None else "seasonal", "chosen": model.title,
        "mean absolute error": check.error.value, "low": check.error.low, "high": check.error.high, "anchor": anchor,
        "its error": best, "met": check.error.value <= best + 5e-5, "total off": check.total_off,
        "total within 10 %": abs(check.total_off) <= 0.1,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure both and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1500)
    parser.add_argument("--cohorts", type=int, default=200)
    given = parser.parse_args(arguments)
    rows = [row for name in WORLDS for row in coverage(name, given.customers, given.cohorts)]
    Table(
        name="quality-clv-coverage", section="quality", title="Intervals of expected purchases and P(alive)", order=70,
        about="90 % intervals of every customer in simulated cohorts whose parameters are known, 39 weeks ahead.",
        rows=rows, key=("model", "of", "customers"),
    ).save(folder)  # fmt: skip
    say("; ".join(f"{r['model']} {r['of']} {r['coverage']:.3f}" for r in rows))
    there = [s for s in SPLITS if (data_dir() / s[0]).is_dir()]
    found = [split(*s, short_ok=ok) for s in there for ok in (False, True)]
    if found:
        Table(
            name="quality-clv-splits", section="quality", title="Purchases foretold on real logs", order=71,
            about="Model and calendar are chosen on the first part of each log alone. By the rule, less than a year "
            "has no calendar; vouched for, the caller says that what a short log shows comes back.",
            rows=found, key=("log", "season"),
        ).save(folder)  # fmt: skip
        say(
            "; ".join(
                f"{r['log']}, {r['time']}: {r['chosen']} {r['mean absolute error']:.4f} (anchor {r['its error']}), "
                f"total {r['total off']:+.1%}"
                for r in found
            )
        )


if __name__ == "__main__":
    main()
