"""Cross-validation: every row is predicted by a model that never saw it, choices inside the model included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.propensity.features import read_outcome
from crmcore.idic.differentiate.propensity.folds import fold_codes
from crmcore.idic.differentiate.propensity.scores import Scores, evaluate
from crmcore.metrics.columns import codes_of, columns_frame

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["CrossValidation", "ProbabilityModel", "Recipe", "cross_validate"]

Floats = NDArray[np.float64]


@runtime_checkable
class ProbabilityModel(Protocol):
    """What a recipe is fitted into: (n,) probabilities of rows, in [0, 1], a pure function of each row alone."""

    def predict(self, frame: Any, /) -> Floats:
        """(n,) probabilities."""
        ...


@runtime_checkable
class Recipe(Protocol):
    """How a model is made: `Logistic`, `Booster`, or yours.

    `fit` reads features (any frame, or `Features`), what happened (n,) and weights (n,) or None, and looks at nothing
    else; it chooses its own settings from these rows alone.
    """

    def fit(self, frame: Any, outcome: ArrayLike, *, weights: ArrayLike | None = None) -> ProbabilityModel:
        """Fit on rows whose outcome is known."""
        ...


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CrossValidation:
    """Predictions of rows by models that did not see them, and their quality.

    Attributes
    ----------
    scores : of all rows together
    folds : scores of each fold alone
    probability : (n,) of every row, by the model of the other folds
    fold : (n,) fold of every row
    """

    scores: Scores
    folds: tuple[Scores, ...]
    probability: Floats
    fold: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"CrossValidation({len(self.folds)} folds, {self.scores!r})"

    def __str__(self) -> str:
        return f"{len(self.folds)}-fold cross-validation, mean AUC of folds {self.mean_auc:.4f}\n{self.scores}"

    @property
    def mean_auc(self) -> float:
        """Mean of the folds' AUC: rows are compared within a fold only."""
        return float(np.mean([s.auc.value for s in self.folds]))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a row: fold, probability."""
        return columns_frame({"fold": self.fold, "probability": self.probability}, backend=backend)

    def chart(self, which: str = "reliability") -> Chart:
        """See `Scores.chart`."""
        return self.scores.chart(which)

    def _repr_html_(self) -> str:
        rows = [{"score": name, "value": str(value)} for name, value in self.scores.estimates().items()]
        return html_table(rows, caption=f"{len(self.folds)}-fold cross-validation, n = {self.scores.n}")


def cross_validate(
    recipe: Recipe,
    frame: Any,
    *,
    outcome: str | ArrayLike,
    seed: int | np.random.Generator,
    folds: int = 5,
    groups: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    top: float = 0.1,
    level: float = 0.95,
    leave_out: tuple[str, ...] = (),
    progress: Progress | bool = False,
) -> CrossValidation:
    """Predict every row by a model fitted on the other folds, and judge the predictions.

    Parameters
    ----------
    recipe
        Whatever has `fit`; bins, knots, levels and penalties are chosen anew from each fold's own rows.
    frame, outcome, weights
        As for `Logistic.fit`; weights are used to fit, not to judge.
    groups : (n,) labels, optional
        Rows of one label stay in one fold: the same customer at several dates is no independent test.
    folds, seed
        Folds balanced by outcome (by group where groups are given).
    leave_out : names
        Columns that are no features.

    Examples
    --------
    >>> from crmcore.idic.differentiate.propensity import Logistic
    >>> table = {"months": list(range(60)) * 4}
    >>> left = [m < 20 for m in table["months"]]
    >>> cross_validate(Logistic(), table, outcome=left, seed=1).mean_auc
    1.0
    """
    features, happened, weight = read_outcome(frame, outcome, weights=weights, leave_out=leave_out)
    rng = np.random.default_rng(seed)
    if groups is None:
        fold = fold_codes(happened, folds=folds, seed=rng)
    else:
        code, names = codes_of(groups, len(happened), "groups")
        mean = np.bincount(code, weights=happened) / np.bincount(code)
        if folds > len(names):
            raise OutOfRange("folds", folds, f"2 to {len(names)}, the number of groups", "take fewer folds")
        fold = fold_codes(mean, folds=folds, seed=rng)[code]
    report = reporter(progress)
    probability = np.empty(len(happened))
    for k in range(folds):
        test = fold == k
        if not all((happened[~test] == v).any() and (happened[test] == v).any() for v in (0.0, 1.0)):
            hint = "take fewer folds: each needs rows of both kinds, inside and outside"
            raise OutOfRange("folds", folds, "folds with both outcomes", hint)
        model = recipe.fit(features.take(~test), happened[~test], weights=weight[~test])
        probability[test] = model.predict(features.take(test))
        report("folds", k + 1, folds)
    each = tuple(
        evaluate(happened[fold == k], probability[fold == k], top=top, level=level, small_sample_ok=True)
        for k in range(folds)
    )
    whole = evaluate(happened, probability, top=top, level=level, small_sample_ok=True)
    return CrossValidation(scores=whole, folds=each, probability=probability, fold=fold)
