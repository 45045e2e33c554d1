"""What a post wants: it complains, praises, asks, proposes, or wants to buy.

`detect_intents` follows cues, which are data and which every answer shows; `IntentClassifier` learns intents or any
other classes (such as reasons of complaints) from labels; `case_feed` names the complaints under one's own posts, with
reason and severity, for whoever opens cases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.intents.cues import STARTING_CUES, Cue, Cues, Intent
    from crmcore.listening.intents.detecting import Evidence, IntentFinds, detect_intents
    from crmcore.listening.intents.feed import CaseFeed, FeedEntry, Severity, case_feed
    from crmcore.listening.intents.training import IntentClassifier, IntentClassifierModel

__all__ = [
    "STARTING_CUES",
    "CaseFeed",
    "Cue",
    "Cues",
    "Evidence",
    "FeedEntry",
    "Intent",
    "IntentClassifier",
    "IntentClassifierModel",
    "IntentFinds",
    "Severity",
    "case_feed",
    "detect_intents",
]

__getattr__ = lazy_names(
    __name__,
    {
        "STARTING_CUES": ".cues",
        "CaseFeed": ".feed",
        "Cue": ".cues",
        "Cues": ".cues",
        "Evidence": ".detecting",
        "FeedEntry": ".feed",
        "Intent": ".cues",
        "IntentClassifier": ".training",
        "IntentClassifierModel": ".training",
        "IntentFinds": ".detecting",
        "Severity": ".feed",
        "case_feed": ".feed",
        "detect_intents": ".detecting",
    },
)
