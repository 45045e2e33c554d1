"""What customers need: latent classes of mixed answers and behaviour, and how well two groupings agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.needs.agreement import adjusted_rand
    from crmcore.idic.differentiate.needs.choosing import ClassChoice, choose_classes
    from crmcore.idic.differentiate.needs.classes import ClassMembers, LatentClasses, LatentClassModel
    from crmcore.idic.differentiate.needs.content import ContentLog, assign_content
    from crmcore.idic.differentiate.needs.drivers import ClassDriver, ClassDrivers, class_drivers
    from crmcore.idic.differentiate.needs.inputs import InputContribution, input_contributions
    from crmcore.idic.differentiate.needs.intervals import ClassIntervals, class_intervals
    from crmcore.idic.differentiate.needs.stability import ClassStability, class_stability

__all__ = [
    "ClassChoice",
    "ClassDriver",
    "ClassDrivers",
    "ClassIntervals",
    "ClassMembers",
    "ClassStability",
    "ContentLog",
    "InputContribution",
    "LatentClassModel",
    "LatentClasses",
    "adjusted_rand",
    "assign_content",
    "choose_classes",
    "class_drivers",
    "class_intervals",
    "class_stability",
    "input_contributions",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ClassChoice": ".choosing",
        "choose_classes": ".choosing",
        "ClassDriver": ".drivers",
        "ClassDrivers": ".drivers",
        "class_drivers": ".drivers",
        "ClassIntervals": ".intervals",
        "class_intervals": ".intervals",
        "ClassStability": ".stability",
        "class_stability": ".stability",
        "InputContribution": ".inputs",
        "input_contributions": ".inputs",
        "ContentLog": ".content",
        "assign_content": ".content",
        "ClassMembers": ".classes",
        "LatentClassModel": ".classes",
        "LatentClasses": ".classes",
        "adjusted_rand": ".agreement",
    },
)
