"""From numbers to action: insights with quotes and tests, owners, digests, and the two products of one stream.

`case_feed` monitors (which posts need an answer now), `listening_report` listens (what the weeks say about all brands),
`find_insights` reports what changed with evidence, `route` says who answers, `digest` tells each role what concerns it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.insights.finding import find_insights
    from crmcore.listening.insights.insight import Insight, Insights, Play
    from crmcore.listening.insights.owners import Digest, Routed, digest, ownership, route
    from crmcore.listening.insights.products import CaseFeed, ListeningReport, case_feed, listening_report

__all__ = [
    "CaseFeed",
    "Digest",
    "Insight",
    "Insights",
    "ListeningReport",
    "Play",
    "Routed",
    "case_feed",
    "digest",
    "find_insights",
    "listening_report",
    "ownership",
    "route",
]

__getattr__ = lazy_names(
    __name__,
    {
        "CaseFeed": ".products",
        "Digest": ".owners",
        "Insight": ".insight",
        "Insights": ".insight",
        "ListeningReport": ".products",
        "Play": ".insight",
        "Routed": ".owners",
        "case_feed": ".products",
        "digest": ".owners",
        "find_insights": ".finding",
        "listening_report": ".products",
        "ownership": ".owners",
        "route": ".owners",
    },
)
