"""Sentiment: what texts say of their subject, with probabilities, evidence per token, and learning from your labels.

`default_model()` is the English model that ships. `score` gives a table, `explain` says what each token adds, `adapt`
learns from your own labelled texts, from ten up, and `check_accuracy` says how right it is and whether it has drifted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.sentiment.accuracy import AccuracyReport, ClassAccuracy, Drift, check_accuracy
    from crmcore.listening.sentiment.adapting import AdaptedSentiment
    from crmcore.listening.sentiment.explaining import SentimentEvidence
    from crmcore.listening.sentiment.model import SentimentModel, default_model
    from crmcore.listening.sentiment.table import SentimentTable

__all__ = [
    "AccuracyReport",
    "AdaptedSentiment",
    "ClassAccuracy",
    "Drift",
    "SentimentEvidence",
    "SentimentModel",
    "SentimentTable",
    "check_accuracy",
    "default_model",
]

__getattr__ = lazy_names(
    __name__,
    {
        "AccuracyReport": ".accuracy",
        "AdaptedSentiment": ".adapting",
        "ClassAccuracy": ".accuracy",
        "Drift": ".accuracy",
        "SentimentEvidence": ".explaining",
        "SentimentModel": ".model",
        "SentimentTable": ".table",
        "check_accuracy": ".accuracy",
        "default_model": ".model",
    },
)
