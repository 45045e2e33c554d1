"""Uplift: what learners and reports say, and what they refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crmcore.errors import BadDocument, BadRows, MissingColumn, OutOfRange, UnknownName
from crmcore.idic.differentiate.propensity import Booster, Logistic
from crmcore.idic.differentiate.uplift import EffectModel, TwoModels, UpliftLearner, UpliftReport, measure_uplift


def experiment(n: int = 4000) -> dict[str, list[object]]:
    rng = np.random.default_rng(1)
    age, sent = rng.normal(size=n), rng.random(n) < 0.5
    shop = rng.choice(["north", "south"], n)
    bought = rng.random(n) < 0.2 + 0.3 * (sent & (age > 0))
    return {"age": list(age), "shop": list(shop), "sent": list(sent), "bought": list(bought)}


def report() -> UpliftReport:
    table = experiment()
    return measure_uplift(table["age"], table["bought"], treated=table["sent"], seed=2, resamples=60)  # type: ignore[arg-type]


@pytest.mark.parametrize("learner", ["t", "x", "transformed"])
def test_learners_predict_one_number_a_customer_and_ignore_other_columns(learner: str) -> None:
    model = UpliftLearner(learner=learner).fit(experiment(), "bought", treated="sent")
    found = model.predict({"age": [-2.0, 2.0, None], "shop": ["north", "west", None], "more": [1, 2, 3]})
    assert found.shape == (3,)
    assert found[1] > found[0] + 0.15
    assert isinstance(model, TwoModels if learner == "t" else EffectModel)
    if isinstance(model, EffectModel):
        assert EffectModel.from_dict(model.to_dict()) == model
        assert repr(model).startswith(f"EffectModel({learner}-learner, n = 4000, ")
        assert "shop = north" in model.effects() or "shop = south" in model.effects()


def test_the_booster_serves_as_well() -> None:
    model = UpliftLearner(recipe=Booster(rounds=60)).fit(experiment(), "bought", treated="sent")
    assert model.predict({"age": [2.0], "shop": ["north"]})[0] > 0.1


def test_a_side_without_both_outcomes_is_refused() -> None:
    with pytest.raises(OutOfRange, match="uplift compares both sides"):
        UpliftLearner().fit({"x": [1, 2, 3, 4]}, [1, 0, 1, 1], treated=[1, 1, 0, 0])
    with pytest.raises(MissingColumn, match="did you mean 'sent'"):
        UpliftLearner().fit(experiment(), "bought", treated="sen")
    with pytest.raises(UnknownName, match="did you mean 'transformed'"):
        UpliftLearner(learner="transform")


def test_a_report_names_the_random_baseline_beside_the_area() -> None:
    lines = str(report()).splitlines()
    assert [line.split(":")[0] for line in lines] == ["Qini area a customer", "random order", "treating all"]
    assert report().area.low > report().random.high
    assert report().p_value < 0.05
    assert "Qini area a customer" in report()._repr_html_()
    assert len(report()._repr_html_()) < 6000
    assert repr(report()).startswith("UpliftReport(n = 4000, Qini area ")


def test_treating_all_is_the_difference_of_means_and_the_end_of_the_curve() -> None:
    table = experiment()
    sent, bought = np.array(table["sent"], bool), np.array(table["bought"], float)
    gap = bought[sent].mean() - bought[~sent].mean()
    assert report().total.value == pytest.approx(gap)
    assert report().gain[-1] == pytest.approx(gap * sent.mean())
    assert report().policy(1.0).value == pytest.approx(gap)


def test_bins_rise_with_the_score_and_add_up() -> None:
    bins = report().bins
    assert sum(b.customers for b in bins) == 4000
    assert bins[0].observed.value > bins[-1].observed.value
    frame = report().to_frame(backend="polars")
    assert frame.columns == ["bin", "customers", "predicted", "observed", "low", "high"]


def test_a_cost_makes_treating_all_a_loss_and_the_best_share_smaller() -> None:
    held = report()
    assert held.best_share() >= 0.4
    assert 0.3 <= held.best_share(cost=0.15) <= 0.7
    assert held.best_share(cost=9.0) == 0.0
    assert held.policy(1.0, cost=0.5).high < 0


def test_the_same_seed_gives_the_same_interval_and_json_holds_no_customer() -> None:
    assert report().area == report().area
    assert not {"group", "outcome", "side", "_group"} & set(report().to_dict())


def test_bad_scores_and_missing_control_groups_are_refused() -> None:
    with pytest.raises(BadRows, match="leave rows without them out"):
        measure_uplift([np.nan, 1, 2, 3], [1, 0, 1, 0], treated=[1, 0, 1, 0], seed=1)
    with pytest.raises(OutOfRange, match="keep a control group"):
        measure_uplift([1, 2, 3, 4], [1, 0, 1, 0], treated=[1, 1, 1, 1], seed=1)
    with pytest.raises(OutOfRange, match="above 0, at most 1"):
        report().policy(0.0)


def test_charts_are_the_curve_and_the_bins() -> None:
    assert len(report().chart().rows) == 101
    assert len(report().chart("bins").rows) == 10
    with pytest.raises(UnknownName, match="did you mean 'qini'"):
        report().chart("qinni")


@pytest.mark.parametrize("recipe", [Logistic(penalty=1.0), Booster(rounds=20)], ids=["logistic", "booster"])
def test_two_models_survive_json(recipe: Logistic | Booster) -> None:
    table = experiment(600)
    model = UpliftLearner(recipe=recipe).fit(table, "bought", treated="sent")
    assert isinstance(model, TwoModels)
    again = TwoModels.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    assert np.array_equal(again.predict(table), model.predict(table))
    with pytest.raises(BadDocument, match="expected one of LogisticModel"):
        TwoModels.from_dict({"treated": {"type": "Oracle"}, "rest": {}})
    with pytest.raises(BadDocument, match="unknown field"):
        TwoModels.from_dict({**model.to_dict(), "more": 1})
