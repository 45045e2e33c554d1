"""Identity resolution on labelled data, with its defaults: scores may rise, never fall.

Floors stand in `identity_floors.json`; `python -m benchmarks.quality.identity --raise-floors` raises them.
"""

from __future__ import annotations

import math

import pytest

from benchmarks.quality.identity import BARS, Outcome, floors, partition, run, shuffled
from benchmarks.quality.sets import Spec, specs

SPECS = specs()
FLOORS = floors()
# the default lane: most kinds of data in a few seconds each
QUICK = frozenset({
    "febrl1", "fake_1000", "rldata500", "febrl3, names + birth date",
    "fake_1000 without e-mail", "historical, at most 2 an entity", "9,000 + 1,000 one-error, names + birth date",
    "febrl3, 1 record an entity", "historical, 1 record an entity", "companies",
})  # fmt: skip


def need(spec: Spec) -> None:
    if spec.missing():
        pytest.skip(f"no data set {', '.join(spec.missing())}: set CRMCORE_DATA to the folder of the data sets")


def outcome(spec: Spec) -> Outcome:
    need(spec)
    return run(spec.make())


@pytest.mark.parametrize(
    "spec", [pytest.param(s, id=s.name, marks=[] if s.name in QUICK else [pytest.mark.slow]) for s in SPECS.values()]
)
def test_default_settings_reach_their_floor(spec: Spec) -> None:
    floor = FLOORS[spec.name]
    got = outcome(spec)
    if "wrong" in floor:
        assert got.wrong <= floor["wrong"], got.quality
    else:
        assert got.f1 >= floor["pair_f1"], got.quality
        assert got.b3 >= floor["bcubed_f1"], got.quality


def test_every_case_has_a_floor_and_none_is_below_its_bar() -> None:
    assert set(FLOORS) == set(SPECS)
    for name, (f1, b3) in BARS.items():
        assert FLOORS[name]["pair_f1"] >= f1, name
        assert FLOORS[name]["bcubed_f1"] >= b3, name


@pytest.mark.parametrize("name", ["fake_1000", "rldata500", pytest.param("households_dev", marks=pytest.mark.slow)])
def test_the_order_of_rows_changes_no_entity(name: str) -> None:
    need(SPECS[name])
    case = SPECS[name].make()
    assert partition(run(case).people) == partition(run(shuffled(case, 5)).people)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["historical_50k_a", "households_dev"])
def test_another_seed_of_the_sample_moves_pair_f1_by_less_than_a_hundredth(name: str) -> None:
    need(SPECS[name])
    case = SPECS[name].make()
    scores = [run(case, seed=s).f1 for s in range(3)]
    assert max(scores) - min(scores) < 0.01
    assert not any(math.isnan(s) for s in scores)


@pytest.mark.slow
@pytest.mark.parametrize("budget", [5, 10])
def test_five_candidate_pairs_a_record_are_enough_on_dirty_data(budget: float) -> None:
    need(SPECS["historical_50k_a"])
    assert run(SPECS["historical_50k_a"].make(), budget=budget).f1 >= 0.955
