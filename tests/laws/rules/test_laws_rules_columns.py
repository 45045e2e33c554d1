"""One subject and a whole table give the same answer, for every expression."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crmcore.rules import FactTable, Rule, Truth, count, field, now
from crmcore.rules.fact_table import MoneyColumn
from crmcore.rules.making import (
    average,
    choose,
    days_since,
    days_since_first,
    followed_by,
    largest,
    latest,
    preceded_by,
    smallest,
    switches,
    total,
    years_since,
)
from crmcore.rules.nodes import Condition, Literal, Term
from crmcore.tables import CustomerIndex, EventTable
from crmcore.values import Interaction, Money

NOW = datetime(2028, 2, 29, 12, 30, tzinfo=UTC)
NO_AMOUNT = int(np.iinfo(np.int64).min)
WORDS = ["", "a", "A", "b", "é", "7", "-2.5", "ab c", None]
DAYS = [0.0, 1.0, 2.0, 30.0, 90.0]

numbers = st.sampled_from([0.0, 1.0, -1.0, 2.5, 3.0, 1e6, float("nan"), float("inf"), 1 / 3])
moments = st.one_of(
    st.none(),
    st.builds(lambda d, us: NOW - timedelta(days=d, microseconds=us), st.sampled_from(DAYS), st.integers(-1, 1)),
    st.sampled_from([datetime(2000, 2, 29, tzinfo=UTC), datetime(1999, 3, 1, 13, tzinfo=UTC)]),
)
tags = st.one_of(st.none(), st.frozensets(st.sampled_from(["x", "y", "z"])))


def _naive(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=None)


@st.composite
def events(draw: st.DrawFn, ids: list[str]) -> EventTable:
    rows = draw(
        st.lists(
            st.builds(
                lambda c, at, kind, amount, channel, points: Interaction(
                    customer=c,
                    time=at,
                    kind=kind,
                    amount=amount,
                    channel=channel,
                    attributes={} if points is None else {"points": points},
                ),
                st.sampled_from([*ids, None]),
                moments.filter(lambda m: m is not None),
                st.sampled_from(["order", "order", "view", None]),
                st.one_of(st.just(Money(0, "THB")), st.builds(Money, st.integers(-5, 500), st.just("THB")), st.none()),
                st.sampled_from(["web", "line", None]),
                st.sampled_from(["1", "2.5", "many", None]),
            ),
            max_size=12,
        )
    )
    return EventTable.of(rows, customers=CustomerIndex.of(ids))


@st.composite
def tables(draw: st.DrawFn) -> FactTable:
    n = draw(st.integers(1, 5))
    ids = [f"c{i}" for i in range(n)]

    def column(cells: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(cells, min_size=n, max_size=n))

    amounts = np.array(column(st.sampled_from([NO_AMOUNT, 0, 1, 250, 10_000])), np.int64)
    happened = draw(st.one_of(st.none(), st.lists(events(ids), max_size=2)))
    return FactTable(
        CustomerIndex.of(ids),
        {
            "p": np.array(column(numbers), np.float64),
            "q": np.array(column(numbers), np.float64),
            "m": MoneyColumn(amounts, "THB"),
            "t": np.array([_naive(m) for m in column(moments)], "datetime64[us]"),  # type: ignore[arg-type]
            "f": column(st.sampled_from([True, False, None])),
            "s": column(st.sampled_from(WORDS)),
            "r": column(st.sampled_from(WORDS)),
            "g": column(tags),
        },
        events=happened,
    )


windows = st.sampled_from([
    {}, {"within_days": 1}, {"within_days": 2.0}, {"within_days": 30}, {"within_days": 90, "before_days": 1},
    {"before_days": 2},
])  # fmt: skip
wheres = st.sampled_from([
    None, field("channel") == "web", field("channel").is_unknown(), field("points").as_number() >= 2,
    field("amount") >= Money(100, "THB"), field("time") < now() - timedelta(days=1), field("nothing") == 1,
    followed_by("view"), followed_by("order", within_days=1), ~preceded_by("order", within_days=30),
    preceded_by("view", within_days=2, where=field("channel") == "web") | (field("channel") == "line"),
    followed_by("order", within_days=90, where=followed_by("view", within_days=60)), count("view") >= 1,
    switches("order", "view") >= 1,
])  # fmt: skip
measures = st.one_of(
    st.builds(lambda w, c: count("order", where=c, **w), windows, wheres),
    st.builds(lambda w, c: switches("order", "view", where=c, **w), windows, wheres),
    st.builds(
        lambda of, w, c: switches("order", "view", of=of, where=c, **w),
        st.sampled_from(["channel", "points", "amount", "nothing"]), windows, wheres,
    ),
    st.builds(lambda m, c: m("order", where=c), st.sampled_from([days_since, days_since_first]), wheres),
    st.builds(
        lambda m, w, c: m("order", of="points", where=c, **w),
        st.sampled_from([total, average, largest, smallest]), windows, wheres,
    ),
)  # fmt: skip
money_measures = st.builds(
    lambda m, w, c: m("order", where=c, **w), st.sampled_from([total, average, largest, smallest]), windows, wheres
)

plain_numbers = st.one_of(
    st.sampled_from([field("p"), field("q"), field("missing"), field("s").as_number(), years_since("t")]),
    st.builds(Literal, st.sampled_from([0, 1, 2.5, -3])),
    measures,
    st.builds(lambda w, c: latest("order", of="points", where=c, **w).as_number(), windows, wheres),
    st.just((now() - field("t")) / timedelta(days=1)),
    st.just(field("m") / Money(300, "THB")),
)
number_terms: st.SearchStrategy[Term] = st.recursive(
    plain_numbers,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a, b: a / b, inner, inner),
        st.builds(lambda a, b: a.default(b), inner, inner),
        st.builds(lambda a, b: choose(field("f").is_true(), a, b), inner, inner),
    ),
    max_leaves=4,
)
money_terms = st.one_of(
    st.just(field("m")),
    money_measures,
    st.builds(lambda w, c: latest("order", of="amount", where=c, **w), windows, wheres),
    st.builds(lambda a, k: a * k, money_measures, st.sampled_from([2, 0.5])),
    st.builds(lambda a, b: a + b, money_measures, st.just(field("m"))),
    st.builds(lambda n: Literal(Money(n, "THB")), st.integers(0, 600)),
)
text_terms = st.one_of(
    st.sampled_from([field("s"), field("r"), field("s").default("b"), field("s").default(field("r"))]),
    st.just(choose(field("f").is_true(), field("s"), "A")),
    st.builds(lambda w, c: latest("order", of="channel", where=c, **w), windows, wheres),
    st.builds(Literal, st.sampled_from(["a", "A", "zz"])),
)
time_terms = st.one_of(
    st.sampled_from(
        [field("t"), now(), field("t") + timedelta(days=1), latest("order", of="time"), now() - timedelta(days=90)]
    ),
    st.builds(Literal, st.sampled_from([NOW, NOW - timedelta(days=30)])),
)


def compared(terms: st.SearchStrategy[Term], ops: list[str]) -> st.SearchStrategy[Condition]:
    from crmcore.rules.nodes import Compare

    return st.builds(Compare, st.sampled_from(ops), terms, terms)


ORDERED = ["==", "!=", "<", "<=", ">", ">="]
atoms = st.one_of(
    compared(number_terms, ORDERED),
    compared(money_terms, ORDERED),
    compared(time_terms, ORDERED),
    compared(text_terms, ["==", "!="]),
    st.builds(
        lambda a, b, c, d: a.between(b, c, closed=d), number_terms, number_terms, number_terms,
        st.sampled_from(["both", "left", "right", "neither"]),
    ),
    st.builds(lambda a, c: a.isin(c), number_terms, st.lists(st.sampled_from([0, 1, 2.5]), max_size=3)),
    st.builds(lambda a, c: a.isin(c), text_terms, st.lists(st.sampled_from(["a", "b", "é"]), max_size=3)),
    st.builds(
        lambda a, how, text, case: getattr(a, how)(text, case_sensitive=case), text_terms,
        st.sampled_from(["contains", "startswith", "endswith", "matches"]), st.sampled_from(["a", "É", "B", "7"]),
        st.booleans(),
    ),
    st.sampled_from(
        [field("g").has("x"), field("g").has("x", "y"), field("g").has_any(["y", "z"]), field("f").is_true()]
    ),
    st.builds(lambda a: a.exists(), st.one_of(number_terms, money_terms, text_terms, time_terms)),
    st.builds(lambda a: a.is_unknown(), st.one_of(number_terms, text_terms)),
)  # fmt: skip
conditions: st.SearchStrategy[Condition] = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
        st.builds(lambda a, yes: a.if_unknown(yes), inner, st.booleans()),
    ),
    max_leaves=5,
)


@given(conditions, tables())
def test_a_table_answers_as_each_of_its_subjects(condition: Condition, table: FactTable) -> None:
    rule = Rule("law", condition)
    column = rule.mask(table, now=NOW)
    assert column.to_list() == [rule.decide(table[i], now=NOW).truth for i in range(len(table))]
    assert not (column.true & column.false).any()


@given(conditions)
def test_json_keeps_every_expression(condition: Condition) -> None:
    rule = Rule("law", condition)
    assert Rule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


@given(conditions, tables())
def test_reasons_agree_with_the_answer_and_never_fail(condition: Condition, table: FactTable) -> None:
    decision = Rule("law", condition).decide(table[0], now=NOW)
    assert str(decision)
    assert decision.to_dict()["holds"] == decision.holds
    if decision.truth is Truth.UNKNOWN:
        assert decision.unknown
        assert all(r.why_unknown for r in decision.unknown)
    if decision.holds:
        assert decision.needed == ()


@given(conditions, conditions, tables())
def test_de_morgan_holds_for_three_values(a: Condition, b: Condition, table: FactTable) -> None:
    left = Rule("left", ~(a & b)).mask(table, now=NOW)
    right = Rule("right", ~a | ~b).mask(table, now=NOW)
    assert left.to_list() == right.to_list()


@given(conditions, tables(), st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(condition: Condition, table: FactTable, random: object) -> None:
    shuffled = []
    for events_ in table.events or ():
        order = list(range(len(events_)))
        random.shuffle(order)  # type: ignore[attr-defined]
        shuffled.append(events_.take(np.array(order, np.intp)))
    other = FactTable(table.customers, table.columns, events=None if table.events is None else shuffled)
    rule = Rule("law", condition)
    assert rule.mask(other, now=NOW).to_list() == rule.mask(table, now=NOW).to_list()


@given(st.lists(st.sampled_from(list(Truth)), min_size=2, max_size=2))
def test_truth_of_two_parts_is_the_smaller_of_false_unknown_true(pair: list[Truth]) -> None:
    order = [Truth.FALSE, Truth.UNKNOWN, Truth.TRUE]
    a, b = pair
    assert (a & b) is min(pair, key=order.index)
    assert (a | b) is max(pair, key=order.index)
    assert ~~a is a
