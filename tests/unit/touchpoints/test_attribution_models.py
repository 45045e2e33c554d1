"""Models, credit, intervals and what stands beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics import Counts
from crmcore.touchpoints import attribution as at
from crmcore.touchpoints.attribution import Attribution, Coalitions, Markov, PathCounts, attribute


@pytest.fixture(scope="module")
def paths() -> PathCounts:
    return PathCounts.of(
        ["ad > search > e-mail", "search", "ad", "ad > e-mail", "search > search > ad"],
        conversions=[30, 12, 4, 20, 6], nulls=[40, 60, 80, 25, 30], value=[900, 120, 44, 600, 60],
    )  # fmt: skip


@pytest.mark.parametrize("model", list(at.MODELS))
def test_every_model_shares_all_conversions_and_all_value(paths: PathCounts, model: str) -> None:
    found = attribute(paths, model=model, draws=20)
    assert math.fsum(e.value for e in found.credit) == pytest.approx(72, rel=1e-12)
    assert math.fsum(e.value for e in found.value) == pytest.approx(1724, rel=1e-12)
    assert all(e.low <= e.value <= e.high for e in found.credit if e.value > 3)
    assert found.assumptions


def test_a_model_can_be_a_name_or_an_object(paths: PathCounts) -> None:
    by_name = attribute(paths, model="markov 2", draws=0)
    assert by_name.credit == attribute(paths, model=Markov(order=2), draws=0).credit
    assert attribute(paths, model=Markov(order=2), draws=0).model == "markov 2"
    assert "half_life_days=7" in attribute(timed(), model=at.Decay(half_life_days=7), draws=0).model


def timed() -> PathCounts:
    return PathCounts.of_codes([0, 1], [0, 2], channels=["a", "b"], days_before=[7, 0])


def test_the_weight_of_a_touch_halves_with_its_half_life() -> None:
    found = attribute(timed(), model=at.Decay(half_life_days=7), draws=0)
    assert found["a"].value == pytest.approx(1 / 3)
    with pytest.raises(EmptyInput, match="time of every touch"):
        attribute(PathCounts.of(["a > b"]), model=at.Decay(half_life_days=7))


def test_a_very_old_touch_does_not_turn_credit_into_nan() -> None:
    old = PathCounts.of_codes([0, 1], [0, 2], channels=["a", "b"], days_before=[90_000, 80_000])
    assert attribute(old, model=at.Decay(half_life_days=1), draws=0)["b"].value == pytest.approx(1)


@pytest.mark.parametrize(("first", "last"), [(0.5, 0.5), (0.0, 1.0), (0.3, 0.1)])
def test_own_positions_sum_to_one(paths: PathCounts, first: float, last: float) -> None:
    weights = at.Position(first=first, last=last).weights(paths)
    assert np.add.reduceat(weights, paths.start[:-1]) == pytest.approx(np.ones(len(paths)))


def test_credibility_is_a_belief_and_said_to_be_one(paths: PathCounts) -> None:
    plain = attribute(paths, model="linear", draws=0)
    trusted = attribute(paths, model="linear", credibility={"search": 3}, draws=0)
    assert trusted["search"].value > plain["search"].value
    assert sum(e.value for e in trusted.credit) == pytest.approx(72)
    assert any("belief" in a and "search x 3" in a for a in trusted.assumptions)
    with pytest.raises(UnknownName, match="serch"):
        attribute(paths, credibility={"serch": 2})
    with pytest.raises(OutOfRange, match="factors"):
        attribute(paths, credibility={"search": -1})


def test_a_channel_in_every_path_is_named() -> None:
    found = attribute(PathCounts.of(["a > b", "a"]), draws=0)
    assert any("a is in every path" in a for a in found.assumptions)


def test_nothing_to_share_is_an_error() -> None:
    with pytest.raises(EmptyInput, match="no path converted"):
        attribute(PathCounts.of(["a"], conversions=[0], nulls=[4]))
    with pytest.raises(WrongType, match="PathCounts"):
        attribute(["a > b"])  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="markov"):
        attribute(PathCounts.of(["a"]), model="markvo")
    with pytest.raises(WrongType, match="TouchRule"):
        attribute(PathCounts.of(["a"]), model=3)  # type: ignore[arg-type]


def test_paths_without_nulls_still_give_credit_and_say_what_is_missing() -> None:
    found = attribute(PathCounts.of(["a > b", "a"]), draws=0)
    assert any("cannot see what fails" in a for a in found.assumptions)
    assert found["a"].value == pytest.approx(2 * 1 / 1.5)


def test_one_channel_gets_all() -> None:
    assert attribute(PathCounts.of(["a > a"]))["a"].value == 1


def test_groups_add_up_with_their_intervals(paths: PathCounts) -> None:
    found = attribute(paths, draws=100)
    paid = found.by({"ad": "paid", "search": "owned", "e-mail": "owned"})
    assert paid["owned"].value == pytest.approx(found["search"].value + found["e-mail"].value)
    assert paid["owned"].low <= paid["owned"].value <= paid["owned"].high
    with pytest.raises(OutOfRange, match="e-mail"):
        found.by({"ad": "paid", "search": "owned"})


def test_costs_give_cost_per_conversion_and_return(paths: PathCounts) -> None:
    table = attribute(paths, model="last", draws=50).with_costs({"ad": 20, "search": 0})
    assert table["ad"].cost_per_conversion.value == pytest.approx(2)
    assert table["ad"].return_on_spend.value == pytest.approx(104 / 20)
    assert math.isnan(table["search"].return_on_spend.value)
    assert type(table).from_dict(table.to_dict()) == table
    assert len(table.chart().rows) == 1
    with pytest.raises(UnknownName):
        attribute(paths, draws=0).with_costs({"tv": 5})
    with pytest.raises(OutOfRange):
        attribute(paths, draws=0).with_costs({"ad": -5})


def test_several_channels_removed_lose_at_most_everything(paths: PathCounts) -> None:
    model = Markov()
    effects = dict(zip(paths.channels, model.effects(paths), strict=True))
    both = model.lost(paths, without=["ad", "search"])
    assert max(effects["ad"], effects["search"]) <= both <= 1
    assert both == pytest.approx(1)  # no path begins elsewhere
    assert model.lost(paths, without=["e-mail"]) == pytest.approx(effects["e-mail"])


def test_a_sequence_that_never_happens_loses_nothing(paths: PathCounts) -> None:
    assert Markov().lost_in_turn(paths, first="e-mail", then="ad") == pytest.approx(0)
    assert 0 < Markov().lost_in_turn(paths, first="ad", then="e-mail") < 1
    with pytest.raises(UnknownName):
        Markov().lost_in_turn(paths, first="tv", then="ad")


def test_a_game_that_is_not_monotone_is_said_to_be() -> None:
    worse = PathCounts.of(["a", "a > b"], conversions=[9, 1], nulls=[1, 99])
    found = attribute(worse, model="shapley rate", draws=0)
    assert any("not monotone" in a for a in found.assumptions)
    assert not Coalitions(worth=np.array([0.0, 2.0, 0.0, 1.0])).monotone


def test_coalitions_of_too_many_channels_are_refused() -> None:
    with pytest.raises(OutOfRange, match="at most 20"):
        attribute(PathCounts.of([f"c{i}" for i in range(21)]), model="shapley rate")


def test_segments_add_up_to_all(paths: PathCounts) -> None:
    table = at.credit_by(paths, ["new", "known", "new", "known", "new"], model="markov per journey")
    whole = attribute(paths, model="markov per journey", draws=0)
    assert table.credit.sum(axis=0) == pytest.approx([e.value for e in whole.credit])
    assert table.groups == ("known", "new")
    with pytest.raises(WrongType, match="per journey"):
        at.credit_by(paths, ["x"] * 5, model="markov")


def test_customers_do_not_show_in_what_is_printed() -> None:
    table = at.credit_by(PathCounts.of(["a", "b"], merge=False), ["zoe@example.org", "bob@example.org"])
    assert "zoe" not in repr(table) + table._repr_html_()
    assert "zoe@example.org" in table.to_frame(backend="polars")["group"].to_list()


def test_results_read_and_write_themselves(paths: PathCounts) -> None:
    found = attribute(paths, draws=30)
    again = Attribution.from_dict(found.to_dict())
    assert again == found
    assert len(again.draws[0]) == 0
    assert "ad" in str(found)
    assert "<table" in found._repr_html_()
    assert len(found._repr_html_()) < 6000
    assert found.to_frame(backend="pandas").shape == (3, 8 + 1)


def test_comparison_lists_every_model(paths: PathCounts) -> None:
    table = at.compare_models(paths, models=["first", "last", "linear"], draws=0)
    assert at.ModelComparison.from_dict(table.to_dict()) == table
    assert table.spread()["e-mail"] == pytest.approx(50)
    assert len(table.chart().rows) == 9
    with pytest.raises(EmptyInput):
        at.compare_models(paths, models=[])


def test_the_same_seed_gives_the_same_intervals(paths: PathCounts) -> None:
    assert attribute(paths, seed=4) == attribute(paths, seed=4)
    assert attribute(paths, seed=4) != attribute(paths, seed=5)


def test_progress_is_told(paths: PathCounts) -> None:
    seen: list[tuple[str, int, int]] = []
    attribute(paths, draws=3, progress=lambda *step: seen.append(step))
    assert seen[-1] == ("intervals", 3, 3)


def walks_of_memory_two(n: int) -> PathCounts:
    """Journeys whose next touch follows from the last two, and which end at any touch alike."""
    rng, found = np.random.default_rng(2), []
    for _ in range(n):
        path = ["abc"[i] for i in rng.integers(0, 3, 2)]
        while rng.random() < 0.8:
            follows = (ord(path[-1]) + ord(path[-2])) % 3 if rng.random() < 0.8 else int(rng.integers(0, 3))
            path.append("abc"[follows])
        found.append(path)
    return PathCounts.of(found)


def test_order_is_chosen_on_journeys_kept_apart() -> None:
    rng = np.random.default_rng(2)
    choice = at.choose_order(walks_of_memory_two(1500))
    assert choice.order == 2
    assert at.OrderChoice.from_dict(choice.to_dict()) == choice
    assert "take order 2" in str(choice)
    assert min(choice.scores, key=lambda s: s.bic).order == 2
    ends = np.append(np.flatnonzero(rng.random(8999) < 0.3) + 1, 9000)
    start = np.unique(np.append(0, ends))
    memoryless = PathCounts.of_codes(rng.integers(0, 3, 9000), start, channels=list("abc"))
    assert at.choose_order(memoryless).order == 1
    with pytest.raises(OutOfRange):
        at.choose_order(memoryless, orders=[7])


def test_experiments_stand_beside_credit(paths: PathCounts) -> None:
    found = attribute(paths, model="last", draws=0)
    table = at.incrementality(found, {"e-mail": (Counts(100, 1000), Counts(99, 1000))})
    assert table["e-mail"].verdict == "credited with more than it adds"
    assert table["e-mail"].added.value == pytest.approx(1)
    assert at.Incrementality.from_dict(table.to_dict()) == table
    with pytest.raises(EmptyInput):
        at.incrementality(found, {})
    with pytest.raises(UnknownName):
        at.incrementality(found, {"tv": (Counts(1, 2), Counts(1, 2))})


def test_your_own_rule_is_a_model(paths: PathCounts) -> None:
    class Second:
        assumption = "the second touch counts, or the last one"

        def weights(self, paths: PathCounts, /) -> np.ndarray:
            made = np.zeros(len(paths.touch))
            made[np.minimum(paths.start[:-1] + 1, paths.start[1:] - 1)] = 1
            return made

    found = attribute(paths, model=Second(), draws=10)
    assert found["e-mail"].value == 20
    assert found["ad"].value == 4
