"""What a post wants: it complains, praises, asks, proposes, or wants to buy.

`detect_intents` follows cues, which are data and which every answer shows; `complaint_feed` names the complaints under
one's own posts, with reason and severity, for whoever opens cases. Intents, reasons or any other classes are learned
from labels by `crmcore.text.TextClassifier`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.intents.cues import STARTING_CUES, Cue, Cues, Intent
    from crmcore.listening.intents.detecting import Evidence, IntentFinds, detect_intents
    from crmcore.listening.intents.feed import ComplaintFeed, FeedEntry, complaint_feed

__all__ = [
    "STARTING_CUES",
    "ComplaintFeed",
    "Cue",
    "Cues",
    "Evidence",
    "FeedEntry",
    "Intent",
    "IntentFinds",
    "complaint_feed",
    "detect_intents",
]

__getattr__ = lazy_names(
    __name__,
    {
        "STARTING_CUES": ".cues",
        "ComplaintFeed": ".feed",
        "Cue": ".cues",
        "Cues": ".cues",
        "Evidence": ".detecting",
        "FeedEntry": ".feed",
        "Intent": ".cues",
        "IntentFinds": ".detecting",
        "complaint_feed": ".feed",
        "detect_intents": ".detecting",
    },
)
