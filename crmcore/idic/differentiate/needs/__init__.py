"""What customers need: latent classes of mixed answers and behaviour, and how well two groupings agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.needs.agreement import adjusted_rand
    from crmcore.idic.differentiate.needs.classes import ClassMembers, LatentClasses, LatentClassModel

__all__ = ["ClassMembers", "LatentClassModel", "LatentClasses", "adjusted_rand"]

__getattr__ = lazy_names(
    __name__,
    {
        "ClassMembers": ".classes",
        "LatentClassModel": ".classes",
        "LatentClasses": ".classes",
        "adjusted_rand": ".agreement",
    },
)
