"""Propensity, survival and uplift: what the library promises, in the words of the field."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.idic.differentiate import hazards, propensity, uplift
from crmcore.tables import OrderTable

START = datetime(2026, 1, 1, tzinfo=UTC)


def members(n: int = 600) -> tuple[dict[str, Any], list[bool]]:
    """Customers with evidence of loyalty; a rival's offer tempts those who have little."""
    rng = np.random.default_rng(5)
    table = {
        "visits": rng.poisson(4, n).tolist(),
        "points": rng.integers(0, 900, n).tolist(),
        "recommended": rng.integers(0, 2, n).tolist(),
        "rival_discount": rng.uniform(0, 0.4, n).round(2).tolist(),
        "region": rng.choice(["north", "south"], n).tolist(),
    }
    pull = 6 * np.array(table["rival_discount"]) - 0.4 * np.array(table["visits"]) - np.array(table["recommended"])
    return table, (rng.random(n) < 1 / (1 + np.exp(-pull))).tolist()


LOYALTY = ["visits", "points", "recommended"]


@pytest.mark.parametrize("recipe", [propensity.Logistic(), propensity.Booster(rounds=150)], ids=["logistic", "booster"])
def test_row_028_risk_of_switching_falls_when_evidence_of_loyalty_is_added(recipe: Any) -> None:
    table, switched = members()
    model = propensity.SwitchingRisk(loyalty=LOYALTY, recipe=recipe).fit(table, switched)
    same = {"rival_discount": [0.3], "region": ["north"], "points": [100], "recommended": [0]}
    risk = [float(model.predict({**same, "visits": [v]})[0]) for v in range(12)]
    assert all(b <= a for a, b in pairwise(risk))
    assert risk[-1] < risk[0] - 0.2
    assert model.predict({**same, "visits": [2], "recommended": [1]})[0] < risk[2]


def test_row_028_the_same_offer_of_a_rival_tempts_the_loyal_less() -> None:
    table, switched = members()
    model = propensity.SwitchingRisk(loyalty=LOYALTY).fit(table, switched)
    offer = {"rival_discount": [0.35] * 2, "region": ["south"] * 2}
    new, loyal = model.predict({**offer, "visits": [0, 8], "points": [0, 800], "recommended": [0, 1]})
    assert loyal < new
    assert "lowered by" in model.explain(
        {**offer, "visits": [0, 8], "points": [0, 800], "recommended": [0, 1]}
    ).sentence(1)


def test_row_028_evidence_that_pointed_the_wrong_way_by_chance_counts_for_nothing() -> None:
    table = {"visits": [1, 2, 3, 4] * 30}
    model = propensity.SwitchingRisk(loyalty=["visits"]).fit(table, [v > 2 for v in table["visits"]])
    assert np.ptp(model.predict({"visits": [1, 4]})) == 0


def shop_log() -> OrderTable:
    rng = np.random.default_rng(1)
    rows = []
    for c in range(80):
        day, gap = rng.uniform(0, 50), rng.uniform(4, 40)
        end = rng.uniform(60, 300) if c % 2 else 300
        while day < end:
            rows.append((f"c{c:02d}", START + timedelta(days=float(day)), int(rng.integers(5, 90))))
            day += rng.exponential(gap)
    names, times, amounts = zip(*rows, strict=True)
    return OrderTable.from_frame({"customer": names, "time": times, "amount": amounts}, currency="THB")


CUTOFFS = [START + timedelta(days=d) for d in (160, 220)]


def test_row_036_a_time_split_backtest_gives_a_predictor_the_past_alone() -> None:
    """The last row that any predictor is shown had arrived by the cutoff."""
    shown: list[tuple[datetime, np.datetime64]] = []

    class Watcher:
        def fit(self, past: propensity.Past[OrderTable], /, *, horizon_days: float) -> Watcher:
            shown.append((past.at, past.table.time.max()))
            return self

        def predict(self, past: propensity.Past[OrderTable], /) -> Any:
            return np.full(len(past.customers), 0.5)

    report = propensity.backtest(Watcher(), shop_log(), cutoffs=CUTOFFS, horizon_days=30)
    assert [at for at, _ in shown] == CUTOFFS
    assert all(last <= np.datetime64(at.replace(tzinfo=None), "us") for at, last in shown)
    assert report.scores.auc.value == 0.5


