"""Compliments: a case type of their own with a clock, thanks in proportion, and reuse under a permission.

`compliment` is the workflow (unanswered after 24 hours it is flagged), `draft_thanks` proposes varied thanks, and
`amplify` shows a compliment where its author permits it. The ledger of permissions is `crmcore.lifecycle.Permissions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.lifecycle.permissions import Permission, Permissions, ReuseList, reuse_permission
    from crmcore.recovery.cases.definitions import compliment
    from crmcore.recovery.compliments.answering import Unanswered, amplify, unanswered
    from crmcore.recovery.compliments.thanking import ThankYou, draft_thanks, praised_in

__all__ = [
    "Permission",
    "Permissions",
    "ReuseList",
    "ThankYou",
    "Unanswered",
    "amplify",
    "compliment",
    "draft_thanks",
    "praised_in",
    "reuse_permission",
    "unanswered",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Permission": "crmcore.lifecycle.permissions",
        "Permissions": "crmcore.lifecycle.permissions",
        "ReuseList": "crmcore.lifecycle.permissions",
        "ThankYou": ".thanking",
        "Unanswered": ".answering",
        "amplify": ".answering",
        "compliment": "crmcore.recovery.cases.definitions",
        "draft_thanks": ".thanking",
        "praised_in": ".thanking",
        "reuse_permission": "crmcore.lifecycle.permissions",
        "unanswered": ".answering",
    },
)
