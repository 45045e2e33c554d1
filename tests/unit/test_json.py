from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from numpy.typing import NDArray

from crmcore.documents import Document, dumps, from_dict, loads, placed, to_dict
from crmcore.errors import BadDocument, BadRow, BadRows, OutOfRange, WrongType
from crmcore.recovery.process.registers import PreventionCheck, PreventionPlan
from crmcore.rules import Rule, field
from crmcore.values import Interaction, Money


class Mood(enum.StrEnum):
    GOOD = "good"


@attrs.frozen
class Above:
    limit: float


@attrs.frozen
class Named:
    names: frozenset[str]


@attrs.frozen(eq=False)
class Everything:
    mood: Mood
    day: date
    wait: timedelta
    price: Decimal
    zone: ZoneInfo
    pair: tuple[int, str]
    many: tuple[float, ...]
    table: Mapping[str, int]
    rule: Above | Named
    rules: tuple[Above | Named, ...]
    maybe: Above | Named | None
    shares: NDArray[np.float64]
    grid: NDArray[np.float64]
    codes: NDArray[np.int32]
    at: NDArray[np.datetime64]
    ids: NDArray[np.object_]


WHOLE = Everything(
    Mood.GOOD,
    date(2026, 3, 1),
    timedelta(hours=4),
    Decimal("1.10"),
    ZoneInfo("Asia/Bangkok"),
    (1, "a"),
    (1.5, float("inf"), float("-inf")),
    MappingProxyType({"b": 2, "a": 1}),
    Above(0.5),
    (Named(frozenset({"y", "x"})), Above(float("nan"))),
    None,
    np.array([0.5, np.nan]),
    np.array([[1.0, np.nan], [3.0, 4.0]]),
    np.array([1, -1], np.int32),
    np.array(["2026-03-01T09:00:00.5", "NaT"], "datetime64[us]"),
    np.array(["a", None], object),
)


def test_everything_has_one_form_and_reads_back() -> None:
    document = to_dict(WHOLE)
    assert document["mood"] == "good"
    assert document["day"] == "2026-03-01"
    assert document["wait"] == 14400.0
    assert document["price"] == "1.10"
    assert document["zone"] == "Asia/Bangkok"
    assert document["many"] in ([1.5, "inf", "-inf"], (1.5, "inf", "-inf"))
    assert document["rule"] == {"type": "Above", "limit": 0.5}
    assert list(document["rules"]) == [{"type": "Named", "names": ["x", "y"]}, {"type": "Above", "limit": None}]
    assert document["shares"] == [0.5, None]
    assert document["grid"] == [[1.0, None], [3.0, 4.0]]
    assert document["at"] == ["2026-03-01T09:00:00.500000Z", None]
    again = loads(Everything, dumps(WHOLE))
    assert dumps(again) == dumps(WHOLE)
    assert again.many == WHOLE.many
    assert again.rules[0] == WHOLE.rules[0]
    np.testing.assert_array_equal(again.grid, WHOLE.grid)
    assert [a.dtype for a in (again.codes, again.at, again.ids)] == [np.int32, np.dtype("M8[us]"), object]
    assert not again.codes.flags.writeable


def test_all_faults_are_named_at_once_by_path() -> None:
    with pytest.raises(BadDocument) as caught:
        from_dict(Interaction, {"customer": 7, "time": "soon", "amount": {"amount_minor": "3"}, "chanel": "x"})
    said = str(caught.value)
    for path in ("$.time", "$.amount.amount_minor", "$.amount.currency", "$.customer", "unknown fields ['chanel']"):
        assert path in said


def test_a_fault_does_not_repeat_the_value() -> None:
    with pytest.raises(BadDocument) as caught:
        from_dict(Interaction, {"customer": ["ann@example.org"], "time": "ann@example.org"})
    assert "ann" not in str(caught.value)


