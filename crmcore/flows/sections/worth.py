"""The chapter of worth: how value is spread, who moved, and where customers stand on the ladder."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore import charts
from crmcore.charts.chart import written
from crmcore.flows.page import Block, Figure, Heading, KeyFigure, Table, Text
from crmcore.flows.sections.chapter import TODAY, Chapter, Check, Part, customers_of, orders_of, said
from crmcore.idic.differentiate.buying import Purchases
from crmcore.idic.differentiate.clv import CustomerValueModel
from crmcore.idic.differentiate.ladder import RUNGS, Climb, MarkovClv, climb, ladder
from crmcore.idic.differentiate.rfm import RfmScores, score
from crmcore.idic.differentiate.worth import concentration
from crmcore.metrics import proportion
from crmcore.rules import FactTable
from crmcore.tables import CustomerIndex, EventTable, OrderTable

if TYPE_CHECKING:
    from crmcore.datasets.brand import Brand
    from crmcore.idic.identify.people import People

__all__ = ["worth"]

NOW = TODAY.astype("datetime64[s]").item().replace(tzinfo=UTC)
STEP = timedelta(days=30)
STEPS = 36
WEEKS = 52
AHEAD = 11  # steps after the present one: a year
YEARLY_DISCOUNT = 0.10


def worth(brand: Brand, people: People) -> Chapter:
    """Measure what a brand's customers are worth, and where they stand.

    Parameters
    ----------
    brand : Brand
        Orders, sessions and referrals, and what is true of them.
    people : People
        Who is who in its records, as `identify.resolve` found it.

    Examples
    --------
    >>> from crmcore.datasets import simulate_brand
    >>> from crmcore.idic import identify
    >>> brand = simulate_brand(300, seed=1)
    >>> found = worth(brand, identify.resolve(dict(brand.sources)))
    >>> [figure.label for figure in found.section().key]
    ['Best fifth brings', 'Worth in a year', 'Champions kept', 'Buyers who became regular']
    """
    orders = orders_of(brand, people)
    lead = (
        "Few customers bring most of the money, they do not stay where they are, and each step up the ladder has a date and "
        "its evidence. Customers are those that were found above, errors of recognition included."
    )
    parts = (_spread(brand, orders), _future(brand, orders), _moves(orders), _ladder(brand, people, orders))
    return Chapter("What they are worth", lead, parts)


def _spread(brand: Brand, orders: OrderTable) -> Part:
    """How money is spread over buyers, beside the spread over the true persons."""
    true = np.bincount(brand.truth.orders.person, weights=brand.orders["amount_minor"])
    known = concentration(true[true > 0])
    found = score(orders, now=NOW).concentration()
    gini = found.gini
    checks = [
        Check("Gini of the buyers' money", gini, known.gini.value, percent=False, why="records of one buyer kept apart"),
        Check("share of the best fifth of buyers", found.top_share, known.top_share.value, why="records of one buyer kept apart"),
    ]  # fmt: skip
    blocks: list[Block] = [
        Heading("How is value spread?"),
        Figure(
            found.chart(), "Share of all money against share of buyers, the smallest buyers first.",
            "the further the curve hangs below the straight line, the fewer bring most of it. Equal shares would give the line.",
        ),
        Text(f"The best fifth of {len(found.values):,} buyers bring {said(found.top_share)} of the money; the Gini index is {said(gini, percent=False)}."),
    ]  # fmt: skip
    detail = f"{said(found.top_share)} of the money of {len(found.values):,} buyers"
    return Part(blocks, KeyFigure("Best fifth brings", written(found.top_share.value, percent=True), detail), checks)


def _future(brand: Brand, orders: OrderTable) -> Part:
    """What the next year brings, customer by customer, beside what is planted."""
    seen = Purchases.of_orders(orders, until=NOW)
    model = CustomerValueModel.fit(seen)
    value = model.value(seen, horizon_days=WEEKS * 7, annual_discount=0.0, level=0.95)
    orders_true, money_true = _true_year(brand)
    checks = [
        Check("orders in the next year", value.orders, float(orders_true.sum()), percent=False, why="records of one buyer kept apart"),
        Check(f"{orders.currency} in the next year", value.total, float(money_true.sum()), percent=False, why="records of one buyer kept apart"),
    ]  # fmt: skip
    picture = _by_tenth(brand, orders, seen, value["clv"], (value["clv_low"], value["clv_high"]), money_true)
    blocks: list[Block] = [
        Heading("What will they bring?"),
        Figure(
            picture, "Worth of the next year by tenth of customers, the most valuable first: expected, and planted.",
            "the band is the mean 95% interval of the customers in a tenth. Where the planted line leaves it, the model is wrong about such customers.",
        ),
        Text(f"Of the models of repeat buying, {model.title} was taken: {'; '.join(model.reasons)}. Spend: {model.spend}."),
    ]  # fmt: skip
    detail = f"{said(value.total, percent=False)} {orders.currency} expected of {len(seen):,} buyers"
    return Part(blocks, KeyFigure("Worth in a year", written(value.total.value), detail), checks)


def _true_year(brand: Brand) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(persons,) orders and money that the planted process expects in the next year."""
    t, alive = brand.truth.traits, brand.truth.orders.alive
    orders = alive * -np.expm1(-WEEKS * t.purchase_rate * t.dropout) / np.maximum(t.dropout, 1e-12)
    return orders, orders * t.mean_spend / 100


