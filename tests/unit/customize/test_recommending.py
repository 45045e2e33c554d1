"""Recommending: sentences of errors, texts of results, histories, cold starts, new items, files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.errors import BadDocument, EmptyInput, MissingColumn, OutOfRange, UnknownName, WrongType
from crmcore.idic.customize.recommending import (
    Ease,
    Histories,
    ImplicitAls,
    ItemNeighbours,
    Preferences,
    Replenishment,
    compare_lists,
    evaluate,
    homepage,
    load_model,
    random_split,
    recommend,
    save_model,
    time_split,
    top_of_history,
)
from crmcore.rules import FactTable, Rule, Truth, field
from crmcore.tables import CustomerIndex, OrderTable
from crmcore.testing import check_recommender

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def orders_of(lines: list[tuple[Any, ...]]) -> OrderTable:
    """Lines of customer, product, days ago, quantity."""
    full = [(*line, 1)[:4] for line in lines]
    return OrderTable.from_frame(
        {
            "customer": [c for c, *_ in full], "product": [p for _, p, *_ in full],
            "time": [NOW - timedelta(days=d) for _, _, d, _ in full], "quantity": [q for *_, q in full],
            "amount": [5 * q for *_, q in full],
        },
        currency="EUR",
    )  # fmt: skip


def world(n: int = 60, seed: int = 3) -> OrderTable:
    """Tea people and coffee people, who buy their things again every 20 days."""
    rng = np.random.default_rng(seed)
    kinds = {"tea": [f"tea {i}" for i in range(8)], "coffee": [f"coffee {i}" for i in range(8)]}
    lines = []
    for c in range(n):
        likes = kinds["tea" if c % 2 else "coffee"]
        for item in rng.choice(likes, 5, replace=False).tolist():
            lines += [(f"person-{c}", item, float(d)) for d in range(int(rng.integers(0, 20)), 200, 40)]
    return orders_of(lines)


@pytest.fixture(scope="module")
def found() -> Any:
    return recommend(world(), recipe=Ease(ridge=5.0, trend_power=0.0))


# --- histories ---------------------------------------------------------------------------------------------------


def test_returns_unknown_buyers_rare_items_and_the_future_are_left_out_and_counted() -> None:
    lines = [("a", "tea", 9), ("a", "pot", 9, 2), ("a", "pot", 8, -2), ("b", "tea", 9, 3), ("b", "tea", 7, -1),
             ("b", "pot", 3), ("c", "pot", 3), (None, "tea", 5), ("b", None, 5), ("a", "cup", 9),
             ("c", "tea", 0)]  # fmt: skip
    made = Histories.of(orders_of(lines), now=NOW - timedelta(days=1))
    assert made.items == ("pot", "tea")
    pairs = [(made.customers.ids[c], made.items[i]) for c, i in zip(made.customer, made.item, strict=True)]
    assert pairs == [("a", "tea"), ("b", "pot"), ("b", "tea"), ("c", "pot")]
    assert made.left_out == {
        "unknown customer": 1, "no product": 1, "after now": 1, "returned": 1, "of items with few buyers": 1
    }  # fmt: skip
    assert made.age_days.tolist() == [8.0, 2.0, 8.0, 2.0]


def test_one_order_id_is_one_basket_whatever_the_minute() -> None:
    frame = {"customer": ["a"] * 3, "product": ["x", "y", "x"], "amount": [1] * 3, "order_id": ["1", "1", "2"],
             "time": ["2026-01-01T10:00Z", "2026-01-01T10:01Z", "2026-01-03T10:00Z"]}  # fmt: skip
    made = Histories.of(OrderTable.from_frame(frame, currency="EUR"), min_buyers=1)
    assert len(made.basket_age_days) == 2
    assert made.baskets.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("orders", "error", "said"),
    [
        ([1, 2], WrongType, "orders is a list: expected an OrderTable"),
        (orders_of([("a", "tea", 1)]), EmptyInput, "lower min_buyers (2)"),
        (orders_of([("a", "tea", 1, -1), ("b", "tea", 1, -1)]), EmptyInput, "2 returned"),
        (orders_of([("a", None, 1)]), MissingColumn, "no column 'product'"),
    ],
)
def test_orders_that_teach_nothing_say_why(orders: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        recommend(orders)
    assert said in str(caught.value)


def test_no_error_and_no_repr_shows_a_customer(found: Any) -> None:
    with pytest.raises(UnknownName) as caught:
        found.explain("secret-person-99", "tea 1")
    texts = [str(caught.value), repr(found), str(found), repr(found.top(3)), str(found.top(3)), found._repr_html_(),
             found.top(3)._repr_html_(), repr(found.explain("person-1", "tea 1")),
             repr(homepage(found, "person-1"))]  # fmt: skip
    with pytest.raises(UnknownName) as caught:
        found.top(3, customers=["person-1"])["person-2"]
    assert not [t for t in [*texts, str(caught.value)] if "person-" in t]


# --- lists -------------------------------------------------------------------------------------------------------


def test_tea_people_get_tea_and_hear_why(found: Any) -> None:
    best = found.top(1)["person-1"][0]
    assert best.item.startswith("tea")
    assert best.because is not None
    assert best.because.startswith("tea")
    assert str(best).startswith(f"1. {best.item} (")
    told = found.explain("person-1", best.item)
    assert str(told).splitlines()[0].startswith(best.item)
    assert told.chart().spec
    assert len(told._repr_html_()) < 6000
    assert type(told).from_dict(told.to_dict()) == told


def test_a_filter_moves_the_next_best_up_and_unknown_is_not_eligible(found: Any) -> None:
    first = [s.item for s in found.top(3)["person-1"]]
    assert [s.item for s in found.top(2).without([first[0]])["person-1"]] == first[1:]
    stock = {first[0]: True, first[1]: None, first[2]: Truth.UNKNOWN, "coffee 1": np.True_}
    shown = found.top(5).where(stock, reason="in stock")
    assert {s.item for s in shown["person-1"]} == {first[0], "coffee 1"}
    assert shown.note("person-1") == "2 of 5: 14 not in stock"
    by_row = np.zeros((60, 16), bool)
    by_row[found.histories.customers.code("person-1"), 0] = True
    assert [len(s) for _, s in found.top(5).where(by_row)].count(0) == 59


def test_a_rule_over_the_items_is_a_filter(found: Any) -> None:
    items = found.model.items
    table = FactTable(CustomerIndex.of(items), {"stock": [None if i == 0 else i % 3 for i in range(16)]})
    rule = Rule("in stock", when=field("stock") > 0)
    shown = found.top(16).where(rule.mask(table, now=NOW))["person-1"]
    assert all(items.index(s.item) % 3 and items.index(s.item) for s in shown)


@pytest.mark.parametrize(
    ("eligible", "error"),
    [("tea 1", WrongType), (3, WrongType), ({"tea 1": "yes"}, WrongType), (np.ones(3, bool), OutOfRange),
     (np.ones(16), WrongType)],
)  # fmt: skip
def test_filters_that_cannot_be_read_are_refused(found: Any, eligible: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        found.top(3).where(eligible)


def test_whoever_has_nothing_or_everything_is_told_so(found: Any) -> None:
    lists = found.top(3, customers=["nobody", "person-1"])
    assert lists.note("nobody") == "no history: what sells now"
    assert [s.source for s in lists["nobody"]] == ["popular"] * 3
    assert lists.note("person-1") == ""
    assert found.top(3).where([]).note("person-1") == "0 of 3: 16 not eligible"
    full = recommend(orders_of([("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("b", "y", 1)]), recipe=Ease())
    assert full.top(5)["a"] == ()
    assert full.top(2).note("a") == "0 of 2: 2 bought before"
    assert full.top(2).to_frame() is not None
    single = recommend(orders_of([("a", "x", 1), ("b", "x", 1)]), recipe=Ease())
    assert [s.item for s in single.for_history([])["this history"]] == ["x"]


def test_a_history_with_unknown_items_names_them_and_uses_the_rest(found: Any) -> None:
    lists = found.for_history({"tea 1": 3.0, "moon": 1.0}, 2)
    assert lists.note("this history") == "not in the catalogue: moon"
    assert all(s.item.startswith("tea") for s in lists["this history"])
    with pytest.raises(OutOfRange, match="days from 0"):
        found.for_history({"tea 1": -3.0})
    with pytest.raises(UnknownName, match="did you mean 'tea 1'"):
        found.explain("person-1", "tea1")
    with pytest.raises(OutOfRange, match="k = 0"):
        found.top(0)
    with pytest.raises(UnknownName, match="unknown scope 'nwe'"):
        found.top(3, scope="nwe")


def test_segments_fill_the_lists_of_those_without_history() -> None:
    segments = {f"person-{c}": "tea" if c % 2 else "coffee" for c in range(60)} | {"new": "coffee"}
    made = recommend(world(), recipe=Ease(ridge=5.0), segments=segments)
    assert all(s.item.startswith("coffee") and s.source == "segment" for s in made.top(4, customers=["new"])["new"])
    assert made.for_history([], 1, segment="tea")["this history"][0].item.startswith("tea")
    with pytest.raises(UnknownName, match="segment"):
        made.for_history([], segment="te")


@pytest.mark.parametrize("recipe", [Ease(ridge=5.0), ItemNeighbours()])
def test_an_item_nobody_bought_comes_to_those_who_like_its_kind(recipe: Any) -> None:
    tags = {f"{kind} {i}": [kind] for kind in ("tea", "coffee") for i in range(8)} | {
        "tea new": ["tea"],
        "odd": ["odd"],
    }
    made = recommend(world(), recipe=recipe, content=tags)
    tea, coffee = (made.explain(c, "tea new").score for c in ("person-1", "person-2"))
    assert tea > coffee + 0.01
    assert made.explain("person-1", "odd").score == 0
    assert "tea new" in [s.item for s in made.top(12)["person-1"]]
    with pytest.raises(WrongType, match="weights between items"):
        recommend(world(), recipe=ImplicitAls(factors=2, rounds=1), content=tags)


def test_buying_again_follows_the_rhythm_and_stops_when_long_overdue() -> None:
    lines = [(f"c{c}", "milk", d) for c in range(40) for d in range(0, 100, 10)]
    lines += [(f"c{c}", "oven", 30 + c) for c in range(40)]
    lines += [("late", "milk", d) for d in range(9, 100, 10)] + [("gone", "milk", d) for d in range(400, 500, 10)]
    made = recommend(orders_of(lines), recipe=Ease())
    chance = {c: {s.item: s.score for s in made.top(5, customers=[c], scope="again", horizon_days=7)[c]} for c in
              ("late", "gone", "c1")}  # fmt: skip
    assert chance["late"]["milk"] > chance["c1"]["milk"]
    assert chance["late"]["milk"] > 0.5 > chance["gone"].get("milk", 0.0)
    assert chance["c1"]["oven"] < 0.1
    model = Replenishment().fit(made.histories)
    assert type(model).from_dict(model.to_dict()).to_dict() == model.to_dict()
    assert "ReplenishmentModel(2 items, again after" in repr(model)


def test_lists_of_new_and_old_items_hold_both(found: Any) -> None:
    shown = found.top(12, scope="both")["person-1"]
    assert {s.source for s in shown} >= {"again", "history"}
    assert all(s.score >= t.score for s, t in pairwise(shown) if t.source != "popular")


def test_a_diverse_list_spreads_over_categories(found: Any) -> None:
    kinds = {item: item.split()[1] for item in found.model.items}  # the number is the category
    plain, spread = found.top(6), found.top(6).diverse(0.9, categories=kinds)
    rows = [len({kinds[s.item] for s in lists["person-1"]}) for lists in (plain, spread)]
    assert rows[1] >= rows[0]
    assert spread["person-1"][0] == plain["person-1"][0]
    assert found.top(4).diverse(0.5)["person-1"]
    with pytest.raises(OutOfRange, match="variety"):
        found.top(3).diverse(2)


def test_lists_leave_as_frames_pictures_and_html(found: Any) -> None:
    lists = found.top(2)
    frame = lists.to_frame(backend="polars")
    assert frame.columns == ["customer", "rank", "item", "score", "source", "because"]
    assert len(frame) == 120
    assert lists.chart().spec
    assert len(lists._repr_html_()) < 6000
    assert repr(lists.where(["tea 1"])) == "TopItems(2 new items, 60 customers, where eligible)"


# --- recipes, plug-ins, files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "made",
    [lambda: Ease(ridge=0), lambda: ItemNeighbours(neighbours=0), lambda: Ease(trend_power=-1),
     lambda: ImplicitAls(factors=-1), lambda: Ease(memory_days=float("nan"))],
)  # fmt: skip
def test_settings_out_of_range_are_refused(made: Any) -> None:
    with pytest.raises(OutOfRange):
        made()


class Popular:
    """What sells."""

    def fit(self, starts: Any, item: Any, age_days: Any, n_items: int, /) -> Any:
        self.share = np.bincount(item, minlength=n_items) / max(len(item), 1)
        return self

    def scores(self, starts: Any, item: Any, weight: Any, /) -> Any:
        return np.tile(self.share, (len(starts) - 1, 1))


class House:
    """A recipe of the house behind the contract of plug-ins."""

    def fit(self, starts: Any, item: Any, age_days: Any, n_items: int, /) -> Any:
        from crmcore.idic.customize.recommending.scorers import WeightScorer, history_matrix

        x = history_matrix(starts, item, np.ones(len(item)), n_items=n_items)
        return WeightScorer(np.asarray((x.T @ x).toarray() * (1 - np.eye(n_items)), np.float32))


@pytest.mark.parametrize(
    "check", [*check_recommender(Popular()), *check_recommender(House())], ids=lambda c: c.__name__
)
def test_recommenders_keep_the_contract(check: Any) -> None:
    check()


def test_the_checks_find_what_breaks_the_contract() -> None:
    class Leaky(Popular):
        def scores(self, starts: Any, item: Any, weight: Any, /) -> Any:
            return np.tile(self.share, (len(starts) - 1, 1)) * len(item)

    failed = []
    for check in check_recommender(Leaky()):
        try:
            check()
        except AssertionError:
            failed.append(check.__name__)
    assert failed == ["every_history_alone_decides"]


def test_a_plugin_recommends_like_the_house_and_says_what_it_cannot_explain() -> None:
    made = recommend(world(), recipe=Popular())
    assert [s.why for s in made.top(1)["person-1"]] == ["by the recommender"]
    assert "does not tell" in made.explain("person-1", "tea 1").note
    with pytest.raises(UnknownName, match="recommender plug-in"):
        recommend(world(), recipe="no-such-recommender")
    with pytest.raises(WrongType, match="save yours by its own means"):
        save_model(made.model, "nowhere")


@pytest.mark.parametrize("recipe", [Ease(ridge=5.0), ItemNeighbours(), ImplicitAls(factors=4, rounds=2)])
def test_a_model_file_holds_no_customers_and_answers_the_same(recipe: Any, tmp_path: Path) -> None:
    model = recommend(world(), recipe=recipe, segments={"person-1": "s"}).model
    place = save_model(model, tmp_path / "model.npz")
    again = load_model(place)
    assert b"person" not in place.read_bytes()
    one, two = (top_of_history(m, ["tea 1", "tea 2"], 5)["this history"] for m in (model, again))
    assert one == two
    assert repr(again) == repr(model)


def test_a_pruned_model_keeps_the_largest_weights_and_a_broken_file_is_named(found: Any, tmp_path: Path) -> None:
    small = load_model(save_model(found.model, tmp_path / "small.npz", per_item=6))
    assert small.scorer.weights.nnz <= 6 * 16
    assert top_of_history(small, ["tea 1"], 1)["this history"][0].item.startswith("tea")
    (tmp_path / "odd.npz").write_bytes(b"no file")
    with pytest.raises(BadDocument, match="model file"):
        load_model(tmp_path / "odd.npz")


# --- evaluation, pages, tastes ------------------------------------------------------------------------------------


def test_evaluation_prefers_what_knows_tea_from_coffee() -> None:
    split = random_split(world(), seed=1)
    good, poor = (evaluate(recommend(split.train, recipe=r), split, seed=1) for r in (Ease(ridge=5.0), Popular()))
    assert good.ndcg.value > poor.ndcg.value + 0.2
    test = compare_lists(good, poor)
    assert test.p_value < 0.01
    assert test.difference.low > 0
    assert good.ndcg.low < good.ndcg.value < good.ndcg.high
    assert "NDCG@10" in str(good)
    assert good.chart().spec
    assert len(good.to_frame(backend="polars")) == 4
    assert 0 < good.coverage <= 1
    with pytest.raises(UnknownName, match="measure"):
        compare_lists(good, poor, measure="ndgc")


def test_splits_refuse_what_leaves_a_side_empty() -> None:
    with pytest.raises(EmptyInput):
        time_split(world(), NOW + timedelta(days=1))
    with pytest.raises(OutOfRange):
        random_split(world(), share=1.5, seed=1)
    split = time_split(world(), NOW - timedelta(days=50), until=NOW - timedelta(days=10))
    assert split.train.time.max() < np.datetime64("2026-04-12T00:00") <= split.test.time.min()
    assert str(split.how) == "time from 2026-04-12"
    with pytest.raises(WrongType, match="Recommendations"):
        evaluate(Ease(), split, seed=1)  # type: ignore[arg-type]


def test_settings_are_chosen_inside_and_few_customers_keep_the_defaults() -> None:
    made = recommend(world(), aim="missing")
    assert made.chosen is not None
    assert made.chosen.n > 20
    assert max(made.chosen.tried, key=lambda t: t.ndcg).ndcg > 0.5
    assert len(made.chosen._repr_html_()) < 6000
    few = recommend(world(6))
    assert few.chosen is not None
    assert "defaults kept" in str(few)
    with pytest.raises(UnknownName, match="unknown aim"):
        recommend(world(), aim="nxt")


def test_preferences_rank_categories_with_probabilities() -> None:
    kinds = {f"{kind} {i}": kind for kind in ("tea", "coffee") for i in range(8)}
    model = Preferences().fit(world(), kinds)
    tea, nobody = model.of("person-1"), model.of("nobody")
    assert sum(tea.probabilities.values()) == pytest.approx(1)
    assert next(iter(tea.probabilities)) == "tea"
    assert tea.probabilities["tea"] > 0.9
    assert nobody.n == 0
    assert model.bits_gained > 0.5
    assert model.n > 30
    assert len(model.to_frame(backend="polars")) == 120
    assert type(model).from_dict(model.to_dict()).of("person-1") == tea
    assert "person" not in repr(tea) + str(tea) + tea._repr_html_() + model._repr_html_() + str(model)
    assert tea.chart().spec
    with pytest.raises(EmptyInput, match="categories of the items"):
        Preferences().fit(world(), {"moon": "x"})
    with pytest.raises(WrongType, match="categories"):
        Preferences().fit(world(), ["tea"])  # type: ignore[arg-type]
