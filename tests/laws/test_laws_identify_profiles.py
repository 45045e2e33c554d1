from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crmcore.idic.identify.ids import assign_ids
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.idic.identify.survivorship import SINGLE, SurvivorshipPlan
from tests.unit.identify.identify_examples import records

word = st.one_of(st.none(), st.sampled_from(["a", "b", "cc", "ddd"]))
day = st.one_of(st.none(), st.sampled_from(["2024-01-01", "2024-01-02", "2024-01-03"]))
row = st.fixed_dictionaries(
    {"source": st.sampled_from(["web", "shop"]), "time": day, "x": word, "street": word, "city": word}
)


@st.composite
def tables(draw):
    rows = draw(st.lists(row, min_size=1, max_size=12))
    ids = draw(st.permutations(range(len(rows))))
    named = [{"id": f"r{i:02d}", **r} for i, r in zip(ids, rows, strict=True)]
    labels = draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    return named, labels


def told(table: ProfileTable):
    return [(p.customer_id, p.record_ids, p.values(), p.cells("x"), p.cells("city")) for p in table]


@given(tables(), st.sampled_from(SINGLE), st.randoms())
def test_row_order_and_label_numbers_never_matter(made, strategy, rng):
    rows, labels = made
    plan = SurvivorshipPlan().where("x", strategy)
    order = list(range(len(rows)))
    rng.shuffle(order)
    one = ProfileTable.build(records(rows), labels, plan=plan)
    other = ProfileTable.build(records([rows[i] for i in order]), [9 - labels[i] for i in order], plan=plan)
    assert told(one) == told(other)


def by_hand(rows, strategy, priority=("shop", "web")):
    """The rule in ten lines: sort the candidates, take the first; vote counts."""
    have = [r for r in rows if r["x"]]
    votes = {r["x"]: sum(q["x"] == r["x"] for q in have) for r in have}
    recent = lambda r: tuple(-ord(c) for c in (r["time"] or "0"))  # noqa: E731
    score = {
        "most recent": lambda r: 0,
        "first": lambda r: r["time"] or "9",
        "vote": lambda r: -votes[r["x"]],
        "most complete": lambda r: -len(r["x"]),
        "source priority": lambda r: priority.index(r["source"]),
    }[strategy]
    ordered = sorted(have, key=lambda r: (score(r), recent(r), priority.index(r["source"]), r["x"], r["id"]))
    return list(dict.fromkeys(r["x"] for r in ordered)), (ordered[0]["id"] if ordered else None)


@given(tables(), st.sampled_from(SINGLE))
def test_the_columnar_kernel_equals_the_rule_written_out(made, strategy):
    rows, labels = made
    plan = SurvivorshipPlan(source_priority=("shop",) if any(r["source"] == "shop" for r in rows) else ())
    one = ProfileTable.build(records(rows), labels, plan=plan.where("x", strategy))
    union = ProfileTable.build(records(rows), labels, plan=plan.where("x", "union", order=strategy))
    for profile, all_values in zip(one, union, strict=True):
        mine = [r for r in rows if r["id"] in profile.record_ids]
        values, winner = by_hand(mine, str(strategy))
        assert list(all_values.values().get("x", ())) == values
        assert [c.record_id for c in profile.cells("x")] == ([winner] if winner else [])


@given(tables())
def test_an_address_is_always_that_of_one_record(made):
    rows, labels = made
    for profile in ProfileTable.build(records(rows), labels):
        used = {c.record_id for f in ("street", "city") for c in profile.cells(f)}
        assert len(used) <= 1


@given(tables())
def test_export_gives_back_what_was_read(made):
    rows, labels = made
    table = ProfileTable.build(records(rows), labels)
    cells = [{k: v for k, v in r.items() if k not in ("id", "source", "time") and v} for r in rows]
    assert table.export() == cells
    assert sorted(sorted(d.items()) for p in table for d in p.export()) == sorted(sorted(d.items()) for d in cells)


labelings = st.lists(st.integers(0, 5), min_size=8, max_size=8)


@given(labelings, labelings)
def test_ids_stay_when_nothing_changes_and_are_never_shared(before, after):
    names = [f"r{i}" for i in range(8)]
    first = assign_ids(np.array(before), names)
    previous = {r: first.ids[c] for r, c in zip(names, first.labels, strict=True)}
    same = assign_ids(np.array(before), names, previous)
    assert same.ids == first.ids
    assert {e.change.value for e in same.events} == {"kept"}
    second = assign_ids(np.array(after), names, previous)
    assert len(set(second.ids)) == len(second.ids) == len(set(after))


@given(labelings, labelings, st.randoms())
def test_every_id_that_ended_says_where_its_records_went(before, after, rng):
    names = [f"r{i}" for i in range(8)]
    first = assign_ids(np.array(before), names)
    previous = {r: first.ids[c] for r, c in zip(names, first.labels, strict=True)}
    second = assign_ids(np.array(after), names, previous)
    for ended in set(first.ids) - set(second.ids):
        there = {second.ids[second.labels[i]] for i, r in enumerate(names) if previous[r] == ended}
        assert {e.other for e in second.events.of(ended) if e.change.value == "merged into"} == there
    order = list(range(8))
    rng.shuffle(order)
    shuffled = assign_ids(np.array([after[i] for i in order]), [names[i] for i in order], previous)
    assert shuffled.ids == second.ids
    assert list(shuffled.events) == list(second.events)
