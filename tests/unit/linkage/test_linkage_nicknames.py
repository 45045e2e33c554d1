"""Nicknames: planted pairs of names are learned from entities, chance meetings are not."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.linkage.compare import Comparer
from crmcore.linkage.fields import Kind
from crmcore.linkage.mixture import start
from crmcore.linkage.nicknames import HIGH, LOW, Nicknames
from crmcore.linkage.rarity import Rarity, chance_levels
from crmcore.linkage.records import Records
from crmcore.linkage.scoring import Scorer

COMMON = ["somchai", "malee", "nattapong", "kritsada", "wilawan", "pimchanok", "thanakorn", "ladda"]


def comparer_of(names: list[str | None]) -> Comparer:
    return Comparer.of(Records.from_columns({"n": names}, {"n": Kind.GIVEN_NAME}))


def learned(names: list[str | None], labels: list[int]) -> tuple[Comparer, Nicknames | None]:
    comparer = comparer_of(names)
    u = chance_levels(comparer.levels(*np.triu_indices(len(names), 1)), comparer)
    weights = start([Kind.GIVEN_NAME], comparer.n_levels, u, n_records=len(names))
    return comparer, Nicknames.learn(comparer, np.array(labels, np.int32), weights)


@pytest.fixture(scope="module")
def world() -> tuple[Comparer, Nicknames]:
    """400 people with two records; 25 Roberts are Bob elsewhere; four entities are a mistake."""
    rng = np.random.default_rng(5)
    names, labels = [], []
    for person in range(400):
        name = COMMON[rng.integers(len(COMMON))]
        names += [name, name]
        labels += [person, person]
    for person in range(25):
        names[2 * person : 2 * person + 2] = ["robert", "bob"]
    for person in range(100, 104):  # wrong merges of common names
        names[2 * person : 2 * person + 2] = ["somchai", "malee"]
    names[2 * 200 : 2 * 200 + 2] = ["alexandra", "sasha"]  # seen once only
    comparer, found = learned(names, labels)
    assert found is not None
    return comparer, found


def nats(world: tuple[Comparer, Nicknames], a: str, b: str, comparer: Comparer | None = None) -> float:
    other = comparer or comparer_of([a, b])
    bound = world[1].bind(other)
    lo, hi = np.array([0]), np.array([1])
    return float(bound.terms(other, lo, hi, other.levels(lo, hi))[0])


def test_a_planted_nickname_earns_evidence(world):
    assert nats(world, "robert", "bob") > 1.5
    assert nats(world, "bob", "robert") == nats(world, "robert", "bob")


def test_a_pair_seen_in_one_entity_earns_nothing(world):
    assert nats(world, "alexandra", "sasha") == 0


def test_names_that_meet_no_more_than_chance_earn_nothing_or_less(world):
    assert nats(world, "somchai", "malee") < nats(world, "robert", "bob") - 1
    assert nats(world, "somchai", "kritsada") == 0


def test_evidence_is_clipped(world):
    assert (world[1].nats >= LOW).all()
    assert (world[1].nats <= HIGH).all()
    names = ["margaret", "daisy"] * 400 + [f"other{i}" for i in range(300)]
    labels = [i // 2 for i in range(800)] + list(range(400, 700))
    _, found = learned(names, labels)
    assert found is not None
    assert len(found) == 1
    assert 0 < found.nats[0] <= HIGH
    assert found.together.tolist() == [400]


def test_names_apart_by_one_typo_are_no_nicknames():
    _, found = learned(["martha", "marhta"] * 10 + COMMON, [i // 2 for i in range(20)] + list(range(10, 18)))
    assert found is not None
    assert len(found) == 0


def test_learned_names_hold_for_records_that_come_later(world):
    later = comparer_of(["zoe", "bob", None, "robert", "robert"])
    bound = world[1].bind(later)
    lo, hi = np.array([0, 1, 1, 3, 2]), np.array([1, 3, 2, 4, 3])
    terms = bound.terms(later, lo, hi, later.levels(lo, hi))
    assert terms[1] == nats(world, "robert", "bob")
    assert terms[[0, 2, 3, 4]].tolist() == [0, 0, 0, 0]


def test_records_without_the_learned_names_or_without_names_feel_nothing(world):
    assert len(world[1].bind(comparer_of(["zoe", "max"])).key) == 0
    empty = comparer_of([None, None])
    assert len(world[1].bind(empty).key) == 0
    cities = Comparer.of(Records.from_columns({"c": ["bath", "york"]}, {"c": Kind.CITY}))
    assert world[1].bind(cities).terms(cities, [0], [1], cities.levels([0], [1])).tolist() == [0]


def test_no_given_name_or_no_shared_entity_teaches_nothing():
    cities = Comparer.of(Records.from_columns({"c": ["bath", "york"]}, {"c": Kind.CITY}))
    weights = start([Kind.CITY], cities.n_levels, chance_levels(cities.levels([0], [1]), cities), n_records=2)
    assert Nicknames.learn(cities, np.zeros(2, np.int32), weights) is None
    assert learned(["ann", "bob"], [0, 1])[1] is None
    assert learned([None, None], [0, 0])[1] is None


def test_names_never_show(world):
    assert "robert" not in repr(world[1])
    assert repr(world[1]) == f"Nicknames({len(world[1])} pairs)"


def test_a_nickname_moves_the_evidence_for_one_person_alone(world):
    comparer, found = world
    u = chance_levels(comparer.levels(*np.triu_indices(len(comparer.table), 1)), comparer)
    weights = start([Kind.GIVEN_NAME], comparer.n_levels, u, n_records=len(comparer.table))
    plain = Scorer(comparer, weights, Rarity.of(comparer, u))
    told = Scorer(comparer, weights, Rarity.of(comparer, u), found.bind(comparer))
    lo, hi = np.array([0]), np.array([1])  # robert, bob
    (_, before), (_, after) = plain.evidence(lo, hi), told.evidence(lo, hi)
    assert (after - before)[0].tolist() == pytest.approx([nats(world, "robert", "bob")] * 2 + [0, 0, 0])
    assert told.log_odds(lo, hi)[0] > plain.log_odds(lo, hi)[0]
