from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from crmcore.errors import DuplicateIds, EmptyInput, MissingColumn, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.idic.identify.access import AccessGate, AccessPolicy, RoleView
from crmcore.idic.identify.accounts import Account, AccountTree, ContactRole
from crmcore.idic.identify.facts import link, recognition
from crmcore.idic.identify.privacy import PrivacyDesk, PrivacyPolicy, Purpose
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.idic.identify.repository import changed
from crmcore.idic.identify.view import SingleCustomerView
from crmcore.stores import MemoryStore
from crmcore.tables import EventTable, RecordTable

DAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def profiles() -> ProfileTable:
    rows = [{"email": "ann@example.org", "phone": "0811"}, {"email": "bo@example.org", "phone": "+66 822"}]
    return ProfileTable.build(RecordTable.from_frame(rows, source="crm"), [0, 1])


def test_facts_come_from_any_frame(profiles):
    frame = pl.DataFrame(
        {"mail": ["ANN@example.org", None], "at": ["2026-01-01T00:00Z", "2026-01-02T00:00Z"], "n": [1, 2]}
    )
    facts = link(profiles, frame, facet="cases", source="desk", by={"email": "mail"}, time="at")
    assert facts.customer.tolist() == [0, -1]
    assert facts[0].values == {"mail": "ANN@example.org", "n": 1}
    assert facts.to_frame()["customer_id"] == [profiles[0].customer_id, None]


def test_facts_come_from_a_table_of_events(profiles):
    ids = [p.customer_id for p in profiles]
    events = EventTable.from_frame({"customer": [ids[1], None], "time": [DAY, DAY], "channel": ["line", "web"]})
    facts = link(profiles, events.to_frame(), facet="interactions", source="log", customer="customer")
    assert facts.customer.tolist() == [1, -1]
    assert facts[0].values["channel"] == "line"


def test_a_fold_of_your_own_decides_what_is_the_same_identifier(profiles):
    def thai(number: str) -> str | None:
        digits = "".join(c for c in number if c.isdigit())
        return digits.removeprefix("66").removeprefix("0") or None

    rows = [{"tel": "+66811", "time": DAY}, {"tel": "0822", "time": DAY}, {"tel": "?", "time": DAY}]
    plain = link(profiles, rows, facet="cases", source="s", by={"phone": "tel"})
    assert plain.customer.tolist() == [-1, -1, -1]
    same = link(profiles, rows, facet="cases", source="s", by={"phone": "tel"}, folds={"phone": thai})
    assert same.customer.tolist() == [0, 1, -1]


def test_wrong_links_say_what_to_do(profiles):
    with pytest.raises(WrongType, match="name the column that says who it was"):
        link(profiles, [{"time": DAY}], facet="cases", source="s")
    with pytest.raises(UnknownName, match="did you mean 'cases'"):
        link(profiles, [{"time": DAY}], facet="case", source="s", record="r")
    with pytest.raises(MissingColumn):
        link(profiles, [{"time": DAY}], facet="cases", source="s", record="r")
    with pytest.raises(MissingColumn, match="golden record"):
        link(profiles, [{"x": "1", "time": DAY}], facet="cases", source="s", by={"member": "x"})
    facts = link(profiles, [{"r": "crm:0", "time": DAY}], facet="cases", source="desk", record="r")
    with pytest.raises(MissingColumn, match="facts of 'desk'"):
        recognition(facts)


def test_facts_of_other_profiles_are_refused(profiles):
    other = ProfileTable.build(RecordTable.from_frame([{"email": "x@example.org"}], source="web"), [0])
    facts = link(other, [{"r": "web:0", "time": DAY}], facet="cases", source="s", record="r")
    with pytest.raises(WrongType, match="link them again"):
        SingleCustomerView(profiles, [facts])
    with pytest.raises(UnknownName, match="customer"):
        SingleCustomerView(profiles, [], {"c-unknown": "supplier"})


def test_a_naive_time_is_refused_everywhere(profiles):
    view = SingleCustomerView(profiles)
    naive = DAY.replace(tzinfo=None)
    for call in (
        lambda: view.as_of(naive),
        lambda: profiles.as_of(naive),
        lambda: view[0].time_facets(now=naive),
        lambda: view[0].lifecycle(now=naive),
        lambda: ContactRole("a", "c", "buyer").holds(at=naive),
    ):
        with pytest.raises(NaiveDatetime):
            call()


