"""Triggers: what happens to a customer that calls for a message, as data, for a stream or for a whole day at once.

`fire` answers for a stretch of time; one day is the same whether it is asked at once or minute by minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.interact.contact.triggers.definitions import (
        Abandoned,
        BackInStock,
        Birthday,
        Maintenance,
        NearlyOut,
        PriceDrop,
        Silence,
        trigger_from_dict,
    )
    from crmcore.idic.interact.contact.triggers.firing import fire
    from crmcore.idic.interact.contact.triggers.firings import Firings
    from crmcore.idic.interact.contact.triggers.sources import ItemTable, Sources

_WHERE = {
    ".definitions": (
        "Abandoned", "BackInStock", "Birthday", "Maintenance", "NearlyOut", "PriceDrop", "Silence", "trigger_from_dict",
    ),
    ".firing": ("fire",),
    ".firings": ("Firings",),
    ".sources": ("ItemTable", "Sources"),
}  # fmt: skip

__all__ = [
    "Abandoned",
    "BackInStock",
    "Birthday",
    "Firings",
    "ItemTable",
    "Maintenance",
    "NearlyOut",
    "PriceDrop",
    "Silence",
    "Sources",
    "fire",
    "trigger_from_dict",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
