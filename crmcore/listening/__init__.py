"""Listening: from a stream of posts to what happened, why, how sure we are, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.polarity import Polarity

__all__ = ["Polarity"]

__getattr__ = lazy_names(__name__, {"Polarity": ".polarity"})