def test_facts_without_time_come_last_and_are_in_no_journey(profiles):
    rows = [{"r": "crm:0", "time": None, "n": 1}, {"r": "crm:0", "time": DAY, "n": 2}]
    view = SingleCustomerView(profiles, [link(profiles, rows, facet="interactions", source="s", record="r")])
    assert [f.values["n"] for f in view[0].facets["interactions"]] == [2, 1]
    assert [f.values["n"] for f in view[0].journey()] == [2]


def test_the_latest_value_counts_and_one_of_unknown_time_only_alone(profiles):
    rows = [
        {"r": "crm:0", "time": DAY, "nps": 9},
        {"r": "crm:0", "time": None, "nps": 1},
        {"r": "crm:0", "time": DAY - timedelta(days=1), "nps": 3},
        {"r": "crm:1", "time": None, "nps": 5},
        {"r": None, "time": DAY, "nps": 7},
    ]
    view = SingleCustomerView(profiles, [link(profiles, rows, facet="opinions", source="survey", record="r")])
    assert view.one_row_each({"nps": ("survey", "nps")})["nps"] == [9, 5]


def test_a_view_without_facts_is_no_special_case(profiles):
    view = SingleCustomerView(profiles)
    assert view[0].journey() == ()
    assert view[0].time_facets(now=DAY).future == ()
    assert np.isnat(view.customer_since()).all()
    assert repr(view) == "SingleCustomerView(2 parties, 0 facts of 0 sources)"
    with pytest.raises(UnknownName, match="facet"):
        view.part("orders")


def test_policies_are_checked_at_the_door():
    with pytest.raises(UnknownName, match="visibility"):
        RoleView("a", {"x": "seen"})
    with pytest.raises(WrongType, match="two views for a"):
        AccessPolicy([RoleView("a", {}), RoleView("a", {})])
    with pytest.raises(EmptyInput, match="name at least one field"):
        AccessGate(AccessPolicy([RoleView("a", {})]), MemoryStore()).read(
            "c", {}, role="a", who="s", now=DAY, fields=[]
        )
    with pytest.raises(OutOfRange, match="keep_days"):
        Purpose("p", ["cases"], -1)
    with pytest.raises(UnknownName, match="facet"):
        Purpose("p", ["case"], 1)
    with pytest.raises(OutOfRange, match="8 to 64 bytes"):
        PrivacyDesk(PrivacyPolicy([]), MemoryStore(), b"short")
    with pytest.raises(OutOfRange, match="valid_until"):
        ContactRole("a", "c", "buyer", DAY, DAY)
    with pytest.raises(WrongType, match="one text"):
        changed("c", id="1", time=DAY, source="s", add={"phone": "0811"})


def test_subject_access_writes_any_value_as_json(profiles):
    rows = [{"r": "crm:0", "time": DAY, "tags": ["a", 1], "more": {"k": DAY}, "ok": True, "big": complex(1, 2)}]
    view = SingleCustomerView(profiles, [link(profiles, rows, facet="cases", source="s", record="r")])
    told = PrivacyDesk(PrivacyPolicy([]), MemoryStore(), b"long enough").export(view, profiles[0].customer_id, now=DAY)
    facts = json.loads(json.dumps(told))["facts"]
    assert facts[0]["values"]["more"] == {"k": "2026-05-01T00:00:00+00:00"}
    assert facts[0]["values"]["tags"] == ["a", 1]


def test_accounts_name_themselves_and_refuse_repeats():
    tree = AccountTree([Account("a", "A")])
    assert (repr(tree), tree["a"].name) == ("AccountTree(1 accounts, 0 contact roles)", "A")
    with pytest.raises(UnknownName, match="account"):
        tree["b"]
    with pytest.raises(DuplicateIds, match="accounts: 1 repeated"):
        AccountTree([Account("a", "A"), Account("a", "B")])
    with pytest.raises(UnknownName, match="account of a contact"):
        AccountTree([Account("a", "A")], [ContactRole("b", "c", "buyer")])