@attrs.frozen
class Window:
    """Refuses by a house error of one line of facts, or of several."""

    days: int
    rows: tuple[int, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.days < 0:
            raise OutOfRange("days", self.days, "0 or more", "count from the opening")
        if 7 in self.rows:
            bad = (BadRow("row", "is seven", (0,), ("a•••",)), BadRow("row", "is odd", (1, 2)))
            raise BadRows("the window", bad, "drop these rows")


@attrs.frozen
class Windows:
    rule: Above | Named
    many: tuple[Window, ...] = ()


def test_a_house_error_inside_a_document_keeps_its_facts_and_its_way_out() -> None:
    document = {"rule": {"type": "Abov", "limit": 1}, "many": [{"days": 1}, {"days": -1}, {"days": 1, "rows": [7, 1]}]}
    with pytest.raises(BadDocument) as caught:
        from_dict(Windows, document)
    assert sorted(caught.value.problems) == [
        "BadRows: the window has rows that cannot be read @ $.many[2]\n"
        "  row: is seven in 1 row [0] (such as a•••)\n  row: is odd in 2 rows [1, 2]\n  hint: drop these rows",
        "OutOfRange: days = -1: expected 0 or more. @ $.many[1]\n  hint: count from the opening",
        "UnknownName: unknown type 'Abov': expected one of ['Above', 'Named']. @ $.rule\n  hint: did you mean 'Above'?",
    ]
    assert "\n  BadRows: the window" in str(caught.value)
    assert "\n    row: is odd in 2 rows" in str(caught.value), "what belongs to a fault stands below it"
    assert str(caught.value).endswith(
        "\n  hint: write it with to_dict of the same version of crmcore, or repair these fields"
    )


def test_a_house_error_of_the_whole_document_is_told_like_one_of_a_part() -> None:
    with pytest.raises(BadDocument) as caught:
        from_dict(Window, {"days": -1})
    assert caught.value.problems == ("OutOfRange: days = -1: expected 0 or more. @ $\n  hint: count from the opening",)
    assert placed(ValueError("a\nb"), "$.x") == "ValueError: a @ $.x", "others may carry values: their first line"
    assert placed(ValueError(), "$.x") == "ValueError:  @ $.x"


@attrs.frozen
class Kept:
    """Holds JSON values as somebody else made them."""

    data: Mapping[str, object]
    one: object = None


def test_a_json_value_passes_as_it_is_and_is_copied_both_ways() -> None:
    tree: dict[str, object] = {"text": "ก", "list": [1, 0.5, True, None, {"deep": [[], {}]}]}
    kept = Kept(tree, ["x"])
    document = to_dict(kept)
    assert document == {"data": tree, "one": ["x"]}
    assert json.loads(dumps(kept)) == document
    again = from_dict(Kept, document)
    assert again == kept
    document["data"]["list"][4]["deep"].append("changed")
    assert again == kept == Kept(tree, ["x"])
    assert tree["list"] == [1, 0.5, True, None, {"deep": [[], {}]}]
    assert from_dict(Kept, {"data": MappingProxyType({"a": 1})}).data == {"a": 1}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": [1, (2, 3)]}, "the value[1] is tuple: expected a JSON value"),
        ({"a": {"b": {1: 2}}}, "a key of the value['b'] is int: expected text"),
        ({"a": [float("nan")]}, "the value[0] is no finite number"),
        ({"a": float("-inf")}, "the value is no finite number"),
        ({"a": datetime(2026, 3, 1, tzinfo=UTC)}, "the value is datetime"),
        ({"a": {"b": {1}}}, "the value['b'] is set"),
        ({"a": Money(1, "THB")}, "the value is Money"),
    ],
)
def test_what_is_no_json_value_is_refused_both_ways_with_its_place(value: dict[str, object], told: str) -> None:
    with pytest.raises(WrongType) as written:
        to_dict(Kept(value))
    assert told in str(written.value)
    with pytest.raises(BadDocument) as read:
        from_dict(Kept, {"data": value})
    assert told in str(read.value)
    assert "@ $.data['a']" in str(read.value)


def test_all_faults_of_json_values_are_named_at_once() -> None:
    with pytest.raises(BadDocument) as caught:
        from_dict(Kept, {"data": {"a": (), "b": 1, "c": set()}, "one": {2: 3}})
    assert len(caught.value.problems) == 3
    with pytest.raises(BadDocument, match=r"expected Mapping @ \$\.data"):
        from_dict(Kept, {"data": 3})


@pytest.mark.parametrize("document", [None, 7, [], "x", {"amount_minor": True, "currency": "THB"}])
def test_what_is_no_money_is_refused(document: object) -> None:
    with pytest.raises(BadDocument, match="the document is no Money"):
        from_dict(Money, document)


def test_an_unknown_type_of_a_union_is_refused_with_the_known_ones() -> None:
    document = to_dict(WHOLE) | {"rule": {"type": "Abov", "limit": 1}}
    with pytest.raises(BadDocument, match=r"rule"):
        from_dict(Everything, document)


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(BadDocument, match="JSON text"):
        loads(Money, "{")


def test_instants_in_json_are_aware() -> None:
    value = Interaction("c", datetime(2026, 3, 1, 16, tzinfo=ZoneInfo("Asia/Bangkok")))
    assert to_dict(value)["time"] == "2026-03-01T16:00:00+07:00"
    assert loads(Interaction, dumps(value)).time == datetime(2026, 3, 1, 9, tzinfo=UTC)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Tone(enum.StrEnum):
    WARM = "warm"


@attrs.frozen
class Graded(Document):
    level: Level
    tone: Tone
    more: tuple[Level, ...] = ()
    rest: Level | None = None


def test_members_of_enums_come_back_as_members() -> None:
    value = Graded(Level.LOW, Tone.WARM, (Level.HIGH,), Level.HIGH)
    again = Graded.from_dict(json.loads(json.dumps(value.to_dict())))
    assert again == value
    assert [type(x) for x in (again.level, again.tone, again.more[0], again.rest)] == [Level, Tone, Level, Level]
    assert again.to_dict() == value.to_dict()
    with pytest.raises(BadDocument, match="level"):
        Graded.from_dict({**value.to_dict(), "level": 7})


@attrs.frozen
class Shout:
    """Writes itself in its own way, beginning with its fields."""

    words: str

    def to_dict(self) -> dict[str, object]:
        return {"loud": to_dict(self)["words"].upper()}

    @classmethod
    def from_dict(cls, document: object) -> Shout:
        if not isinstance(document, dict) or set(document) != {"loud"}:
            raise BadDocument("Shout", ("$: expected loud",), "write it with to_dict")
        return from_dict(cls, {"words": document["loud"].lower()})


@attrs.frozen
class Scene(Document):
    first: Shout
    rest: tuple[Shout, ...] = ()


def test_a_class_that_writes_itself_does_so_inside_of_others() -> None:
    scene = Scene(Shout("hey"), (Shout("you"),))
    assert scene.to_dict() == {"first": {"loud": "HEY"}, "rest": [{"loud": "YOU"}]}
    assert Scene.from_dict(scene.to_dict()) == scene


def test_its_faults_are_named_with_their_place() -> None:
    with pytest.raises(BadDocument, match=r"(?s)first.*expected loud"):
        Scene.from_dict({"first": {"words": "hey"}, "rest": []})


def test_a_rule_is_a_field_like_any_other() -> None:
    plan = PreventionPlan([PreventionCheck("pack", Rule("address complete", field("checked")), "ask")])
    assert PreventionPlan.from_dict(plan.to_dict()) == plan
    with pytest.raises(BadDocument, match="checks"):
        PreventionPlan.from_dict({})
