"""Profit of arbitration on simulated brands: `python -m benchmarks.quality.arbitration [--seeds 20] [--people 8000]`.

Three offers move three groups of needs; each has a margin, a cost and perhaps a stock, and all share a budget, tight or
medium. An acceptance brings the margin times what the customer spends of the average. Half of a brand was an experiment
(one offer or none, at random), from which `UpliftLearner` learns; the other half is planned. The same predictions serve
all rules: ours (`propose`), greedy (the most expected value first, or the most for its cost), and click ranking (the
likeliest to accept first). Profit counts by the true lifts. Small cases are solved exactly as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.common import RESULTS, Row, Table, say

SEEDS, PEOPLE, SMALL = 20, 8000, 40
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BAR = 0.99  # of the optimum, on small cases


@attrs.frozen
class Offer:
    """Money in minor units; stock as a share of the customers; lift by convenience, price, status."""

    name: str
    margin: int
    cost: int
    stock: float | None
    lift: tuple[float, float, float]


OFFERS = (
    Offer("spring sale", 4000, 90, None, (0.02, 0.09, -0.015)),  # as the brand plants it
    Offer("delivery pass", 2500, 15, None, (0.05, 0.03, 0.03)),
    Offer("private view", 9000, 300, 0.1, (0.01, -0.01, 0.07)),
)
APART = (  # no cheap offer blocks a dearer one: each group of needs has its own
    OFFERS[0],
    Offer("delivery pass", 2500, 60, 0.15, (0.08, 0.02, 0.01)),
    Offer("private view", 9000, 300, 0.05, (0.01, -0.01, 0.07)),
)
BUDGETS = {"tight": 20, "medium": 40}  # a customer
GAP = 1e-4


@attrs.frozen
class Case:
    """(n, offers) true lifts and predicted ones, in acceptances of average spend; and chances to accept; the budget."""

    lift: Any
    believed: Any
    accept: Any
    offers: tuple[Offer, ...] = OFFERS
    budget: int = 0

    def of(self, budget: int, n: int | None = None) -> Case:
        """The first n customers, with so much for each."""
        own = self.lift[:n], self.believed[:n], self.accept[:n]
        return Case(*own, self.offers, budget * len(own[0]))

    @property
    def known(self) -> Case:
        """The same, with the true lifts predicted."""
        return attrs.evolve(self, believed=self.lift)

    @property
    def stock(self) -> list[int]:
        """Of each offer."""
        n = len(self.lift)
        return [n if o.stock is None else max(int(o.stock * n), 1) for o in self.offers]

    @property
    def cost(self) -> Any:
        """Of each offer."""
        return np.array([o.cost for o in self.offers])

    def value(self, lift: Any) -> Any:
        """(n, offers) extra margin less cost."""
        return lift * np.array([o.margin for o in self.offers]) - self.cost


def case_of(seed: int, people: int, offers: tuple[Offer, ...] = OFFERS) -> Case:
    """The planned half of a brand, with predictions from the other half."""
    from crmcore.datasets import simulate_brand
    from crmcore.idic.differentiate.propensity import Logistic
    from crmcore.idic.differentiate.uplift import UpliftLearner

    rng = np.random.default_rng(seed)
    truth = simulate_brand(people, seed=seed).truth
    traits, base = truth.traits, truth.planted.base_response
    lift = np.stack([np.array(o.lift)[traits.needs] for o in offers], 1)
    rest = np.clip(base * (0.6 + 0.4 * np.minimum(traits.engagement, 2.0)), 0, 1)
    told = np.where(rng.random(people) < 0.8, traits.needs, rng.integers(0, 3, people))  # a survey, not always right
    seen = {"need": np.array(["convenience", "price", "status"])[told], "opened": rng.poisson(4 * traits.engagement),
            "spend": np.log(traits.mean_spend) + rng.normal(0, 0.3, people)}  # fmt: skip
    past = np.arange(people) < people // 2
    given = rng.integers(-1, len(offers), people)
    bought = rng.random(people) < rest + np.where(given >= 0, lift[np.arange(people), np.maximum(given, 0)], 0)
    believed, accept = [], []
    for k in range(len(offers)):
        rows = past & ((given == k) | (given == -1))
        sent = past & (given == k)
        learner = UpliftLearner(learner="x")  # effects are small beside differences between customers
        lifts = learner.fit({n: c[rows] for n, c in seen.items()}, bought[rows], treated=given[rows] == k)
        answers = Logistic().fit({n: c[sent] for n, c in seen.items()}, bought[sent])
        now = {n: c[~past] for n, c in seen.items()}
        believed.append(lifts.predict(now))
        accept.append(answers.predict(now))
    spends = np.minimum(traits.mean_spend / traits.mean_spend.mean(), 3.0)[~past, None]
    return Case(lift[~past] * spends, np.clip(np.stack(believed, 1) * spends, -1, 1), np.stack(accept, 1), offers)


def ours(case: Case) -> Any:
    """(n,) offers of `propose`, -1 for none."""
    from crmcore.idic.customize.offers import Proposal, propose
    from crmcore.rules import FactTable
    from crmcore.tables import CustomerIndex

    n = len(case.lift)
    offers = [
        Proposal(offer_id=o.name, margin_minor=o.margin, cost_minor=o.cost, stock=s)
        for o, s in zip(case.offers, case.stock, strict=True)
    ]
    lift = {o.name: case.believed[:, k] for k, o in enumerate(case.offers)}
    facts = FactTable(CustomerIndex.of([f"c{i:05d}" for i in range(n)]), {})
    return propose(facts, offers, lift, now=NOW, seed=1, hold_out=0.0, budget_minor=case.budget, gap=GAP).offer


def ranked(case: Case, key: Any, pays: Any) -> Any:
    """(n,) offers, pairs of customer and offer taken by the key while stock and budget last."""
    out, stock, left = np.full(len(case.lift), -1), case.stock, case.budget
    cost = case.cost.tolist()
    for at in np.argsort(-key, axis=None, kind="stable").tolist():
        r, k = divmod(at, len(case.offers))
        if pays[r, k] and out[r] < 0 and stock[k] and cost[k] <= left:
            out[r], stock[k], left = k, stock[k] - 1, left - cost[k]
    return out


def exact(case: Case) -> Any:
    """(n,) offers by a plain 0/1 program: nothing of the house in it."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    value = case.value(case.believed).ravel()
    n, k = case.lift.shape
    once = np.kron(np.eye(n), np.ones(k))
    stock = np.kron(np.ones(n), np.eye(k))
    rows = np.vstack([once, stock, np.tile(case.cost, n)])
    limits = np.concatenate([np.ones(n), case.stock, [case.budget]])
    found = milp(-value, integrality=np.ones(n * k), bounds=Bounds(0, 1), options={"mip_rel_gap": 0.0},
                 constraints=LinearConstraint(rows, -np.inf, limits))  # fmt: skip
    taken = np.rint(found.x).reshape(n, k)
    return np.where(taken.any(1), taken.argmax(1), -1)


