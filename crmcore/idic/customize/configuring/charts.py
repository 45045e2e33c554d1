"""Pictures of products and plans: what a price consists of, what a line makes when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore.charts import Chart, bar, waterfall
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.idic.customize.configuring.offers import Product
    from crmcore.idic.customize.configuring.production import LinePlan

__all__ = ["plan_chart", "price_chart"]


def price_chart(product: Product) -> Chart:
    """What leads from nothing to the price of a product, line by line."""
    if product.price is None or not product.lines:
        raise EmptyInput("the price of this product", "give the options of its model their prices")
    first, *rest = product.lines
    return waterfall(
        [line.what for line in rest],
        [float(line.price.amount) for line in rest],
        start=float(first.price.amount),
        start_label=first.what,
        total_label="price",
        title=f"What {product.price} is made of",
        description="Each bar adds to the price, or takes from it.",
        axis=product.price.currency,
    )


def plan_chart(plan: LinePlan) -> Chart:
    """Hours of each batch in the order in which it is made, set-up included."""
    labels = []
    for i, b in enumerate(plan.batches, 1):
        labels.append(f"line {b.line}, {i}: {', '.join(b.variant.values())} ({len(b.order_ids)})")
    hours = [b.ends - b.starts + b.setup_hours for b in plan.batches]
    said = "Hours of each batch with its set-up; number of orders in brackets."
    return bar(labels, hours, title=str(plan).partition(" (")[0], description=said, axis="hours")
