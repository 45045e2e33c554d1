"""Churn and uplift on public sets: `python -m benchmarks.quality.propensity [--seeds 5] [--splits 10]`.

Churn is cross-validated in five folds, all choices (knots, bins, penalty, rounds, pairs) made inside the folds. Uplift
is fitted on 70 % of the customers of an e-mail experiment and judged on the rest, on several splits: one split alone
says little, as its interval shows.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Row, Table, data_dir, say
from crmcore.idic.differentiate.propensity import Booster, Features, Logistic, Recipe, cross_validate, read_features
from crmcore.idic.differentiate.uplift import UpliftLearner, UpliftReport, measure_uplift

Bools = NDArray[np.bool_]
AUC_BAR, BRIER_BAR, QINI_BAR = 0.848, 0.134, 0.0044
RECIPES: dict[str, Recipe] = {
    "logistic": Logistic(),
    "logistic, straight lines": Logistic(knots=0),
    "booster": Booster(),
}
LEARNERS: dict[str, UpliftLearner] = {
    "T, logistic": UpliftLearner(),
    "T, straight lines": UpliftLearner(recipe=Logistic(knots=0)),
    "T, booster": UpliftLearner(recipe=Booster()),
    "X": UpliftLearner(learner="x"),
    "transformed outcome": UpliftLearner(learner="transformed"),
}


def table_of(name: str) -> list[dict[str, str]]:
    """Rows of a compressed CSV file among the data sets."""
    with gzip.open(data_dir() / name, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def telco() -> tuple[dict[str, list[Any]], Bools]:
    """Customers of a telephone company, and whether they left."""
    rows = table_of("telco_churn/telco.csv.gz")
    left = np.array([r["Churn"] == "Yes" for r in rows])
    columns: dict[str, list[Any]] = {n: [r[n] for r in rows] for n in rows[0] if n not in ("customerID", "Churn")}
    for name in ("tenure", "MonthlyCharges", "TotalCharges"):
        columns[name] = [float(v) if v.strip() else None for v in columns[name]]
    return columns, left


def hillstrom() -> tuple[dict[str, list[Any]], Bools, Bools]:
    """Customers of an e-mail experiment (women's mail or none): features, visit, whether they got the mail."""
    rows = [r for r in table_of("hillstrom_email/hillstrom.csv.gz") if r["segment"] != "Mens E-Mail"]
    columns: dict[str, list[Any]] = {n: [r[n] for r in rows] for n in ("history_segment", "zip_code", "channel")}
    columns |= {n: [float(r[n]) for r in rows] for n in ("recency", "history", "mens", "womens", "newbie")}
    return columns, np.array([r["visit"] == "1" for r in rows]), np.array([r["segment"] != "No E-Mail" for r in rows])


def churn_rows(seeds: int) -> list[Row]:
    """Cross-validated quality of each recipe, the mean over seeds of the folds."""
    columns, left = telco()
    features = read_features(columns)
    rows = []
    for name, recipe in RECIPES.items():
        found = [cross_validate(recipe, features, outcome=left, seed=seed) for seed in range(seeds)]
        auc = float(np.mean([f.mean_auc for f in found]))
        brier = float(np.mean([f.scores.brier.value for f in found]))
        s = found[0].scores
        rows.append({
            "model": name, "seeds": seeds, "mean AUC of folds": auc, "bar AUC": AUC_BAR, "Brier": brier,
            "bar Brier": BRIER_BAR, "AUC interval": f"{s.auc.low:.4f}-{s.auc.high:.4f}", "lift": s.lift.value,
            "slope": f"{s.slope.value:.3f} [{s.slope.low:.3f}, {s.slope.high:.3f}]", "calibrated": s.calibrated,
            "met": auc >= AUC_BAR and brier <= BRIER_BAR and s.calibrated,
        })  # fmt: skip
        say(f"telco, {name}: AUC {auc:.4f}, Brier {brier:.4f}, calibrated {s.calibrated}")
    return rows


def judged(
    learner: UpliftLearner, features: Features, visit: Bools, mail: Bools, *, split: int, resamples: int
) -> UpliftReport:
    """Qini of a learner on the 30 % of one split that it did not see."""
    test = np.random.default_rng(split).random(len(visit)) < 0.3
    model = learner.fit(features.take(~test), visit[~test], treated=mail[~test])
    score = model.predict(features.take(test))
    return measure_uplift(score, visit[test], treated=mail[test], seed=0, resamples=resamples)


def uplift_rows(splits: int) -> list[Row]:
    """Qini area of each learner: split 0 with its interval, and the mean over splits."""
    columns, visit, mail = hillstrom()
    features = read_features(columns)
    rows = []
    for name, learner in LEARNERS.items():
        reports = [
            judged(learner, features, visit, mail, split=s, resamples=300 if s == 0 else 2) for s in range(splits)
        ]
        first, areas = reports[0], np.array([r.area.value for r in reports])
        rows.append({
            "learner": name, "splits": splits, "Qini area of split 0": first.area.value, "bar": QINI_BAR,
            "interval": f"{first.area.low:.4f}-{first.area.high:.4f}", "random order": first.random.value,
            "mean of splits": float(areas.mean()), "lowest": float(areas.min()), "highest": float(areas.max()),
            "met on split 0": first.area.value >= QINI_BAR,
        })  # fmt: skip
        say(f"hillstrom, {name}: split 0 {first.area}; mean of {splits} splits {areas.mean():.5f}")
    return rows


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure, and store both tables in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--splits", type=int, default=10)
    options = parser.parse_args(arguments)
    Table(
        name="quality-propensity-churn", section="quality", order=60, title="Propensity: who leaves",
        about="Five-fold cross-validation on telco_churn, mean over seeds; interval, slope and lift of the first seed.",
        rows=churn_rows(options.seeds), key=("model",),
    ).save(folder)  # fmt: skip
    Table(
        name="quality-propensity-uplift", section="quality", order=61, title="Uplift: whom the women's mail brings",
        about="Qini area a customer on 30 % of hillstrom_email (women's mail or none, visits); 0 is a random order.",
        rows=uplift_rows(options.splits), key=("learner",),
        notes=["One split decides little: areas of the same learner differ more between splits than learners do."],
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
