"""What everybody of an incident is entitled to, by thresholds: granted once, more only where more is owed."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import check_aware, html_table, listed, mask, named
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import CurrencyMismatch, DuplicateIds, EmptyInput, OutOfRange
from crmcore.ledger import Ledger, Posting, earn
from crmcore.ledger.units import Unit
from crmcore.metrics.columns import numbers, refuse
from crmcore.metrics.scalars import real
from crmcore.recovery.employees.checks import check_kind
from crmcore.values import Money
from crmcore.values.words import word

__all__ = ["Entitlement", "Entitlements", "Grant", "GrantBook", "Once", "Round"]


class Once(enum.StrEnum):
    """To whom something is given one single time."""

    CUSTOMER = "customer"
    INCIDENT = "incident"  # a public statement


def _once(value: Once | str) -> Once:
    return word(Once, value, "once for")


@attrs.frozen(kw_only=True)
class Entitlement(Document):
    """One thing that is owed from a threshold on.

    Parameters
    ----------
    id : text
    at_least : number
        In the measure of the list, such as minutes of delay; reached exactly is reached.
    amount : Money, optional
        Worth of a voucher; None for what is no money.
    once : Once
        `"customer"` or `"incident"`.
    """

    id: str
    at_least: float
    amount: Money | None = None
    once: Once = attrs.field(default=Once.CUSTOMER, converter=_once)

    def __attrs_post_init__(self) -> None:
        if not str(self.id).strip() or ":" in self.id:
            raise OutOfRange("id", self.id, "a name without a colon", "'meal voucher'")
        if not math.isfinite(real("at_least", self.at_least)):
            raise OutOfRange("at_least", self.at_least, "a finite number", "0 is owed at once")
        if self.amount is not None and self.amount.amount_minor <= 0:
            raise OutOfRange("amount", str(self.amount), "above 0", "None for what is no money")

    def __str__(self) -> str:
        worth = f" ({self.amount})" if self.amount is not None else ""
        return f"{self.id}{worth}, once {'an incident' if self.once is Once.INCIDENT else 'a customer'}"


def _items(value: Iterable[Entitlement]) -> tuple[Entitlement, ...]:
    found = listed(value, "items", Entitlement, what="entitlements", hint="Entitlement(id='lounge', at_least=180)")
    return tuple(sorted(found, key=lambda e: (e.at_least, e.id)))


@attrs.frozen(kw_only=True, repr=False)
class Entitlements(Document):
    """Thresholds of one kind of incident, as data.

    Parameters
    ----------
    name, measure : text
        `"airline delay"`, `"minutes of delay"`.
    currency : ISO 4217 code
    items : entitlements
        Kept by threshold.

    Examples
    --------
    >>> from crmcore.recovery.remedies import scripts
    >>> [e.id for e in scripts.airline_delay().due(300)]
    ['apology statement', 'meal voucher', 'lounge', 'rebooking']
    """

    name: str
    measure: str
    currency: str
    items: tuple[Entitlement, ...] = attrs.field(converter=_items)

    def __attrs_post_init__(self) -> None:
        if not self.items:
            raise EmptyInput("items", "list what is owed, and from when on")
        ids = [e.id for e in self.items]
        again = tuple(i for i, x in enumerate(ids) if x in ids[:i])
        if again:
            raise DuplicateIds("items", len(again), again, "what is given twice has two names: 'second meal voucher'")
        for e in self.items:
            if e.amount is not None and e.amount.currency != self.currency:
                raise CurrencyMismatch(self.currency, e.amount.currency)

    def __getitem__(self, id: str) -> Entitlement:
        return named(self.items, "id", id, what="entitlement")

    def __repr__(self) -> str:
        return f"Entitlements({self.name!r}, {len(self.items)} by {self.measure})"

    def __str__(self) -> str:
        return "\n".join([f"{self.name}, in {self.measure}", *(f"  from {e.at_least:g}: {e}" for e in self.items)])

    def due(self, measured: float) -> tuple[Entitlement, ...]:
        """What is owed at one value of the measure; NaN (not known yet) owes nothing."""
        value = real("measured", measured)
        return tuple(e for e in self.items if value >= e.at_least)

    def due_all(self, measured: ArrayLike) -> NDArray[np.bool_]:
        """(n, k) whether each row is owed each item, in the order of `items`; the same as `due`."""
        value = numbers("measured", measured)
        made: NDArray[np.bool_] = value[:, None] >= np.array([e.at_least for e in self.items])[None, :]
        return made

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an entitlement."""
        columns: dict[str, list[Any]] = {
            "entitlement": [e.id for e in self.items], "at_least": [e.at_least for e in self.items],
            "amount": [None if e.amount is None else str(e.amount.amount) for e in self.items],
            "once": [e.once.value for e in self.items],
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"from": e.at_least, "what": str(e)} for e in self.items], caption=repr(self))


@attrs.frozen(kw_only=True)
class Grant(Document):
    """Something that was given for the first time."""

    incident: str
    entitlement: str
    customer: str | None = attrs.field(repr=mask)
    amount: Money | None = None


