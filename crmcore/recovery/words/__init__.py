"""Words of recovery: what an answer to a complaint holds, shows and may not say, and who may write it.

`review_reply` joins the checks: the checklist, truth (fault and cause), private data, the distress gate, and the score
of empathy and urgency. They read English and short Thai phrases; a text in another language is "not understood" and
never passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.words.checklist import REQUIRED, ReplyCheck, ReplyItem, check_reply
    from crmcore.recovery.words.distress import Distress, DistressLevel, Gate, gate_automation, read_distress
    from crmcore.recovery.words.private import PrivateData, find_private, redact
    from crmcore.recovery.words.private_patterns import PrivateKind
    from crmcore.recovery.words.review import ReplyReview, review_reply
    from crmcore.recovery.words.scoring import ReplyScore, rank_replies, score_reply
    from crmcore.recovery.words.truth import Cause, Truth, check_truth, explain_cause
    from crmcore.values.words import Fault

_WHERE = {
    ".checklist": ("REQUIRED", "ReplyCheck", "ReplyItem", "check_reply"),
    ".distress": ("Distress", "DistressLevel", "Gate", "gate_automation", "read_distress"),
    ".private": ("PrivateData", "find_private", "redact"),
    ".private_patterns": ("PrivateKind",),
    ".review": ("ReplyReview", "review_reply"),
    ".scoring": ("ReplyScore", "rank_replies", "score_reply"),
    ".truth": ("Cause", "Truth", "check_truth", "explain_cause"),
    "crmcore.values.words": ("Fault",),
}

__all__ = [
    "REQUIRED",
    "Cause",
    "Distress",
    "DistressLevel",
    "Fault",
    "Gate",
    "PrivateData",
    "PrivateKind",
    "ReplyCheck",
    "ReplyItem",
    "ReplyReview",
    "ReplyScore",
    "Truth",
    "check_reply",
    "check_truth",
    "explain_cause",
    "find_private",
    "gate_automation",
    "rank_replies",
    "read_distress",
    "redact",
    "review_reply",
    "score_reply",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
