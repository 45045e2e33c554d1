"""Sessions under named rules: cut, stream, measure, and explain why two tools differ.

A session rule is data (`SessionRule`), a tool's rule has a name (`PROFILES`). `sessionize` cuts a table of events,
`SessionStream` follows events one by one and corrects itself when late ones arrive, `compare_rules` explains every
difference between two rules, and `session_codes` is the kernel over arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.touchpoints.sessions.cutting import sessionize
    from crmcore.touchpoints.sessions.kernel import SessionCodes, session_codes
    from crmcore.touchpoints.sessions.ordering import group_order
    from crmcore.touchpoints.sessions.profiles import PROFILES, session_rule, session_rules
    from crmcore.touchpoints.sessions.result import Intake, Sessions
    from crmcore.touchpoints.sessions.rule import BounceRule, EngagedRule, SessionRule
    from crmcore.touchpoints.sessions.step import Cause

__all__ = [
    "PROFILES",
    "BounceRule",
    "Cause",
    "EngagedRule",
    "Intake",
    "SessionCodes",
    "SessionRule",
    "Sessions",
    "group_order",
    "session_codes",
    "session_rule",
    "session_rules",
    "sessionize",
]

__getattr__ = lazy_names(
    __name__,
    {
        "PROFILES": ".profiles",
        "BounceRule": ".rule",
        "Cause": ".step",
        "EngagedRule": ".rule",
        "Intake": ".result",
        "SessionCodes": ".kernel",
        "SessionRule": ".rule",
        "Sessions": ".result",
        "group_order": ".ordering",
        "session_codes": ".kernel",
        "session_rule": ".profiles",
        "session_rules": ".profiles",
        "sessionize": ".cutting",
    },
)
