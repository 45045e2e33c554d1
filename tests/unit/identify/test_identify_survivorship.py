from __future__ import annotations

import json

import numpy as np
import pytest

from crmcore.errors import MissingColumn, UnknownName, WrongType
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.idic.identify.survivorship import Cells, FieldRule, SurvivorshipPlan, load_strategy
from crmcore.tables import TextColumn
from tests.unit.identify.identify_examples import records

FOUR = [
    {"id": "web:1", "source": "web", "time": "2024-01-01", "name": "Ann Lee", "city": "Bath"},
    {"id": "web:2", "source": "web", "time": "2024-03-01", "name": "Ann", "city": "York"},
    {"id": "shop:1", "source": "shop", "time": None, "name": "Ann Lee", "city": "Leeds"},
    {"id": "app:1", "source": "app", "time": "2024-02-01", "name": "Annabel Leigh", "city": None},
]


def golden(rows, field, strategy, **options):
    plan = SurvivorshipPlan((), otherwise="most recent").where(field, strategy, **options)
    return ProfileTable.build(records(rows), np.zeros(len(rows), int), plan=plan)[0].values().get(field)


@pytest.mark.parametrize(
    ("strategy", "options", "expected"),
    [
        ("most recent", {}, "Ann"),
        ("first", {}, "Ann Lee"),
        ("most complete", {}, "Annabel Leigh"),
        ("vote", {}, "Ann Lee"),
        ("source priority", {"sources": ("app",)}, "Annabel Leigh"),
        ("source priority", {"sources": ("shop",)}, "Ann Lee"),
        ("union", {}, ("Ann", "Annabel Leigh", "Ann Lee")),
        ("union", {"order": "vote"}, ("Ann Lee", "Ann", "Annabel Leigh")),
        ("union", {"order": "most complete"}, ("Annabel Leigh", "Ann Lee", "Ann")),
    ],
)
def test_each_strategy_keeps_the_value_it_names(strategy, options, expected):
    assert golden(FOUR, "name", strategy, **options) == expected


def test_an_unknown_time_is_neither_the_first_nor_the_latest():
    rows = [{"id": "a", "time": None, "city": "Bath"}, {"id": "b", "time": "2020-01-01", "city": "York"}]
    assert golden(rows, "city", "first") == "York"
    assert golden(rows, "city", "most recent") == "York"


def test_ties_go_to_recency_then_source_then_text_then_record_id():
    later = [{"id": "a", "time": "2024-01-01", "city": "Bath"}, {"id": "b", "time": "2024-01-02", "city": "York"}]
    assert golden(later, "city", "vote") == "York"
    same = [{"id": "a", "source": "web", "city": "Bath"}, {"id": "b", "source": "app", "city": "York"}]
    assert golden(same, "city", "vote") == "York"  # sources that nobody ranked stand by name
    assert golden(same, "city", "vote", sources=("web",)) == "Bath"
    text = [{"id": "a", "city": "York"}, {"id": "b", "city": "Bath"}]
    assert golden(text, "city", "vote") == "Bath"
    twins = ProfileTable.build(records([{"id": "z", "city": "Bath"}, {"id": "y", "city": "Bath"}]), [0, 0])
    assert twins[0].cells("city")[0].record_id == "y"


def test_an_address_comes_from_one_record_and_keeps_its_gaps():
    rows = [
        {"id": "a", "time": "2024-01-01", "street": "1 High St", "city": "Bath", "postcode": "BA1"},
        {"id": "b", "time": "2024-02-01", "street": "9 Low Rd", "city": "York", "postcode": None},
    ]
    profile = ProfileTable.build(records(rows), [0, 0])[0]
    assert profile.values() == {"street": "9 Low Rd", "city": "York"}
    assert profile.explain("city").together_with == ("street", "postcode")


def test_a_later_record_with_only_a_city_does_not_replace_an_address():
    rows = [
        {"id": "a", "time": "2024-01-01", "street": "1 High St", "city": "Bath"},
        {"id": "b", "time": "2024-02-01", "street": None, "city": "York"},
    ]
    assert ProfileTable.build(records(rows), [0, 0])[0].values() == {"street": "1 High St", "city": "Bath"}


def test_the_most_complete_address_is_the_one_with_most_fields():
    rows = [
        {"id": "a", "street": "1 High St", "city": "Bath", "postcode": "BA1"},
        {"id": "b", "street": "10987654321 Very Long Street Name", "city": None, "postcode": None},
    ]
    plan = SurvivorshipPlan().where(("street", "city", "postcode"), "most complete")
    assert ProfileTable.build(records(rows), [0, 0], plan=plan)[0].value("city") == "Bath"


def test_two_columns_of_one_role_are_one_field():
    rows = [{"id": "a", "home": "0811", "mobile": "0822"}, {"id": "b", "home": None, "mobile": "0811"}]
    table = ProfileTable.build(records(rows), [0, 1], roles={"home": "phone", "mobile": "phone"})
    assert table[0].values() == {"phone": ("0811", "0822")}
    assert [c.column for c in table[0].cells("phone")] == ["home", "mobile"]
    assert table[1].values() == {"phone": ("0811",)}


def test_values_are_compared_and_shown_in_their_normal_form():
    rows = [{"id": "a", "phone": "081-1"}, {"id": "b", "phone": "+66 811"}, {"id": "c", "phone": "n/a"}]
    normal = {"phone": TextColumn.of(["+66811", "+66811", None])}
    table = ProfileTable.build(records(rows), [0, 0, 0], normal=normal)
    assert table[0].values() == {"phone": ("+66811",)}
    assert table[0].cells("phone")[0].votes == 2
    assert [r["phone"] for r in table.export()] == ["081-1", "+66 811", "n/a"]


