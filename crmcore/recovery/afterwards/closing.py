"""Closing a case moves three views at once: what the customer has, what causes cost, what employees did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import attrs

from crmcore._base import aware, html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import ConflictingConstraints, OutOfRange, UnknownName
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.means import Moments
from crmcore.metrics.proportions import Counts
from crmcore.recovery.afterwards.chains import OutcomeState
from crmcore.values import Money
from crmcore.values.words import word

__all__ = ["CaseClosed", "CauseView", "CustomerView", "EmployeeView", "Updates", "Views", "updates_of"]

_CONTENT = {OutcomeState.PLEASED: 1, OutcomeState.KEPT: 1, OutcomeState.ALLY: 1}
_NOT = {OutcomeState.DISPLEASED: 0, OutcomeState.LOST: 0, OutcomeState.UNANSWERED: 0}


def _outcome(value: OutcomeState | str) -> OutcomeState:
    return word(OutcomeState, value, "outcome")


def _copy(value: Mapping[str, str]) -> Mapping[str, str]:
    return dict(value)


@attrs.frozen(kw_only=True)
class CaseClosed(Document):
    """The event that all three views learn from.

    Parameters
    ----------
    id : text
        Of the event: the same id again changes nothing.
    case, customer, employee : text
        Employee: who closed it; empty where a machine did.
    at : aware datetime
    outcome : OutcomeState
        As the customer left it.
    failure : text
    causes : name -> value
        What is known of the case: `{"carrier": "C7", "region": "R5"}`.
    minutes : minutes, optional
        Of work.
    cost : Money, optional
        Of remedies.
    hard : truth
        A case after which support is due to the employee.
    """

    id: str
    case: str
    customer: str = attrs.field(repr=mask)
    at: datetime = attrs.field(validator=aware)
    outcome: OutcomeState = attrs.field(converter=_outcome)
    failure: str
    causes: Mapping[str, str] = attrs.field(factory=dict, converter=_copy)
    employee: str = attrs.field(default="", repr=mask)
    minutes: float | None = None
    cost: Money | None = None
    hard: bool = False

    def __attrs_post_init__(self) -> None:
        if self.minutes is not None and not 0 <= self.minutes < float("inf"):
            raise OutOfRange("minutes", self.minutes, "0 or more", "None where nobody measured")

    @property
    def content(self) -> Counts:
        """One customer of one content, none of one; none of none where the outcome does not say."""
        if self.outcome in _CONTENT:
            return Counts(1, 1)
        return Counts(0, 1) if self.outcome in _NOT else Counts()


@attrs.frozen(kw_only=True)
class CustomerView(Document):
    """What one customer's cases have come to; addable."""

    cases: int = 0
    content: Counts = attrs.field(factory=Counts)
    last_at: datetime | None = None
    last_id: str = ""
    last: OutcomeState | None = None
    cost_minor: Mapping[str, int] = attrs.field(factory=dict)

    def __add__(self, other: CustomerView) -> CustomerView:
        newer = max(
            (self, other), key=lambda v: (v.last_at is not None, v.last_at and v.last_at.timestamp(), v.last_id)
        )
        cost = {
            c: self.cost_minor.get(c, 0) + other.cost_minor.get(c, 0)
            for c in sorted({*self.cost_minor, *other.cost_minor})
        }
        return CustomerView(
            cases=self.cases + other.cases, content=self.content + other.content, last_at=newer.last_at,
            last_id=newer.last_id, last=newer.last, cost_minor=cost,
        )  # fmt: skip


@attrs.frozen(kw_only=True)
class CauseView(Document):
    """Cases of one cause, and how they ended; addable."""

    cases: int = 0
    content: Counts = attrs.field(factory=Counts)

    def __add__(self, other: CauseView) -> CauseView:
        return CauseView(cases=self.cases + other.cases, content=self.content + other.content)


@attrs.frozen(kw_only=True)
class EmployeeView(Document):
    """What one employee did; addable up to the rounding of the spread of minutes."""

    cases: int = 0
    content: Counts = attrs.field(factory=Counts)
    minutes: Moments = attrs.field(factory=Moments)
    hard: int = 0

    def __add__(self, other: EmployeeView) -> EmployeeView:
        return EmployeeView(
            cases=self.cases + other.cases, content=self.content + other.content, minutes=self.minutes + other.minutes,
            hard=self.hard + other.hard,
        )  # fmt: skip


@attrs.frozen(kw_only=True)
class Updates:
    """What one closing adds to each side."""

    customer: tuple[str, CustomerView] = attrs.field(repr=lambda pair: f"({mask(pair[0])!r}, ...)")
    causes: tuple[tuple[str, CauseView], ...]
    employee: tuple[str, EmployeeView] | None = attrs.field(
        repr=lambda p: "None" if p is None else f"({mask(p[0])!r}, ...)"
    )