def test_row_036_the_leak_test_fails_on_a_purpose_made_leak_and_passes_without() -> None:
    def honest(_: OrderTable) -> propensity.FactsPredictor[OrderTable]:
        return propensity.FactsPredictor()

    def leaky(table: OrderTable) -> propensity.FactsPredictor[OrderTable]:
        last = dict(zip(table.customer.tolist(), table.time.astype(float).tolist(), strict=True))
        ids = table.customers

        def facts(past: propensity.Past[OrderTable], /) -> dict[str, Any]:
            return {"last order": [last.get(ids.code(c), 0.0) for c in past.customers.ids]}

        return propensity.FactsPredictor(facts=facts)

    table = shop_log()
    propensity.check_leaks(honest, table, cutoffs=CUTOFFS, horizon_days=30, seed=1)
    with pytest.raises(propensity.LeakFound, match="fact 'last order' moved"):
        propensity.check_leaks(leaky, table, cutoffs=CUTOFFS, horizon_days=30, seed=1)


def test_row_036_behaviour_predicts_who_will_be_silent() -> None:
    predictor: propensity.FactsPredictor[OrderTable] = propensity.FactsPredictor(
        target=propensity.Acts(silent=True, active_within_days=120), recipe=propensity.Logistic(knots=1)
    )
    report = propensity.backtest(predictor, shop_log(), cutoffs=CUTOFFS, horizon_days=40)
    assert report.scores.auc.low > 0.6
    assert report.scores.brier.value < report.scores.rate.value * (1 - report.scores.rate.value)


def telco(place: Path) -> tuple[dict[str, list[Any]], list[bool]]:
    with gzip.open(place / "telco_churn" / "telco.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table: dict[str, list[Any]] = {name: [r[name] or None for r in rows] for name in rows[0] if name != "customerID"}
    for name in ("tenure", "MonthlyCharges", "TotalCharges"):
        table[name] = [float(v) if v and v.strip() else None for v in table[name]]
    return table, [v == "Yes" for v in table.pop("Churn")]


def test_row_035_churn_curves_of_single_customers_agree_with_what_happened(data_dir: Path) -> None:
    table, left = telco(data_dir)
    kept = {name: table[name] for name in ("tenure", "Contract", "InternetService", "PaymentMethod", "MonthlyCharges")}
    model = hazards.Cox(penalty=1.0).fit(kept, duration="tenure", event=left)
    assert model.concordance().value > 0.8
    monthly = model.hazard_ratios()
    assert monthly["Contract = Two year"].high < 0.2
    curves = model.curves(kept, [12.0, 24.0])
    assert (curves.survival[:, 1] <= curves.survival[:, 0]).all()


def test_row_037_propensity_with_its_reasons_on_a_public_set(data_dir: Path) -> None:
    table, left = telco(data_dir)
    train = np.arange(len(left)) % 4 != 0
    features = propensity.read_features(table)
    y = np.array(left)
    model = propensity.Logistic().fit(features.take(train), y[train])
    scores = propensity.evaluate(y[~train], model.predict(features.take(~train)))
    assert scores.auc.value > 0.83
    assert scores.calibration_error < 0.04
    assert scores.lift.low > 2
    assert "raised by" in model.explain(features.take(~train)).sentence(int(np.argmax(y[~train])))


def test_row_037_whom_to_write_to_is_not_who_buys_but_whom_the_letter_moves() -> None:
    """Loyal customers buy anyway: propensity ranks them first, uplift does not."""
    rng = np.random.default_rng(2)
    n = 6000
    loyal, sent = rng.random(n) < 0.5, rng.random(n) < 0.5
    bought = rng.random(n) < np.where(loyal, 0.6, 0.1 + 0.25 * sent)
    table, test = {"loyal": loyal.tolist()}, np.arange(n) % 3 == 0
    features = propensity.read_features(table)
    propensity_score = propensity.Logistic().fit(features.take(~test), bought[~test]).predict(features.take(test))
    model = uplift.UpliftLearner().fit(features.take(~test), bought[~test], treated=sent[~test])
    by_uplift = uplift.measure_uplift(model.predict(features.take(test)), bought[test], treated=sent[test], seed=1)
    by_propensity = uplift.measure_uplift(propensity_score, bought[test], treated=sent[test], seed=1)
    assert by_uplift.area.low > 0 > by_propensity.area.high
    assert by_uplift.area.value > by_uplift.random.high
    assert by_uplift.best_share(cost=0.1) == pytest.approx(0.5, abs=0.1)
