"""Cleaning: languages, copies, spam, bots, suspicious reviews and what is off topic; every removal has a reason.

`clean` looks at a table of mentions and says what each rule removes; nothing is lost and each rule can be taken back.
`spam_signals` needs no labels, `fit_spam` learns from them and says when new posts are foreign to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.cleaning.removing import CleanedMentions, Cleaner, clean
    from crmcore.listening.cleaning.reviews import ReviewSignal, ReviewWeights, SuspiciousReviews, suspicious_reviews
    from crmcore.listening.cleaning.signals import STARTING_SIGNALS, Signal, SpamSignals, SpamWeights, spam_signals
    from crmcore.listening.cleaning.spam import SpamModel, fit_spam
    from crmcore.listening.cleaning.topic import TopicGate, topic_gate
    from crmcore.text.languages import UNDETERMINED, Langid, Languages, detect_languages

__all__ = [
    "STARTING_SIGNALS",
    "UNDETERMINED",
    "CleanedMentions",
    "Cleaner",
    "Langid",
    "Languages",
    "ReviewSignal",
    "ReviewWeights",
    "Signal",
    "SpamModel",
    "SpamSignals",
    "SpamWeights",
    "SuspiciousReviews",
    "TopicGate",
    "clean",
    "detect_languages",
    "fit_spam",
    "spam_signals",
    "suspicious_reviews",
    "topic_gate",
]

__getattr__ = lazy_names(
    __name__,
    {
        "STARTING_SIGNALS": ".signals",
        "UNDETERMINED": "crmcore.text.languages",
        "CleanedMentions": ".removing",
        "Cleaner": ".removing",
        "Langid": "crmcore.text.languages",
        "Languages": "crmcore.text.languages",
        "ReviewSignal": ".reviews",
        "ReviewWeights": ".reviews",
        "Signal": ".signals",
        "SpamModel": ".spam",
        "SpamSignals": ".signals",
        "SpamWeights": ".signals",
        "SuspiciousReviews": ".reviews",
        "TopicGate": ".topic",
        "clean": ".removing",
        "detect_languages": "crmcore.text.languages",
        "fit_spam": ".spam",
        "spam_signals": ".signals",
        "suspicious_reviews": ".reviews",
        "topic_gate": ".topic",
    },
)
