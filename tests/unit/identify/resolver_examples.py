"""Records that the tests of the resolver share."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

from crmcore.datasets import simulate_records
from crmcore.idic.identify.people import People
from crmcore.idic.identify.resolver import Resolver
from crmcore.idic.identify.resolving import resolve
from crmcore.idic.identify.schema import Schema

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
MEMBER = {"member_no": "M1", "name": "Somchai J.", "phone": "081-234-5678"}
ORDER = {"order_no": "O9", "email": "somchai@example.org", "ship_phone": "+66812345678"}
OTHER = {"member_no": "M2", "name": "Malee Rakdee", "phone": "081-999-5555"}


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def shop(**options) -> Resolver:
    """A resolver of members and orders that has seen nobody yet."""
    schema = Schema.infer({"members": [MEMBER, OTHER], "orders": [ORDER]}).override(
        {"members.member_no": "record id", "orders.order_no": "record id"}
    )
    return Resolver(schema=schema, default_region="TH", **options)


def partition(assignments) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for record, customer in assignments.items():
        groups.setdefault(customer, set()).add(record)
    return {frozenset(g) for g in groups.values()}


@functools.cache
def people(customers: int = 400) -> People:
    return resolve(simulate_records(customers, seed=21).sources)


def raw(people: People) -> list[tuple[str, str, dict[str, object]]]:
    """(source, id within it, record) of every record."""
    from crmcore.idic.identify.source_table import export_records

    names = [people.table.sources[c] for c in people.table.source]
    ids = [r.partition(":")[2] for r in people.table.record_id.tolist()]
    return list(zip(names, ids, export_records(people.table), strict=True))
