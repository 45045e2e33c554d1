"""Compliments: a case type of their own with a clock, thanks in proportion, and reuse under a permission.

`compliment` is the workflow (unanswered after 24 hours it is flagged), `draft_thanks` proposes varied thanks, and
`amplify` shows a compliment where its author permits it. The ledger of permissions is `crmcore.lifecycle.Permissions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.compliments.case_type import Unanswered, amplify, compliment, unanswered
    from crmcore.recovery.compliments.thanking import ThankYou, draft_thanks, praised_in

__all__ = ["ThankYou", "Unanswered", "amplify", "compliment", "draft_thanks", "praised_in", "unanswered"]

__getattr__ = lazy_names(
    __name__,
    {
        "ThankYou": ".thanking",
        "Unanswered": ".case_type",
        "amplify": ".case_type",
        "compliment": ".case_type",
        "draft_thanks": ".thanking",
        "praised_in": ".thanking",
        "unanswered": ".case_type",
    },
)
