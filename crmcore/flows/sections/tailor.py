"""The chapter of customisation: two people, two pages, and a product whose conflict is explained and repaired."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmcore.charts import dot_interval
from crmcore.flows.page import Block, Figure, Heading, KeyFigure, Table, Text
from crmcore.flows.sections.chapter import TODAY, Chapter, Part, lines_of, said
from crmcore.idic.customize.configuring import Choice, Flag, Option, ProductModel, configure, requires
from crmcore.idic.customize.recommending import Ease, Page, evaluate, homepage, recommend, time_split
from crmcore.rules import field
from crmcore.tables import OrderTable
from crmcore.values import Money

if TYPE_CHECKING:
    from crmcore.datasets.brand import Brand
    from crmcore.idic.identify.people import People

__all__ = ["tailor"]

TESTED = np.timedelta64(180, "D")  # the last orders, hidden from the recommender when it is measured
SHOWN = 3  # items of each shelf on the page


def tailor(brand: Brand, people: People) -> Chapter:
    """Give each the right thing: a page of their own, and a product that can be made.

    Parameters
    ----------
    brand : Brand
        Order lines.
    people : People
        Who is who in its records, as `identify.resolve` found it.

    Examples
    --------
    >>> from crmcore.datasets import simulate_brand
    >>> from crmcore.idic import identify
    >>> brand = simulate_brand(300, seed=1)
    >>> found = tailor(brand, identify.resolve(dict(brand.sources)))
    >>> [figure.label for figure in found.section().key]
    ['First purchases foretold', 'A conflict repaired']
    """
    lead = (
        "Two people get two pages, and each item says which purchases speak for it. How good that is was measured on orders that the "
        "recommender had not seen. A product that cannot be made is refused with the rules that forbid it, and with the smallest way out."
    )
    orders = lines_of(brand, people)
    return Chapter("The right thing for each", lead, (_pages(orders), _product(str(brand.orders["currency"][0]))))


def _pages(orders: OrderTable) -> Part:
    recipe = Ease(ridge=200.0)
    found = recommend(orders, recipe=recipe)
    split = time_split(orders, TODAY - TESTED)
    measured = evaluate(recommend(split.train, recipe=recipe), split, seed=1)
    sizes = np.diff(found.histories.starts)
    first, second = _unlike(found.histories.customers.ids, sizes, orders)
    pages = [(name, homepage(found, c, per_shelf=SHOWN)) for name, c in (("one", first), ("another", second))]
    rows = [
        (name, shelf.title, ", ".join(s.item for s in shelf.items), shelf.reason)
        for name, page in pages
        for shelf in page.shelves
    ]
    shared = _shared(*(page for _, page in pages))
    blocks: list[Block] = [
        Heading("Who sees what?"),
        Text(
            f"A recommender learned from {len(orders):,} order lines which of {len(found.model.items)} products go together. Of the products that "
            f"{len(measured.customers):,} customers bought in the last half year and never before, a list of twenty holds {said(measured.recall)}; "
            f"two customers who share {shared} of the items on their pages:"
        ),
        Table(("customer", "shelf", "items", "because"), rows, "Homepages of two customers; visitors whom nobody knows see what sells now."),
        Figure(
            dot_interval(
                ["NDCG, ten items", "recall, twenty items", "MRR, ten items"], [measured.ndcg, measured.recall, measured.mrr],
                title="Lists against purchases that were hidden", description=f"{measured.how}, {len(measured.customers):,} customers",
            ),
            "How well lists foretell what customers buy for the first time.",
            "1 would be a list that names every purchase, in the first places. Simulated tastes are broad, so much stays chance.",
        ),
    ]  # fmt: skip
    share, span = said(measured.recall).split(" ", 1)
    detail = f"{span} among twenty of {len(found.model.items)} products"
    return Part(blocks, KeyFigure("First purchases foretold", share, detail))


def _unlike(customers: tuple[str, ...], sizes: np.ndarray, orders: OrderTable) -> tuple[str, str]:
    """Two customers with long histories that have little in common."""
    busiest = np.argsort(-sizes, kind="stable")[:50]
    bought = [
        {
            orders.product[i]
            for i in np.flatnonzero(orders.customer == orders.customers.codes([customers[c]])[0]).tolist()
        }
        for c in busiest.tolist()
    ]
    other = min(range(1, len(bought)), key=lambda i: (len(bought[0] & bought[i]), i))
    return customers[busiest[0]], customers[busiest[other]]


def _shared(one: Page, other: Page) -> int:
    return len(set(one.items) & set(other.items))


def _product(currency: str) -> Part:
    """A conflict of wishes, with the rules that make it and the cheapest repair."""

    def money(amount: int) -> Money:
        return Money.of(amount, currency)

    chair = ProductModel(
        "armchair",
        [
            Choice("frame", ["pine", Option("oak", money(1800))]),
            Choice("cover", ["cotton", Option("leather", money(4200), lead_days=14), Option("wool", money(900))]),
            Flag("recliner", money(2500)),
        ],
        rules=[
            requires("leather is stretched on oak", field("cover") == "leather", then=field("frame") == "oak"),
            requires("a recliner is covered in leather", field("recliner").is_true(), then=field("cover") == "leather"),
        ],
        base_price=money(9900),
        work_days=7,
    )
    base = configure(chair).choose(frame="pine")
    conflict = base.conflict(recliner=True)
    assert conflict is not None
    repair = conflict.repairs[0]
    repaired = base.apply(repair, recliner=True)
    rows = [("wish", "a recliner on a frame of pine"), *_rules(str(conflict)), ("repair", str(repair)),
            ("what it costs then", str(repaired.cheapest()))]  # fmt: skip
    blocks: list[Block] = [
        Heading("What can be made?"),
        Text(
            "Somebody wants an armchair of pine with a recliner. The configurator does not say \"invalid\": it names the rules that stand "
            "against each other, none too many, and the smallest changes that help, the cheapest first."
        ),
        Table(("what", "answer"), rows, "A conflict and its repair."),
    ]  # fmt: skip
    return Part(
        blocks,
        KeyFigure("A conflict repaired", f"{len(repair.changes)} change", str(repair).partition(" (")[0]),
    )


def _rules(conflict: str) -> list[tuple[str, str]]:
    """Rules of a conflict, one a row."""
    lines = [line.strip() for line in conflict.splitlines()]
    return [("rule", line.removeprefix("rule ")) for line in lines if line.startswith("rule ")]
