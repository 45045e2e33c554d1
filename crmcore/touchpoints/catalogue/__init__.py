"""What touchpoints are: owned, earned, shared or paid; physical or digital; before, during or after a purchase.

A `Catalogue` is data, `standard()` has well-known touchpoints and is meant to be edited; `arrivals` reads tags and
referrers of web visits by rules; `platform_matrix` says which platform serves which purpose; `social_item` sorts what
is said there by concept, medium and social interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.touchpoints.catalogue.arriving import Arrival, ArrivalRule, arrivals, read_arrival
    from crmcore.touchpoints.catalogue.entries import Catalogue, Classified, Touchpoint
    from crmcore.touchpoints.catalogue.items import SocialItem, social_item, social_items
    from crmcore.touchpoints.catalogue.kinds import Form, Media, Phase
    from crmcore.touchpoints.catalogue.phasing import phases
    from crmcore.touchpoints.catalogue.platforms import Platform, PlatformChoice, PlatformMatrix, platform_matrix
    from crmcore.touchpoints.catalogue.well_known import standard

_WHERE = {
    ".arriving": ("Arrival", "ArrivalRule", "arrivals", "read_arrival"),
    ".entries": ("Catalogue", "Classified", "Touchpoint"),
    ".items": ("SocialItem", "social_item", "social_items"),
    ".kinds": ("Form", "Media", "Phase"),
    ".phasing": ("phases",),
    ".platforms": ("Platform", "PlatformChoice", "PlatformMatrix", "platform_matrix"),
    ".well_known": ("standard",),
}

__all__ = [
    "Arrival",
    "ArrivalRule",
    "Catalogue",
    "Classified",
    "Form",
    "Media",
    "Phase",
    "Platform",
    "PlatformChoice",
    "PlatformMatrix",
    "SocialItem",
    "Touchpoint",
    "arrivals",
    "phases",
    "platform_matrix",
    "read_arrival",
    "social_item",
    "social_items",
    "standard",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
