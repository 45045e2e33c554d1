"""Fan pages: who made them decides what they are to the brand; fans join, leave, and are counted as of any day."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime

import attrs

from crmcore._base import check_aware, listed, mask
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows

__all__ = ["FanEvent", "FanPage", "MadeBy", "Media"]


class MadeBy(enum.StrEnum):
    """Who made a page."""

    COMPANY = "company"
    CUSTOMER = "customer"


class Media(enum.StrEnum):
    """What a page is to the brand."""

    OWNED = "owned"
    EARNED = "earned/shared"


@attrs.frozen(kw_only=True)
class FanEvent(Document):
    """Somebody joins a page, or leaves it: `joined=False`."""

    fan: str = attrs.field(repr=mask)
    at: datetime
    joined: bool = True

    def __attrs_post_init__(self) -> None:
        check_aware(self.at, "at")


def _events(value: Iterable[FanEvent]) -> tuple[FanEvent, ...]:
    return listed(value, "events", FanEvent, what="events", hint="[FanEvent(fan=..., at=...)]")


@attrs.frozen(kw_only=True)
class FanPage(Document):
    """A page, and who joined it.

    Parameters
    ----------
    id : text
    made_by : MadeBy
        Who opened it. A page that is handed over keeps its fans: `attrs.evolve(page, made_by="company")`.
    events : sequence of FanEvent

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 5, 1, tzinfo=UTC)
    >>> page = FanPage(id="p1", made_by="customer", events=[FanEvent(fan="ann", at=at)])
    >>> page.media.value, page.count(at=at), FanPage(id="p2", made_by="company").media.value
    ('earned/shared', 1, 'owned')
    """

    id: str
    made_by: MadeBy = attrs.field(converter=MadeBy)
    made_at: datetime | None = None
    events: tuple[FanEvent, ...] = attrs.field(
        default=(), repr=lambda e: f"<{len(e)}>",
        converter=_events,
    )  # fmt: skip

    def __attrs_post_init__(self) -> None:
        if self.made_at is not None:
            check_aware(self.made_at, "made_at")
            early = tuple(i for i, e in enumerate(self.events) if e.at < self.made_at)
            if early:
                raise BadRows("the fan page", (BadRow("at", "before the page was made", early),), "repair made_at")

    @property
    def media(self) -> Media:
        """Owned where the company made it, earned/shared where a customer did."""
        return Media.OWNED if self.made_by is MadeBy.COMPANY else Media.EARNED

    def fans(self, *, at: datetime) -> tuple[str, ...]:
        """Who is a fan at an instant (inclusive), by id; of two events of one instant, leaving counts."""
        check_aware(at, "at")
        now: set[str] = set()
        for e in sorted(self.events, key=lambda e: (e.at, not e.joined)):
            if e.at <= at:
                (now.add if e.joined else now.discard)(e.fan)
        return tuple(sorted(now))

    def count(self, *, at: datetime) -> int:
        """Number of fans at an instant."""
        return len(self.fans(at=at))
