"""Journeys: how customers wander between touchpoints, where they loop, hesitate, convert and leave."""

from __future__ import annotations

from crmcore._base import lazy_names

__all__ = ["Journey", "Journeys", "journeys"]

__getattr__ = lazy_names(
    __name__,
    {
        "Journey": ".table",
        "Journeys": ".table",
        "journeys": ".reading",
    },
)
