"""A, then B within n days; and how often a customer goes from one state to the other and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from crmcore.errors import BadDocument, EmptyInput, OutOfRange, WrongType
from crmcore.rules import Event, Facts, FactTable, Number, Rule, Schema, Text, Tier, Tiers, count, field
from crmcore.rules.making import days_since, followed_by, latest, preceded_by, switches, total
from crmcore.rules.nodes import Condition, Term
from crmcore.rules.schema import BadRule, EventKind
from crmcore.rules.sequence_columns import has_neighbour, switch_counts
from crmcore.tables import CustomerIndex, EventTable
from crmcore.values import Interaction, Money

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _facts(*what: tuple[float, str], **attributes: str) -> Facts:
    """Events so many hours ago."""
    events = [Event(kind=kind, time=NOW - timedelta(hours=h), attributes=attributes) for h, kind in what]
    return Facts({}, events=events)


def _value(term: Term, facts: Facts) -> float:
    """Value of a count, found by asking for it, in both forms."""
    table = FactTable.of_facts([facts])
    held = [n for n in range(9) if Rule("n", term == n).decide(facts, now=NOW).holds]
    assert [n for n in range(9) if Rule("n", term == n).mask(table, now=NOW).true[0]] == held
    (n,) = held
    return n


def test_a_then_b_within_days_counts_each_a_once() -> None:
    viewed = count("view", where=followed_by("order", within_days=2))
    hours = [(90, "view"), (60, "view"), (50, "order"), (49, "order"), (10, "view")]
    assert _value(viewed, _facts(*hours)) == 2
    assert _value(viewed, _facts((50, "order"), (60, "refund"))) == 0


@pytest.mark.parametrize(("view", "order", "expected"), [(48, 0, 1), (48.001, 0, 0), (5, 5, 0), (4, 5, 0), (5, 4, 1)])
def test_b_is_strictly_later_and_the_end_of_its_days_belongs_to_them(view: float, order: float, expected: int) -> None:
    facts = _facts((view, "view"), (order, "order"))
    assert _value(count("view", where=followed_by("order", within_days=2)), facts) == expected
    assert _value(count("order", where=preceded_by("view", within_days=2)), facts) == expected


def test_what_has_not_happened_by_now_does_not_follow() -> None:
    assert _value(count("view", where=followed_by("order")), _facts((1, "view"), (-1, "order"))) == 0


def test_three_steps_are_one_condition_inside_another() -> None:
    bought = followed_by("cart", within_days=1, where=followed_by("order", within_days=1))
    assert _value(count("view", where=bought), _facts((40, "view"), (30, "cart"), (10, "order"))) == 1
    assert _value(count("view", where=bought), _facts((40, "view"), (30, "cart"), (5, "order"))) == 0


def test_complaints_without_a_reply_are_said_as_they_sound() -> None:
    unanswered = count("complaint", before_days=2, where=~followed_by("reply", within_days=2))
    rule = Rule("unanswered", unanswered >= 1)
    assert str(rule) == (
        'Rule "unanswered": when number of complaint events more than 2 days ago '
        "(where not followed by a reply event within 2 days) is at least 1."
    )
    assert rule.decide(_facts((72, "complaint"), (20, "reply")), now=NOW).holds
    assert not rule.decide(_facts((72, "complaint"), (30, "reply")), now=NOW).holds
    assert rule.event_kinds == ("complaint", "reply")


def test_a_sequence_narrows_every_measure() -> None:
    facts = Facts(
        {},
        events=[
            Event(kind="advert", time=NOW - timedelta(days=9)),
            Event(kind="order", time=NOW - timedelta(days=8), amount=Money.of("70", "THB")),
            Event(kind="order", time=NOW - timedelta(days=2), amount=Money.of("50", "THB")),
        ],
    )
    after = preceded_by("advert", within_days=1)
    for condition in (
        total("order", where=after) == Money.of("70", "THB"),
        latest("order", of="amount", where=~after) == Money.of("50", "THB"),
        days_since("order", where=after) == 8,
    ):
        assert Rule("r", condition).decide(facts, now=NOW).holds
        assert Rule("r", condition).mask(FactTable.of_facts([facts]), now=NOW).true.all()


def test_a_measure_in_a_where_means_the_same_for_one_and_for_all() -> None:
    loyal = count("view", where=count("order") >= 2)
    facts = [_facts((3, "view"), (2, "order"), (1, "order")), _facts((3, "view"), (2, "order"))]
    table = FactTable.of_facts(facts)
    assert Rule("r", loyal == 1).mask(table, now=NOW).to_list() == ["true", "false"]
    assert [Rule("r", loyal == 1).decide(f, now=NOW).truth for f in facts] == ["true", "false"]


def test_events_of_two_tables_follow_each_other() -> None:
    people = CustomerIndex.of(["a", "b"])
    seen = [Interaction(customer=c, time=NOW - timedelta(hours=5), kind="view") for c in "ab"]
    views = EventTable.of(seen, customers=people)
    orders = EventTable.of([Interaction(customer="b", time=NOW, kind="order")], customers=people)
    table = FactTable(people, events=[orders, views])
    assert Rule("r", count("view", where=followed_by("order")) >= 1).mask(table, now=NOW).true.tolist() == [False, True]
    assert Rule("r", switches("view", "order") == 1).mask(table, now=NOW).true.tolist() == [False, True]


def test_three_switches_in_two_days_are_hesitation() -> None:
    hesitates = switches("explore", "evaluate", within_days=2)
    back_and_forth = [(40, "explore"), (30, "evaluate"), (25, "search"), (20, "explore"), (10, "evaluate")]
    assert _value(hesitates, _facts(*back_and_forth)) == 3
    assert _value(hesitates, _facts(*back_and_forth[:-1])) == 2
    assert _value(hesitates, _facts((48, "explore"), *back_and_forth[1:])) == 2  # left the window by a moment
    assert _value(hesitates, _facts((3, "explore"), (2, "explore"))) == 0
    assert _value(switches("evaluate", "explore", within_days=2), _facts(*back_and_forth)) == 3


def test_states_may_stand_in_a_part_of_the_events() -> None:
    stages = ["explore", "evaluate", None, "evaluate", "explore"]
    events = [
        Event(kind="view", time=NOW - timedelta(hours=9 - i), attributes={} if s is None else {"stage": s})
        for i, s in enumerate(stages)
    ]
    assert _value(switches("view", of="stage"), Facts({}, events=events)) == 2
    only = field("stage") == "explore"
    assert _value(switches("view", of="stage", where=only), Facts({}, events=events)) == 0


def test_at_one_instant_states_come_by_their_letters() -> None:
    facts = _facts((2, "b"), (1, "b"), (1, "a"))
    assert _value(switches("a", "b"), facts) == 2
    assert _value(switches("a", "b"), Facts({}, events=facts.events[::-1])) == 2  # type: ignore[index]


def test_unknown_events_are_unknown_switches() -> None:
    decision = Rule("r", switches("a", "b") >= 1).decide({}, now=NOW)
    assert decision.truth == "unknown"
    assert decision.asks == ("events: a", "events: b")
    assert decision.unknown[0].why_unknown == ("no events are known, so none of kind a or b",)


def test_what_is_needed_counts_switches() -> None:
    decision = Rule("hesitates", switches("a", "b") >= 3).decide(_facts((2, "a"), (1, "b")), now=NOW)
    assert "number of switches between a and b events must rise by 2 to at least 3" in str(decision)


@pytest.mark.parametrize(
    "condition",
    [
        count("view", where=followed_by("order", within_days=7, where=field("channel") == "web")) >= 1,
        count("view", within_days=9, where=~preceded_by("order")) >= 1,
        switches("a", "b", within_days=2, before_days=1, where=field("channel") == "web") >= 3,
        switches("view", of="stage") < 2,
    ],
)
def test_sequences_are_documents(condition: Condition) -> None:
    rule = Rule("r", condition)
    assert Rule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


def test_documents_with_faults_say_where() -> None:
    wrong = {"op": ">", "args": [{"op": "switches", "events": ["a", 5]}, {"op": "switches", "events": "a", "off": 1}]}
    with pytest.raises(BadDocument) as caught:
        Rule.from_dict({"name": "r", "when": wrong})
    for place in (
        "$.when.args[0]: events is a list with a int",
        "$.when.args[1].events: expected list",
        "did you mean 'of'",
    ):
        assert place in str(caught.value)
    outside = {"name": "r", "when": {"op": "followed_by", "event": "a"}}
    with pytest.raises(WrongType, match=r"followed_by\(\.\.\.\) is asked of a customer"):
        Rule.from_dict(outside)


def test_a_condition_on_an_event_belongs_in_a_where() -> None:
    asked = (field("age") > 3) | ~followed_by("order")
    with pytest.raises(WrongType, match=r"write count\('view', where=followed_by\('order', within_days=7\)\) >= 1"):
        Rule("r", asked)
    tiers = Tiers("t", [Tier("gold", followed_by("order"))])
    with pytest.raises(WrongType, match="asked of a customer"):
        tiers.assign(None, {}, now=NOW)
    with pytest.raises(WrongType, match="asked of a customer"):
        tiers.assign_all(None, FactTable.of_facts([_facts((1, "order"))]), now=NOW)


def test_schemas_know_sequences() -> None:
    schema = Schema(
        {}, events={"view": EventKind(attributes={"stage": Text(["explore"])}), "order": EventKind(Number())}
    )
    good = count("view", where=followed_by("order", where=field("amount") > 5)) + switches("view", of="stage")
    Rule("good", good >= 1, schema=schema)
    with pytest.raises(BadRule) as caught:
        Rule(
            "bad",
            (count("view", where=followed_by("ordr")) >= 1)
            & (count("view", where=preceded_by("order", where=field("amont") > 5)) >= 1)
            & (switches("view", "oder") >= 1)
            & (switches("order", of="stage") >= 1),
            schema=schema,
        )
    told = str(caught.value)
    for part in (
        "no events of kind 'ordr'; did you mean 'order'?",
        "did you mean 'amount'?",
        "no events of kind 'oder'",
        "`stage`: no such part of 'order' events",
    ):
        assert part in told


def test_wrong_sequences_are_refused_when_they_are_made() -> None:
    make: Any = switches
    for wrong, error in (
        (lambda: switches(), EmptyInput), (lambda: switches("a"), OutOfRange), (lambda: switches("a", "a"), OutOfRange),
        (lambda: make(5, "a"), WrongType), (lambda: switches("a", "b", within_days=1, before_days=2), OutOfRange),
        (lambda: followed_by("a", within_days=0), OutOfRange), (lambda: followed_by(""), EmptyInput),
        (lambda: preceded_by("a", within_days=-1), OutOfRange),
    ):  # fmt: skip
        with pytest.raises(error):
            wrong()


def test_kernels_equal_ten_lines_that_look_at_every_pair() -> None:
    rng = np.random.default_rng(11)
    for _ in range(60):
        n, m = rng.integers(0, 9, 2)
        a, b = rng.integers(0, 3, n), rng.integers(0, 3, m)
        s, t = rng.integers(0, 12, n), rng.integers(0, 12, m)
        for after, sign in ((True, 1), (False, -1)):
            for within in (1.0, 4.5, np.inf):
                slow = [any(b[j] == a[i] and 0 < sign * (t[j] - s[i]) <= within for j in range(m)) for i in range(n)]
                assert has_neighbour(a, s, b, t, within_us=within, after=after).tolist() == slow
        states = rng.choice(["p", "q", "r"], n)
        for whose, found in enumerate(switch_counts(a, s, states, n_customers=3)):
            own = [state for _, state in sorted((s[i], states[i]) for i in range(n) if a[i] == whose)]
            assert found == sum(x != y for x, y in pairwise(own))
