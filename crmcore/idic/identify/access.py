"""Who may see what: role views over a profile, as data, with an audit that names fields and never values."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmcore._base import mask, named
from crmcore.errors import AccessDenied, EmptyInput, UnknownName, WrongType
from crmcore.stores import Event, EventStore

__all__ = ["AccessPolicy", "AuditEntry", "AccessGate", "RoleView", "Visibility"]

AUDIT = "audit:access"


class Visibility(enum.StrEnum):
    """How a role sees a field."""

    SHOWN = "shown"
    MASKED = "masked"  # first letter or last digits
    HIDDEN = "hidden"  # as if it were not there
    REFUSED = "refused"  # asking is an error


VISIBLE = (Visibility.SHOWN, Visibility.MASKED)


def _seen(given: Mapping[str, Visibility | str]) -> dict[str, Visibility]:
    return {field: _visibility(how) for field, how in given.items()}


def _visibility(given: Visibility | str) -> Visibility:
    if given not in tuple(Visibility):
        raise UnknownName("visibility", str(given), tuple(v.value for v in Visibility))
    return Visibility(given)


def _names(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen
class RoleView:
    """What one role sees: a visibility per field, and one for all fields that it does not name.

    Parameters
    ----------
    role : text
    fields : field -> Visibility
    otherwise : Visibility
        Default refused: a field that nobody thought of stays closed.
    purposes : names
        What the role may say it asks for; empty means it need not say.

    Examples
    --------
    >>> RoleView("service", {"name": "shown", "phone": "masked"}).how("margin")
    <Visibility.REFUSED: 'refused'>
    """

    role: str
    fields: Mapping[str, Visibility] = attrs.field(converter=_seen)
    otherwise: Visibility = attrs.field(default=Visibility.REFUSED, converter=_visibility)
    purposes: tuple[str, ...] = attrs.field(default=(), converter=_names)

    def how(self, field: str) -> Visibility:
        """Visibility of one field."""
        return self.fields.get(field, self.otherwise)

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        fields = {f: str(v) for f, v in self.fields.items()}
        return {"role": self.role, "fields": fields, "otherwise": str(self.otherwise), "purposes": list(self.purposes)}


@attrs.frozen
class _PlainView:
    role: str
    fields: dict[str, str]
    otherwise: str = str(Visibility.REFUSED)
    purposes: list[str] = attrs.field(factory=list)


@attrs.frozen
class AuditEntry:
    """One question that was asked: who, under which role, when, about whom, which fields, and how each was answered."""

    who: str
    role: str
    when: datetime
    customer: str
    fields: Mapping[str, Visibility]
    purpose: str


def _views(given: Iterable[RoleView]) -> tuple[RoleView, ...]:
    return tuple(given)


@attrs.frozen
class AccessPolicy:
    """The views of all roles.

    Examples
    --------
    >>> policy = AccessPolicy([RoleView("service", {"name": "shown"}), RoleView("finance", {"margin": "shown"})])
    >>> AccessPolicy.from_dict(policy.to_dict()) == policy
    True
    """

    views: tuple[RoleView, ...] = attrs.field(converter=_views)

    def __attrs_post_init__(self) -> None:
        names = [v.role for v in self.views]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise WrongType("views", f"two views for {', '.join(twice)}", "one view per role", "merge them")

    def view(self, role: str) -> RoleView:
        """View of one role."""
        return named(self.views, "role", role, what="role")

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {"views": [v.to_dict() for v in self.views]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> AccessPolicy:
        """Policy from what `to_dict` wrote."""
        import cattrs

        views = cattrs.structure(plain["views"], list[_PlainView])
        return cls([RoleView(v.role, v.fields, v.otherwise, v.purposes) for v in views])


@attrs.frozen
class AccessGate:
    """The one way to a customer's values for staff: every question passes a role view and leaves an audit entry.

    The audit is written before anything is answered, so that no answer goes without its entry, and a refused question
    is in it too.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.stores import MemoryStore
    >>> service = RoleView("service", {"name": "shown", "phone": "masked"}, "hidden")
    >>> gate = AccessGate(AccessPolicy([service]), MemoryStore())
    >>> facts = {"name": "Ann Lee", "phone": "0812345678", "margin": 0.4}
    >>> now = datetime(2026, 5, 1, tzinfo=UTC)
    >>> gate.read("c7", facts, role="service", who="staff-12", now=now)
    {'name': 'Ann Lee', 'phone': '•••78'}
    >>> {field: how.value for field, how in gate.audit()[0].fields.items()}
    {'name': 'shown', 'phone': 'masked', 'margin': 'hidden'}
    """

    policy: AccessPolicy
    store: EventStore

    def read(
        self,
        customer: str,
        values: Mapping[str, object],
        *,
        role: str,
        who: str,
        now: datetime,
        fields: Iterable[str] | None = None,
        purpose: str = "",
    ) -> dict[str, object]:
        """Values of one customer as this role may see them.

        Parameters
        ----------
        values : field -> value
            `profile.values()`, or any facts about the customer.
        fields : names, optional
            What is asked for; default all of `values`. Then refused fields are left out rather than refused, for the
            role did not ask for one by name.

        Raises
        ------
        AccessDenied
            A field that was named is refused to this role, or the purpose is not one of its purposes.
        """
        view = self.policy.view(role)
        named = tuple(fields) if fields is not None else None
        if named is not None and not named:
            raise EmptyInput("fields", "name at least one field, or leave the argument out for all")
        asked = named if named is not None else tuple(values)
        how = {f: view.how(f) for f in asked}
        bad_purpose = bool(view.purposes) and purpose not in view.purposes
        if bad_purpose:
            how = dict.fromkeys(asked, Visibility.REFUSED)
        self._note(customer, how, role, who, now, purpose)
        if bad_purpose:
            raise AccessDenied(role, f"purpose {purpose or '(none)'}", view.purposes)
        refused = [f for f in asked if how[f] is Visibility.REFUSED]
        if refused and named is not None:
            allowed = tuple(f for f, v in view.fields.items() if v in VISIBLE)
            raise AccessDenied(role, ", ".join(refused), allowed)
        return {f: _shown(values[f], how[f]) for f in asked if f in values and how[f] in VISIBLE}

    def _note(
        self, customer: str, how: Mapping[str, Visibility], role: str, who: str, now: datetime, purpose: str
    ) -> None:
        version = self.store.version(AUDIT)
        answered: dict[str, object] = {f: str(v) for f, v in how.items()}
        data: dict[str, object] = {"role": role, "customer": customer, "fields": answered, "purpose": purpose}
        event = Event(id=f"{AUDIT}:{version + 1}", type="profile read", time=now, data=data, actor=who)
        self.store.append(AUDIT, [event], expected=version)

    def audit(self, *, customer: str | None = None, who: str | None = None) -> tuple[AuditEntry, ...]:
        """Every question that was asked, in order; of one customer or one person of the staff where named."""
        entries = (_entry(e) for e in self.store.read(AUDIT))
        return tuple(e for e in entries if customer in (None, e.customer) and who in (None, e.who))


def _entry(event: Event) -> AuditEntry:
    fields = event.data["fields"]
    assert isinstance(fields, Mapping)  # written by `_note`
    seen = {str(f): Visibility(str(v)) for f, v in fields.items()}
    return AuditEntry(
        event.actor, str(event.data["role"]), event.time, str(event.data["customer"]), seen, str(event.data["purpose"])
    )


def _shown(value: object, how: Visibility) -> object:
    if how is Visibility.SHOWN:
        return value
    return tuple(mask(v) for v in value) if isinstance(value, tuple | list) else mask(value)
