"""Promises of the house that an audit holds cases against."""

from __future__ import annotations

import attrs

from crmcore.documents import Document
from crmcore.metrics.scalars import above, share_of

__all__ = ["AuditTargets"]


@attrs.frozen(kw_only=True)
class AuditTargets(Document):
    """What counts as fulfilled: promises of the house, for the standard sets no numbers.

    Parameters
    ----------
    share : share
        Of cases that must fulfil a clause.
    acknowledged_hours, responded_hours, closed_days : time from opening
    """

    share: float = 0.9
    acknowledged_hours: float = 24.0
    responded_hours: float = 72.0
    closed_days: float = 30.0

    def __attrs_post_init__(self) -> None:
        share_of("share", self.share, hint="write 90 % as 0.9")
        for name in ("acknowledged_hours", "responded_hours", "closed_days"):
            above(name, getattr(self, name), hint="time from opening")
