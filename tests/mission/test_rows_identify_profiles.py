"""Rows of the feature list that stand behind identity resolution: 1, 3, 5 to 17, 87, 198."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.errors import AccessDenied, ConflictingConstraints, UnknownName
from crmcore.idic.identify.access import AccessGate, AccessPolicy, RoleView
from crmcore.idic.identify.accounts import Account, AccountTree, ContactRole
from crmcore.idic.identify.facts import link, recognition
from crmcore.idic.identify.memory import CustomerMemory
from crmcore.idic.identify.privacy import PrivacyDesk, PrivacyPolicy, Purpose
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.idic.identify.repository import MemoryProfiles, StoredProfiles, changed
from crmcore.idic.identify.view import PartyType, SingleCustomerView, Stage
from crmcore.idic.interact.presentation import (
    CaseDesk,
    conversation,
    crm_command,
    crm_view,
    portal_command,
    portal_view,
)
from crmcore.lifecycle import IllegalCommand, redact
from crmcore.stores import MemoryStore, SqliteStore
from crmcore.tables import RecordTable

DAY = datetime(2026, 5, 1, 9, tzinfo=UTC)


def at(days: float = 0, minutes: float = 0) -> datetime:
    return DAY + timedelta(days=days, minutes=minutes)


def people(*dicts, labels=None, **options) -> ProfileTable:
    table = RecordTable.from_frame(list(dicts), source="crm")
    return ProfileTable.build(table, labels if labels is not None else range(len(dicts)), **options)


# 1 ----------------------------------------------------------------------------------------------------------------


def test_row_001_three_dicts_become_three_profiles_and_export_gives_the_same_dicts():
    dicts = [
        {"name": "Somchai Jaidee", "phone": "081-234-5678", "email": "somchai@example.org"},
        {"name": "Anna Berg", "phone": "+49 30 123456", "email": "anna@example.org"},
        {"name": "Li Wei", "phone": "555", "email": "li@example.org"},
    ]
    table = people(*dicts)
    assert len(table) == 3
    assert table.export() == dicts
    assert [p.value("name") for p in table] == ["Somchai Jaidee", "Anna Berg", "Li Wei"]


def test_row_001_a_dict_with_gaps_comes_back_with_its_gaps():
    dicts = [{"name": "Ann", "phone": "1"}, {"name": "Bo"}]
    assert people(*dicts).export() == dicts


# 3 ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "events in memory", "sqlite"])
def repository(request, tmp_path):
    if request.param == "memory":
        yield MemoryProfiles(source_priority=["crm", "web"])
    elif request.param == "sqlite":
        with SqliteStore(tmp_path / "people.db") as store:
            yield StoredProfiles(store, source_priority=["crm", "web"])
    else:
        yield StoredProfiles(MemoryStore(), source_priority=["crm", "web"])


def test_row_003_a_repository_keeps_what_was_told(repository):
    repository.upsert(
        [changed("c7", id="1", time=at(), source="web", fields={"city": "Bath"}, add={"phone": ["0811"]})]
    )
    assert repository.get("c7").values() == {"city": "Bath", "phone": ("0811",)}
    assert repository.customers() == ("c7",)
    assert repository.get("c8") is None


def test_row_003_late_news_does_not_replace_newer(repository):
    repository.upsert([changed("c7", id="2", time=at(2), source="web", fields={"city": "York"})])
    repository.upsert([changed("c7", id="1", time=at(1), source="crm", fields={"city": "Bath", "job": "vet"})])
    assert repository.get("c7").values() == {"city": "York", "job": "vet"}
    assert repository.get("c7", as_of=at(1.5)).values() == {"city": "Bath", "job": "vet"}
    assert repository.get("c7", as_of=at(0)) is None


def test_row_003_at_one_time_the_trusted_source_wins(repository):
    for id_, source, city in (("1", "crm", "Bath"), ("2", "web", "York"), ("3", "app", "Leeds")):
        repository.upsert([changed("c7", id=id_, time=at(), source=source, fields={"city": city})])
    assert repository.get("c7").values() == {"city": "Bath"}


def test_row_003_the_same_event_twice_is_the_same_as_once(repository):
    event = changed("c7", id="1", time=at(), source="web", add={"phone": ["0811"]})
    repository.upsert([event, event])
    repository.upsert([event])
    assert repository.get("c7").values() == {"phone": ("0811",)}


def test_row_003_a_value_can_be_taken_back_and_given_again(repository):
    tell = [
        changed("c7", id="1", time=at(1), source="web", add={"phone": ["0811", "0822"]}, fields={"city": "Bath"}),
        changed("c7", id="2", time=at(2), source="web", remove={"phone": ["0811"]}, fields={"city": None}),
    ]
    repository.upsert(tell)
    assert repository.get("c7").values() == {"phone": ("0822",)}
    repository.upsert([changed("c7", id="3", time=at(3), source="web", add={"phone": ["0811"]})])
    assert repository.get("c7").values() == {"phone": ("0811", "0822")}


def test_row_003_a_removed_customer_is_gone(repository):
    repository.upsert([changed(c, id=c, time=at(), source="web", fields={"city": "Bath"}) for c in ("c7", "c8")])
    assert repository.remove("c7") is True
    assert repository.get("c7") is None
    assert repository.customers() == ("c8",)
    assert repository.remove("c7") is False


# 5, 6 -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def fragmented() -> SingleCustomerView:
    """One person whom the shop knows by phone, the page by handle and the call center by e-mail."""
    profiles = people(
        {"name": "Ann Lee", "phone": "0811", "handle": None, "email": None},
        {"name": "Ann Lee", "phone": None, "handle": "@ann", "email": None},
        {"name": "A. Lee", "phone": None, "handle": None, "email": "ann@example.org"},
        {"name": "Bo Ek", "phone": "0899", "handle": None, "email": None},
        labels=[0, 0, 0, 1],
    )
    orders = [{"tel": "0811", "time": at(0), "total": 120}]
    inbox = [{"from": "ANN", "time": at(1), "kind": "inquiry", "channel": "page"}]
    calls = [{"mail": "Ann@Example.org", "time": at(2), "kind": "complaint"}]
    asked = [{"customer": profiles[0].customer_id, "time": at(3), "score": 4}]
    consents = [{"record": "crm:1", "time": at(4), "purpose": "marketing", "consent": "granted"}]
    return SingleCustomerView(
        profiles,
        [
            link(profiles, orders, facet="transactions", source="storefront", by={"phone": "tel"}),
            link(profiles, inbox, facet="interactions", source="page inbox", by={"handle": "from"}),
            link(profiles, calls, facet="cases", source="call center", by={"email": "mail"}),
            link(profiles, asked, facet="opinions", source="survey", customer="customer"),
            link(profiles, consents, facet="consents", source="web form", record="record"),
        ],
    )


def test_row_005_three_sources_become_one_view_that_names_them(fragmented):
    facets = fragmented[0].facets
    assert [(f.source, f.values["total"]) for f in facets["transactions"]] == [("storefront", 120)]
    assert [(f.source, f.values["kind"]) for f in facets["interactions"]] == [("page inbox", "inquiry")]
    assert [(f.source, f.values["kind"]) for f in facets["cases"]] == [("call center", "complaint")]
    assert not any(fragmented[1].facets.values())


def test_row_005_an_identifier_of_two_customers_links_to_nobody():
    profiles = people({"name": "Ann", "phone": "0811"}, {"name": "Bo", "phone": "0811"})
    facts = link(profiles, [{"tel": "0811", "time": at()}], facet="cases", source="calls", by={"phone": "tel"})
    assert facts.customer.tolist() == [-1]
    assert facts.ambiguous == 1
    certain = [{"tel": "0811", "no": "crm:1", "time": at()}]
    assert link(
        profiles, certain, facet="cases", source="calls", record="no", by={"phone": "tel"}
    ).customer.tolist() == [1]


def test_row_006_every_facet_is_there_and_every_fact_has_source_and_time(fragmented):
    facets = fragmented[0].facets
    assert [f.value for f in facets] == ["transactions", "interactions", "opinions", "consents", "cases"]
    assert all(len(facts) == 1 for facts in facets.values())
    assert all(fact.source and fact.time is not None for facts in facets.values() for fact in facts)
    assert [f.values for f in fragmented[1].facets["opinions"]] == []
    cell = fragmented[0].profile.cells("email")[0]
    assert (cell.source, cell.record_id) == ("crm", "crm:2")


def test_row_006_what_is_shown_holds_no_values(fragmented):
    shown = repr(fragmented) + repr(fragmented[0]) + fragmented[0]._repr_html_() + repr(fragmented[0].facets)
    assert not any(word in shown for word in ("ann@example.org", "0811", "Lee", "120"))
    assert "complaint" not in shown


# 7 ----------------------------------------------------------------------------------------------------------------


def test_row_007_past_present_and_future_of_one_customer():
    profiles = people({"email": "ann@example.org"}, {"email": "bo@example.org"})
    by = {"email": "email"}
    orders = [{"email": "ann@example.org", "time": at(d), "category": c} for d, c in ((-90, "tea"), (-10, "coffee"))]
    steps = [
        {"email": "ann@example.org", "time": at(0, m), "page": p}
        for m, p in ((-25, "/"), (-20, "/tea"), (-500, "/old"))
    ]
    view = SingleCustomerView(
        profiles,
        [
            link(profiles, orders, facet="transactions", source="shop", by=by),
            link(profiles, steps, facet="interactions", source="web", by=by),
        ],
    )
    seen = view[0].time_facets(now=DAY, future={"tea": 0.3, "coffee": 0.6, "mugs": 0.1})
    assert len(seen.past) == 2
    assert seen.present.values["page"] == "/tea"
    assert [(p.category, p.probability) for p in seen.future] == [("coffee", 0.6), ("tea", 0.3), ("mugs", 0.1)]
    simple = view[0].time_facets(now=DAY).future
    assert [p.category for p in simple] == ["coffee", "tea"]  # the later order weighs more
    assert sum(p.probability for p in simple) == pytest.approx(1)
    nobody = view[1].time_facets(now=DAY)
    assert (nobody.past, nobody.present) == ((), None)
    assert sum(p.probability for p in nobody.future) == pytest.approx(1)


def test_row_007_a_session_that_ended_is_no_present_and_the_future_is_not_past():
    profiles = people({"email": "ann@example.org"})
    steps = [{"email": "ann@example.org", "time": at(0, -31), "page": "/tea"}]
    orders = [{"email": "ann@example.org", "time": at(1), "category": "tea"}]
    parts = [
        link(profiles, steps, facet="interactions", source="web", by={"email": "email"}),
        link(profiles, orders, facet="transactions", source="shop", by={"email": "email"}),
    ]
    seen = SingleCustomerView(profiles, parts)[0].time_facets(now=DAY)
    assert (seen.past, seen.present) == ((), None)


# 8 ----------------------------------------------------------------------------------------------------------------


def ten_thousand():
    rng = random.Random(8)
    return [
        changed(
            f"c{rng.randrange(500)}",
            id=f"e{i}",
            time=at(minutes=rng.randrange(300)),
            source=rng.choice(["crm", "web", "app"]),
            fields={rng.choice(["city", "job"]): rng.choice(["a", "b", None])},
            add={"phone": [str(rng.randrange(5))]},
            remove={"phone": [str(rng.randrange(5))]},
        )
        for i in range(10_000)
    ]


def test_row_008_one_by_one_equals_batch_in_any_order(tmp_path):
    events = ten_thousand()
    shuffled = random.Random(9).sample(events, len(events))
    streamed, batch = MemoryProfiles(source_priority=["crm"]), MemoryProfiles(source_priority=["crm"])
    for event in shuffled:
        streamed.upsert([event])
    batch.upsert(events)
    with SqliteStore(tmp_path / "people.db") as store:
        stored = StoredProfiles(store, source_priority=["crm"])
        for first in range(0, len(shuffled), 1000):
            stored.upsert(shuffled[first : first + 1000])
        assert stored.customers() == streamed.customers() == batch.customers()
        for customer in batch.customers():
            assert streamed.get(customer) == batch.get(customer) == stored.get(customer)


def test_row_008_two_shards_merge_into_the_whole():
    events = [e for e in ten_thousand() if e.stream == "profile:c7"]
    whole, left, right = MemoryProfiles(), MemoryProfiles(), MemoryProfiles()
    whole.upsert(events)
    left.upsert(events[::2])
    right.upsert(events[1::2])
    assert len(events) > 2
    assert left.get("c7").merged(right.get("c7")) == whole.get("c7") == right.get("c7").merged(left.get("c7"))


# 9, 10, 11 --------------------------------------------------------------------------------------------------------


def answered(profiles, channels, answer=True):
    rows = [{"record": "crm:0", "time": at(i), "channel": c, "answered": answer} for i, c in enumerate(channels)]
    return link(profiles, rows, facet="interactions", source="messages", record="record")


def test_row_009_the_preferred_channel_has_a_share_with_its_interval():
    profiles = people({"name": "Ann"})
    preferred = SingleCustomerView(profiles, [answered(profiles, ["line"] * 8 + ["email"] * 2)])[0].preferred_channel()
    assert preferred.channel == "line"
    assert preferred.share.value == 0.8
    assert (round(preferred.share.low, 3), round(preferred.share.high, 3)) == (0.490, 0.943)
    assert (preferred.share.n, preferred.share.method) == (10, "wilson")
    assert preferred.shares["email"].value == 0.2


def test_row_009_unanswered_messages_do_not_count_and_ties_go_to_the_later_answer():
    profiles = people({"name": "Ann"})
    parts = [answered(profiles, ["sms"] * 9, answer=False), answered(profiles, ["line", "email"])]
    assert SingleCustomerView(profiles, parts)[0].preferred_channel().channel == "email"
    assert SingleCustomerView(profiles, parts[:1])[0].preferred_channel() is None
    three = SingleCustomerView(profiles, [answered(profiles, ["line", "line", "sms", "email"])])[0].preferred_channel()
    assert {s.method for s in three.shares.values()} == {"goodman"}


def test_row_010_a_member_is_recognised_at_every_touchpoint_in_order():
    profiles = people({"name": "Ann", "member": "M1"}, {"name": "Bo", "member": "M2"}, roles={"member": "identifier"})
    steps = [("lounge", 0.2), ("online booking", -30), ("check-in", 0.1)]
    parts = [
        link(
            profiles,
            [{"member_no": "M1", "time": at(day), "touchpoint": name}],
            facet="interactions",
            source=name,
            by={"identifier": "member_no"},
        )
        for name, day in steps
    ]
    journey = SingleCustomerView(profiles, parts)[0].journey()
    assert [f.values["touchpoint"] for f in journey] == ["online booking", "check-in", "lounge"]
    assert SingleCustomerView(profiles, parts)[1].journey() == ()


def test_row_011_recognition_rate_per_touchpoint_with_interval():
    profiles = people({"phone": "0811"})
    visits = [{"tel": "0811" if i < 80 else "0000", "touchpoint": "store", "time": at()} for i in range(100)]
    online = [{"tel": "0811", "touchpoint": "app", "time": at()}] * 3
    linked = link(profiles, visits + online, facet="interactions", source="visits", by={"phone": "tel"})
    rates = recognition(linked)
    assert rates["store"].value == 0.80
    assert (round(rates["store"].low, 3), round(rates["store"].high, 3)) == (0.711, 0.867)
    assert (rates["app"].value, rates["app"].n) == (1.0, 3)
    assert recognition([linked, linked])["store"].n == 200


# 12 ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sqlite"])
def memory(request, tmp_path):
    with MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "m.db") as store:
        yield CustomerMemory(store)


def test_row_012_memory_is_append_only_and_answers_as_of_any_day(memory):
    memory.remember("c7", "milk", "likes oat milk", at=at(0), actor="shop")
    memory.remember("c7", "milk", "likes soy milk", at=at(2), actor="shop")
    assert memory.as_of("c7", at(1))["milk"].text == "likes oat milk"
    assert memory.as_of("c7", at(2))["milk"].text == "likes soy milk"
    assert memory.as_of("c7", at(-1)) == {}
    assert [n.text for n in memory.history("c7", "milk")] == ["likes oat milk", "likes soy milk"]


def test_row_012_a_note_that_ended_was_still_true_before(memory):
    memory.remember("c7", "cast", "left arm", at=at(0), actor="desk")
    memory.forget("c7", "cast", at=at(30), actor="desk")
    assert memory.recall("c7") == {}
    assert memory.as_of("c7", at(29))["cast"].text == "left arm"
    with pytest.raises(UnknownName, match="topic"):
        memory.forget("c7", "cast", at=at(31), actor="desk")


def test_row_012_a_note_entered_late_does_not_replace_a_newer_one(memory):
    memory.remember("c7", "seat", "window", at=at(5), actor="desk")
    memory.remember("c7", "seat", "aisle", at=at(1), actor="desk")
    assert memory.recall("c7")["seat"].text == "window"
    assert "window" not in repr(memory.recall("c7"))


def test_row_012_the_whole_view_goes_back_in_time():
    table = RecordTable.from_frame(
        [
            {"id": "a", "name": "Ann", "seen": "2026-05-01T00:00Z"},
            {"id": "b", "name": "Anna", "seen": "2026-05-03T00:00Z"},
        ],
        source="crm",
        record_id="id",
        time="seen",
    )
    profiles = ProfileTable.build(table, [0, 0])
    view = SingleCustomerView(
        profiles,
        [
            link(
                profiles,
                [{"record": "crm:b", "time": at(3), "total": 1}],
                facet="transactions",
                source="s",
                record="record",
            )
        ],
    )
    then = view.as_of(datetime(2026, 5, 2, tzinfo=UTC))
    assert view[0].profile.value("name") == "Anna"
    assert then[0].profile.value("name") == "Ann"
    assert then[0].customer_id == view[0].customer_id
    assert then[0].facets["transactions"] == ()
    assert len(view[0].facets["transactions"]) == 1


# 13 ---------------------------------------------------------------------------------------------------------------

FACTS = {"name": "Ann Lee", "phone": ("0812345678",), "margin": 0.41}


def test_row_013_the_service_role_may_not_read_the_margin_and_the_audit_says_who_when_what():
    policy = AccessPolicy(
        [RoleView("service", {"name": "shown", "phone": "masked"}), RoleView("finance", {"margin": "shown"})]
    )
    gate = AccessGate(policy, MemoryStore())
    with pytest.raises(AccessDenied, match="role 'service' may not read 'margin'"):
        gate.read("c7", FACTS, role="service", who="staff-12", now=DAY, fields=["margin"])
    assert gate.read("c7", FACTS, role="finance", who="staff-3", now=DAY, fields=["margin"]) == {"margin": 0.41}
    assert gate.read("c7", FACTS, role="service", who="staff-12", now=DAY) == {"name": "Ann Lee", "phone": ("•••78",)}
    first = gate.audit(who="staff-12")[0]
    assert (first.who, first.role, first.when, first.customer) == ("staff-12", "service", DAY, "c7")
    assert {f: v.value for f, v in first.fields.items()} == {"margin": "refused"}
    assert len(gate.audit(customer="c7")) == 3


def test_row_013_a_field_may_be_hidden_without_an_error():
    gate = AccessGate(AccessPolicy([RoleView("service", {"name": "shown", "margin": "hidden"})]), MemoryStore())
    assert gate.read("c7", FACTS, role="service", who="s", now=DAY, fields=["name", "margin"]) == {"name": "Ann Lee"}


def test_row_013_the_audit_never_holds_a_value(tmp_path):
    with SqliteStore(tmp_path / "audit.db") as store:
        gate = AccessGate(AccessPolicy([RoleView("all", {}, "shown")]), store)
        gate.read("c7", FACTS, role="all", who="s", now=DAY)
        kept = repr([(e.data, e.actor, e.reason) for e in store.read_all()])
    assert not any(str(v) in kept for v in ("Ann Lee", "0812345678", "0.41"))


def test_row_013_a_role_with_purposes_must_name_one_and_refusals_are_audited():
    view = RoleView("research", {"name": "shown"}, purposes=["panel study"])
    gate = AccessGate(AccessPolicy.from_dict(json.loads(json.dumps(AccessPolicy([view]).to_dict()))), MemoryStore())
    with pytest.raises(AccessDenied, match="purpose curiosity"):
        gate.read("c7", FACTS, role="research", who="s", now=DAY, purpose="curiosity")
    assert gate.read("c7", FACTS, role="research", who="s", now=DAY, purpose="panel study") == {"name": "Ann Lee"}
    assert [e.purpose for e in gate.audit()] == ["curiosity", "panel study"]
    with pytest.raises(UnknownName, match="did you mean 'research'"):
        gate.read("c7", FACTS, role="reserch", who="s", now=DAY)


# 14, 16, 17 -------------------------------------------------------------------------------------------------------


def test_row_014_the_first_order_turns_a_prospect_into_a_customer_at_its_time():
    profiles = people({"name": "Ann"}, {"name": "Bo"})
    rows = [{"record": "crm:0", "time": at(d), "total": 5} for d in (9, 3)]
    view = SingleCustomerView(profiles, [link(profiles, rows, facet="transactions", source="shop", record="record")])
    assert view[0].lifecycle(now=at(3, -1)).stage is Stage.PROSPECT
    bought = view[0].lifecycle(now=at(3))
    assert (bought.stage, bought.customer_since) == (Stage.CUSTOMER, at(3))
    assert view[1].lifecycle(now=at(99)).stage is Stage.PROSPECT
    assert view[1].lifecycle(now=at(99)).customer_since is None
    since = view.customer_since()
    assert since[0] == np.datetime64("2026-05-04T09:00", "us")
    assert np.isnat(since[1])


def test_row_016_a_supplier_has_interactions_and_no_customer_value():
    profiles = people({"name": "Ann"}, {"name": "Beans Ltd"})
    rows = [{"record": "crm:1", "time": at(), "kind": "delivery"}]
    supplier = profiles.of_record("crm:1").customer_id
    view = SingleCustomerView(
        profiles,
        [link(profiles, rows, facet="interactions", source="purchasing", record="record")],
        {supplier: "supplier"},
    )
    assert len(view[supplier].facets["interactions"]) == 1
    assert view[supplier].party is PartyType.SUPPLIER
    assert view.population().tolist() == [True, False]
    assert view.population("supplier", "partner").tolist() == [False, True]
    with pytest.raises(UnknownName, match="party type"):
        view.population("suplier")


def test_row_017_survey_and_tweet_of_one_person_stand_in_one_row():
    profiles = people({"name": "Ann", "handle": "@a"}, {"name": "Bo", "handle": "@b"}, {"name": "Cy", "handle": None})
    seventh = profiles[0].customer_id
    survey = [{"customer": seventh, "time": at(1), "nps": 9}, {"customer": seventh, "time": at(0), "nps": 3}]
    tweets = [
        {"author": "A", "time": at(2), "sentiment": -0.6},
        {"author": "@stranger", "time": at(2), "sentiment": 0.9},
    ]
    view = SingleCustomerView(
        profiles,
        [
            link(profiles, survey, facet="opinions", source="survey", customer="customer"),
            link(profiles, tweets, facet="opinions", source="twitter", by={"handle": "author"}),
        ],
    )
    rows = view.one_row_each({"nps": ("survey", "nps"), "sentiment": ("twitter", "sentiment")})
    assert rows["customer_id"] == [seventh]
    assert rows["nps"] == [9]
    assert rows["sentiment"] == [-0.6]
    assert rows["nps time"] == [at(1)]
    with pytest.raises(UnknownName, match="measure"):
        view.one_row_each({"nps": ("surveys", "nps")})


# 15 ---------------------------------------------------------------------------------------------------------------


def tree() -> AccountTree:
    return AccountTree(
        [Account("b", "B Ltd", "holding"), Account("holding", "Holding"), Account("a", "A Ltd", "holding")],
        [
            ContactRole("a", "c1", "buyer"),
            ContactRole("a", "c2", "decision maker", valid_from=at(0), valid_until=at(10)),
            ContactRole("b", "c3", "buyer", valid_from=at(5)),
        ],
    )


def test_row_015_revenue_rolls_up_to_the_holding():
    assert tree().roll_up({"a": 10, "b": 20}) == {"a": 10, "b": 20, "holding": 30}
    assert tree().roll_up({"a": 10, "b": 20, "holding": 5})["holding"] == 35
    deep = AccountTree([Account("3", "", "2"), Account("2", "", "1"), Account("1", "")])
    assert deep.roll_up({"3": 7, "2": 1}) == {"1": 8, "2": 8, "3": 7}
    assert tree().to_frame({"a": 10, "b": 20})["group"] == [10, 20, 30]


def test_row_015_contacts_have_roles_with_dates_and_a_private_person_has_no_account():
    group = tree().contacts_of("holding", at=at(6), whole_group=True)
    assert [(c.account_id, c.customer) for c in group] == [("a", "c1"), ("a", "c2"), ("b", "c3")]
    assert [c.customer for c in tree().contacts_of("holding", at=at(10), whole_group=True)] == ["c1", "c3"]
    assert tree().contacts_of("holding", at=at(6)) == ()
    assert [c.customer for c in tree().contacts_of("a", at=at(6), role="buyer")] == ["c1"]
    assert tree().accounts_of("c3", at=at(4)) == ()
    assert tree().accounts_of("c3", at=at(5)) == ("b",)
    assert tree().accounts_of("private person", at=at(5)) == ()


def test_row_015_circles_and_unknown_owners_are_refused_by_name():
    with pytest.raises(ConflictingConstraints, match="a, b, c, a.*clear one parent".replace(".*", "[\\s\\S]*")):
        AccountTree([Account("a", "", "b"), Account("b", "", "c"), Account("c", "", "a"), Account("d", "", "a")])
    with pytest.raises(ConflictingConstraints, match="a, a"):
        AccountTree([Account("a", "", "a")])
    with pytest.raises(UnknownName, match="did you mean 'holding'"):
        AccountTree([Account("holding", ""), Account("a", "", "holdin")])
    with pytest.raises(UnknownName, match="account"):
        tree().roll_up({"z": 1})


# 87 ---------------------------------------------------------------------------------------------------------------


def portal(action, when, request, message=None, **more):
    sent = {"ticket": "k1", "action": action, "sent_at": when.isoformat(), "request": request, **more}
    return portal_command({**sent, "message": message} if message else sent)


def crm(kind, when, id_, body=None, by="customer", **case):
    return crm_command(
        {
            "Case": {"Id": "k1", **case},
            "Activity": {"Type": kind, "At": when.isoformat(), "Id": id_, "By": by, "Body": body},
        }
    )


@pytest.fixture(params=["memory", "sqlite"])
def new_desk(request, tmp_path):
    """Makes desks, each over a store of its own."""
    stores = []

    def make():
        n = len(stores)
        stores.append(MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / f"cases{n}.db"))
        return CaseDesk(stores[-1])

    yield make
    for store in stores:
        store.close()


def test_row_087_portal_and_crm_screen_lead_to_the_identical_case(new_desk):
    by_portal, by_crm = new_desk(), new_desk()
    for command in (
        portal("create", at(0), "r1", "It does not light.", me="c7", title="Lamp"),
        portal("reply", at(1), "r2", "Still dark."),
        portal("solved", at(2), "r3"),
    ):
        by_portal.handle(command)
    for command in (
        crm("new", at(0), "r1", "It does not light.", ContactId="c7", Subject="Lamp"),
        crm("comment", at(1), "r2", "Still dark."),
        crm("close", at(2), "r3"),
    ):
        by_crm.handle(command)
    assert by_portal.read("k1") == by_crm.read("k1")
    assert by_portal.read("k1").case.state == "closed"
    assert by_portal.store.read("case:k1") == by_crm.store.read("case:k1")
    for view in (portal_view, crm_view):
        assert view(by_crm.read("k1")) == view(by_portal.read("k1"))


def test_row_087_both_screens_work_on_one_case_and_internal_notes_stay_inside(new_desk):
    desk = new_desk()
    desk.handle(portal("create", at(0), "r1", "It does not light.", me="c7", title="Lamp"))
    desk.handle(crm("private_note", at(1), "a1", "third lamp this week", by="rep-4"))
    case = desk.handle(crm("comment", at(2), "a2", "A new one is on its way.", by="rep-4"))
    assert portal_view(case) == {
        "ticket": "k1",
        "title": "Lamp",
        "status": "We are on it",
        "conversation": [
            {"from": "you", "at": at(0).isoformat(), "message": "It does not light."},
            {"from": "us", "at": at(2).isoformat(), "message": "A new one is on its way."},
        ],
        "actions": ["reply", "solved"],
    }
    assert [line["Private"] for line in crm_view(case)["Activities"]] == [False, True, False]
    assert crm_view(case)["Actions"] == ["comment", "private_note", "resolve", "close"]
    assert "third lamp" not in repr(case) + repr(case.steps) + str(case) + str(portal_view(case))


def test_row_087_what_a_screen_offers_is_what_the_desk_does(new_desk):
    desk = new_desk()
    case = desk.handle(portal("create", at(0), "r1", "Dark.", me="c7", title="Lamp"))
    assert portal_view(case)["actions"] == ["reply", "solved"]
    case = desk.handle(crm("resolve", at(1), "a1", "Changed the bulb.", by="rep-4"))
    assert portal_view(case)["status"] == "Solved - is it right?"
    assert portal_view(case)["actions"] == ["reply", "reopen", "solved"]
    case = desk.handle(portal("reopen", at(2), "r2", "Dark again."))
    case = desk.handle(crm("close", at(3), "a2", by="rep-4"))
    assert (case.case.state, portal_view(case)["actions"]) == ("closed", ["reopen"])
    assert crm_view(case)["Actions"] == ["private_note", "reopen"]
    assert [line["message"] for line in portal_view(case)["conversation"]] == [
        "Dark.",
        "Changed the bulb.",
        "Dark again.",
    ]


def test_row_087_a_repeated_click_does_nothing_and_a_forbidden_step_says_what_is_possible(new_desk):
    desk = new_desk()
    opened = portal("create", at(0), "r1", "Dark.", me="c7", title="Lamp")
    assert desk.handle(opened) == desk.handle(opened)
    with pytest.raises(IllegalCommand, match=r"'reopen' .*'k1', which is 'open'[\s\S]*\['message', 'close'\]"):
        desk.handle(portal("reopen", at(1), "r2"))
    replied = portal("reply", at(1), "r3", "Hello?")
    said = desk.handle(replied)
    assert (desk.handle(replied), desk.handle(opened)) == (said, said)
    assert len(said) == desk.store.version("case:k1") == 2
    with pytest.raises(IllegalCommand, match=r"'open' was refused .* it was opened before"):
        desk.handle(portal("create", at(2), "r9", "Another matter.", me="c8"))
    with pytest.raises(UnknownName, match="unknown case 'k1'"):
        new_desk().handle(portal("reply", at(0), "r1", "Hello?"))


def test_row_087_only_staff_may_note_and_resolve_and_words_are_needed_for_a_message(new_desk):
    desk = new_desk()
    desk.handle(portal("create", at(0), "r1", "Dark.", me="c7", title="Lamp"))
    for kind in ("private_note", "resolve"):
        with pytest.raises(IllegalCommand, match="role 'customer' may not, staff may"):
            desk.handle(crm(kind, at(1), kind, "words", by="customer"))
    with pytest.raises(IllegalCommand, match="it needs message"):
        desk.handle(portal("reply", at(1), "r2"))
    with pytest.raises(IllegalCommand, match="it needs note"):
        desk.handle(crm("private_note", at(1), "a1", by="rep-4"))
    assert desk.store.version("case:k1") == 1


def test_row_087_clocks_of_two_screens_may_differ(new_desk):
    desk = new_desk()
    desk.handle(portal("create", at(0), "r1", "Dark.", me="c7", title="Lamp"))
    desk.handle(crm("comment", at(0, 5), "a1", "Which lamp?", by="rep-4"))
    late = desk.handle(portal("reply", at(0, 4), "r2", "The red one."))
    assert [line.text for line in conversation(late)] == ["Dark.", "Which lamp?", "The red one."]
    assert desk.store.read("case:k1")[-1].data["dated"] == at(0, 4).isoformat()


def test_row_087_what_a_customer_said_can_be_erased_and_the_case_stays(new_desk):
    desk = new_desk()
    desk.handle(portal("create", at(0), "r1", "I am Ann Lee.", me="c7", title="Lamp of Ann Lee"))
    desk.handle(crm("private_note", at(1), "a1", "Ann called", by="rep-4"))
    desk.store.erase("case:k1", redact())
    case = desk.read("k1")
    assert (len(case), case.case.state, conversation(case)) == (2, "open", ())
    assert "Ann" not in str(crm_view(case)) + str([e.data for e in desk.store.read("case:k1")])


# 198 --------------------------------------------------------------------------------------------------------------

SALT = b"only for this test"
POLICY = PrivacyPolicy(
    [Purpose("accounting", ["transactions"], 3650), Purpose("service", ["interactions", "cases"], 365)],
    total_columns=["total", "kind", "channel"],
    streams=["memory", "profile"],
)


@pytest.fixture(params=["memory", "sqlite"])
def desk(request, tmp_path):
    with MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "p.db") as store:
        yield PrivacyDesk(POLICY, store, SALT)


def totals(view):
    """What a report counts: facts, sums and kinds by facet and day."""
    out = Counter()
    for part in view.facts:
        for i in range(len(part)):
            fact = part[i]
            key = (part.facet, part.source, fact.time, fact.values.get("kind"))
            out[key, "n"] += 1
            out[key, "sum"] += fact.values.get("total", 0)
    return out


def test_row_198_an_erased_person_is_gone_and_totals_stay(fragmented, desk):
    ann, bo = fragmented[0].customer_id, fragmented[1].customer_id
    CustomerMemory(desk.store).remember(ann, "milk", "oat", at=at(), actor="shop")
    gate = AccessGate(AccessPolicy([RoleView("service", {}, "shown")]), desk.store)
    gate.read(ann, fragmented[0].profile.values(), role="service", who="staff-1", now=at())
    gate.read(bo, fragmented[1].profile.values(), role="service", who="staff-1", now=at())
    done = desk.erase(fragmented, ann, now=at(5), actor="privacy officer")
    after = done.view
    assert ann not in after.profiles.customers
    assert after[bo].profile.values() == fragmented[1].profile.values()
    assert totals(after) == totals(fragmented)
    assert CustomerMemory(desk.store).recall(ann) == {}
    held = repr([f.columns for f in after.facts]) + repr(after.profiles.export()) + str(after.profiles.text)
    held += repr([c.values for c in after.profiles.records.columns.values()])
    held += repr([(e.data, e.actor, e.reason) for e in desk.store.read_all()])
    assert not any(word in held for word in ("Ann Lee", "A. Lee", "0811", "@ann", "ANN", "ann@", "Ann@", "oat", ann))
    assert {e.customer: len(e.fields) for e in gate.audit()} == {done.subject: 4, bo: 2}
    assert (done.records, done.facts, done.events) == (3, 5, 1)


def test_row_198_the_audit_keeps_who_when_and_a_pseudonym(fragmented, desk):
    ann = fragmented[0].customer_id
    done = desk.erase(fragmented, ann, now=at(5), actor="privacy officer")
    (entry,) = desk.erasures()
    assert (entry.actor, entry.time, entry.type) == ("privacy officer", at(5), "customer erased")
    assert entry.data["subject"] == done.subject
    assert ann not in repr((entry.data, entry.actor, entry.id))
    assert desk.suppressed(["crm:0", "crm:1", "crm:3"]).tolist() == [True, True, False]


def test_row_198_erasing_again_after_an_interruption_is_harmless(fragmented, desk):
    ann = fragmented[0].customer_id
    first = desk.erase(fragmented, ann, now=at(5), actor="officer")
    again = desk.erase(fragmented, ann, now=at(6), actor="officer")
    assert again.view.profiles.export() == first.view.profiles.export()
    assert len(desk.erasures()) == 1
    with pytest.raises(UnknownName, match="customer"):
        desk.erase(first.view, ann, now=at(6), actor="officer")


def test_row_198_who_came_back_with_more_records_is_erased_and_suppressed_anew(fragmented, desk):
    before = SingleCustomerView(people({"name": "Ann Lee", "phone": "0811"}, labels=[0]))
    ann = before[0].customer_id
    assert ann == fragmented[0].customer_id  # the id of a customer is that of its first record
    desk.erase(before, ann, now=at(5), actor="officer")
    assert desk.suppressed(["crm:0", "crm:1"]).tolist() == [True, False]
    desk.erase(fragmented, ann, now=at(9), actor="officer")
    assert desk.suppressed(["crm:0", "crm:1", "crm:2", "crm:3"]).tolist() == [True, True, True, False]
    assert len(desk.erasures()) == 2


def test_row_198_what_no_purpose_needs_is_due_and_a_hold_keeps_it(fragmented, desk):
    due = desk.due(fragmented, now=at(3.5))
    assert [(d.facet.value, d.facts) for d in due] == [("opinions", 1)]  # no purpose names opinions; consents lie ahead
    year = desk.due(fragmented, now=at(1 + 366))
    assert {d.facet.value for d in year} == {"interactions", "opinions", "consents"}
    assert desk.due(fragmented, now=at(367), holds=[fragmented[0].customer_id]) == ()
    after = desk.expire(fragmented, now=at(367))
    assert totals(after) == totals(fragmented)
    assert [len(v) for v in after[0].facets.values()] == [1, 0, 0, 0, 1]
    assert desk.due(after, now=at(367)) == ()


def test_row_198_subject_access_lists_everything_with_sources_as_json(fragmented, desk):
    ann = fragmented[0].customer_id
    CustomerMemory(desk.store).remember(ann, "milk", "oat", at=at(), actor="shop")
    gate = AccessGate(AccessPolicy([RoleView("service", {}, "shown")]), desk.store)
    gate.read(ann, fragmented[0].profile.values(), role="service", who="staff-1", now=at())
    told = json.loads(json.dumps(desk.export(fragmented, ann, now=at(5))))
    assert {c["field"] for c in told["golden"]} == {"name", "phone", "handle", "email"}
    assert all(c["source"] == "crm" for c in told["golden"])
    assert len(told["records"]) == 3
    assert [f["source"] for f in told["facts"]] == ["storefront", "page inbox", "survey", "web form", "call center"]
    assert told["events"][0]["data"] == {"topic": "milk", "text": "oat"}
    assert told["read_by"][0]["who"] == "staff-1"
    assert "Bo Ek" not in json.dumps(told)
