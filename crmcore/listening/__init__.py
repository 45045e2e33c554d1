"""Listening: from a stream of posts to what happened, why, how sure we are, and what to do.

`queries` find the posts that concern us, `cleaning` takes out what does not belong, `intents` tell what a post wants,
`sentiment` scores them and learns from labels, `aspects` say what of, `shares` corrects what is counted, `topics`
sorts, `trends` finds what bursts, `voices` compares groups and rivals, `people` tells who is heard, and `insights`
turns it into findings with quotes and tests, owners and digests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening import (
        aspects,
        cleaning,
        insights,
        intents,
        people,
        queries,
        sentiment,
        shares,
        topics,
        trends,
        voices,
    )
    from crmcore.listening.polarity import Polarity

__all__ = [
    "Polarity",
    "aspects",
    "cleaning",
    "insights",
    "intents",
    "people",
    "queries",
    "sentiment",
    "shares",
    "topics",
    "trends",
    "voices",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Polarity": ".polarity",
        "aspects": ".aspects",
        "cleaning": ".cleaning",
        "insights": ".insights",
        "intents": ".intents",
        "people": ".people",
        "queries": ".queries",
        "sentiment": ".sentiment",
        "shares": ".shares",
        "topics": ".topics",
        "trends": ".trends",
        "voices": ".voices",
    },
)
