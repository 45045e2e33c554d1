"""Checks that prove whether something fulfils a contract of crmcore; needs no test framework.

Each function returns named checks: `for check in crmcore.testing.check_event_store(make): check()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.testing.event_store import check_event_store
    from crmcore.testing.readers import check_language_detector, check_sentiment_analyzer, check_spam_filter
    from crmcore.testing.recommenders import check_recommender

__all__ = [
    "check_event_store",
    "check_language_detector",
    "check_recommender",
    "check_sentiment_analyzer",
    "check_spam_filter",
]

__getattr__ = lazy_names(
    __name__,
    {
        "check_event_store": ".event_store",
        "check_language_detector": ".readers",
        "check_recommender": ".recommenders",
        "check_sentiment_analyzer": ".readers",
        "check_spam_filter": ".readers",
    },
)
