"""Beside scikit-learn and lifelines, in turns: `python -m benchmarks.peers.propensity [--repeats 3] [--splits 5]`.

Churn is five-fold cross-validation on the same folds, uplift two models on the same splits, Cox one fit on the same
matrix; each engine runs in a fresh process on pinned threads.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Row, Table, answer, in_turns, middle
from benchmarks.quality.propensity import hillstrom, telco

Floats = NDArray[np.float64]
CHURN = {
    "crmcore logistic": "ours", "crmcore booster": "ours", "scikit-learn logistic": "peer",
    "scikit-learn gradient boosting": "peer", "scikit-learn histogram boosting": "peer",
}  # fmt: skip
UPLIFT = ("crmcore logistic", "scikit-learn logistic", "scikit-learn gradient boosting")
COX = ("crmcore", "lifelines")


def peer_of(name: str, columns: dict[str, list[Any]]) -> Any:
    """A pipeline of scikit-learn: one column a level, standardised numbers, default settings."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    words = [n for n, c in columns.items() if any(isinstance(v, str) for v in c)]
    numbers = [n for n in columns if n not in words]
    sparse = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepared = make_column_transformer((sparse, words), (make_pipeline(SimpleImputer(), StandardScaler()), numbers))
    models = {
        "scikit-learn logistic": LogisticRegression(max_iter=1000),
        "scikit-learn gradient boosting": GradientBoostingClassifier(random_state=0),
        "scikit-learn histogram boosting": HistGradientBoostingClassifier(random_state=0),
    }
    return make_pipeline(prepared, models[name])


def ours_of(name: str) -> Any:
    """A recipe of the house."""
    from crmcore.idic.differentiate.propensity import Booster, Logistic

    return Booster() if name.endswith("booster") else Logistic()


def run_churn(name: str) -> Row:
    """Time and quality of five folds; reading the file is not counted."""
    from crmcore.idic.differentiate.propensity import evaluate
    from crmcore.idic.differentiate.propensity.folds import fold_codes

    columns, left = telco()
    fold = fold_codes(left.astype(float), folds=5, seed=0)
    probability = np.empty(len(left))
    fit = _peer_fits(name, columns) if name.startswith("scikit") else _our_fits(name, columns)
    started = time.perf_counter()
    for k in range(5):
        probability[fold == k] = fit(fold != k, left, fold == k)
    wall = time.perf_counter() - started
    auc = np.mean([evaluate(left[fold == k], probability[fold == k]).auc.value for k in range(5)])
    scores = evaluate(left, probability)
    return {"wall_s": wall, "auc": float(auc), "brier": scores.brier.value, "slope": scores.slope.value}


def _our_fits(name: str, columns: dict[str, list[Any]]) -> Any:
    from crmcore.idic.differentiate.propensity import read_features

    features = read_features(columns)

    def fit(train: Any, happened: Any, test: Any) -> Floats:
        return ours_of(name).fit(features.take(train), happened[train]).predict(features.take(test))  # type: ignore[no-any-return]

    return fit


def _peer_fits(name: str, columns: dict[str, list[Any]]) -> Any:
    import pandas as pd

    frame = pd.DataFrame(columns)

    def fit(train: Any, happened: Any, test: Any) -> Floats:
        model = peer_of(name, columns).fit(frame[train], happened[train])
        return model.predict_proba(frame[test])[:, 1]  # type: ignore[no-any-return]

    return fit


def run_uplift(name: str, splits: int) -> Row:
    """Time and Qini area of two models, one a side, on the same splits."""
    from crmcore.idic.differentiate.uplift.qini import area_of, curve_of, order_by

    columns, visit, mail = hillstrom()
    fit = _peer_fits(name, columns) if name.startswith("scikit") else _our_fits(name, columns)
    areas, wall = [], 0.0
    for split in range(splits):
        test = np.random.default_rng(split).random(len(visit)) < 0.3
        started = time.perf_counter()
        score = fit(~test & mail, visit, test) - fit(~test & ~mail, visit, test)
        wall += time.perf_counter() - started
        ordered = order_by(np.asarray(score, np.float64))
        areas.append(area_of(*curve_of(ordered, visit[test].astype(float), mail[test], np.ones(int(test.sum())))))
    return {"wall_s": wall, "first": areas[0], "mean": float(np.mean(areas))}