def _by_tenth(
    brand: Brand, orders: OrderTable, seen: Purchases, worth_: NDArray[np.float64],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]], true: NDArray[np.float64],
) -> charts.Chart:  # fmt: skip
    """Expected and planted worth, by tenth of expected worth."""
    assert seen.customers is not None
    person = dict(zip(orders.customer.tolist(), brand.truth.orders.person.tolist(), strict=True))
    planted = np.array([true[person[c]] for c in orders.customers.codes(seen.customers.ids).tolist()])
    rank = np.argsort(np.argsort(-worth_, kind="stable"), kind="stable")
    tenth = np.minimum(rank * 10 // len(rank), 9)
    means = [np.bincount(tenth, c, 10) / np.bincount(tenth, minlength=10) for c in (worth_, *ends, planted)]
    place = list(range(1, 11))
    return charts.line(
        [*place, *place], [*means[0].tolist(), *means[3].tolist()], low=[*means[1].tolist(), *means[3].tolist()],
        high=[*means[2].tolist(), *means[3].tolist()], series=["expected"] * 10 + ["planted"] * 10,
        title="Worth of the next year", description="Mean worth by tenth of customers", axis=orders.currency,
    )  # fmt: skip


def _moves(orders: OrderTable) -> Part:
    """Who stood in which segment a year ago, and stands where today."""
    before = score(orders, now=NOW - timedelta(days=365))
    after: RfmScores = score(orders, now=NOW, model=before.model)
    moved = before.moves(after)
    kept = moved.share("champions", "champions")
    blocks: list[Block] = [
        Heading("Who moved?"),
        Figure(
            moved.chart(), "Segments a year ago (rows) and today (columns); each row sums to 100%.",
            "numbers right on the diagonal stayed. Scores of equal customers are equal, and today's use the cut points of a year ago, so a move is a change of the customer and not of the yardstick.",
        ),
        Text(f"{moved}."),
    ]  # fmt: skip
    return Part(blocks, KeyFigure("Champions kept", written(kept.value, percent=True), f"{said(kept)} of {kept.n:,} champions of a year ago"))  # fmt: skip


def _ladder(brand: Brand, people: People, orders: OrderTable) -> Part:
    """Where customers stand on the ladder, and what each rung is worth."""
    events = _events(brand, people, orders.customers)
    first = NOW - STEPS * STEP
    run = climb(
        ladder(), FactTable(orders.customers, events=(events,)), dates=[first + i * STEP for i in range(STEPS + 1)]
    )
    highest = np.max([table.code for table in run.standings], axis=0)
    regular = RUNGS.index("regular")
    bought = highest >= RUNGS.index("buyer")
    share = proportion(int((highest >= regular).sum()), int(bought.sum()))
    stage = brand.truth.ladder
    check = Check(
        "buyers who ever became regular", share, float((stage >= 2).sum() / (stage >= 1).sum()),
        why="records of one buyer kept apart",
    )  # fmt: skip
    reward = _monthly_money(run, orders)
    recipe = MarkovClv(discount=(1 + YEARLY_DISCOUNT) ** (STEP.days / 365) - 1, periods=AHEAD)
    value = recipe.fit(run.step_counts(), reward=reward, seed=1)
    now = run.standings[-1].counts()
    shown = [(n, e) for n, e in zip(value.names, value.values, strict=True) if n != "unknown" and not np.isnan(e.value)]
    rows = [
        (name, now[name], _year_ago(run, name), round(float(reward[RUNGS.index(name)]), 2), said(e, percent=False))
        for name, e in shown
    ]
    blocks: list[Block] = [
        Heading("Where do they stand?"),
        Figure(
            charts.bar([n for n, _ in shown], [now[n] for n, _ in shown], title="Customers on each rung today"),
            "Customers on each rung of the relationship ladder today.",
            "a rung is reached on a date by events: an order, three orders in 90 days, two buyers brought. It is lost after a grace, not at the first quiet week.",
        ),
        Table(
            ("rung", "today", "a year ago", f"{orders.currency} a month", f"{orders.currency} in a year"), rows,
            f"Rungs, the money that a customer on them brings in {STEP.days} days, and in the year ahead by the moves between rungs (a Markov chain; {YEARLY_DISCOUNT:.0%} discount a year, 95% intervals). Parameters are estimated; the money of a step is taken as known.",
        ),
    ]  # fmt: skip
    return Part(blocks, KeyFigure("Buyers who became regular", written(share.value, percent=True), f"{said(share)}, three orders in 90 days"), [check])  # fmt: skip


def _year_ago(run: Climb, name: str) -> int:
    return run.standings[-13].counts()[name]


def _monthly_money(run: Climb, orders: OrderTable) -> NDArray[np.float64]:
    """(rungs,) mean money of a customer in the step after a date, by the rung on which it stood there."""
    money, stood = np.zeros(len(run.names)), np.zeros(len(run.names))
    edges = np.array([d.replace(tzinfo=None) for d in run.dates], "datetime64[us]")
    step = np.searchsorted(edges, orders.time, side="left") - 1
    inside = (step >= 0) & (step < len(edges) - 1) & (orders.customer >= 0)
    codes = np.array([table.code for table in run.standings])
    rung = codes[step[inside], orders.customer[inside]]
    np.add.at(money, rung, orders.amount_minor[inside] / 100)
    stood += np.bincount(codes[:-1].ravel(), minlength=len(run.names))
    return np.divide(money, stood, out=np.zeros(len(money)), where=stood > 0)


def _events(brand: Brand, people: People, index: CustomerIndex) -> EventTable:
    """Visits, purchases and referrals of the customers that were found."""
    parts = [
        ("visit", brand.sessions["record_id"], brand.sessions["time"]),
        ("purchase", brand.orders["record_id"], brand.orders["time"]),
        ("referral", brand.referrals["referrer_record_id"], brand.referrals["time"]),
    ]
    who = np.concatenate([customers_of(people, record) for _, record, _ in parts])
    kind = np.repeat([name for name, _, _ in parts], [len(time) for _, _, time in parts])
    time = np.concatenate([t.astype("datetime64[us]") for _, _, t in parts])
    seen = who >= 0
    return EventTable.from_frame(
        {"customer": [index.ids[c] for c in who[seen].tolist()], "time": time[seen], "kind": kind[seen].tolist()},
        customers=index, zone="UTC",
    )  # fmt: skip
