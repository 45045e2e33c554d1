"""Finished products: price with its lines, lead time, the cheapest and the best of what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import CurrencyMismatch, EmptyInput, OutOfRange, WrongType
from crmcore.idic.customize.configuring.attributes import Attribute, Range
from crmcore.idic.customize.configuring.conflicts import Given, bits
from crmcore.idic.customize.configuring.model import ProductModel
from crmcore.idic.customize.configuring.optimum import Goal, optimum, price_goal
from crmcore.idic.customize.configuring.search import Search
from crmcore.values import Money

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["PriceLine", "Product", "best_product", "lead_span", "price_span", "product_of"]


@attrs.frozen
class PriceLine(Document):
    """One line of a price."""

    what: str
    price: Money


@attrs.frozen(kw_only=True)
class Product(Document):
    """One finished product.

    Attributes
    ----------
    values : label of each attribute
    price : None where the model has no prices
    lines : what the price consists of
    lead_days : the slowest part, then the work
    score : of the preferences that it was chosen by, None without
    """

    values: Mapping[str, str] = attrs.field(hash=False)
    price: Money | None = None
    lines: tuple[PriceLine, ...] = ()
    lead_days: float = 0.0
    score: float | None = None

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {value}" for name, value in self.values.items())
        price = "" if self.price is None else f", {self.price}"
        return f"{parts}{price}, {self.lead_days:g} days"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an attribute."""
        return write_frame({"attribute": list(self.values), "value": list(self.values.values())}, backend=backend)

    def chart(self) -> Chart:
        """What the price consists of."""
        from crmcore.idic.customize.configuring.charts import price_chart

        return price_chart(self)

    def _repr_html_(self) -> str:
        rows = [{"attribute": n, "value": v} for n, v in self.values.items()]
        return html_table(rows, caption="" if self.price is None else str(self.price))


def product_of(model: ProductModel, places: Sequence[int], *, score: float | None = None) -> Product:
    """Product of the positions of its values."""
    labels = {a.name: a.labels[at] for a, at in zip(model.attributes, places, strict=True)}
    parts = [a.parts[at] for a, at in zip(model.attributes, places, strict=True)]
    lines = []
    if model.base_price is not None:
        lines.append(PriceLine(model.name, model.base_price))
    for name, part in zip(labels, parts, strict=True):
        if part.price:
            lines.append(PriceLine(f"{name} {part.name}", part.price))
    for rule, term in zip(model.prices, price_goal(model).terms, strict=True):
        if Goal(tuple((0.0,) * len(a.values) for a in model.attributes), (term,)).of(places):
            lines.append(PriceLine(rule.name, rule.price))
    currency = model.currency
    total = None if currency is None else sum((line.price for line in lines), Money(0, currency))
    lead = float(max(part.lead_days for part in parts) + model.work_days)
    return Product(values=labels, price=total, lines=tuple(lines), lead_days=lead, score=score)


def price_span(model: ProductModel, given: Sequence[Given]) -> tuple[Money, Money] | None:
    """Least and greatest price under given facts."""
    if model.currency is None:
        return None
    goal = price_goal(model)
    ends = []
    for largest in (False, True):
        places = optimum(model.problem, given, goal, largest=largest)
        assert places is not None, "the facts were checked to complete"
        ends.append(Money(round(goal.of(places)), model.currency))
    return ends[0], ends[1]


def lead_span(model: ProductModel, given: Sequence[Given], valid: Sequence[int]) -> tuple[float, float]:
    """Least and greatest lead time in days under given facts, from the values that are valid."""
    leads = [[p.lead_days for p in a.parts] for a in model.attributes]
    known = sorted({leads[v][at] for v, mask in enumerate(valid) for at in bits(mask)})
    low, high = 0, len(known) - 1
    while low < high:  # the least limit under which a product is left
        middle = (low + high) // 2
        fast = [
            (v, sum(1 << at for at, days in enumerate(row) if days <= known[middle]), 0) for v, row in enumerate(leads)
        ]
        search = Search(model.problem, [*given, *fast])
        if search.refuted is None and search.solve():
            high = middle
        else:
            low = middle + 1
    return float(known[low] + model.work_days), float(known[-1] + model.work_days)


def best_product(
    model: ProductModel,
    given: Sequence[Given],
    *,
    weights: Mapping[str, Mapping[str, float] | float] | None = None,
    budget: Money | None = None,
) -> Product:
    """Completion of the highest score (or, without weights, of the least price)."""
    cap = None
    if budget is not None:
        if model.currency is None:
            raise OutOfRange("budget", str(budget), "None in a model without prices", "give the model its prices")
        if budget.currency != model.currency:
            raise CurrencyMismatch(model.currency, budget.currency)
        cap = (price_goal(model), float(budget.amount_minor))
    goal = price_goal(model) if weights is None else _liked(model, weights)
    places = optimum(model.problem, given, goal, largest=weights is not None, cap=cap)
    if places is None:
        span = price_span(model, given)
        least = "" if span is None else f"the cheapest costs {span[0]}: raise the budget"
        raise EmptyInput(f"what is left of {model.name!r} within {budget}", least)
    if weights is not None and model.currency is not None:
        places = _cheapest_of_the_best(model, given, goal, goal.of(places), cap) or places
    return product_of(model, places, score=None if weights is None else goal.of(places))


def _cheapest_of_the_best(
    model: ProductModel, given: Sequence[Given], goal: Goal, best: float, budget: tuple[Goal, float] | None
) -> tuple[int, ...] | None:  # fmt: skip
    """Among equally liked products the least price."""
    slack = 1e-7 * max(1.0, *(abs(s) for row in goal.values for s in row))
    disliked = Goal(tuple(tuple(-s for s in row) for row in goal.values))
    found = optimum(model.problem, given, price_goal(model), cap=(disliked, slack - best))
    within = found is not None and (budget is None or budget[0].of(found) <= budget[1])
    return found if within else None


def _liked(model: ProductModel, weights: Mapping[str, Mapping[str, float] | float]) -> Goal:
    rows = [tuple(0.0 for _ in a.values) for a in model.attributes]
    for name, likes in weights.items():
        place = model.place(name)
        rows[place] = _row(model.attributes[place], likes)
    return Goal(tuple(rows))


def _row(attribute: Attribute, likes: Mapping[str, float] | float) -> tuple[float, ...]:
    hint = "write {'leather': 2.0}, or one finite number for a range or a flag"
    if isinstance(likes, Mapping):
        scores = [0.0] * len(attribute.values)
        for value, liked in likes.items():
            scores[attribute.position(value)] = float(liked)
    elif isinstance(likes, bool) or not isinstance(likes, int | float):
        raise WrongType(f"weights[{attribute.name!r}]", f"a {type(likes).__name__}", "numbers", hint)
    elif isinstance(attribute, Range):
        scores = [float(likes) * float(v) for v in attribute.values]
    elif attribute.values == (False, True):
        scores = [0.0, float(likes)]
    else:
        raise WrongType(f"weights[{attribute.name!r}]", "one number", "scores by option", hint)
    if not all(map(isfinite, scores)):
        raise OutOfRange(f"weights[{attribute.name!r}]", likes, "finite numbers", "rules forbid, weights prefer")
    return tuple(scores)