def run_cox(name: str) -> Row:
    """Time of one fit of the months until a customer left on numbers and levels, and its likelihood."""
    columns, left = telco()
    names = [n for n in columns if n not in ("tenure", "TotalCharges")]
    months = np.array(columns["tenure"], float)
    kept = {n: columns[n] for n in names}
    if name == "crmcore":
        import scipy.special  # lifelines brings it before its clock starts; ours would load it for the interval  # noqa: F401

        from crmcore.idic.differentiate.hazards import Cox

        started = time.perf_counter()
        model = Cox(penalty=1.0).fit(kept, duration=months, event=left)
        value, concordance = model.log_likelihood, model.concordance().value
    else:
        import pandas as pd
        from lifelines import CoxPHFitter

        warnings.simplefilter("ignore")
        started = time.perf_counter()
        frame = pd.get_dummies(pd.DataFrame(kept), drop_first=True).astype(float)
        peer = CoxPHFitter(penalizer=1.0 / len(left)).fit(frame.assign(months=months, left=left), "months", "left")
        value, concordance = peer.log_likelihood_, peer.concordance_index_
    return {"wall_s": time.perf_counter() - started, "log-likelihood": float(value), "concordance": float(concordance)}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Run all engines in turns, and store the tables in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args(arguments)
    if options.child:
        what, name, splits = options.child
        warnings.simplefilter("ignore")
        answer({"churn": run_churn, "cox": run_cox}[what](name) if what != "uplift" else run_uplift(name, int(splits)))
        return
    module, text = "benchmarks.peers.propensity", str(options.splits)
    churn = in_turns(module, {n: ("churn", n, text) for n in CHURN}, repeats=options.repeats)
    gradient = churn["scikit-learn gradient boosting"]
    best = max(gradient[0]["auc"], churn["scikit-learn logistic"][0]["auc"])
    Table(
        name="peers-propensity-churn", section="peers", order=60, title="Propensity beside scikit-learn",
        about="Five-fold cross-validation on telco_churn, the same folds for all; seconds are the median of the runs.",
        rows=[
            {"engine": n, "mean AUC of folds": r[0]["auc"], "Brier": r[0]["brier"], "slope": r[0]["slope"],
             "seconds": middle(r, "wall_s"), "bar AUC": best if CHURN[n] == "ours" else None,
             "met": r[0]["auc"] >= best if CHURN[n] == "ours" else None} for n, r in churn.items()
        ], key=("engine",),
        notes=["The bar is the better of logistic regression and gradient boosting of scikit-learn."],
    ).save(folder)  # fmt: skip
    moved = in_turns(module, {n: ("uplift", n, text) for n in UPLIFT}, repeats=1)
    bar = max(moved[n][0]["mean"] for n in UPLIFT if n.startswith("scikit"))
    Table(
        name="peers-propensity-uplift", section="peers", order=61, title="Uplift beside scikit-learn",
        about=f"Two models, one a side, on hillstrom_email; Qini area a customer on 30 %, mean of {text} splits.",
        rows=[
            {"engine": n, "split 0": r[0]["first"], "mean of splits": r[0]["mean"], "seconds": middle(r, "wall_s"),
             "bar": bar if n.startswith("crmcore") else None,
             "met": r[0]["mean"] >= bar if n.startswith("crmcore") else None} for n, r in moved.items()
        ], key=("engine",),
    ).save(folder)  # fmt: skip
    cox = in_turns(module, {n: ("cox", n, text) for n in COX}, repeats=options.repeats)
    Table(
        name="peers-propensity-cox", section="peers", order=62, title="Cox regression beside lifelines",
        about="One fit of months until a customer leaves (telco_churn), a ridge of one row, concordance included; "
        "scipy is loaded before both clocks.",
        rows=[
            {"engine": n, "seconds": middle(r, "wall_s"), "log-likelihood": r[0]["log-likelihood"],
             "concordance": r[0]["concordance"]} for n, r in cox.items()
        ], key=("engine",),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
