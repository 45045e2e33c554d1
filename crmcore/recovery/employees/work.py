"""Work to hand out: what it needs, how bad it is, and when it is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import aware, check_aware, html_table, listed
from crmcore._frames import write_frame
from crmcore.calendars.calendar import BusinessCalendar
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName, WrongType
from crmcore.metrics.scalars import above, entries, real, text_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.skills import needs_of
from crmcore.values import Money, Severity

__all__ = ["ResponseTargets", "Work", "severity_of"]


def severity_of(value: object) -> Severity:
    """Severity of its word or number."""
    try:
        if isinstance(value, bool):
            raise ValueError  # True would be the worst severity
        return Severity[value.upper()] if isinstance(value, str) else Severity(value)  # type: ignore[arg-type]
    except (KeyError, ValueError):
        raise UnknownName("severity", str(value), tuple(s.name.lower() for s in Severity)) from None


@attrs.frozen(kw_only=True)
class Work(Document):
    """A case, message or call that somebody must take.

    Parameters
    ----------
    id : text
        Of the case, not of the customer.
    at : aware datetime
        When it came in.
    task : text
        Kind of work: its skills come from the desk's tasks.
    needs : mapping of skill to level
        Beside those of the task; the higher level counts.
    severity : Severity, or its word
        1 (critical) is worst.
    distress : share, optional
        How upset the customer is; for the rest rule only.
    units : number above 0
        How much of an agent's capacity it takes while it is open.
    action, amount : text and Money, optional
        What the agent must be able to decide alone.
    due : aware datetime, optional
        None: the desk's targets say.
    not_to : texts
        Agents who must not get it, such as the one it complains about.
    prefers : text
        The agent who knows the customer, taken first where eligible.
    """

    id: str
    at: datetime = attrs.field(validator=aware)
    task: str = ""
    needs: Mapping[str, int] = attrs.field(factory=dict, converter=needs_of, hash=False)
    severity: Severity = attrs.field(default=Severity.NORMAL, converter=severity_of)
    distress: float | None = None
    units: float = 1.0
    action: str = ""
    amount: Money | None = None
    due: datetime | None = attrs.field(default=None, validator=aware)
    not_to: tuple[str, ...] = attrs.field(default=(), repr=lambda names: str(len(names)))
    prefers: str = attrs.field(default="", repr=False)

    def __attrs_post_init__(self) -> None:
        text_of("id", self.id, hint="the number of the case")
        check_aware(self.at, "at")
        object.__setattr__(self, "units", above("units", self.units, hint="1 for an ordinary case"))
        names = listed(self.not_to, "not_to", str, what="texts", hint='not_to=["dao"]')
        object.__setattr__(self, "not_to", names)
        if self.distress is not None and not 0 <= real("distress", self.distress) <= 1:
            raise OutOfRange("distress", self.distress, "a share from 0 to 1", "1 is the most distressed; None unknown")
        check_kind("amount", self.amount, Money, hint="Money.of('12.50', 'THB')", optional=True)
        if self.amount is not None and not self.action:
            raise OutOfRange("action", "", "a text where there is an amount", "action='refund'")

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        zone: str | None = None,
        currency: str | None = None,
        id: str = "id",
        at: str = "at",
        task: str = "task",
        severity: str = "severity",
        distress: str = "distress",
        units: str = "units",
        action: str = "action",
        amount: str = "amount",
        due: str = "due",
        prefers: str = "prefers",
    ) -> tuple[Work, ...]:
        """Read work from a frame, one piece a row; only `id` and `at` must be there.

        Parameters
        ----------
        frame
            Any frame, or a dict of columns. Severity is a word or 1 to 4; a missing cell is the default of its field.
        zone : IANA name, optional
            Needed where times are written without one.
        currency : ISO code, optional
            Of the amounts, in major units; needed where there are any.

        Raises
        ------
        BadRows, MissingColumn
            All rows without id or time, with unknown severities, with numbers that mean nothing.

        Examples
        --------
        >>> inbox = {"id": ["m1", "m2"], "at": ["2026-06-01 09:00", "2026-06-01 09:05"], "severity": ["high", None]}
        >>> [(w.id, w.severity.name) for w in Work.from_frame(inbox, zone="Asia/Bangkok")]
        [('m1', 'HIGH'), ('m2', 'NORMAL')]
        """
        from crmcore.recovery.employees.work_frame import read_works

        names = (id, at, task, severity, distress, units, action, amount, due, prefers)
        return read_works(frame, names, zone=zone, currency=currency)


def _minutes(values: Mapping[Any, float]) -> Mapping[Severity, float]:
    given = values if isinstance(values, Mapping) else entries("minutes", values, hint='minutes={"critical": 60}')
    found = {
        severity_of(key): above(f"minutes of {severity_of(key).name.lower()}", value, hint="business minutes")
        for key, value in given.items()
    }
    return MappingProxyType({s: found[s] for s in Severity if s in found})


@attrs.frozen
class ResponseTargets:
    """How soon work must be taken up, in business minutes by severity.

    Parameters
    ----------
    hours : BusinessCalendar
        In which minutes count; promises are kept while somebody is there.
    minutes : mapping of severity (or its word) to business minutes
        A severity that is left out has the target of the next milder one that has one, else no due time.

    Examples
    --------
    >>> from crmcore.calendars import BusinessCalendar, local
    >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
    >>> targets = ResponseTargets(desk, {"critical": 60, "normal": 480})
    >>> print(targets.due(local(2026, 6, 5, 16, 30, zone="Asia/Bangkok"), severity="critical"))
    2026-06-08 09:30:00+07:00
    """

    hours: BusinessCalendar
    minutes: Mapping[Severity, float] = attrs.field(converter=_minutes, hash=False)

    def __attrs_post_init__(self) -> None:
        hours: object = self.hours
        if not isinstance(hours, BusinessCalendar):
            hint = "minutes count in a calendar: BusinessCalendar.always('UTC') never closes"
            raise WrongType("hours", f"a {type(hours).__name__}", "a BusinessCalendar", hint)

    def target_minutes(self, severity: Severity | str) -> float | None:
        """Business minutes for a severity; None where there is no target."""
        wanted = severity_of(severity)
        return next((m for s, m in self.minutes.items() if s >= wanted), None)

    def due(self, at: datetime, *, severity: Severity | str) -> datetime | None:
        """When work that came in at an instant must be taken up."""
        minutes = self.target_minutes(severity)
        return None if minutes is None else self.hours.deadline(at, minutes=minutes)

    def due_of(self, works: Iterable[Work], /) -> NDArray[np.datetime64]:
        """(n,) datetime64[us] in UTC: due times of works, their own where they have one; NaT without target."""
        items = tuple(works)
        at = np.array([_naive(w.at) for w in items], "datetime64[us]")
        target = [self.target_minutes(w.severity) for w in items]
        minutes = np.array([np.nan if m is None else m for m in target], np.float64)
        found = self.hours.deadlines(at, minutes) if items else at
        own = np.array([w.due is not None for w in items], np.bool_)
        given = np.array([None if w.due is None else _naive(w.due) for w in items], "datetime64[us]")
        return np.where(own, given, found)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"hours": self.hours.to_dict(), "minutes": {s.name.lower(): m for s, m in self.minutes.items()}}

    @classmethod
    def from_dict(cls, document: object, /) -> ResponseTargets:
        """Read what `to_dict` wrote."""
        read = _TargetsDocument.from_dict(document)
        return cls(read.hours, read.minutes)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a severity: severity, minutes."""
        columns: dict[str, list[Any]] = {
            "severity": [s.name.lower() for s in self.minutes],
            "minutes": list(self.minutes.values()),
        }
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"severity": s.name.lower(), "business minutes": m} for s, m in self.minutes.items()]
        return html_table(rows, caption=f"response targets in {self.hours.name or self.hours.zone}")


@attrs.frozen
class _TargetsDocument(Document):
    hours: BusinessCalendar
    minutes: Mapping[str, float]


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
