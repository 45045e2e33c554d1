"""Sessions under named rules: cut, stream, measure, and explain why two tools differ.

A session rule is data (`SessionRule`), a tool's rule has a name (`PROFILES`). `sessionize` cuts a table of events,
`SessionStream` follows events one by one and corrects itself when late ones arrive, `compare_rules` explains every
difference between two rules, `under_rules` shows one log under several, and `session_codes` is the kernel over arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.touchpoints.sessions.comparing import RuleComparison, RuleTable, compare_rules, under_rules
    from crmcore.touchpoints.sessions.cutting import sessionize
    from crmcore.touchpoints.sessions.kernel import SessionCodes, session_codes
    from crmcore.touchpoints.sessions.ordering import group_order
    from crmcore.touchpoints.sessions.profiles import PROFILES, session_rule, session_rules
    from crmcore.touchpoints.sessions.result import Intake, Sessions
    from crmcore.touchpoints.sessions.rule import BounceRule, EngagedRule, SessionRule
    from crmcore.touchpoints.sessions.step import Cause
    from crmcore.touchpoints.sessions.stream import SessionStream
    from crmcore.touchpoints.sessions.stream_records import ChangeKind, SessionChange, SessionRecord, apply_changes

__all__ = [
    "PROFILES",
    "BounceRule",
    "Cause",
    "ChangeKind",
    "EngagedRule",
    "Intake",
    "RuleComparison",
    "RuleTable",
    "SessionChange",
    "SessionCodes",
    "SessionRecord",
    "SessionRule",
    "SessionStream",
    "Sessions",
    "apply_changes",
    "compare_rules",
    "group_order",
    "session_codes",
    "session_rule",
    "session_rules",
    "sessionize",
    "under_rules",
]

__getattr__ = lazy_names(
    __name__,
    {
        "PROFILES": ".profiles",
        "BounceRule": ".rule",
        "Cause": ".step",
        "ChangeKind": ".stream_records",
        "EngagedRule": ".rule",
        "Intake": ".result",
        "RuleComparison": ".comparing",
        "RuleTable": ".comparing",
        "SessionChange": ".stream_records",
        "SessionCodes": ".kernel",
        "SessionRecord": ".stream_records",
        "SessionRule": ".rule",
        "SessionStream": ".stream",
        "Sessions": ".result",
        "apply_changes": ".stream_records",
        "compare_rules": ".comparing",
        "group_order": ".ordering",
        "session_codes": ".kernel",
        "session_rule": ".profiles",
        "session_rules": ".profiles",
        "sessionize": ".cutting",
        "under_rules": ".comparing",
    },
)
