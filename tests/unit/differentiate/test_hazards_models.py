"""Hazard models: what they say, and what they refuse."""

from __future__ import annotations

import json

import attrs
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
from crmcore.idic.differentiate.hazards import Cox, CoxModel, Curves, DiscreteHazard, DiscreteHazardModel
from crmcore.idic.differentiate.propensity import Booster, Logistic

LIVES = {
    "months": [1, 2, 3, 4, 5, 6] * 20,
    "left": [1, 1, 0, 1, 0, 1] * 20,
    "plan": ["a", "b", "a"] * 40,
    "price": [9.0, 7.0, None, 5.0] * 30,
    "shop": (["north", "south", "south", "north", "south", "north", "north"] * 18)[:120],
}


def model() -> CoxModel:
    return Cox().fit(LIVES, duration="months", event="left", strata="shop")


def test_a_model_says_what_it_found_in_words() -> None:
    said = str(model())
    assert said.startswith("Cox regression: n = 120, 80 events, concordance ")
    assert "plan = b: " in said
    assert repr(model()) == "CoxModel(2 features, n = 120, 80 events)"
    page = model()._repr_html_()
    assert page.startswith("<table>")
    assert len(page) < 6000


def test_a_missing_number_is_the_mean_with_a_flag_of_its_own() -> None:
    assert [n for n in model().effects() if "missing" in n] == ["price (missing)"]


def test_curves_start_at_one_fall_and_end_where_nobody_was_seen() -> None:
    found = model().curves(LIVES, [0, 1, 3, 6, 7], strata=LIVES["shop"])
    assert (found.survival[:, 0] == 1).all()
    assert (np.diff(found.survival[:, :4], axis=1) <= 0).all()
    assert np.isnan(found.survival[:, 4]).all()
    assert (found.low[:, :4] <= found.survival[:, :4]).all()
    assert (found.survival[:, :4] <= found.high[:, :4]).all()
    assert repr(found) == "Curves(120 customers, 5 times)"
    assert set(found.median()) <= {1.0, 3.0, 6.0} | set(found.median()[np.isnan(found.median())])


def test_strata_must_be_named_and_known() -> None:
    with pytest.raises(OutOfRange, match="say whose baseline applies"):
        model().curves(LIVES, [1])
    with pytest.raises(UnknownName, match="did you mean 'north'"):
        model().curves(LIVES, [1], strata="nort")
    assert len(model().curves({"plan": ["a"], "price": [1]}, [1], strata="north")) == 1


def test_all_bad_lives_are_named_at_once() -> None:
    with pytest.raises(BadRows) as caught:
        Cox().fit(
            {"x": [1, 2, 3, 4]}, duration=[-1, 2, None, 4], event=[1] * 4, entry=[0, 3, 0, 0], weights=[1, 1, 1, -1]
        )
    assert [(p.column, p.positions) for p in caught.value.problems] == [
        ("duration", (0, 2)), ("entry", (1,)), ("weights", (3,)),
    ]  # fmt: skip


def test_nobody_who_left_no_rows_and_unknown_columns_are_refused() -> None:
    with pytest.raises(OutOfRange, match="follow customers for longer"):
        Cox().fit({"x": [1, 2]}, duration=[1, 2], event=[0, 0])
    with pytest.raises(EmptyInput):
        Cox().fit({"t": [], "e": []}, duration="t", event="e")
    with pytest.raises(MissingColumn, match="did you mean 'months'"):
        Cox().fit(LIVES, duration="month", event="left")


def test_who_leaves_first_without_error_has_no_coefficient_but_a_penalised_one() -> None:
    table = {"x": [1, 2, 3, 4]}
    with pytest.raises(NotConverged, match="give a penalty above 0"):
        Cox().fit(table, duration=[4, 3, 2, 1], event=[1] * 4)
    assert Cox(penalty=1.0).fit(table, duration=[4, 3, 2, 1], event=[1] * 4).effects()["x"].value > 0


