"""Privacy: what is kept for which purpose and how long, erasure that leaves totals alone, and subject access."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import between
from crmcore.errors import OutOfRange, UnknownName
from crmcore.idic.identify.access import AUDIT
from crmcore.idic.identify.facts import Facet, Facts, instant_us
from crmcore.idic.identify.view import SingleCustomerView
from crmcore.stores import Event, EventStore

__all__ = ["Due", "Erasure", "PrivacyDesk", "PrivacyPolicy", "Purpose", "pseudonym"]

ERASURES = "audit:erasure"


def pseudonym(identifier: str, *, salt: bytes) -> str:
    """Salted hash of an id: the same person is recognised again, and without the salt trying ids finds nobody.

    Examples
    --------
    >>> pseudonym("c7", salt=b"a brand's own secret") == pseudonym("c7", salt=b"another secret")
    False
    """
    if len(salt) < 8:
        raise OutOfRange("salt", f"{len(salt)} bytes", "8 to 64 bytes", "secrets.token_bytes(32) makes one")
    return blake2b(identifier.encode(), digest_size=16, key=salt[:64]).hexdigest()


def _facets(given: Iterable[Facet | str]) -> tuple[Facet, ...]:
    words = list(given)
    for name in words:
        if name not in tuple(Facet):
            raise UnknownName("facet", str(name), tuple(f.value for f in Facet))
    return tuple(Facet(name) for name in words)


def _words(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen
class Purpose:
    """Why facts are kept, which, and for how long.

    Parameters
    ----------
    name : text
        "service", "accounting".
    facets : Facet
        What the purpose needs.
    keep_days : days
        From the fact's own time; 0 means: not beyond the present.
    """

    name: str
    facets: tuple[Facet, ...] = attrs.field(converter=_facets)
    keep_days: float = attrs.field(validator=between(0, 36_525, hint="days, at most a century"))


def _purposes(given: Iterable[Purpose]) -> tuple[Purpose, ...]:
    return tuple(given)


@attrs.frozen
class PrivacyPolicy:
    """Purposes, what may stay in totals after erasure, and which streams of an event store belong to a customer.

    A fact is kept while any purpose needs it; a facet that no purpose names has no reason to stay and is due at once.

    Parameters
    ----------
    purposes : Purpose
    total_columns : names
        Columns of facts that stay in an erased row so that totals do not change: amounts, categories, channels.
        Everything else is blanked: a column is personal unless it is named here.
    streams : names
        Kinds of stream that hold one customer's events: stream "memory:c7" is of kind "memory".

    Examples
    --------
    >>> policy = PrivacyPolicy([Purpose("accounting", ["transactions"], 3650)], total_columns=["amount"])
    >>> PrivacyPolicy.from_dict(policy.to_dict()) == policy, policy.keep_days(Facet.OPINIONS)
    (True, 0.0)
    """

    purposes: tuple[Purpose, ...] = attrs.field(converter=_purposes)
    total_columns: tuple[str, ...] = attrs.field(default=(), converter=_words)
    streams: tuple[str, ...] = attrs.field(default=("memory", "profile"), converter=_words)

    def keep_days(self, facet: Facet) -> float:
        """Longest time that any purpose keeps facts of this facet."""
        return float(max((p.keep_days for p in self.purposes if facet in p.facets), default=0.0))

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        purposes = [
            {"name": p.name, "facets": [str(f) for f in p.facets], "keep_days": p.keep_days} for p in self.purposes
        ]
        return {"purposes": purposes, "total_columns": list(self.total_columns), "streams": list(self.streams)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PrivacyPolicy:
        """Policy from what `to_dict` wrote."""
        purposes = [Purpose(p["name"], p["facets"], p["keep_days"]) for p in plain["purposes"]]
        return cls(purposes, plain.get("total_columns", ()), plain.get("streams", ("memory", "profile")))


@attrs.frozen
class Due:
    """Facts of one facet and source that no purpose needs any more."""

    facet: Facet
    source: str
    facts: int
    customers: int
    oldest: datetime
    keep_days: float


@attrs.frozen
class Erasure:
    """What an erasure did; holds no personal data."""

    subject: str  # pseudonym
    records: int
    facts: int
    events: int
    view: SingleCustomerView = attrs.field(repr=False)


@attrs.frozen
class PrivacyDesk:
    """Retention, erasure and subject access over a view and an event store.

    Parameters
    ----------
    policy : PrivacyPolicy
    store : EventStore
        Where notes, profile events and audits lie.
    salt : bytes
        Secret of the brand for pseudonyms; whoever has it can test whether a known id was erased.
    """

    policy: PrivacyPolicy
    store: EventStore
    salt: bytes = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        pseudonym("", salt=self.salt)

    def due(self, view: SingleCustomerView, *, now: datetime, holds: Collection[str] = ()) -> tuple[Due, ...]:
        """What is to be erased at `now`: linked facts past the time of every purpose, by facet and source.

        Facts of unknown time are not due (nobody can say since when); facts of customers in `holds` (a legal hold, an
        open dispute) neither.
        """
        out = []
        for part in view.facts:
            rows = np.flatnonzero(self._expired(part, now, holds))
            if len(rows):
                oldest = part[int(rows[np.argmin(part.time[rows])])].time
                assert oldest is not None  # unknown times are never due
                people = len(np.unique(part.customer[rows]))
                out.append(Due(part.facet, part.source, len(rows), people, oldest, self.policy.keep_days(part.facet)))
        return tuple(out)

    def expire(self, view: SingleCustomerView, *, now: datetime, holds: Collection[str] = ()) -> SingleCustomerView:
        """Erase what is due: the facts lose their customer and all but `total_columns`; totals do not change."""
        return attrs.evolve(view, facts=[self._blank(part, self._expired(part, now, holds)) for part in view.facts])

    def _expired(self, part: Facts, now: datetime, holds: Collection[str]) -> NDArray[np.bool_]:
        limit = instant_us(now - timedelta(days=self.policy.keep_days(part.facet)))
        held = np.isin(part.customer, [part.customers.code(c) for c in holds if c in part.customers])
        expired: NDArray[np.bool_] = (part.customer >= 0) & (part.time < limit) & ~held
        return expired

    def _blank(self, part: Facts, rows: NDArray[np.bool_]) -> Facts:
        if not rows.any():
            return part
        kept = self.policy.total_columns
        columns: dict[str, Sequence[object]] = {
            name: cells if name in kept else [None if r else c for c, r in zip(cells, rows.tolist(), strict=True)]
            for name, cells in part.columns.items()
        }
        return attrs.evolve(part, customer=np.where(rows, np.int32(-1), part.customer), columns=columns)

    def erase(self, view: SingleCustomerView, customer: str, *, now: datetime, actor: str) -> Erasure:
        """Erase one person from profiles, facts and streams; totals stay, and the audit keeps a pseudonym.

        - The profile with its records is gone; everybody else keeps id and profile.
        - Facts of the person lose customer and all but `total_columns`: sums by day, category or touchpoint stay equal.
        - Payloads of the person's streams are emptied; the store keeps that something happened, not what.
        - The access audit names a pseudonym in place of the customer id.
        - An entry of the erasure is written first; a second call after an interruption finishes the work.

        Records of the person come back with the next import unless `suppressed` filters them.
        """
        code = view.profiles.code(customer)
        records = view.profiles[code].record_ids
        subject = pseudonym(customer, salt=self.salt)
        facts = sum(int((part.customer == code).sum()) for part in view.facts)
        self._note(subject, records, facts, now, actor)
        blanked = [self._blank(part, part.customer == code) for part in view.facts]
        profiles = view.profiles.without([customer])
        to = np.append(profiles.customers.codes(view.profiles.customers.ids), np.int32(-1))
        moved = [attrs.evolve(p, customer=to[p.customer], customers=profiles.customers) for p in blanked]
        parties = {c: kind for c, kind in view.parties.items() if c != customer}
        events = sum(self.store.erase(f"{kind}:{customer}", _empty) for kind in self.policy.streams)
        self.store.erase(AUDIT, _renamed(customer, subject))
        return Erasure(subject, len(records), facts, events, SingleCustomerView(profiles, moved, parties))

    def _note(self, subject: str, records: Sequence[str], facts: int, now: datetime, actor: str) -> None:
        gone = sorted(pseudonym(r, salt=self.salt) for r in records)
        data: dict[str, object] = {"subject": subject, "records": gone, "facts": facts}
        # of the same records it is the same erasure, called again; who came back with others is erased anew
        which = f"{ERASURES}:{subject}:{pseudonym(' '.join(gone), salt=self.salt)}"
        self.store.append(ERASURES, [Event(id=which, type="customer erased", time=now, data=data, actor=actor)])

    def erasures(self) -> tuple[Event, ...]:
        """Audit of erasures: when, by whom, of which pseudonym."""
        return self.store.read(ERASURES)

    def suppressed(self, record_ids: Sequence[str]) -> NDArray[np.bool_]:
        """(n,) which records belong to somebody who was erased: leave them out before resolving an import."""
        gone: set[str] = set()
        for event in self.erasures():
            listed = event.data["records"]
            gone.update(listed if isinstance(listed, list) else ())
        return np.array([pseudonym(r, salt=self.salt) in gone for r in record_ids], bool)

    def export(self, view: SingleCustomerView, customer: str, *, now: datetime) -> dict[str, object]:
        """Everything held about one person, as JSON data: golden values with lineage, records, facts, events, accesses.

        Each value names its source and time; the audit of who read the file is part of what is held.
        """
        one = view[view.profiles.code(customer)]
        profile = one.profile
        golden = [
            {
                "field": c.field,
                "value": c.value,
                "source": c.source,
                "record": c.record_id,
                "time": _iso(c.time),
                "strategy": c.strategy,
            }
            for field in profile.fields
            for c in profile.cells(field)
        ]
        records = [
            {"record": r.record_id, "source": r.source, "time": _iso(r.time), "cells": dict(r.fields)}
            for r in profile.records
        ]
        facts = [
            {
                "facet": facet.value,
                "source": f.source,
                "time": _iso(f.time),
                "values": {k: _plain(v) for k, v in f.values.items()},
            }
            for facet, listed in one.facets.items()
            for f in listed
        ]
        events = [
            {"stream": e.stream, "type": e.type, "time": _iso(e.time), "data": dict(e.data), "actor": e.actor}
            for kind in self.policy.streams
            for e in self.store.read(f"{kind}:{customer}")
        ]
        reads = [
            {"time": _iso(e.time), "who": e.actor, "role": e.data["role"], "fields": e.data["fields"]}
            for e in self.store.read(AUDIT)
            if e.data.get("customer") == customer
        ]
        purposes = [
            {"name": p.name, "facets": [f.value for f in p.facets], "keep_days": p.keep_days}
            for p in self.policy.purposes
        ]
        head = {"customer": customer, "written_at": _iso(now), "party": one.party.value, "purposes": purposes}
        return {**head, "golden": golden, "records": records, "facts": facts, "events": events, "read_by": reads}


def _empty(_data: Mapping[str, object]) -> Mapping[str, object]:
    return {}


def _renamed(customer: str, subject: str) -> Any:
    def redact(data: Mapping[str, object]) -> Mapping[str, object]:
        return {**data, "customer": subject} if data.get("customer") == customer else data

    return redact


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return str(value)
