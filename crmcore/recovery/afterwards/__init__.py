"""After a recovery: what customers feel and do, whether it was worth it, and what each of three sides learns.

Surveys fall due by a `FollowUpPlan`, `before_after` and `paradox` test what changed, `ally_rate` counts who came back
to speak for the brand, `value_of_handling` and `cost_of_silence` say what is at stake, `Views` move customer, causes
and employees by one event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.afterwards.allies import AllyRate, ally_rate
    from crmcore.recovery.afterwards.chains import Moment, OutcomeChain, OutcomeState
    from crmcore.recovery.afterwards.closing import CaseClosed, Updates, Views, updates_of
    from crmcore.recovery.afterwards.evaluating import BeforeAfter, before_after
    from crmcore.recovery.afterwards.following import FollowUp, FollowUpPlan
    from crmcore.recovery.afterwards.paradoxes import Paradox, ParadoxRow, paradox
    from crmcore.recovery.afterwards.silence import SilenceCost, cost_of_silence, value_of_handling

_WHERE = {
    ".allies": ("AllyRate", "ally_rate"),
    ".chains": ("Moment", "OutcomeChain", "OutcomeState"),
    ".closing": ("CaseClosed", "Updates", "Views", "updates_of"),
    ".evaluating": ("BeforeAfter", "before_after"),
    ".following": ("FollowUp", "FollowUpPlan"),
    ".paradoxes": ("Paradox", "ParadoxRow", "paradox"),
    ".silence": ("SilenceCost", "cost_of_silence", "value_of_handling"),
}

__all__ = [
    "AllyRate",
    "BeforeAfter",
    "CaseClosed",
    "FollowUp",
    "FollowUpPlan",
    "Moment",
    "OutcomeChain",
    "OutcomeState",
    "Paradox",
    "ParadoxRow",
    "SilenceCost",
    "Updates",
    "Views",
    "ally_rate",
    "before_after",
    "cost_of_silence",
    "paradox",
    "updates_of",
    "value_of_handling",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
