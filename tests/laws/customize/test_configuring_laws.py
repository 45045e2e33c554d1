"""Configurations equal brute force on random small models; every explanation and every repair is minimal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import combinations, permutations, product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crmcore.errors import ConflictingConstraints
from crmcore.idic.customize.configuring import (
    Choice,
    Configuration,
    Flag,
    LineOrder,
    NotPossible,
    Option,
    ProductModel,
    Range,
    bundle,
    configure,
    excludes,
    lint,
    must,
    plan_line,
    requires,
    table,
)
from crmcore.idic.customize.configuring.product_rules import Kind, ProductRule, Table
from crmcore.rules import Rule, all_of, any_of, field, not_
from crmcore.rules.nodes import AllOf, AnyOf, Condition, Not
from crmcore.values import Money

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ATTRIBUTES = (
    Choice("a", [Option("p", Money(300, "EUR"), lead_days=3), "q", Option("r", Money(-50, "EUR"))], optional=True),
    Choice("b", ["s", Option("t", Money(700, "EUR"), lead_days=9)]),
    Flag("c", Money(90, "EUR"), lead_days=5),
    Range("d", "0.1", "0.4", step="0.1", price_per_unit=Money(1005, "EUR")),
    Range("e", 0, 2),
)
LEAVES = [
    *(field("a") == v for v in ("none", "p", "q", "r")),
    *(field("b") == v for v in ("s", "t")),
    field("c").is_true(),
    field("d") >= 0.2,
    field("d") == 0.3,
    field("e") > 0,
    field("e") == 2,
    field("d") * 10 + field("e") <= 4,
    field("a").isin(["p", "r"]),
]


def conditions() -> st.SearchStrategy[Condition]:
    return st.recursive(
        st.sampled_from(LEAVES),
        lambda inner: st.one_of(
            inner.map(not_),
            st.tuples(inner, inner).map(lambda p: all_of(*p)),
            st.tuples(inner, inner).map(lambda p: any_of(*p)),
        ),
        max_leaves=3,
    )


@st.composite
def rule_lists(draw: st.DrawFn) -> list[ProductRule | Table]:
    rules: list[ProductRule | Table] = []
    for i in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(["requires", "excludes", "must", "table"]))
        one, two, three = draw(conditions()), draw(conditions()), draw(conditions())
        if kind == "requires":
            rules.append(requires(f"r{i}", one, then=two))
        elif kind == "excludes":
            rules.append(excludes(f"r{i}", one, two, three))
        elif kind == "must":
            rules.append(must(f"r{i}", any_of(one, two)))
        else:
            cells = st.tuples(
                st.sampled_from(["*", "none", "p", "q", "r"]),
                st.sampled_from(["*", "s", "t"]),
                st.sampled_from(["*", 0, 1, 2]),
            )
            rows = draw(st.lists(cells, min_size=1, max_size=5))
            rules.append(table(f"r{i}", ["a", "b", "e"], rows=rows, allowed=draw(st.booleans())))
    return rules


EVERY = [dict(zip("abcde", values, strict=True)) for values in product(*(a.values for a in ATTRIBUTES))]
PLAIN = [{k: float(v) if isinstance(v, Decimal) else v for k, v in facts.items()} for facts in EVERY]


@cache
def truths(leaf: Condition) -> tuple[bool, ...]:
    rule = Rule("x", leaf)
    return tuple(rule.decide(facts, now=NOW).holds for facts in PLAIN)


def holds(node: Condition, at: int) -> bool:
    if isinstance(node, Not):
        return not holds(node.part, at)
    if isinstance(node, AllOf):
        return all(holds(p, at) for p in node.parts)
    if isinstance(node, AnyOf):
        return any(holds(p, at) for p in node.parts)
    return truths(node)[at]


def obeys(rule: ProductRule | Table, at: int) -> bool:
    if isinstance(rule, Table):
        facts = EVERY[at]
        hit = any(all(c in ("*", facts[n]) for n, c in zip(rule.attributes, r, strict=True)) for r in rule.rows)
        return hit == rule.allowed
    found = [holds(p, at) for p in rule.parts]
    if rule.kind is Kind.EXCLUDES:
        return sum(found) <= 1
    return found[0] if rule.kind is Kind.MUST else not found[0] or found[1]


PRICES = [bundle("pair", field("a") == "p", field("c").is_true(), saves=Money(120, "EUR"))]


def products(rules: list[ProductRule | Table]) -> list[dict[str, Any]]:
    return [facts for at, facts in enumerate(EVERY) if all(obeys(r, at) for r in rules)]


def price(facts: dict[str, Any]) -> int:
    total = 1000 + sum(
        part.price.amount_minor
        for a in ATTRIBUTES
        if (part := a.parts[a.values.index(facts[a.name])]).price is not None
    )
    return total - 120 * (facts["a"] == "p" and facts["c"])


def model_of(rules: list[ProductRule | Table]) -> ProductModel:
    return ProductModel("m", ATTRIBUTES, rules=rules, prices=PRICES, base_price=Money(1000, "EUR"), work_days=1)


def wishes() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={a.name: st.sampled_from(a.values) for a in ATTRIBUTES})


def fits(facts: dict[str, Any], wish: dict[str, Any]) -> bool:
    return all(facts[k] == v for k, v in wish.items())


@settings(max_examples=40, deadline=None)
@given(rule_lists(), wishes())
def test_domains_counts_and_prices_equal_brute_force(rules: list[ProductRule | Table], wish: dict[str, Any]) -> None:
    everything = products(rules)
    assume(everything)
    model = model_of(rules)
    left = [f for f in everything if fits(f, wish)]
    if not left:
        with pytest.raises(NotPossible):
            configure(model).choose(wish)
        return
    c = configure(model).choose(wish)
    assert c.domains == {a.name: tuple(v for v in a.values if any(f[a.name] == v for f in left)) for a in ATTRIBUTES}
    assert c.variants == len(left)
    low, high = c.price_range or (None, None)
    assert low == Money(min(map(price, left)), "EUR")
    assert high == Money(max(map(price, left)), "EUR")
    leads = [
        1 + max(a.parts[a.values.index(f[a.name])].lead_days for a in ATTRIBUTES) for f in left
    ]  # fmt: skip
    assert c.lead_days == (min(leads), max(leads))
    assert c.cheapest().price == low
    for name, values in c.domains.items():
        if len(values) < len(model.attribute(name).values):
            assert c.why(name)
        if name not in wish:
            assert all(c.choose({name: v}) for v in values)


@settings(max_examples=30, deadline=None)
@given(rule_lists(), wishes(), st.integers(900, 2500))
def test_the_best_within_a_budget_equals_brute_force(
    rules: list[ProductRule | Table], wish: dict[str, Any], most: int
) -> None:
    everything = products(rules)
    left = [f for f in everything if fits(f, wish) and price(f) <= most]
    assume(left)
    tastes = {"p": 2.0, "q": -1.0}

    def score(f: dict[str, Any]) -> float:
        return tastes.get(f["a"], 0.0) + 1.5 * f["c"] + 0.5 * float(f["e"])

    found = configure(model_of(rules)).choose(wish).best({"a": tastes, "c": 1.5, "e": 0.5}, budget=Money(most, "EUR"))
    best = max(map(score, left))
    assert found.score == pytest.approx(best)
    assert found.price == sum((line.price for line in found.lines), Money(0, "EUR"))
    assert found.price == Money(min(price(f) for f in left if score(f) == pytest.approx(best)), "EUR")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(rule_lists(), st.fixed_dictionaries({a.name: st.sampled_from(a.values) for a in ATTRIBUTES}), st.data())
def test_conflicts_and_repairs_are_minimal_and_none_is_missed(
    rules: list[ProductRule | Table], wish: dict[str, Any], data: st.DataObject
) -> None:
    everything = products(rules)
    assume(everything)
    left = [f for f in everything if fits(f, wish)]
    assume(wish and not left)
    model = model_of(rules)
    weights = {name: float(data.draw(st.integers(1, 3))) for name in wish}
    made = Configuration.from_dict({"model": "m", "choices": []}, model=model)
    try:
        for name, value in wish.items():
            made = made.choose({name: value}, importance=weights[name])
    except NotPossible as error:
        conflict = error.conflict
    else:
        raise AssertionError("brute force found no product")
    last = name
    wish = dict(list(wish.items())[: list(wish).index(last) + 1])
    by_name = {r.name: r for r in rules}
    used = [by_name[text.split(":", 1)[0]] for text in conflict.rules]
    chosen = [text.split(" = ", 1)[0] for text in conflict.choices]
    assert not _some(used, {n: wish[n] for n in chosen})
    for gone in used:
        assert _some([r for r in used if r is not gone], {n: wish[n] for n in chosen})
    for gone_name in chosen:
        assert _some(used, {n: wish[n] for n in chosen if n != gone_name})
    possible_alone = any(f[last] == wish[last] for f in everything)
    free = [n for n in wish if n != last] if possible_alone else list(wish)
    minimal: list[set[str]] = []
    for size in range(1, len(free) + 1):
        for drop in combinations(free, size):
            kept = {n: v for n, v in wish.items() if n not in drop}
            if any(fits(f, kept) for f in everything) and not any(m < set(drop) for m in minimal):
                minimal.append(set(drop))
    shown = [{c.attribute for c in repair.changes} for repair in conflict.repairs]
    costs = [sum(weights[n] for n in s) for s in shown]
    assert costs == sorted(costs)
    assert all(s in minimal for s in shown)
    assert len({frozenset(s) for s in shown}) == len(shown) == min(len(minimal), 5)
    assert costs == sorted(sum(weights[n] for n in s) for s in minimal)[: len(costs)]
    for repair in conflict.repairs:
        repaired = made.apply(repair, {} if last in {c.attribute for c in repair.changes} else {last: wish[last]})
        assert repaired.price_range is not None
        assert repaired.price_range[0] == repair.price


def _some(rules: list[ProductRule | Table], wish: dict[str, Any]) -> bool:
    return any(fits(f, wish) for f in products(rules))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(conditions(), conditions()), min_size=1, max_size=6))
def test_contradictory_models_name_a_minimal_set(pairs: list[tuple[Condition, Condition]]) -> None:
    rules: list[ProductRule | Table] = [must(f"r{i}", all_of(a, not_(b))) for i, (a, b) in enumerate(pairs)]
    if products(rules):
        assert model_of(rules)
        return
    with pytest.raises(ConflictingConstraints) as caught:
        model_of(rules)
    named = [r for r in rules if repr(r.name) in caught.value.items]
    assert not products(named)
    assert all(products([r for r in named if r is not gone]) for gone in named)


@settings(max_examples=30, deadline=None)
@given(rule_lists())
def test_lint_equals_brute_force_and_json_keeps_every_product(rules: list[ProductRule | Table]) -> None:
    everything = products(rules)
    assume(everything)
    model = model_of(rules)
    dead = {
        f"{a.name} = {a.labels[i]}"
        for a in ATTRIBUTES
        for i, v in enumerate(a.values)
        if all(f[a.name] != v for f in everything)
    }
    findings = lint(model).findings
    assert {f.where for f in findings if f.fault in ("dead option", "false optional")} == dead
    redundant = {r.name for r in rules if len(products([o for o in rules if o is not r])) == len(everything)}
    assert {f.where for f in findings if f.fault == "redundant rule"} == redundant
    again = ProductModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again.to_dict() == model.to_dict()
    assert configure(again).domains == configure(model).domains
    assert configure(again).variants == len(everything)


@settings(max_examples=30, deadline=None)
@given(rule_lists(), wishes())
def test_python_sat_gives_the_same_answers(rules: list[ProductRule | Table], wish: dict[str, Any]) -> None:
    pytest.importorskip("pysat")
    assume(any(fits(f, wish) for f in products(rules)))
    model = model_of(rules)
    assert configure(model, solver="python-sat").choose(wish).domains == configure(model).choose(wish).domains


@st.composite
def order_lists(draw: st.DrawFn) -> list[LineOrder]:
    n = draw(st.integers(1, 5))
    return [
        LineOrder(
            f"o{i}",
            {"colour": draw(st.sampled_from(["red", "blue"])), "size": draw(st.sampled_from(["s", "m", "l"]))},
            float(draw(st.integers(1, 3))),
            draw(st.one_of(st.none(), st.integers(1, 9).map(float))),
        )
        for i in range(n)
    ]


def _cost(rows: list[list[LineOrder]]) -> tuple[int, float, float]:
    late, setups, over = 0, 0.0, 0.0
    for row in rows:
        time, last = 0.0, None
        for order in row:
            setup = (
                0.5
                if last is None
                else sum(h for n, h in (("colour", 1.0), ("size", 0.25)) if last.variant[n] != order.variant[n])
            )
            setups, time, last = setups + setup, time + setup + order.hours, order
            if order.due is not None and time > order.due:
                late, over = late + 1, over + time - order.due
    return late, setups, over


@settings(max_examples=30, deadline=None)
@given(order_lists(), st.integers(1, 2))
def test_a_line_plan_equals_brute_force(orders: list[LineOrder], lines: int) -> None:
    best = min(
        _cost([list(row[:cut]), list(row[cut:])])
        for row in permutations(orders)
        for cut in (range(len(orders) + 1) if lines == 2 else [len(orders)])
    )
    plan = plan_line(orders, setup_hours={"colour": 1.0, "size": 0.25}, first_hours=0.5, lines=lines)
    assert plan.exact
    by_id = {o.order_id: o for o in orders}
    rows: dict[int, list[LineOrder]] = {}
    for batch in plan.batches:
        rows.setdefault(batch.line, []).extend(by_id[i] for i in batch.order_ids)
    assert sum(map(len, rows.values())) == len(orders)
    assert _cost(list(rows.values())) == pytest.approx(best)
    assert (len(plan.late), plan.setup_hours) == pytest.approx(best[:2])
    assert plan_line(orders[::-1], setup_hours={"colour": 1.0, "size": 0.25}, first_hours=0.5, lines=lines) == plan
