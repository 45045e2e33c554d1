"""Intervals of spend and value against the truth: `python -m benchmarks.quality.clv [--customers 1500 --cohorts 200]`.

Cohorts with orders and spend are drawn from models with known parameters. Expectation: intervals of every customer's
expected spend and discounted value are held against the values at the true parameters. Predictive: against the true
mean spend of the customer, and the money that came. Groups of customers by repeat orders before stand apart. Within a
cohort, intervals of customers without repeat orders hold or miss together, so that coverage needs many cohorts.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Row, Table, say

WORLDS = {
    "BG": ("bg", 1, (0.243, 4.414, 0.793, 2.426), (6.25, 3.74, 15.44)),
    "MBG, heavy tail": ("mbg", 1, (0.525, 6.18, 0.89, 1.61), (2.0, 2.2, 12.0)),
    "Pareto": ("pareto", 1, (0.553, 10.58, 0.606, 11.67), (6.25, 3.74, 15.44)),
    "NBD, even spend": ("nbd", 1, (0.385, 12.0), (12.0, 8.0, 40.0)),
    "MBG, regular": ("mbg", 2, (0.9, 4.0, 0.89, 2.5), (6.25, 3.74, 15.44)),
}
LEVEL = 0.9
BAR = (0.87, 0.93)
AHEAD = 273.0
GROUPS = {"all": (0, np.inf), "0 repeats": (0, 0), "1 repeat": (1, 1), "2 or more": (2, np.inf)}


def truth_of(name: str) -> Any:
    """Model with the parameters of a world."""
    from crmcore.idic.differentiate.buying import BuyingModel
    from crmcore.idic.differentiate.clv import CustomerValueModel
    from crmcore.idic.differentiate.spending import GammaGamma

    model, k, theta, money = WORLDS[name]
    timing = BuyingModel(
        model=model, k=k, theta=tuple(np.log(theta).tolist()), covariance=None, log_likelihood=0.0, n=1, unit="week"
    )
    spend = GammaGamma().fit([1, 2, 3, 4], [10.0, 12, 9, 11]).with_vector(np.log(money))
    return CustomerValueModel(timing=timing, spend=spend)


def holds(table: Any, name: str, truth: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each interval of a column holds the truth."""
    slack = 1e-9 * np.abs(truth)
    return np.asarray((table[f"{name}_low"] <= truth + slack) & (truth - slack <= table[f"{name}_high"]))


def coverage(name: str, n: int, cohorts: int, *, predictive: int) -> list[Row]:
    """Share of intervals that hold the truth, by kind, output and group; `predictive` cohorts are also foretold."""
    from crmcore.idic.differentiate.buying import RepeatBuying
    from crmcore.idic.differentiate.clv import CustomerValueModel
    from crmcore.idic.differentiate.spending import GammaGamma

    truth, rng, edge = truth_of(name), np.random.default_rng(11), 0
    model, k, *_ = WORLDS[name]
    held: dict[tuple[str, str, str], list[float]] = {}
    for i in range(cohorts):
        cohort = truth.simulate(n, age_days=273.0, ahead_days=AHEAD, seed=rng)
        rows = cohort.rows
        seen = RepeatBuying(model=model, k=k).fit(_purchases(cohort))
        edge += seen.boundary
        found = CustomerValueModel(timing=seen, spend=GammaGamma().fit(rows.frequency, rows.mean_spend))
        made, true = (m.value(rows, horizon_days=AHEAD, level=LEVEL) for m in (found, truth))
        checks = {("expectation", c): holds(made, c, true[c]) for c in ("expected", "spend", "clv")}
        held.setdefault(("expectation", "total value", "all"), []).append(
            float(made.total.low <= true.total.value <= made.total.high)
        )
        if i < predictive:
            told = found.value(rows, horizon_days=AHEAD, annual_discount=0.0, kind="predictive", level=LEVEL, seed=i)
            checks |= {
                ("predictive", "spend"): holds(told, "spend", cohort.mean_spend),
                ("predictive", "expected"): holds(told, "expected", cohort.later_orders),
                ("predictive", "clv"): holds(told, "clv", cohort.later_spend),
            }
            came = float(cohort.later_spend.sum())
            held.setdefault(("predictive", "total value", "all"), []).append(
                float(told.total.low <= came <= told.total.high)
            )
        for (kind, of), hit in checks.items():
            for group, (low, high) in GROUPS.items():
                here = (rows.frequency >= low) & (rows.frequency <= high)
                if here.any():
                    held.setdefault((kind, of, group), []).append(float(hit[here].mean()))
    return [_row(name, key, shares, n, edge) for key, shares in held.items()]


def _row(name: str, key: tuple[str, str, str], shares: list[float], n: int, edge: int) -> Row:
    kind, of, group = key
    mean, error = float(np.mean(shares)), float(np.std(shares) / np.sqrt(len(shares)))
    counted = kind == "predictive" and of in ("expected", "clv")  # whole numbers: intervals hold at least 90 %
    met = mean >= BAR[0] if counted else BAR[0] <= mean <= BAR[1]
    return {
        "world": name, "kind": kind, "of": of, "group": group, "customers": n, "cohorts": len(shares),
        "at a boundary": edge, "coverage": mean, "its error": error,
        "bar": f"{BAR[0]:.0%} or more" if counted else f"{BAR[0]:.0%}-{BAR[1]:.0%}", "met": met,
    }  # fmt: skip


def _purchases(cohort: Any) -> Any:
    from crmcore.idic.differentiate.buying import Purchases

    rows = cohort.rows
    return Purchases.of(rows.frequency, rows.recency, rows.age, log_gaps=cohort.log_gaps)


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure every world and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1500)
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--predictive", type=int, default=40, help="cohorts that are also foretold")
    parser.add_argument("--only", default="", help="worlds whose name holds this")
    given = parser.parse_args(arguments)
    rows = [
        row
        for name in WORLDS
        if given.only in name
        for row in coverage(name, given.customers, given.cohorts, predictive=given.predictive)
    ]
    Table(
        name="quality-clv-value", section="quality", title="Intervals of spend and value", order=72,
        about="90 % intervals in simulated cohorts with known parameters, 39 weeks ahead, by repeat orders before.",
        rows=rows, key=("world", "kind", "of", "group", "customers"),
    ).save(folder)  # fmt: skip
    for r in rows:
        say(f"{r['world']:16} {r['kind']:12} {r['of']:12} {r['group']:10} {r['coverage']:.3f} +- {r['its error']:.3f}")


if __name__ == "__main__":
    main()
