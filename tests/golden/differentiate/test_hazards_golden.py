"""Published numbers of Cox regression, and the peers' own on the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.idic.differentiate.hazards import Cox, CoxModel

# Freireich et al. (1963), Blood 21:699: weeks of remission, 6-MP and placebo; + is censored.
TREATED = [(6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1), (17, 0)]
TREATED += [(19, 0), (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0)]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def leukemia() -> dict[str, list[int]]:
    return {
        "weeks": [t for t, _ in TREATED] + PLACEBO,
        "relapse": [e for _, e in TREATED] + [1] * 21,
        "placebo": [0] * 21 + [1] * 21,
    }


def test_remission_of_leukemia_as_r_survival_prints_it() -> None:
    model = Cox().fit(leukemia(), duration="weeks", event="relapse")
    effect = model.effects()["placebo"]
    assert effect.value == pytest.approx(1.5721, abs=5e-5)  # coxph(..., ties = "efron")
    assert (effect.high - effect.value) / 1.959964 == pytest.approx(0.4124, abs=5e-5)
    assert 2 * (model.log_likelihood - model.null_log_likelihood) == pytest.approx(16.35, abs=5e-3)


def rossi() -> object:
    datasets = pytest.importorskip("lifelines.datasets", reason="the recidivism data come with lifelines")
    return datasets.load_rossi()


def test_recidivism_as_fox_and_weisberg_print_it() -> None:
    """Fox & Weisberg (2011), An R Companion to Applied Regression, appendix on Cox regression, table of mod.allison."""
    model = Cox().fit(rossi(), duration="week", event="arrest")
    wanted = {
        "fin": (-0.379, 0.191), "age": (-0.057, 0.022), "race": (0.314, 0.308), "wexp": (-0.150, 0.212),
        "mar": (-0.434, 0.382), "paro": (-0.085, 0.196), "prio": (0.091, 0.029),
    }  # fmt: skip
    for name, effect in model.effects().items():
        assert effect.value == pytest.approx(wanted[name][0], abs=6e-4)
        assert (effect.high - effect.value) / 1.959964 == pytest.approx(wanted[name][1], abs=6e-4)


@pytest.mark.filterwarnings("ignore")
def test_coefficients_errors_and_likelihood_are_those_of_lifelines() -> None:
    lifelines = pytest.importorskip("lifelines")
    frame = rossi()
    peer = lifelines.CoxPHFitter().fit(frame, "week", "arrest")
    ours = Cox().fit(frame, duration="week", event="arrest")
    for name, effect in ours.effects().items():
        assert effect.value == pytest.approx(peer.params_[name], abs=1e-6)
        assert effect.low == pytest.approx(peer.confidence_intervals_.loc[name].iloc[0], abs=1e-6)
    assert ours.log_likelihood == pytest.approx(peer.log_likelihood_, abs=1e-8)
    assert ours.concordance().value == pytest.approx(peer.concordance_index_, abs=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_strata_weights_and_delayed_entry_are_those_of_lifelines() -> None:
    lifelines = pytest.importorskip("lifelines")
    frame = rossi()
    rng = np.random.default_rng(0)
    frame["w"], frame["came"] = rng.integers(1, 4, len(frame)), rng.integers(0, 3, len(frame)) * 1.0  # type: ignore[index,arg-type]
    frame = frame[frame.week > frame.came]  # type: ignore[attr-defined,index]
    peer = lifelines.CoxPHFitter().fit(frame, "week", "arrest", weights_col="w", entry_col="came", strata=["fin"])
    ours = Cox().fit(frame, duration="week", event="arrest", weights="w", entry="came", strata="fin")
    for name, effect in ours.effects().items():
        assert effect.value == pytest.approx(peer.params_[name], abs=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_the_test_of_proportional_hazards_agrees_with_lifelines_where_no_times_are_tied() -> None:
    pytest.importorskip("lifelines")
    from lifelines import CoxPHFitter
    from lifelines.statistics import proportional_hazard_test

    rng = np.random.default_rng(3)
    n = 400
    x, z = rng.normal(size=n), rng.normal(size=n)
    life = rng.exponential(np.exp(-0.5 * x)) ** 0.8
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": x, "z": z, "life": life, "gone": rng.random(n) < 0.7})
    peer = proportional_hazard_test(CoxPHFitter().fit(frame, "life", "gone"), frame, time_transform="km").summary
    for found in Cox().fit(frame, duration="life", event="gone").proportionality():
        assert found.statistic == pytest.approx(peer.loc[found.label, "test_statistic"], rel=0.02, abs=1e-3)


def test_a_model_survives_json() -> None:
    model = Cox(penalty=0.1, knots=2).fit(leukemia(), duration="weeks", event="relapse")
    assert CoxModel.from_dict(model.to_dict()) == model