def updates_of(event: CaseClosed) -> Updates:
    """What one closing adds to customer, causes and employee.

    Examples
    --------
    >>> from datetime import UTC
    >>> event = CaseClosed(id="e1", case="c1", customer="ann", at=datetime(2026, 6, 1, tzinfo=UTC), outcome="pleased",
    ...     failure="late parcel", causes={"carrier": "C7"}, employee="bob", minutes=12.0)
    >>> told = updates_of(event)
    >>> told.customer[1].content, [name for name, _ in told.causes], told.employee[1].minutes.mean
    (Counts(k=1, n=1), ['carrier = C7', 'failure = late parcel'], 12.0)
    """
    customer = CustomerView(
        cases=1, content=event.content, last_at=event.at, last_id=event.id, last=event.outcome,
        cost_minor={} if event.cost is None else {event.cost.currency: event.cost.amount_minor},
    )  # fmt: skip
    names = [f"{k} = {v}" for k, v in sorted({**event.causes, "failure": event.failure}.items())]
    cause = CauseView(cases=1, content=event.content)
    worked = Moments() if event.minutes is None else Moments.of([event.minutes])
    employee = EmployeeView(cases=1, content=event.content, minutes=worked, hard=int(event.hard))
    return Updates(
        customer=(event.customer, customer),
        causes=tuple((name, cause) for name in names),
        employee=(event.employee, employee) if event.employee else None,
    )


def _frozen(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(value))


@attrs.frozen(repr=False, kw_only=True)
class Views:
    """The three views after some closings: a fold, so that replaying gives the same.

    Parameters
    ----------
    customers, causes, employees : name -> view
    events : id -> event
        What has been folded; an id that comes again with other content is refused.

    Examples
    --------
    >>> from datetime import UTC
    >>> event = CaseClosed(id="e1", case="c1", customer="ann", at=datetime(2026, 6, 1, tzinfo=UTC), outcome="pleased",
    ...     failure="late parcel", causes={"carrier": "C7"}, employee="bob", minutes=12.0)
    >>> views = Views().after(event).after(event)
    >>> views, views.customers["ann"].last.value, views.causes["carrier = C7"].cases, views.employees["bob"].cases
    (Views(1 closing, 1 customer, 2 causes, 1 employee), 'pleased', 1, 1)
    """

    customers: Mapping[str, CustomerView] = attrs.field(factory=dict, converter=_frozen)
    causes: Mapping[str, CauseView] = attrs.field(factory=dict, converter=_frozen)
    employees: Mapping[str, EmployeeView] = attrs.field(factory=dict, converter=_frozen)
    events: Mapping[str, CaseClosed] = attrs.field(factory=dict, converter=_frozen)

    def __repr__(self) -> str:
        parts = (
            ("closing", self.events),
            ("customer", self.customers),
            ("cause", self.causes),
            ("employee", self.employees),
        )
        told = [f"{len(m)} {name}" + ("" if len(m) == 1 else "s") for name, m in parts]
        return f"Views({', '.join(told)})"

    def after(self, *events: CaseClosed) -> Views:
        """The views after more closings; those that were folded before change nothing."""
        return _folded(self, events)

    @classmethod
    def replay(cls, events: Iterable[CaseClosed]) -> Views:
        """The views of all closings, in whatever order they come."""
        found = listed(events, "events", CaseClosed, what="closings", hint="CaseClosed(id='e1', case='c1', ...)")
        return _folded(cls(), sorted(found, key=lambda e: (e.at, e.id)))

    def content_by_cause(self, cause: str, *, level: float = 0.95) -> Estimate:
        """Share of content customers among the cases of a cause whose outcome says."""
        if cause not in self.causes:
            raise UnknownName("cause", cause, tuple(sorted(self.causes)))
        return self.causes[cause].content.estimate(level=level, rule=f"content / cases, {cause}", small_sample_ok=True)

    def _table(self) -> list[dict[str, Any]]:
        sides: tuple[tuple[str, Mapping[str, Any]], ...] = (("cause", self.causes), ("employee", self.employees))
        return [
            {"side": side, "name": name, "cases": v.cases, "content": v.content.k, "said": v.content.n}
            for side, views in sides
            for name, v in sorted(views.items(), key=lambda item: (-item[1].cases, item[0]))
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a cause and one an employee: side, name, cases, content, said (of how many the outcome says)."""
        rows = self._table()
        names = ("side", "name", "cases", "content", "said")
        return write_frame({n: [row[n] for row in rows] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        shown = [row for row in self._table() if row["side"] == "cause"]
        return html_table(shown, caption=repr(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: the events, from which the views follow."""
        return {"events": [e.to_dict() for _, e in sorted(self.events.items())]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], /) -> Views:
        """Replay what `to_dict` wrote."""
        return cls.replay([CaseClosed.from_dict(e) for e in document["events"]])


def _folded(views: Views, events: Iterable[CaseClosed]) -> Views:
    customers, causes = dict(views.customers), dict(views.causes)
    employees, seen = dict(views.employees), dict(views.events)
    for event in events:
        if event.id in seen:
            if seen[event.id] != event:
                hint = "give the new closing an id of its own"
                raise ConflictingConstraints("two closings under one id", (event.id,), hint)
            continue
        seen[event.id] = event
        told = updates_of(event)
        name, customer = told.customer
        customers[name] = customers.get(name, CustomerView()) + customer
        for cause, view in told.causes:
            causes[cause] = causes.get(cause, CauseView()) + view
        if told.employee is not None:
            who, work = told.employee
            employees[who] = employees.get(who, EmployeeView()) + work
    return Views(customers=customers, causes=causes, employees=employees, events=seen)
