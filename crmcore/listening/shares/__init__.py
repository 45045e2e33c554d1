"""How much is said of each brand and how well, corrected for what classifiers and queries get wrong.

`correct_sentiment` turns scores of all posts and labels of a few into net sentiment and shares of every brand and of
all together, each with an interval; `adjusted_counts` is the textbook correction for one group of posts;
`industry_index` pools brands; `share_of_voice` weighs mentions by volume, reach and sentiment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.shares.adjusting import adjusted_counts
    from crmcore.listening.shares.correcting import CorrectedSentiment, SentimentOf, correct_sentiment
    from crmcore.listening.shares.industry import Importance, IndustryIndex, industry_index
    from crmcore.listening.shares.reading import Sampled, Target, UncorrectedLevel
    from crmcore.listening.shares.voice import Overlap, Voice, VoiceOf, share_of_voice

__all__ = [
    "CorrectedSentiment",
    "Importance",
    "IndustryIndex",
    "Overlap",
    "Sampled",
    "SentimentOf",
    "Target",
    "UncorrectedLevel",
    "Voice",
    "VoiceOf",
    "adjusted_counts",
    "correct_sentiment",
    "industry_index",
    "share_of_voice",
]

__getattr__ = lazy_names(
    __name__,
    {
        "CorrectedSentiment": ".correcting",
        "Importance": ".industry",
        "IndustryIndex": ".industry",
        "Overlap": ".voice",
        "Sampled": ".reading",
        "SentimentOf": ".correcting",
        "Target": ".reading",
        "UncorrectedLevel": ".reading",
        "Voice": ".voice",
        "VoiceOf": ".voice",
        "adjusted_counts": ".adjusting",
        "correct_sentiment": ".correcting",
        "industry_index": ".industry",
        "share_of_voice": ".voice",
    },
)