def test_a_callable_scores_cells_and_nan_never_wins():
    def shortest(cells: Cells) -> np.ndarray:
        length = np.array([len(cells.text[c]) for c in cells.code], float)
        return np.where(length < 4, np.nan, -length)

    plan = SurvivorshipPlan().where("name", shortest)
    profile = ProfileTable.build(records(FOUR), [0] * 4, plan=plan)[0]
    assert profile.value("name") == "Ann Lee"
    assert profile.cells("name")[0].strategy == "shortest"


def test_a_callable_of_the_wrong_shape_is_refused():
    with pytest.raises(WrongType, match=r"shape \(1,\).*expected \(4,\)"):
        golden(FOUR, "name", lambda cells: np.zeros(1))


def test_a_plan_survives_json():
    plan = SurvivorshipPlan(source_priority=("crm", "web")).where("name", "union", order="vote", sources=("web",))
    assert SurvivorshipPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_a_callable_has_no_json_and_says_how_to_get_one():
    with pytest.raises(WrongType, match=r"entry-point group 'crmcore\.survivorship'"):
        FieldRule(("name",), lambda cells: np.zeros(len(cells))).to_dict()


def test_replacing_a_rule_takes_the_field_out_of_its_group():
    plan = SurvivorshipPlan().where("city", "vote")
    assert "city" not in plan.rule("street").fields
    assert plan.rule("city") == FieldRule(("city",), "vote")


@pytest.mark.parametrize("wrong", ["mostrecent", "votes"])
def test_a_misspelt_strategy_proposes_the_nearest(wrong):
    with pytest.raises(UnknownName, match=r"did you mean '(most recent|vote)'"):
        FieldRule(("name",), wrong)


def test_wrong_plans_are_refused():
    with pytest.raises(UnknownName, match="order of a union"):
        FieldRule(("a",), "union", "union")
    with pytest.raises(WrongType, match="union on a group"):
        FieldRule(("a", "b"), "union")
    with pytest.raises(WrongType, match="two rules for a"):
        SurvivorshipPlan((FieldRule("a", "vote"), FieldRule("a", "first")))
    with pytest.raises(WrongType, match="strategy is int"):
        FieldRule("a", 3)
    with pytest.raises(UnknownName, match="key of a survivorship plan"):
        SurvivorshipPlan.from_dict({"rule": []})
    with pytest.raises(UnknownName, match="nobody"):
        load_strategy("nobody")


def test_a_plan_for_a_field_or_source_that_is_not_there_is_refused():
    with pytest.raises(MissingColumn, match="did you mean 'name'"):
        ProfileTable.build(records(FOUR), [0] * 4, plan=SurvivorshipPlan().where("nme", "vote"))
    with pytest.raises(UnknownName, match="unknown source 'webb'"):
        ProfileTable.build(records(FOUR), [0] * 4, plan=SurvivorshipPlan(source_priority=("webb",)))


class LongestOfWeb:
    """The longest value that the web shop gave."""

    def choose(self, values, sources, times, /):
        return max(range(len(values)), key=lambda i: (sources[i] == "web", len(values[i])))


def test_a_rule_may_look_at_one_person_at_a_time():
    plan = SurvivorshipPlan().where("name", LongestOfWeb())
    table = ProfileTable.build(records(FOUR), [0, 0, 0, 0], plan=plan)
    assert table[0].value("name") == "Ann Lee"
    assert table[0].cells("name")[0].strategy == "LongestOfWeb"
    pairs = ProfileTable.build(records(FOUR), [0, 1, 1, 0], plan=plan)
    assert [pairs.of_record(r).value("name") for r in ("web:1", "web:2")] == ["Ann Lee", "Ann"]


def test_a_class_in_place_of_an_object_is_refused():
    with pytest.raises(WrongType, match="strategy"):
        FieldRule("name", LongestOfWeb)


def test_a_plug_in_is_found_by_its_name(tmp_path, monkeypatch):
    home = tmp_path / "acme_rules-1.0.dist-info"
    home.mkdir()
    (home / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.0\n")
    (home / "entry_points.txt").write_text(
        "[crmcore.survivorship]\nacme-last = acme_rules:last\nacme-odd = acme_rules:odd\n"
    )
    (tmp_path / "acme_rules.py").write_text("def last(cells):\n    return cells.code.astype(float)\nodd = 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    plan = SurvivorshipPlan.from_dict({"rules": [{"fields": ["name"], "strategy": "acme-last"}]})
    assert ProfileTable.build(records(FOUR), [0] * 4, plan=plan)[0].value("name") == "Annabel Leigh"
    assert plan.to_dict()["rules"] == [{"fields": ["name"], "strategy": "acme-last"}]
    with pytest.raises(WrongType, match="survivorship plug-in is int"):
        load_strategy("acme-odd")


def test_a_group_reads_the_first_filled_column_of_a_role():
    rows = [
        {"id": "a", "town": None, "place": "Bath", "street": "1 High St"},
        {"id": "b", "town": "York", "place": "X"},
    ]
    table = ProfileTable.build(records(rows), [0, 1], roles={"town": "city", "place": "city"})
    assert [table.of_record(r).cells("city")[0].column for r in ("a", "b")] == ["place", "town"]
    assert table.column("city") == ["Bath", "York"]
