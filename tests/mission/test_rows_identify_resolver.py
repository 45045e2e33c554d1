"""Rows of the feature list that ask for records one at a time: 4 and 8, and the small inputs of 5 and 10."""

# ruff: noqa: E501  (tables of cells read best as lines)

from __future__ import annotations

import random
from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.datasets import simulate_records
from crmcore.idic.identify.linkage_rules import Rules
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.idic.identify.resolver import Resolver
from crmcore.idic.identify.resolving import resolve
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import export_records

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
MEMBER = {"member_no": "M1", "name": "Somchai J.", "phone": "081-234-5678"}
ORDER = {"order_no": "O9", "email": "somchai@example.org", "ship_phone": "+66812345678"}


# 4 ----------------------------------------------------------------------------------------------------------------


def test_row_004_a_member_and_an_order_meet_by_telephone_and_part_for_good():
    resolver = Resolver(schema=Schema.infer({"members": [MEMBER], "orders": [ORDER]}), default_region="TH")
    resolver.observe(MEMBER, source="members", record_id="M1", now=NOW)
    found = resolver.observe(ORDER, source="orders", record_id="O9", now=NOW)
    assert len(resolver) == 1
    assert [reason.split()[0] for reason in found.matches[0].reasons] == ["phone"]
    resolver.split(found.customer, ["orders:O9"], actor="desk", reason="shared telephone", now=NOW)
    assert len(resolver) == 2
    batch = resolve(resolver.table(), schema=resolver.schema, rules=resolver.rules, default_region="TH")
    assert len(batch) == 2  # a later run over everything keeps them apart
    assert len(Resolver.open(resolver._store)) == 2


def test_row_004_in_a_batch_with_rules():
    sources = {"members": [MEMBER], "orders": [ORDER]}
    assert len(resolve(sources)) == 1
    apart = Rules(must_not_link=[tuple(resolve(sources).table.record_id.tolist())])
    assert len(resolve(sources, rules=apart)) == 2


# 5, 10: two to five records resolved rightly ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "customers"),
    [
        pytest.param({"store": [{"receipt": "r1", "name": "Somchai Jaidee", "phone": "081-234-5678"}], "page": [{"msg": "m1", "name": "Somchai J", "phone": "+66812345678", "email": "somchai@example.org"}], "call": [{"call": "c1", "caller": "S. Jaidee", "email": "somchai@example.org", "tel": "0812345678"}]}, 1, id="one person, three touchpoints"),
        pytest.param({"booking": [{"pnr": "A1", "member_no": "TG12345", "name": "Ann Lee"}], "checkin": [{"seat": "12A", "member_no": "TG12345", "passenger_name": "LEE, ANN"}], "lounge": [{"visit": "v1", "member_no": "TG-12345"}]}, 1, id="one member number"),
        pytest.param({"members": [MEMBER], "orders": [{"order_no": "O1", "ship_name": "Malee Rakdee", "email": "m.r@example.org", "ship_phone": "+66812345678"}]}, 2, id="one telephone, two names"),
        pytest.param({"members": [MEMBER], "orders": [{"order_no": "O1", "ship_name": "Peter Smith", "email": "p@example.org", "ship_phone": "+66891112222"}]}, 2, id="two strangers"),
        pytest.param([{"name": "Ann Lee", "phone": "081-234-5678"}, {"name": "Bo Lee", "phone": "081-234-5678"}, {"name": "Cy Lee", "phone": "081-234-5678"}], 3, id="a family with one telephone"),
        pytest.param([{"given": "Ann", "surname": "Lee", "email": "ann@example.org"}, {"given": "Bo", "surname": "Lee", "email": "bo@example.org"}], 2, id="one surname"),
        pytest.param([{"name": "Ann Lee", "email": "ann@example.org"}, {"name": "A. Lee", "email": "ann@example.org"}, {"name": "Bo Chan", "email": "bo@example.org"}, {"name": "Dan Roe", "email": "dan@example.org"}], 3, id="an initial and one address"),
        pytest.param([{"given": "Jonathan", "surname": "Smithson", "dob": "1980-04-03"}, {"given": "Jonathon", "surname": "Smithson", "dob": "1980-04-03"}], 1, id="a typing slip"),
    ],
)  # fmt: skip
def test_a_handful_of_records_is_resolved_rightly(sources, customers):
    assert len(resolve(sources)) == customers


# 8 ----------------------------------------------------------------------------------------------------------------


def partition(assignments) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for record, customer in assignments.items():
        groups.setdefault(customer, set()).add(record)
    return {frozenset(g) for g in groups.values()}


def golden(table, assignments) -> set[tuple[str, ...]]:
    """Every profile as its records and golden values: all but the id, which tells who came first."""
    labels = np.unique([assignments[r] for r in table.record_id.tolist()], return_inverse=True)[1]
    profiles = ProfileTable.build(table, labels)
    return {(*sorted(p.record_ids), *(str(p.value(f)) for f in sorted(table.columns))) for p in profiles}


def check(customers: int) -> None:
    people = resolve(simulate_records(customers, seed=8).sources)
    records = export_records(people.table)
    names = [people.table.sources[c] for c in people.table.source]
    ids = [r.partition(":")[2] for r in people.table.record_id.tolist()]
    resolver = Resolver(people.model, plan=people.preparation.plan)
    for i in random.Random(8).sample(range(len(records)), len(records)):
        resolver.observe(records[i], source=names[i], record_id=ids[i], now=NOW)
    batch = people.profiles.assignments()
    assert partition(resolver.assignments()) == partition(batch)
    assert golden(people.table, resolver.assignments()) == golden(people.table, batch)


def test_row_008_records_one_by_one_give_the_profiles_of_the_batch():
    check(700)


@pytest.mark.slow
def test_row_008_ten_thousand_records_one_by_one_give_the_profiles_of_the_batch():
    check(6_900)
