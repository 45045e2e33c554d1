"""Wandering: what is around a customer, how far journeys stray, and whether order matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.touchpoints.wandering.surroundings import Ecology, ecology, ecology_of_events
    from crmcore.touchpoints.wandering.turns import OrderEffect, OrderEffects, Wandering, order_effects, wandering

__all__ = [
    "Ecology",
    "OrderEffect",
    "OrderEffects",
    "Wandering",
    "ecology",
    "ecology_of_events",
    "order_effects",
    "wandering",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Ecology": ".surroundings",
        "OrderEffect": ".turns",
        "OrderEffects": ".turns",
        "Wandering": ".turns",
        "ecology": ".surroundings",
        "ecology_of_events": ".surroundings",
        "order_effects": ".turns",
        "wandering": ".turns",
    },
)
