"""The flow of linkage on whole tables: order, seeds, orders of people, keys of one's own, hopeless inputs."""

from __future__ import annotations

import time
import tracemalloc
from itertools import combinations

import attrs
import numpy as np
import pytest

from crmcore.errors import ConflictingConstraints, EmptyInput, MissingColumn, OutOfRange, UnknownName
from crmcore.linkage import Care, Constraints, Records, link, plan_blocking
from crmcore.linkage import linking as linking_module
from crmcore.linkage.care import cuts_for
from crmcore.linkage.comparing import FEW_KEYS
from crmcore.linkage.constraints import crowded_values
from crmcore.linkage.linking import canonical_order
from crmcore.tables import TextColumn


def pair_set(linkage) -> set[tuple[int, int]]:
    return set(zip(linkage.lo.tolist(), linkage.hi.tolist(), strict=True))


def groups(labels, ids) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for label, i in zip(labels.tolist(), ids.tolist(), strict=True):
        found.setdefault(label, set()).add(i)
    return {frozenset(g) for g in found.values()}


def joined(labels) -> int:
    """Pairs of records in one entity."""
    sizes = np.bincount(labels)
    return int((sizes * (sizes - 1) // 2).sum())


def tiny(cells, kinds=("given name", "email")) -> Records:
    return Records.from_columns(dict.fromkeys(kinds, cells), {k: k for k in kinds})


def frozen(records: Records) -> list[bytes]:
    return [
        records.ids.tolist().__repr__().encode(),
        records.source.tobytes(),
        *(c.codes.tobytes() for c in records.columns),
    ]


# --- orders, seeds ---------------------------------------------------------------------------------------------------


def test_the_order_of_rows_does_not_matter(world, linked):
    order = np.random.default_rng(0).permutation(len(world.records))
    again = link(world.records.take(order))
    assert (again.labels == linked.labels[order]).all()
    place = np.argsort(order)
    turned = {(min(order[a], order[b]), max(order[a], order[b])) for a, b in pair_set(again)}
    assert turned == pair_set(linked)
    odds = dict(zip(zip(again.lo.tolist(), again.hi.tolist(), strict=True), again.log_odds.tolist(), strict=True))
    for a, b, value in zip(linked.lo, linked.hi, linked.log_odds, strict=True):
        x, y = place[a], place[b]
        assert odds[min(x, y), max(x, y)] == value  # to the last bit


def test_the_order_of_columns_hardly_matters(world, linked):
    # Sums of many terms in another order differ in the last bits, and keys of equal worth may change places: the
    # entities stay all but the same, which is what holds.
    turned = link(attrs.evolve(world.records, columns=world.records.columns[::-1]))
    before, after = groups(linked.labels, world.records.ids), groups(turned.labels, world.records.ids)
    assert len(before ^ after) <= 0.02 * len(before)


def test_the_same_seed_gives_the_same_result_and_another_one_nearly(world, linked):
    again = link(world.records)
    assert (again.labels == linked.labels).all()
    assert (again.log_odds == linked.log_odds).all()
    other = link(world.records, seed=99)
    assert len(groups(other.labels, world.records.ids) ^ groups(linked.labels, world.records.ids)) <= 6


def test_one_core_says_what_two_say(world, linked, monkeypatch):
    monkeypatch.setattr("crmcore.linkage.scoring.cores", lambda: 1)
    alone = link(world.records)
    assert (alone.labels == linked.labels).all()
    assert (alone.log_odds == linked.log_odds).all()


def test_ids_that_differ_after_64_signs_still_have_an_order_of_their_own():
    ids = np.array(["x" * 70 + s for s in "bca"], object)
    assert [ids[i][-1] for i in canonical_order(ids)] == ["a", "b", "c"]
    assert canonical_order(ids[:0]).tolist() == []


def test_inputs_stay_as_they_are_and_nothing_is_printed(world, capfd):
    before = frozen(world.records)
    constraints = Constraints(must_link=[(0, 1)], source=world.records.source, one_to_one=[0])
    held = constraints.must_link.copy()
    link(world.records, constraints=constraints, max_entities={"phone": 1})
    assert frozen(world.records) == before
    assert (constraints.must_link == held).all()
    assert capfd.readouterr() == ("", "")


def test_entities_are_right_for_the_most_part(world, linked):
    i, j = np.triu_indices(len(world.truth), 1)
    same, true = linked.labels[i] == linked.labels[j], world.truth[i] == world.truth[j]
    # few records fit weights badly: families of three hundred people are still confused here and there
    assert (same & true).sum() / same.sum() > 0.7
    assert (same & true).sum() / true.sum() > 0.9


# --- small and hopeless inputs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "entities"),
    [
        (["ann"], 1),
        (["ann", "ann"], 1),
        (["ann", "bob"], 2),
        (["ann", "bob", "ann"], 2),
        (["ann", "ann", "ann"], 1),
        (["ann", None, "bob"], 3),
    ],
)
def test_a_handful_of_records(cells, entities):
    found = link(tiny(cells))
    assert found.clustering.n_clusters == entities
    assert len(found) == len(cells)
    assert np.isfinite(found.log_odds).all()


@pytest.mark.parametrize("cells", [[], [None], [None, None], ["", None, ""]])
def test_records_that_say_nothing_are_empty_input(cells):
    with pytest.raises(EmptyInput, match="at least one column"):
        link(tiny(cells))


@pytest.mark.parametrize("n", [0, 1, 5])
def test_no_column_is_empty_input(n):
    nothing = Records(np.array([str(i) for i in range(n)], object), np.zeros(n, np.int32), ("s",), ())
    with pytest.raises(EmptyInput):
        link(nothing)
    with pytest.raises(EmptyInput):
        plan_blocking(nothing)


def test_a_column_that_says_nothing_changes_nothing(world, linked):
    n = len(world.records)
    extra = Records.from_columns(
        {"fax": [None] * n, "country": ["th"] * n}, {"fax": "phone", "country": "state"}
    ).columns
    found = link(attrs.evolve(world.records, columns=(*world.records.columns, *extra)))
    assert (found.labels == linked.labels).all()
    assert (found.log_odds == linked.log_odds).all()


def test_one_giant_block_takes_bounded_time_and_memory():
    n = 5000  # all share one surname and one town: 12.5 million pairs that no key may make
    rng = np.random.default_rng(0)
    numbers = [f"{v:010d}" for v in rng.choice(10**10, n, replace=False)]
    days = [f"{y}{m:02d}{d:02d}" for y, m, d in rng.integers([1940, 1, 1], [2010, 13, 29], (n, 3))]
    numbers[-20:], days[-20:] = numbers[:20], days[:20]
    records = Records.from_columns(
        {
            "surname": ["lee"] * (n - 1) + ["li"],
            "city": ["bath"] * (n - 1) + ["york"],
            "number": numbers,
            "birth": days,
        },
        {"surname": "surname", "city": "city", "number": "identifier", "birth": "birth date"},
    )
    tracemalloc.start()
    began = time.monotonic()
    found = link(records)
    seconds, peak = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.n_pairs < 20 * n
    assert peak < 400e6
    assert seconds < 60
    assert sum(found.labels[i] == found.labels[n - 20 + i] for i in range(20)) >= 18


# --- orders of people and rules --------------------------------------------------------------------------------------


def test_a_must_link_joins_records_that_share_nothing(world, linked):
    a = 0
    b = int(np.flatnonzero(linked.labels != linked.labels[0])[-1])
    found = link(world.records, constraints=Constraints(must_link=[(a, b)]))
    assert found.labels[a] == found.labels[b]


def test_a_must_not_link_parts_the_surest_pair(world, linked):
    best = int(np.argmax(linked.log_odds))
    a, b = int(linked.lo[best]), int(linked.hi[best])
    assert linked.labels[a] == linked.labels[b]
    found = link(world.records, constraints=Constraints(must_not_link=[(a, b)]))
    assert found.labels[a] != found.labels[b]
    blocked = found.clustering.blocked
    assert len(blocked) >= 1
    assert found.labels[blocked.left[0]] == blocked.cluster[0]  # rows are those that were given


def test_constraints_follow_their_records_whatever_the_order_of_rows(world):
    n = len(world.records)
    order = np.random.default_rng(1).permutation(n)
    place = np.argsort(order)
    pairs = np.array([(0, n - 1), (5, 17)])
    here = link(world.records, constraints=Constraints(must_link=pairs[:1], must_not_link=pairs[1:]))
    there = link(
        world.records.take(order), constraints=Constraints(must_link=place[pairs[:1]], must_not_link=place[pairs[1:]])
    )
    assert (there.labels == here.labels[order]).all()


def test_decisions_that_contradict_each_other_are_refused(world):
    with pytest.raises(ConflictingConstraints):
        link(world.records, constraints=Constraints(must_link=[(0, 1), (1, 2)], must_not_link=[(2, 0)]))


def test_a_one_to_one_source_has_each_customer_once(world, linked):
    code = world.records.sources.index("web_orders")
    rows = world.records.source == code
    assert len(set(linked.labels[rows].tolist())) < rows.sum()  # without the rule it has some twice
    found = link(world.records, constraints=Constraints(source=world.records.source, one_to_one=[code]))
    assert len(set(found.labels[rows].tolist())) == rows.sum()


def test_an_entity_has_at_most_so_many_values(world):
    phone = next(c for c in world.records.columns if c.name == "phone")
    found = link(world.records, constraints=Constraints(max_values={"phone": (phone.codes, 1)}))
    for label in np.flatnonzero(found.clustering.sizes > 1):
        said = phone.codes[(found.labels == label) & (phone.codes >= 0)]
        assert len(set(said.tolist())) <= 1


def test_values_of_too_many_entities_are_taken_out_until_none_is_left(world, linked):
    records, found = world.records, linked
    rounds = 0
    while True:  # as one would do it by hand
        at = next(i for i, c in enumerate(records.columns) if c.name == "phone")
        codes = records.columns[at].codes
        crowded = crowded_values(found.labels, codes, 1)
        if not len(crowded):
            break
        rounds += 1
        text = TextColumn(np.where(np.isin(codes, crowded), -1, codes).astype(np.int32), records.columns[at].values)
        columns = list(records.columns)
        columns[at] = attrs.evolve(columns[at], text=text)
        records = attrs.evolve(records, columns=tuple(columns))
        found = link(records, model=linked.model)
    assert rounds >= 1
    without = link(world.records, max_entities={"phone": 1})
    assert (without.labels == found.labels).all()
    assert pair_set(without) == pair_set(found)
    kept = next(c for c in without.records.columns if c.name == "phone")
    assert kept.text.to_list() == records.columns[at].text.to_list()  # handed back without the crowded values
    assert without.records.ids is world.records.ids
    generous = link(world.records, max_entities={"phone": len(world.records)})
    assert (generous.log_odds == linked.log_odds).all()


def test_a_limit_on_a_field_that_says_nothing_changes_nothing(world, linked):
    extra = Records.from_columns({"fax": [None] * len(world.records)}, {"fax": "phone"}).columns
    found = link(attrs.evolve(world.records, columns=(*world.records.columns, *extra)), max_entities={"fax": 1})
    assert (found.labels == linked.labels).all()


def test_a_crowded_field_that_is_not_there_is_named(world):
    with pytest.raises(MissingColumn, match="did you mean 'phone'"):
        link(world.records, max_entities={"phones": 3})


# --- keys and budgets ------------------------------------------------------------------------------------------------


def blocks_of(records: Records, name: str, cut, cap: int) -> set[tuple[int, int]]:
    cells = next(c for c in records.columns if c.name == name).text.to_list()
    found: dict[str, list[int]] = {}
    for row, cell in enumerate(cells):
        if cell is not None:
            found.setdefault(cut(cell), []).append(row)
    return {p for rows in found.values() if len(rows) <= cap for p in combinations(rows, 2)}


@pytest.mark.parametrize("cap", [3, 30])
def test_own_keys_alone_compare_exactly_the_pairs_of_their_blocks(world, cap, monkeypatch):
    wanted = blocks_of(world.records, "surname", lambda w: w[:3], cap) | blocks_of(
        world.records, "phone", lambda w: w, cap
    )
    monkeypatch.setattr(linking_module, "FLOOR", -1e9)
    keys = ["surname/first 3", "phone/whole", "surname/first 3"]  # a key given again adds nothing
    found = link(world.records, keys=keys, planned=False, cap=cap)
    assert found.n_pairs == len(wanted)
    assert pair_set(found) == wanted
    assert len(found.lo) == len(wanted)


def test_few_keys_and_many_keys_take_other_ways_to_the_same_pairs(world, monkeypatch):
    keys = ["surname/first 3", "phone/whole", "email/whole", "given name/whole + city/whole"]
    streamed = link(world.records, keys=keys, planned=False)
    monkeypatch.setattr("crmcore.linkage.comparing.FEW_KEYS", 0)
    monkeypatch.setattr("crmcore.linkage.comparing.CHUNK", 50)
    gathered = link(world.records, keys=keys, planned=False)
    assert FEW_KEYS > 0
    assert gathered.n_pairs == streamed.n_pairs
    assert (gathered.labels == streamed.labels).all()
    assert pair_set(gathered) == pair_set(streamed)


def test_own_keys_run_before_the_planned_ones(world, linked):
    found = link(world.records, keys=["city/whole + gender/whole"])
    assert str(found.model.keys[0]) == "city/whole + gender/whole"
    assert set(linked.model.keys) <= set(found.model.keys)
    assert found.n_pairs > linked.n_pairs


def test_keys_that_find_nothing_leave_everybody_alone(world):
    key = ["identifier/whole + birth date/whole"]
    at = next(i for i, c in enumerate(world.records.columns) if c.name == "identifier")
    n = len(world.records)
    apart = Records.from_columns({"identifier": [f"i{i}" for i in range(n)]}, {"identifier": "identifier"}).columns[0]
    columns = (*world.records.columns[:at], apart, *world.records.columns[at + 1 :])
    records = attrs.evolve(world.records, columns=columns)
    found = link(records, keys=key, planned=False)
    assert found.n_pairs == 0
    assert found.clustering.n_clusters == n
    assert link(records, model=found.model).clustering.n_clusters == n


def test_an_unknown_own_key_proposes_the_nearest(world):
    with pytest.raises(UnknownName, match="did you mean 'surname/first 3'"):
        link(world.records, keys=["surname/first 33"])


@pytest.mark.parametrize(
    ("how", "error", "word"),
    [
        ({"budget": 0}, OutOfRange, "budget"),
        ({"budget": -1.0}, OutOfRange, "budget"),
        ({"budget": float("nan")}, OutOfRange, "budget"),
        ({"cap": 1}, OutOfRange, "cap"),
        ({"planned": False}, EmptyInput, "blocking keys"),
        ({"care": "reckless"}, ValueError, "reckless"),
    ],
)
def test_settings_that_cannot_be_are_refused(world, how, error, word):
    with pytest.raises(error, match=word):
        link(world.records, **how)


def test_a_small_budget_makes_fewer_pairs(make_world):
    world = make_world(1000, seed=3)
    small = link(world.records, budget=0.01)
    assert small.n_pairs < link(world.records).n_pairs
    assert plan_blocking(world.records, budget=0.01).pairs == pytest.approx(small.n_pairs)


# --- care, progress, words -------------------------------------------------------------------------------------------


def test_more_care_joins_fewer(world, linked):
    eager, careful = link(world.records, care="eager"), link(world.records, care=Care.CAREFUL)
    assert joined(eager.labels) >= joined(linked.labels) >= joined(careful.labels)
    assert joined(eager.labels) > joined(careful.labels)
    assert pair_set(eager) == pair_set(careful)  # the evidence is the same


@pytest.mark.parametrize("matches", [0.0, 0.2, 1.0, 5.0])
def test_a_cut_falls_with_size_only_where_large_entities_are_expected(matches):
    eager, balanced, careful = (cuts_for(c, matches) for c in (Care.EAGER, Care.BALANCED, Care.CAREFUL))
    for size in range(2, 20):
        assert eager.at(size) < balanced.at(size) < careful.at(size)
        assert balanced.at(size + 1) <= balanced.at(size)
    assert balanced.at(2) == balanced.at(4)
    assert 0.25 <= balanced.at(2) <= 0.3 if matches else balanced.at(2) > 0.5  # rare duplicates ask for more
    assert (balanced.at(9) < balanced.at(2)) == (matches > 0.5)


def test_progress_tells_sane_numbers(world):
    seen: list[tuple[str, int, int]] = []
    link(world.records, progress=lambda stage, done, total: seen.append((stage, done, total)))
    stages = dict.fromkeys(stage for stage, _, _ in seen)
    assert {"plan blocking", "fit weights", "compare pairs"} <= set(stages)
    assert all(0 <= done <= total for _, done, total in seen)
    for stage in ("plan blocking", "fit weights", "compare pairs"):
        steps = [(done, total) for s, done, total in seen if s == stage]
        assert steps[-1][0] == steps[-1][1]
        assert len({total for _, total in steps}) == 1
        assert [d for d, _ in steps] == sorted(d for d, _ in steps)


def test_an_error_in_the_progress_callback_comes_out(world):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        link(world.records, progress=stop)


def test_a_linkage_says_what_it_found_and_names_nobody(world, linked):
    assert str(linked) == f"{linked.clustering}; {linked.n_pairs} pairs compared"
    assert repr(linked) == f"Linkage({linked})"
    assert f"{len(world.records)} records in" in str(linked)


# --- no duplicates at all --------------------------------------------------------------------------------------------


def test_people_with_one_record_each_stay_apart(make_world):
    alone = make_world(800, seed=11, duplicates=0.0)
    assert len(set(alone.truth.tolist())) == len(alone.records)
    assert joined(link(alone.records).labels) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_duplicates_at_most_one_wrong_pair_in_two_thousand_records(seed, make_world):
    alone = make_world(5700, seed=seed, duplicates=0.0)  # about 4,000 records in these two sources
    assert joined(link(alone.records).labels) <= np.ceil(len(alone.records) / 2000)