def profit(case: Case, offer: Any) -> float:
    """Expected extra margin less costs by the true lifts, for 1,000 customers."""
    rows = np.flatnonzero(offer >= 0)
    value = case.value(case.lift)
    return float(value[rows, offer[rows]].sum()) * 1000 / len(case.lift)


def profits(case: Case, *, small: bool = False) -> dict[str, float]:
    """Profit of each rule."""
    value = case.value(case.believed)
    pays, all_ = value > 0, np.ones(value.shape, np.bool_)
    found = {
        "ours": ours(case), "greedy, most value": ranked(case, value, pays),
        "greedy, most for its cost": ranked(case, value / case.cost, pays),
        "click ranking": ranked(case, case.accept, all_),
    }  # fmt: skip
    if small:
        found["exact optimum"] = exact(case)
    return {name: profit(case, offer) for name, offer in found.items()}


def rows_of(what: str, runs: Sequence[dict[str, float]]) -> list[Row]:
    """A row for each rule: profit, and what ours brings more, over the same cases."""
    from crmcore.metrics import mean

    rows: list[Row] = []
    mine = np.array([run["ours"] for run in runs])
    for name in runs[0]:
        own = np.array([run[name] for run in runs])
        told = mean(own, rule="profit", small_sample_ok=True)
        row: Row = {"case": what, "rule": name, "profit": told.value, "interval": f"{told.low:,.0f}-{told.high:,.0f}"}
        if name != "ours":
            more = mean(mine - own, rule="ours less this", small_sample_ok=True)
            row["ours less this"] = f"{more.value:,.0f} ({more.low:,.0f} to {more.high:,.0f})"
            row["bar"] = "ours at least 99 %" if name == "exact optimum" else "above 0"
            row["met"] = bool((mine >= BAR * own).all() if name == "exact optimum" else more.low > 0)
        rows.append({**row, "runs": len(runs)})
    return rows


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Simulate and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--people", type=int, default=PEOPLE)
    given = parser.parse_args(arguments)
    cases = [case_of(seed, given.people) for seed in range(given.seeds)]
    rows: list[Row] = []
    for name, budget in BUDGETS.items():
        own = [case.of(budget) for case in cases]
        small = [profits(case.of(budget, SMALL).known, small=True) for case in cases]
        rows += rows_of(f"{name} budget, lifts learnt", [profits(case) for case in own])
        rows += rows_of(f"{name} budget, lifts known", [profits(case.known) for case in own])
        rows += rows_of(f"{name} budget, lifts known, {SMALL} customers", small)
    apart = [case_of(seed, given.people, APART).of(BUDGETS["tight"]) for seed in range(given.seeds)]
    rows += rows_of("offers apart, lifts learnt", [profits(case) for case in apart])
    rows += rows_of("offers apart, lifts known", [profits(case.known) for case in apart])
    Table(
        name="quality-arbitration", section="quality", order=62, title="Next best offers: profit by rule",
        about=f"Three offers under a budget and stocks, for {given.people // 2:,} customers of each simulated brand; "
        "profit in minor units for 1,000 customers by the true lifts, with 95 % intervals over brands, and what ours "
        f"(`propose`, gap {GAP:g}) brings more on the same brands (paired). Lifts learnt: by the X-learner, from an "
        "experiment with as many others. Offers apart: a tight budget, and no cheap offer blocks a dearer one.",
        rows=rows, key=("case", "rule"),
    ).save(folder)  # fmt: skip
    for row in rows:
        say(f"{row['case']}, {row['rule']}: {row['profit']:,.0f} {row.get('ours less this', '')} {row.get('met', '')}")


if __name__ == "__main__":
    main()
