"""Sentences of triggers: errors, reprs, empty sources, documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.errors import (
    BadDocument,
    BadRows,
    DuplicateIds,
    EmptyInput,
    MissingColumn,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.idic.interact.contact.triggers import (
    Abandoned,
    BackInStock,
    Birthday,
    Firings,
    ItemTable,
    Maintenance,
    NearlyOut,
    PriceDrop,
    Silence,
    Sources,
    fire,
    trigger_from_dict,
)
from crmcore.rules import FactTable, Rule, field
from crmcore.tables import CustomerIndex, EventTable, TextColumn

DAY = timedelta(days=1)
AT = datetime(2026, 6, 1, tzinfo=UTC)
ALL = {"since": AT, "until": AT + 30 * DAY}
PEOPLE = CustomerIndex.of(["ann@example.org", "bob"])


def sources(**more: object) -> Sources:
    events = [
        {"customer": "bob", "time": AT + DAY, "kind": "order", "reference": "lamp"},
        {"customer": "zoe", "time": AT + DAY, "kind": "order", "reference": "lamp"},  # nobody of this population
    ]
    return Sources(PEOPLE, events=EventTable.from_frame(events), **more)


def test_triggers_survive_their_documents() -> None:
    rule = Rule("vip", field("spent") > 100)
    several = [
        Abandoned("a", start=["x", "y"], done="z", key="cart", after_hours=0.5, when=rule),
        BackInStock("b", item="sku"), Birthday("c", date="joined", at="18:30", leap_day="1 March", days_before=3),
        Maintenance("d", months=6, usage=1e4, key="plate", pause_days=2), NearlyOut("e", threshold=2, offer="5 % off"),
        PriceDrop("f", at_least=0.25, message="sale"), Silence("g", kinds=["view", "order"], after_days=7),
    ]  # fmt: skip
    assert [trigger_from_dict(trigger.to_dict()) for trigger in several] == several
    assert len(set(several)) == 7
    assert several[0] != several[1]
    with pytest.raises(UnknownName, match="did you mean 'Birthday'"):
        trigger_from_dict({"type": "Birthdays", "name": "x"})
    with pytest.raises(BadDocument, match="unknown fields"):
        trigger_from_dict({"type": "Silence", "name": "x", "days": 3})


def test_wrong_calls_say_what_and_how() -> None:
    with pytest.raises(EmptyInput, match="after how many months"):
        Maintenance("m")
    with pytest.raises(OutOfRange, match="after_days"):
        Silence("s", after_days=0)
    with pytest.raises(OutOfRange, match="ten per cent"):
        PriceDrop("p", at_least=10)
    with pytest.raises(EmptyInput, match="name the trigger"):
        Silence(" ")
    with pytest.raises(WrongType, match="a Rule or None"):
        Silence("s", when="vip")
    with pytest.raises(DuplicateIds):
        fire([Silence("s"), Silence("s")], sources(), **ALL)
    with pytest.raises(OutOfRange, match="swap them"):
        fire(Silence("s"), sources(), since=AT, until=AT - DAY)
    with pytest.raises(MissingColumn, match="born"):
        fire(Birthday("b"), sources(), **ALL)
    with pytest.raises(MissingColumn, match="prices"):
        fire(PriceDrop("p"), sources(), **ALL)
    with pytest.raises(MissingColumn, match="events"):
        fire(Silence("s"), Sources(PEOPLE), **ALL)
    with pytest.raises(MissingColumn, match="cart"):
        fire(Abandoned("a", key="cart"), sources(), **ALL)
    with pytest.raises(EmptyInput, match="Sources\\(customers, facts\\)"):
        fire(Silence("s", after_days=1, when=Rule("r", field("x") > 1)), sources(), **ALL)
    with pytest.raises(UnknownName, match="Asia/Bangkok"):
        Sources(PEOPLE, zone="Asia/Bangkk")
    with pytest.raises(OutOfRange, match="one a customer"):
        Sources(PEOPLE, zone=TextColumn.of(["UTC"]))
    with pytest.raises(OutOfRange, match="facts of other customers"):
        Sources(PEOPLE, FactTable(CustomerIndex.of(["x"]), {}))


def test_all_bad_rows_of_items_are_one_error() -> None:
    with pytest.raises(BadRows) as caught:
        ItemTable.from_frame({"item": ["a", None], "time": [AT, AT], "value": [float("nan"), 2]})
    assert {p.column for p in caught.value.problems} == {"item", "value"}


def test_firings_show_counts_and_no_names() -> None:
    found = fire([Silence("quiet", after_days=2), Silence("long", after_days=20)], sources(), **ALL)
    assert repr(found) == "Firings(2: 1 long, 1 quiet)"
    assert found.to_frame()["customer"] == ["bob", "bob"]
    assert found.who("quiet").tolist() == [False, True]
    assert found.who("unheard of").tolist() == [False, False]
    assert "ann@" not in repr(found) + found._repr_html_()
    assert found.chart().title == "What fired"
    with pytest.raises(OutOfRange, match="two populations"):
        _ = found + Firings.none(CustomerIndex.of(["x"]))


def test_nothing_comes_of_nothing() -> None:
    empty = EventTable.from_frame({"customer": [], "time": []}, customers=PEOPLE)
    items = ItemTable.from_frame({"item": [], "time": [], "value": []})
    facts = FactTable(PEOPLE, {"born": np.array(["NaT", "NaT"], "datetime64[D]")})
    nothing = Sources(PEOPLE, facts, empty, items, items)
    several = [Abandoned("a"), BackInStock("b"), Birthday("c"), NearlyOut("e"), PriceDrop("f"), Silence("g")]
    assert len(fire(several, nothing, **ALL)) == 0
    assert len(fire(Maintenance("d", months=6), nothing, **ALL)) == 0
    assert len(fire([], nothing, **ALL)) == 0


def test_an_unknown_zone_is_the_default_one() -> None:
    facts = FactTable(PEOPLE, {"born": np.array(["1990-06-05", "1990-06-05"], "datetime64[D]")})
    zones = TextColumn.of(["Asia/Bangkok", None])
    found = fire(Birthday("b"), Sources(PEOPLE, facts, zone=zones, default_zone="Europe/Berlin"), **ALL)
    assert [found.when(i).hour for i in range(2)] == [2, 7]
