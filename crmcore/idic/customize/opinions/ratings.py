"""What stars are worth: mean and interval of each product, drawn to that of all where few have spoken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, EmptyInput
from crmcore.metrics import Estimate, mean
from crmcore.metrics.columns import numbers, same_length
from crmcore.metrics.estimates import frame_of
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.scalars import above

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ProductRating", "ProductRatings", "rate_products"]


@attrs.frozen(kw_only=True)
class ProductRating(Document):
    """One product.

    Parameters
    ----------
    product : text
    stars : Estimate
        Mean of its reviews.
    fair : stars
        Mean drawn to that of all products.
    sure : stars
        What the fair mean is at least, by which products are ordered.
    counts : reviews with 1 to 5 stars
    """

    product: str
    stars: Estimate
    fair: float
    sure: float
    counts: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.product}: {self.stars}, fairly {number_text(self.fair)}"


@attrs.frozen(kw_only=True, repr=False)
class ProductRatings(Document):
    """Products, the best first; ties go by the number of reviews, then by name."""

    rows: tuple[ProductRating, ...]
    overall: float
    prior_reviews: float

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rank: int) -> ProductRating:
        return self.rows[rank]

    def __repr__(self) -> str:
        n = sum(sum(row.counts) for row in self.rows)
        return f"ProductRatings({len(self)} products, {n} reviews, {number_text(self.overall)} stars overall)"

    def __str__(self) -> str:
        return "\n".join([repr(self), *map(str, self.rows)])

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"product": r.product, "stars": r.stars.value, "low": r.stars.low, "high": r.stars.high, "fair": r.fair,
             "sure": r.sure, "reviews": sum(r.counts)}
            for r in self.rows
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a product: product, stars, low, high, fair, sure, reviews."""
        return frame_of(self._rows(), backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self))

    def chart(self) -> Chart:
        """Means with their intervals; the line is the mean of all reviews."""
        from crmcore.charts import dot_interval

        rows = [r for r in self.rows if np.isfinite(r.stars.low + r.stars.high)]
        return dot_interval(
            [r.product for r in rows], [r.stars for r in rows], title="Stars by product", description=repr(self),
            reference=self.overall,
        )  # fmt: skip


def rate_products(
    product: Sequence[str], stars: ArrayLike, *, prior_reviews: float = 5.0, level: float = 0.95
) -> ProductRatings:
    """Rate products by the stars of their reviews.

    A product with one review of five stars is not the best one: `fair` counts, beside its own reviews, `prior_reviews`
    more with the mean m of all, (sum + k m) / (n + k); and products go by what is sure of it, the fair mean less z
    standard errors s / sqrt(n + k), with s the spread of all stars.

    Parameters
    ----------
    product : (n,) texts
    stars : (n,) numbers from 1 to 5
    prior_reviews : number above 0
        Reviews that the whole counts for.

    Examples
    --------
    >>> found = rate_products(["kettle"] + ["mug"] * 20, [5] + [5, 4] * 10)
    >>> [row.product for row in found.rows], round(found[0].fair, 2)
    (['mug', 'kettle'], 4.5)
    """
    above("prior_reviews", prior_reviews, hint="reviews that the mean of all counts for")
    given = numbers("stars", stars)
    names = np.array(list(product), object)
    same_length("reviews", product=names, stars=given)
    bad = np.flatnonzero(~((given >= 1) & (given <= 5)))
    if len(bad):
        why = BadRow("stars", "not from 1 to 5", tuple(bad.tolist()))
        raise BadRows("the reviews", (why,), "leave out reviews without stars; metrics.rescale maps other scales")
    if not len(given):
        raise EmptyInput("reviews", "rate products that somebody has reviewed")
    overall, spread, z = float(given.mean()), float(given.std()), normal_quantile(level)
    rows = []
    for name in sorted(set(names.tolist())):
        own = given[names == name]
        n = len(own) + prior_reviews
        fair = float((own.sum() + prior_reviews * overall) / n)
        rows.append(
            ProductRating(
                product=name, stars=mean(own, level=level, small_sample_ok=True), fair=fair,
                sure=fair - z * spread / n**0.5, counts=tuple(int((np.rint(own) == s).sum()) for s in range(1, 6)),
            )
        )  # fmt: skip
    rows.sort(key=lambda r: (-r.sure, -sum(r.counts), r.product))
    return ProductRatings(rows=tuple(rows), overall=overall, prior_reviews=prior_reviews)