@attrs.frozen(kw_only=True, repr=False)
class Round(Document):
    """What one round of granting did.

    Parameters
    ----------
    incident : text
    customers : count
    new : grants
        By entitlement and customer.
    before : count
        What was owed and had been given before.
    """

    incident: str
    customers: int
    new: tuple[Grant, ...]
    before: int

    def __repr__(self) -> str:
        return f"Round({self.incident!r}, {len(self.new)} new, {self.before} before)"

    def counts(self) -> dict[str, int]:
        """New grants by entitlement."""
        found: dict[str, int] = {}
        for g in self.new:
            found[g.entitlement] = found.get(g.entitlement, 0) + 1
        return found

    def __str__(self) -> str:
        told = ", ".join(f"{n} {name}" for name, n in self.counts().items()) or "nothing new"
        return f"incident {self.incident}, {self.customers} customers: {told}; {self.before} had been given before"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a new grant: incident, entitlement, customer, amount_minor."""
        columns: dict[str, list[Any]] = {
            "incident": [g.incident for g in self.new], "entitlement": [g.entitlement for g in self.new],
            "customer": [g.customer for g in self.new],
            "amount_minor": [None if g.amount is None else g.amount.amount_minor for g in self.new],
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"entitlement": k, "new": n} for k, n in self.counts().items()], caption=str(self))


class GrantBook:
    """Who was given what in which incident, on a ledger: each grant is one lot, so nothing is given twice.

    Parameters
    ----------
    ledger : Ledger
        Vouchers can be spent from it: the account of a grant is `GrantBook.account(...)`.
    entitlements : Entitlements
    name : text
        Before every account.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> from crmcore.recovery.remedies import scripts
    >>> from crmcore.stores import MemoryStore
    >>> book = GrantBook(Ledger(MemoryStore()), scripts.airline_delay())
    >>> night = datetime(2026, 6, 1, 20, tzinfo=UTC)
    >>> print(book.grant("AB12", ["p1", "p2"], 130, since=night))
    incident AB12, 2 customers: 1 apology statement, 2 meal voucher; 0 had been given before
    >>> print(book.grant("AB12", ["p1", "p2"], 200, since=night))
    incident AB12, 2 customers: 2 lounge; 3 had been given before
    """

    def __init__(self, ledger: Ledger, entitlements: Entitlements, *, name: str = "entitlements") -> None:
        check_kind("ledger", ledger, Ledger, hint="Ledger(SqliteStore('grants.db'))")
        check_kind("entitlements", entitlements, Entitlements, hint="Entitlements(name=..., items=[...])")
        self.ledger, self.entitlements, self.name = ledger, entitlements, name

    def __repr__(self) -> str:
        return f"GrantBook({self.entitlements!r})"

    def account(self, incident: str, entitlement: str, customer: str | None = None) -> str:
        """Account that holds one grant; of the incident where no customer is named."""
        known = self.entitlements[entitlement]
        owner = "all" if known.once is Once.INCIDENT else f"customer:{customer}"
        return f"{self.name}:{incident}:{known.id}:{owner}"

    def grant(
        self, incident: str, customers: Iterable[str], measured: float | Mapping[str, float], *, since: datetime
    ) -> Round:
        """Give everybody what is owed now and was not given before; what was given is never taken back.

        Parameters
        ----------
        incident : text
            Without a colon.
        customers : ids
            Repeated ones count once.
        measured : number, or customer -> number
            One delay of all, or each customer's own; who is missing there is owed nothing yet.
        since : aware datetime
            When the incident began: grants are booked there, so that a repeated call repeats the same posting.

        Raises
        ------
        EmptyInput
            No customers.
        """
        check_aware(since, "since")
        if ":" in incident or not incident.strip():
            raise OutOfRange("incident", incident, "a name without a colon", "'AB12 2026-06-01'")
        people = sorted(set(listed(customers, "customers", str, what="ids", hint="the ids of those concerned")))
        if not people:
            raise EmptyInput("customers", "name those whom the incident concerns")
        given = [measured.get(p, math.nan) for p in people] if isinstance(measured, Mapping) else measured
        values = np.broadcast_to(numbers("measured", np.atleast_1d(np.asarray(given, np.float64))), (len(people),))
        refuse("measured", "leave out who is not known", measured=(np.isinf(values), "infinite"))
        owed = self.entitlements.due_all(values)
        had = set(self.ledger.accounts(f"{self.name}:{incident}:"))
        new: list[Grant] = []
        postings: list[Posting] = []
        before = 0
        for k, item in enumerate(self.entitlements.items):
            whom: list[str | None] = [p for p, o in zip(people, owed[:, k].tolist(), strict=True) if o]
            if item.once is Once.INCIDENT:
                whom = [None] if whom else []
            for customer in whom:
                account = self.account(incident, item.id, customer)
                if account in had:
                    before += 1
                    continue
                new.append(Grant(incident=incident, entitlement=item.id, customer=customer, amount=item.amount))
                postings.append(self._posting(account, item, since))
        self.ledger.post_many(postings)
        return Round(incident=incident, customers=len(people), new=tuple(new), before=before)

    def _posting(self, account: str, item: Entitlement, since: datetime) -> Posting:
        if item.amount is None:
            return earn(account, account, 1, at=since, unit=Unit(item.id))
        return earn(account, account, item.amount, at=since, unit=item.amount.currency, reason=item.id)

    def given(self, incident: str) -> dict[str, int]:
        """How often each entitlement was given in an incident, those of no grant left out."""
        found: dict[str, int] = {}
        for account in self.ledger.accounts(f"{self.name}:{incident}:"):
            item = account.removeprefix(f"{self.name}:{incident}:").partition(":")[0]
            found[item] = found.get(item, 0) + 1
        return {e.id: found[e.id] for e in self.entitlements.items if e.id in found}
