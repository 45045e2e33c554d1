"""Negative, neutral, positive: the three answers of a sentiment model, in the order of its columns."""

from __future__ import annotations

import enum

__all__ = ["Polarity"]


class Polarity(enum.StrEnum):
    """What a text says of its subject."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"
