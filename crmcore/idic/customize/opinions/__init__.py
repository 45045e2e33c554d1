"""Opinions and wishes: reviews that are moderated and weighed by those whom they helped, and lists of what is wanted.

A `ReviewDesk` takes reviews from draft to published, with the reason of every refusal; `rank_helpful` orders them by
what readers say; `rate_products` tells what the stars are worth. A `WishList` shows to each viewer what is for their
eyes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.customize.opinions.helpfulness import HelpfulReviews, rank_helpful
    from crmcore.idic.customize.opinions.ratings import ProductRatings, rate_products
    from crmcore.idic.customize.opinions.reviewing import REVIEWING, Review, ReviewDesk
    from crmcore.idic.customize.opinions.wishes import Visibility, Wish, WishList, watched

__all__ = [
    "REVIEWING",
    "HelpfulReviews",
    "ProductRatings",
    "Review",
    "ReviewDesk",
    "Visibility",
    "Wish",
    "WishList",
    "rank_helpful",
    "rate_products",
    "watched",
]

__getattr__ = lazy_names(
    __name__,
    {
        "REVIEWING": ".reviewing",
        "HelpfulReviews": ".helpfulness",
        "ProductRatings": ".ratings",
        "Review": ".reviewing",
        "ReviewDesk": ".reviewing",
        "Visibility": ".wishes",
        "Wish": ".wishes",
        "WishList": ".wishes",
        "rank_helpful": ".helpfulness",
        "rate_products": ".ratings",
        "watched": ".wishes",
    },
)
