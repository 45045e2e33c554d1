"""Listening: from a stream of posts to what happened, why, how sure we are, and what to do."""

from crmcore._base import lazy_names

__all__ = ["Polarity"]

__getattr__ = lazy_names(__name__, {"Polarity": ".polarity"})