def test_columns_that_repeat_each_other_are_refused_or_share_the_effect() -> None:
    table = {"x": [1, 2, 3] * 8, "same": [2, 4, 6] * 8}
    with pytest.raises(NotConverged, match="repeats one"):
        Cox().fit(table, duration=list(range(24)), event=[1] * 24)
    held = Cox(penalty=1.0).fit(table, duration=list(range(24)), event=[1] * 24).coefficients
    assert held[0] == pytest.approx(held[1])


def test_a_document_with_columns_of_other_lengths_is_refused() -> None:
    document = model().to_dict()
    document["hazard"] = document["hazard"][:-1]
    with pytest.raises(BadDocument, match="different lengths"):
        CoxModel.from_dict(document)


def test_charts_draw_ratios_and_curves() -> None:
    assert model().chart().rows[0]["label"] in model().effects()
    curves = model().curves(LIVES, [1, 2, 3], strata=LIVES["shop"])
    assert len(curves.chart(rows=(0, 1)).rows) == 8
    with pytest.raises(OutOfRange, match="count rows from 0"):
        curves.chart(rows=(999,))
    constant = Cox().fit({"x": [1, 1]}, duration=[1, 2], event=[1, 1])
    with pytest.raises(EmptyInput, match="nothing to draw"):
        constant.chart()
    assert str(constant).count("\n") == 0


@pytest.mark.parametrize("recipe", [Logistic(penalty=1.0), Booster(rounds=20)])
def test_hazards_by_period_multiply_to_survival(recipe: Logistic | Booster) -> None:
    table = {name: LIVES[name] for name in ("months", "left", "plan")}
    found = DiscreteHazard(recipe=recipe).fit(table, duration="months", event="left")
    hazard = found.hazard({"plan": ["a", "b"]}, periods=4)
    assert ((hazard > 0) & (hazard < 1)).all()
    assert np.allclose(found.survival({"plan": ["a", "b"]}, periods=4), np.cumprod(1 - hazard, axis=1))
    later = found.churn_within({"plan": ["a", "b"]}, periods=2, after=2)
    assert np.allclose(later, 1 - np.prod(1 - hazard[:, 2:4], axis=1))
    assert isinstance(found.curves({"plan": ["a"]}, periods=3), Curves)
    assert repr(found) == "DiscreteHazardModel(n = 120, 80 events, 6 periods)"


def test_periods_are_whole_were_seen_and_keep_their_name() -> None:
    with pytest.raises(BadRows, match="not a whole number of periods"):
        DiscreteHazard().fit({"x": [1, 2]}, duration=[0.5, 1], event=[1, 0])
    with pytest.raises(OutOfRange, match="rename it"):
        DiscreteHazard().fit({"period": [1, 2]}, duration=[1, 2], event=[1, 0])
    found = DiscreteHazard(longest=3).fit(LIVES, duration="months", event="left", entry=[0] * 120)
    assert found.longest == 3
    with pytest.raises(OutOfRange, match="the model saw no later period"):
        found.hazard(LIVES, periods=4)


def test_a_hazard_by_period_survives_json_and_a_foreign_model_is_refused() -> None:
    table = {name: LIVES[name] for name in ("months", "left", "plan")}
    found = DiscreteHazard(recipe=Booster(rounds=20)).fit(table, duration="months", event="left")
    again = DiscreteHazardModel.from_dict(json.loads(json.dumps(found.to_dict())))
    assert np.array_equal(again.hazard(table, periods=4), found.hazard(table, periods=4))
    with pytest.raises(BadDocument, match=r"required field is missing @ \$\.model"):
        DiscreteHazardModel.from_dict({"names": [], "words": [], "n": 1, "events": 1, "longest": 1})

    class Foreign:
        def predict(self, frame: object, /) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            return np.zeros(1)

    with pytest.raises(WrongType, match="save yours by its own means"):
        attrs.evolve(found, model=Foreign()).to_dict()


def test_the_baseline_is_that_of_the_average_customer_and_curves_show_as_tables() -> None:
    frame = model().baseline(backend="polars")
    assert frame.columns == ["stratum", "time", "hazard", "cumulative_hazard", "survival"]
    assert set(frame["stratum"]) == {"north", "south"}
    page = model().curves(LIVES, [1, 2], strata="north")._repr_html_()
    assert "5 of 120 rows" in page
    assert len(page) < 6000
