"""Class shares and profiles have intervals, drivers are tested, and classes that do not come back are told."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange
from crmcore.idic.differentiate.needs import LatentClasses, class_drivers, class_intervals, class_stability
from crmcore.idic.differentiate.needs.em import Parameters, responsibilities
from crmcore.idic.differentiate.needs.intervals import louis_information


def planted(seed: int, n: int = 400) -> tuple[np.ndarray, dict[str, list[str | None]], dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.35).astype(int)
    wants: list[str | None] = [("ease", "price")[k if rng.random() < 0.8 else 1 - k] for k in truth]
    wants[3] = None
    pays = rng.normal(np.array([10.0, 14.0])[truth], 2.0)
    pays[rng.random(n) < 0.1] = np.nan
    return truth, {"wants": wants}, {"pays": pays}


def test_information_is_the_curvature_of_the_likelihood() -> None:
    _, answers, measures = planted(2, 150)
    model = LatentClasses(classes=2, starts=3).fit(answers=answers, measures=measures, seed=1)
    data, p = model.blocks(answers=answers, measures=measures), model.parameters()
    flat = np.concatenate([np.log(p.share), *(np.r_[np.log(p.answer[k]), p.mean[k], np.log(p.variance[k])]
                                              for k in range(2))])  # fmt: skip

    def value(at: np.ndarray) -> float:
        def soft(v: np.ndarray) -> np.ndarray:
            return np.exp(v) / np.exp(v).sum()

        own = at[2:].reshape(2, 4)
        answer = np.array([soft(row[:2]) for row in own])
        return responsibilities(data, Parameters(soft(at[:2]), answer, own[:, 2:3], np.exp(own[:, 3:])))[1]

    h, m = 1e-3, len(flat)
    e = np.eye(m) * h
    slow = np.array([[value(flat + e[i] + e[j]) - value(flat + e[i] - e[j]) - value(flat - e[i] + e[j])
                      + value(flat - e[i] - e[j]) for j in range(m)] for i in range(m)]) / (-4 * h * h)  # fmt: skip
    fast = louis_information(data, p, responsibilities(data, p)[0])
    assert fast == pytest.approx(slow, abs=2e-3 * np.abs(slow).max())


def test_one_class_has_the_textbook_standard_errors() -> None:
    x = np.random.default_rng(1).normal(5, 2, 200)
    model = LatentClasses(classes=1).fit(measures={"x": x}, seed=1)
    found = class_intervals(model, measures={"x": x}).means["x"][0]
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * x.std() / np.sqrt(200), rel=1e-5)


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    hits, runs = np.zeros(3), 60
    for seed in range(runs):
        _, answers, measures = planted(seed)
        model = LatentClasses(classes=2, starts=2).fit(answers=answers, measures=measures, seed=1)
        found = class_intervals(model, answers=answers, measures=measures, level=0.9)
        low = int(np.argmin(model.means["pays"]))
        pairs = ((found.shares[low], 0.65), (found.answers["wants"]["ease"][low], 0.8), (found.means["pays"][low], 10))
        hits += [not e.excludes(v) for e, v in pairs]
    assert (hits / runs >= 0.78).all()  # 0.9 less three standard errors of 60 runs
    assert hits.sum() < 3 * runs


def test_a_probability_at_the_boundary_gets_an_exact_end() -> None:
    answers = {"wants": ["price"] * 60 + ["ease"] * 40}
    measures = {"visits": [2.0, 3.0, 4.0] * 20 + [90.0, 100.0, 110.0, 120.0] * 10}
    model = LatentClasses(classes=2).fit(answers=answers, measures=measures, seed=1)
    found = class_intervals(model, answers=answers, measures=measures).answers["wants"]["price"]
    assert found[1].low == 0
    assert found[1].high == pytest.approx(1 - 0.025 ** (1 / 40), rel=1e-6)
    assert found[0].high == 1
    assert found[0].method == "exact end at the boundary"


def test_classes_that_the_data_cannot_tell_apart_have_no_interval() -> None:
    answers = {"wants": ["price", "ease"] * 30}
    model = LatentClasses(classes=2).fit(answers=answers, seed=1)
    found = class_intervals(model, answers=answers)
    assert not found.identified
    assert np.isnan(found.shares[0].low)


def test_intervals_refuse_other_customers() -> None:
    _, answers, measures = planted(1)
    model = LatentClasses(classes=2, starts=1).fit(answers=answers, measures=measures, seed=1)
    with pytest.raises(OutOfRange, match="400, as in the fit"):
        class_intervals(model, answers={"wants": ["ease"]}, measures={"pays": [1.0]})


def test_intervals_are_a_frame_with_one_row_a_number() -> None:
    _, answers, measures = planted(1)
    model = LatentClasses(classes=2, starts=1).fit(answers=answers, measures=measures, seed=1)
    frame = class_intervals(model, answers=answers, measures=measures).to_frame(backend="polars")
    assert len(frame) == 2 * (1 + 2 + 1)
    assert {"class", "column", "answer", "value", "low", "high", "level"} <= set(frame.columns)


def test_drivers_equal_scipy_and_name_the_class() -> None:
    from scipy.stats import fisher_exact, ttest_ind

    _, answers, measures = planted(3)
    members = LatentClasses(classes=2, starts=3).fit(measures=measures, seed=1).members(measures=measures)
    found = class_drivers(members, answers=answers, measures=measures)
    pays, inside = measures["pays"], members.label == 1
    mine = {(d.label, d.column, d.answer): d for d in found.drivers}
    welch = ttest_ind(pays[inside], pays[~inside], equal_var=False, nan_policy="omit").pvalue
    assert mine[1, "pays", ""].p_value == pytest.approx(float(welch), rel=1e-6)
    ease = np.array([a == "ease" for a in answers["wants"]])
    known = np.array([a is not None for a in answers["wants"]])
    table = [[int((ease & g & known).sum()), int((~ease & g & known).sum())] for g in (inside, ~inside)]
    assert mine[1, "wants", "ease"].p_value == pytest.approx(float(fisher_exact(table).pvalue))
    assert all(d.adjusted >= d.p_value for d in found.drivers)
    assert sorted(name.split(",")[0] for name in found.names) == ["pays: high", "pays: low"]


def test_noise_names_no_class_although_many_columns_were_tried() -> None:
    rng = np.random.default_rng(5)
    _, _, measures = planted(5)
    members = LatentClasses(classes=2, starts=3).fit(measures=measures, seed=1).members(measures=measures)
    found = class_drivers(members, measures={f"noise {j}": rng.normal(size=400) for j in range(60)})
    assert found.names == ("like all customers",) * 2
    assert min(d.p_value for d in found.drivers) < 0.05  # without correction some would stand
    assert min(d.adjusted for d in found.drivers) > 0.05


def test_drivers_refuse_what_they_cannot_compare() -> None:
    members = LatentClasses(classes=1).fit(measures={"x": [1.0, 2.0]}, seed=1).members(measures={"x": [1.0, 2.0]})
    with pytest.raises(EmptyInput):
        class_drivers(members)
    with pytest.raises(OutOfRange, match="2, as members"):
        class_drivers(members, measures={"x": [1.0]})
    with pytest.raises(BadRows, match="infinite"):
        class_drivers(members, measures={"x": [1.0, np.inf]})
    assert np.isnan(class_drivers(members, measures={"x": [1.0, 2.0]}).drivers[0].p_value)


def test_planted_classes_come_back_and_invented_ones_do_not() -> None:
    rng = np.random.default_rng(2)
    apart = {"x": np.r_[rng.normal(0, 1, 60), rng.normal(12, 1, 40)]}
    noise = {name: rng.normal(size=100) for name in "abc"}
    good = class_stability(LatentClasses(classes=2, starts=3), measures=apart, seed=1, replicates=8)
    bad = class_stability(LatentClasses(classes=4, starts=3), measures=noise, seed=1, replicates=8)
    assert good.stable == (True, True)
    assert min(bad.per_class) < 0.6 < min(good.per_class)
    assert len(good.to_frame(backend="polars")) == 2
    with pytest.raises(OutOfRange, match="replicates"):
        class_stability(LatentClasses(classes=2), measures=apart, seed=1, replicates=0)
