"""Models of mixed tables: what they say, how they explain, what they refuse."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from crmcore.errors import (
    BadDocument,
    BadRows,
    EmptyInput,
    MissingColumn,
    NotConverged,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.idic.differentiate.propensity import (
    Booster,
    BoosterModel,
    Calibration,
    Logistic,
    LogisticModel,
    ProbabilityModel,
    Recipe,
    SwitchingRisk,
    calibrate,
    cross_validate,
    evaluate,
    read_features,
)
from crmcore.idic.differentiate.propensity.switching import SwitchingModel

RECIPES = [Logistic(), Booster(rounds=150)]


def churn(n: int = 400) -> tuple[dict[str, list[object]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    rng = np.random.default_rng(0)
    months, plan = rng.integers(1, 60, n), rng.choice(["basic", "plus", "pro"], n)
    bill = rng.normal(50, 15, n).round(1)
    left = rng.random(n) < 1 / (1 + np.exp(0.08 * (months - 20) - 1.0 * (plan == "basic")))
    table: dict[str, list[object]] = {
        "months": months.tolist(),
        "plan": plan.tolist(),
        "bill": [None if i % 9 == 0 else float(b) for i, b in enumerate(bill)],
    }
    return table, left


@pytest.mark.parametrize("recipe", RECIPES, ids=["logistic", "booster"])
def test_a_recipe_is_fitted_into_a_model_that_ranks(recipe: Recipe) -> None:
    table, left = churn()
    model = recipe.fit(table, left)
    assert isinstance(model, ProbabilityModel)
    assert isinstance(recipe, Recipe)
    assert evaluate(left, model.predict(table)).auc.value > 0.8


@pytest.mark.parametrize("recipe", RECIPES, ids=["logistic", "booster"])
def test_any_frame_gives_the_same_model(recipe: Logistic | Booster) -> None:
    polars, pandas = pytest.importorskip("polars"), pytest.importorskip("pandas")
    table, left = churn(120)
    first = recipe.fit(table, left).predict(table)
    for frame in (polars.DataFrame(table), pandas.DataFrame(table)):
        assert np.array_equal(recipe.fit(frame, left).predict(frame), first)
    named = recipe.fit({**table, "left": left.tolist()}, "left")
    assert np.array_equal(named.predict(table), first)


@pytest.mark.parametrize("recipe", RECIPES, ids=["logistic", "booster"])
def test_new_levels_missing_cells_and_other_columns_are_no_error(recipe: Logistic | Booster) -> None:
    table, left = churn()
    model = recipe.fit(table, left)
    new = {"months": [None, 5, 500], "plan": [None, "gold", "pro"], "bill": [None, 1.0, -9.0], "more": ["x", "y", "z"]}
    assert np.isfinite(model.predict(new)).all()
    average = model.explain({"months": [20], "plan": ["gold"], "bill": [50.0]})
    assert dict(zip(average.names, average.parts[0], strict=False))["plan"] == 0
    assert len(model.predict({"months": [], "plan": [], "bill": []})) == 0
    with pytest.raises(MissingColumn, match="no column 'plan' in the features"):
        model.predict({"months": [1], "bill": [2]})
    with pytest.raises(WrongType, match="as when the model was made"):
        model.predict({"months": ["long"], "plan": ["pro"], "bill": [1]})


def test_a_logistic_model_prints_its_strongest_coefficients() -> None:
    model = Logistic(knots=0).fit(*churn())
    lines = str(model).splitlines()
    assert lines[0].startswith("Logistic regression: n = 400, ")
    assert "(cross-validated)" in lines[0]
    assert lines[2].startswith("  months: -")
    assert repr(model) == f"LogisticModel(3 features, penalty {model.penalty:g}, n = 400)"
    assert set(model.losses) == {"0.1", "1.0", "3.0", "10.0", "30.0", "100.0", "300.0"}
    assert model.penalty == float(min(model.losses, key=lambda k: model.losses[k]))
    assert len(model._repr_html_()) < 6000
    assert model.chart().rows[0]["label"] == "months"
    assert model.to_frame(backend="polars").columns == ["term", "log_odds", "low", "high", "odds_ratio"]


def test_probabilities_have_intervals_that_widen_with_the_level() -> None:
    table, left = churn()
    model = Logistic().fit(table, left)
    narrow, wide = model.predict_interval(table, level=0.5), model.predict_interval(table, level=0.99)
    assert (wide.low < narrow.low).all()
    assert (narrow.low < narrow.value).all()
    assert (narrow.value < narrow.high).all()
    assert np.allclose(narrow.value, model.predict(table))
    assert len(narrow.to_frame(backend="polars")) == 400
    assert repr(narrow).startswith("Predictions(400 rows, mean 0.")
    assert "the first 10 of 400" in narrow._repr_html_()


def test_a_booster_prints_what_tells_customers_apart_and_draws_a_curve() -> None:
    model = Booster(rounds=150).fit(*churn())
    assert str(model).splitlines()[1].startswith("  months: ")
    assert next(iter(model.importance())) == "months"
    curve = model.curve("plan")
    assert set(curve) == {"basic", "plus", "pro", "(new)"}
    assert curve["basic"] > curve["pro"]
    assert curve["(new)"] == 0
    assert model.chart().rows[0]["label"] == "months"
    assert len(model.chart("months").rows) == len(model.curve("months"))
    assert len(model._repr_html_()) < 6000
    with pytest.raises(UnknownName, match="did you mean 'months'"):
        model.curve("month")


def test_pairs_are_kept_where_two_features_act_together_only() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=2000), rng.normal(size=2000)
    together = rng.random(2000) < np.where((a > 0) == (b > 0), 0.8, 0.2)
    apart = rng.random(2000) < np.where(a > 0, 0.7, 0.3)
    assert Booster().fit({"a": a, "b": b}, together).names == ("a", "b", "a & b")
    assert Booster().fit({"a": a, "b": b}, apart).pairs == ()
    assert Booster(signs={"a": 1}).fit({"a": a, "b": b}, together).pairs == ()


def test_reasons_are_a_sentence_parts_and_a_picture() -> None:
    table, left = churn()
    reasons = Logistic().fit(table, left).explain({"months": [2], "plan": ["basic"], "bill": [None]})
    assert "average customer" in reasons.sentence(0)
    assert "raised by months 2" in reasons.sentence(0)
    assert reasons.row(0)[0].feature == "months"
    assert str(reasons.row(0, top=1)[0]).startswith("months 2 (+")
    assert reasons.chart(0).rows[0]["label"] == "average customer"
    assert "months 2" in reasons._repr_html_()
    assert reasons.to_frame(backend="polars").columns == ["probability", "months", "plan", "bill"]
    with pytest.raises(OutOfRange, match="count rows from 0"):
        reasons.row(1)


def test_what_separates_the_outcomes_needs_a_penalty() -> None:
    table = {"x": list(range(40))}
    with pytest.raises(NotConverged, match="tells both outcomes apart without error"):
        Logistic(penalty=0).fit(table, [i > 20 for i in range(40)])
    assert Logistic().fit(table, [i > 20 for i in range(40)]).predict({"x": [0, 39]}).round().tolist() == [0, 1]


@pytest.mark.parametrize("recipe", [Logistic(), Booster()], ids=["logistic", "booster"])
def test_bad_tables_and_outcomes_are_refused_with_their_rows(recipe: Logistic | Booster) -> None:
    with pytest.raises(BadRows) as caught:
        recipe.fit({"a": [1, np.inf, 2], "b": [1, "x", None], "c": [date(2026, 1, 1)] * 3}, [0, 1, 0])
    assert [(p.column, p.positions) for p in caught.value.problems] == [("a", (1,)), ("b", (1,)), ("c", (0, 1, 2))]
    with pytest.raises(BadRows, match="neither 0 nor 1 in 1 row"):
        recipe.fit({"a": [1, 2, 3]}, [0, 1, None])
    with pytest.raises(WrongType, match="compare first"):
        recipe.fit({"a": [1, 2]}, ["Yes", "No"])
    with pytest.raises(OutOfRange, match="no model can tell them apart"):
        recipe.fit({"a": [1, 2]}, [1, 1])
    with pytest.raises(EmptyInput):
        recipe.fit({"a": []}, [])
    with pytest.raises(MissingColumn, match="did you mean 'left'"):
        recipe.fit({"a": [1], "left": [1]}, "lef")
    with pytest.raises(BadRows, match="not a finite number from 0"):
        recipe.fit({"a": [1, 2]}, [1, 0], weights=[1, -1])


@pytest.mark.parametrize("kind", [Logistic, Booster])
def test_signs_are_of_numbers_that_are_there(kind: type[Logistic] | type[Booster]) -> None:
    table, left = churn(60)
    with pytest.raises(OutOfRange, match="a sign means an order"):
        kind(signs={"plan": -1}).fit(table, left)
    with pytest.raises(UnknownName, match="did you mean 'months'"):
        kind(signs={"month": -1}).fit(table, left)
    with pytest.raises(OutOfRange, match="leave the column out"):
        kind(signs={"months": 0}).fit(table, left)


def test_recipes_refuse_settings_without_a_meaning() -> None:
    for wrong in ({"penalty": -1}, {"penalty": float("nan")}, {"knots": -1}, {"folds": 1}, {"least": 0}):
        with pytest.raises(OutOfRange):
            Logistic(**wrong)  # type: ignore[arg-type]
    for wrong in ({"rate": 0}, {"bags": 1}, {"bins": 1}, {"pairs": -1}):
        with pytest.raises(OutOfRange):
            Booster(**wrong)  # type: ignore[arg-type]


def test_tiny_constant_and_huge_tables_are_no_trouble() -> None:
    for recipe in (Logistic(), Booster()):
        assert np.isfinite(recipe.fit({"a": [1, 2]}, [1, 0]).predict({"a": [1, None]})).all()
        assert recipe.fit({"a": [1] * 8}, [1, 0] * 4).predict({"a": [5]}).round(6).tolist() == [0.5]
        huge = recipe.fit({"a": [1e300, -1e300, 1e308, 0] * 5}, [0, 1, 1, 0] * 5)
        assert np.isfinite(huge.predict({"a": [1e308, -1e308]})).all()


def test_a_damaged_document_is_refused() -> None:
    document = Logistic(penalty=1.0).fit(*churn(60)).to_dict()
    del document["covariance"]
    with pytest.raises(BadDocument, match="required field is missing"):
        LogisticModel.from_dict(document)
    with pytest.raises(BadDocument):
        BoosterModel.from_dict({"columns": 3})
    with pytest.raises(BadDocument, match="other numbers than it has"):
        Calibration.from_dict({"method": "beta", "coefficients": [1.0], "x": [], "y": [], "n": 3})


def test_rare_levels_are_read_together() -> None:
    table = {"shop": ["a"] * 30 + ["b"] * 30 + ["c", "d"]}
    model = Logistic(penalty=1.0).fit(table, [1, 0] * 31)
    assert set(model.effects()) == {"(intercept)", "shop = b", "shop = (rare)"}


def test_columns_of_numbers_may_be_words() -> None:
    table, left = churn()
    table["zip"] = [10000 + i % 3 for i in range(400)]
    model = Logistic(words=["zip"]).fit(table, left)
    assert {"zip = 10001", "zip = 10002"} & set(model.effects())
    assert np.array_equal(Logistic(words=["zip"]).fit(read_features(table), left).predict(table), model.predict(table))
    assert "zip" not in Logistic(leave_out=["zip"]).fit(table, left).encoding.names


def test_calibration_mends_what_is_too_sure_of_itself() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(3000)
    happened = rng.random(3000) < truth
    sure = truth**2 / (truth**2 + (1 - truth) ** 2)
    assert not evaluate(happened, sure).calibrated
    for method in ("platt", "beta", "isotonic"):
        held = calibrate(happened[:1500], sure[:1500], method=method)
        mended = evaluate(happened[1500:], held.apply(sure[1500:]))
        assert mended.brier.value < evaluate(happened[1500:], sure[1500:]).brier.value
        assert mended.calibration_error < 0.05
    with pytest.raises(UnknownName, match="did you mean 'isotonic'"):
        calibrate([0, 1], [0.1, 0.9], method="isoton")


def test_cross_validation_never_predicts_a_row_by_a_model_that_saw_it() -> None:
    class Memory:
        """Knows the rows it was fitted on by heart."""

        def __init__(self, seen: frozenset[float] = frozenset()) -> None:
            self.seen = seen

        def fit(self, frame: object, outcome: object, *, weights: object = None) -> Memory:
            return Memory(frozenset(read_features(frame).number("x").tolist()))

        def predict(self, frame: object, /) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            return np.array([0.9 if x in self.seen else 0.1 for x in read_features(frame).number("x")])

    found = cross_validate(Memory(), {"x": list(range(60))}, outcome=[i % 2 for i in range(60)], seed=1)
    assert (found.probability == 0.1).all()
    assert np.bincount(found.fold).tolist() == [12] * 5
    by_group = [i // 6 for i in range(60)]
    grouped = cross_validate(
        Memory(), {"x": list(range(60))}, outcome=[i % 2 for i in range(60)], seed=1, groups=by_group
    )
    assert all(len({int(f) for f in grouped.fold[i : i + 6]}) == 1 for i in range(0, 60, 6))


def test_cross_validation_reports_folds_and_all_together() -> None:
    table, left = churn()
    found = cross_validate(Logistic(knots=0), table, outcome=left, seed=3, folds=4)
    assert str(found).startswith("4-fold cross-validation, mean AUC of folds 0.8")
    assert repr(found).startswith("CrossValidation(4 folds, Scores(n = 400, ")
    assert len(found.folds) == 4
    assert len(found._repr_html_()) < 6000
    assert len(found.to_frame(backend="polars")) == 400
    assert found.chart("gain").title == "Gain"
    with pytest.raises(OutOfRange, match="the number of rows"):
        cross_validate(Logistic(), {"a": [1, 2]}, outcome=[1, 0], seed=1)
    with pytest.raises(OutOfRange, match="each needs rows of both kinds"):
        cross_validate(Logistic(), {"a": [1] * 10}, outcome=[1] + [0] * 9, seed=1)


def test_risk_of_switching_says_what_evidence_would_bring() -> None:
    table, left = churn()
    for recipe in (Logistic(), Booster(rounds=100)):
        model = SwitchingRisk(loyalty=["months"], recipe=recipe).fit(table, left)
        assert model.relief({"months": [5], "plan": ["basic"], "bill": [50]}, column="months", more=30)[0] > 0.2
        none, some = model.predict({"months": [None, 40], "plan": ["pro"] * 2, "bill": [50] * 2})
        assert none > some
        assert SwitchingModel.from_dict(model.to_dict()) == model
        assert str(model).startswith("Risk of switching, never raised by months\n")
        assert "Risk of switching" in model._repr_html_()
    with pytest.raises(OutOfRange, match="never taken away"):
        model.relief(table, column="months", more=-1)
    with pytest.raises(UnknownName, match="did you mean 'months'"):
        SwitchingRisk(loyalty=["month"]).fit(table, left)
    with pytest.raises(EmptyInput):
        SwitchingRisk(loyalty=[])
    with pytest.raises(WrongType, match=r"write \['tenure'\]"):
        SwitchingRisk(loyalty="months")


def test_the_outcome_is_no_feature_of_itself() -> None:
    table, left = churn(60)
    for recipe in RECIPES:
        with pytest.raises(OutOfRange, match="it is what shall be predicted"):
            recipe.fit({**table, "left": left.tolist()}, left)


def test_one_name_is_a_list_of_one() -> None:
    table, left = churn(60)
    table["zip"] = [10000 + i % 3 for i in range(60)]
    assert "zip" not in Logistic(leave_out="zip", penalty=1.0).fit(table, left).encoding.names
    assert "zip = 10001" in Logistic(words="zip", penalty=1.0).fit(table, left).effects()
    named = Logistic(leave_out="zip", penalty=1.0).fit({**table, "left": left.tolist()}, "left")
    assert named.encoding.names == ("months", "plan", "bill")


def test_pairs_of_many_features_are_those_of_the_strongest() -> None:
    rng = np.random.default_rng(4)
    table = {f"x{i:02d}": rng.normal(size=1500) for i in range(34)}
    a, b = table["x05"], table["x20"]
    left = rng.random(1500) < 1 / (1 + np.exp(-(a + b + 2.5 * ((a > 0) & (b > 0)))))
    model = Booster(rounds=200, pairs=2).fit(table, left)
    assert "x05 & x20" in model.names
