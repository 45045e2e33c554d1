"""Compliments that wait for a thank you, and those that are shown to others with permission."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import attrs

from crmcore._base import check_aware, html_table
from crmcore._frames import write_frame
from crmcore.lifecycle import Accepted, Cases, Command, Permissions, Refused, advance
from crmcore.lifecycle.timing import workflow_of
from crmcore.recovery.cases.definitions import FLAGGED

__all__ = ["Unanswered", "amplify", "unanswered"]


@attrs.frozen(kw_only=True)
class Unanswered:
    """Compliments that nobody has thanked for in time, longest overdue first, ties by id.

    Attributes
    ----------
    at : aware datetime
    ids : case ids
    due_at : aware datetimes
        When each should have been answered.
    waiting : count
        Compliments that are not answered but still in time.
    """

    at: datetime
    ids: tuple[str, ...]
    due_at: tuple[datetime, ...]
    waiting: int

    def __len__(self) -> int:
        return len(self.ids)

    def __str__(self) -> str:
        lines = [f"unanswered compliments: {len(self)}, still in time: {self.waiting}"]
        pairs = zip(self.ids, self.due_at, strict=True)
        return "\n".join(
            [*lines, *(f"  {i}: due {due:%Y-%m-%d %H:%M}, {_span(self.at - due)} over" for i, due in pairs)]
        )

    def _rows(self) -> list[dict[str, object]]:
        return [
            {"case": i, "due_at": due, "minutes_over": (self.at - due).total_seconds() / 60}
            for i, due in zip(self.ids, self.due_at, strict=True)
        ]

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=str(self).partition("\n")[0])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a case: case, due_at, minutes_over."""
        rows = self._rows()
        return write_frame({k: [r[k] for r in rows] for k in ("case", "due_at", "minutes_over")}, backend=backend)


def _span(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d"


def unanswered(cases: Cases, *, now: datetime) -> Unanswered:
    """Compliments that are overdue for a thank you at an instant; nothing is written (`Cases.fire` keeps the flags).

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.recovery.compliments import compliment
    >>> from crmcore.stores import MemoryStore
    >>> cases = Cases(MemoryStore(), [compliment()])
    >>> opened = cases.open("compliment", "c1", at=datetime(2026, 6, 1, 9, tzinfo=UTC), data={"channel": "web"})
    >>> print(unanswered(cases, now=datetime(2026, 6, 2, 15, tzinfo=UTC)))
    unanswered compliments: 1, still in time: 0
      c1: due 2026-06-02 09:00, 6.0 h over
    """
    check_aware(now, "now")
    late, waiting = [], 0
    for case in cases:
        if case.workflow != "compliment" or case.state != "open" or case.opened_at > now:
            continue
        flow = workflow_of(case, cases.workflows)
        if case.data.get(FLAGGED):
            fired = next(e.time for e in cases.store.read(f"case:{case.id}") if e.type == "flagged unanswered")
            late.append((fired, case.id))
            continue
        events = advance(flow, case, now, calendars=cases.calendars).events
        if events:
            late.append((events[0].time, case.id))
        else:
            waiting += 1
    late.sort()
    return Unanswered(at=now, ids=tuple(i for _, i in late), due_at=tuple(due for due, _ in late), waiting=waiting)


def amplify(
    cases: Cases,
    permissions: Permissions,
    case_id: str,
    *,
    permission: str,
    channel: str,
    purpose: str,
    parts: Iterable[str],
    place: str,
    at: datetime,
    actor: str,
    id: str,
) -> Accepted | Refused:
    """Show a compliment somewhere: used under its permission and noted in its case, or refused with the reasons.

    Parameters
    ----------
    cases, permissions
        Where compliments and permissions are kept; the permission must be for this case's id.
    case_id, permission : text
    channel, purpose, parts, place, at, actor, id
        See `Permissions.use`.

    Raises
    ------
    UnknownName
        There is no such case, or no such permission.
    """
    case = cases.read(case_id)
    allowed = permissions.at(permission, at)
    send = Command(
        "amplify",
        {"permission": permission, "place": place, "channel": channel},
        actor=actor,
        at=at,
        id=f"{id}/{case_id}",
    )
    if allowed.content != case.id or case.state == "archived":  # refused by the case itself, so that nothing is used
        return cases.handle(case_id, send, facts={"permitted": False})
    used = permissions.use(
        permission, channel=channel, purpose=purpose, parts=parts, place=place, at=at, actor=actor, id=id
    )
    if not used.accepted:
        return used
    return cases.handle(case_id, send, facts={"permitted": True})
