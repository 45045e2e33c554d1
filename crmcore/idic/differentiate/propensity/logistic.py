"""Logistic regression on mixed tables: the penalty is chosen inside, coefficients have intervals, rows have reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress, between, html_table, number_text, reporter
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.propensity.encoding import Encoding, learn_encoding
from crmcore.idic.differentiate.propensity.features import Features, read_features, read_outcome
from crmcore.idic.differentiate.propensity.folds import fold_codes, row_keys
from crmcore.idic.differentiate.propensity.newton import fit_logistic, log_loss_of, probabilities
from crmcore.idic.differentiate.propensity.reasons import Reasons
from crmcore.metrics.columns import SAME, columns_frame, held_floats
from crmcore.metrics.estimates import Estimate, check_level, frame_of
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.scalars import real
from crmcore.tables.columns import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Logistic", "LogisticModel", "Predictions"]

Floats = NDArray[np.float64]
PENALTIES = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Ridges that are tried, in units of one row: 1 weighs like one row of medium doubt in each direction."""
ROWS = 20_000  # at least so many choose a penalty, at most twice as many


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Predictions:
    """Probabilities of rows with their intervals, in the order of the rows.

    The interval says how sure the model is of its own probability, not what one customer will do.
    """

    value: Floats
    low: Floats
    high: Floats
    level: float

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return f"Predictions({len(self)} rows, mean {number_text(float(self.value.mean()))})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a row: value, low, high."""
        return columns_frame({"value": self.value, "low": self.low, "high": self.high}, backend=backend)

    def _repr_html_(self) -> str:
        columns = zip(self.value[:10].tolist(), self.low[:10].tolist(), self.high[:10].tolist(), strict=True)
        rows = [{"row": i, "probability": v, "low": a, "high": b} for i, (v, a, b) in enumerate(columns)]
        more = f", the first 10 of {len(self)}" if len(self) > 10 else ""
        return html_table(rows, caption=f"Probabilities with {100 * self.level:g} % intervals{more}")


@attrs.frozen(kw_only=True)
class Logistic:
    """Recipe of a logistic regression on a mixed table.

    Parameters
    ----------
    penalty : number, optional
        Ridge on standardised columns, in rows; None chooses one of `PENALTIES` by `folds`-fold cross-validated
        log-loss on the rows that are fitted (on a sample where they are 40,000 or more). 0 is maximum likelihood.
    knots : count
        Inner knots of the curve of each number; 0 draws straight lines.
    signs : by name, optional
        +1 or -1 for numbers that may only raise or only lower the probability.
    words, leave_out : names
        Columns of numbers that are names of things; columns that are no features.
    least : count
        Levels of words on fewer rows are read together as "(rare)".
    folds, seed
        Of the choice of the penalty.

    Examples
    --------
    >>> table = {"months": [1, 2, 3, 10, 12, 15] * 20, "plan": ["a", "a", "b", "a", "b", "b"] * 20}
    >>> model = Logistic(knots=0).fit(table, [1, 1, 0, 1, 0, 0] * 20)
    >>> model.predict({"months": [2], "plan": ["b"]}).round(1)
    array([0.])
    """

    penalty: float | None = None
    knots: int = attrs.field(default=4, validator=between(0, 100, hint="4 suit most columns"))
    signs: Mapping[str, int] = attrs.field(factory=dict)
    words: Collection[str] = ()
    leave_out: Collection[str] = ()
    least: int = attrs.field(default=10, validator=between(1, 1e9, hint="10 rows suit most tables"))
    folds: int = attrs.field(default=5, validator=between(2, 1000, hint="5 suit most tables"))
    seed: int = 0

    def __attrs_post_init__(self) -> None:
        if self.penalty is not None and not 0 <= real("penalty", self.penalty) < np.inf:
            raise OutOfRange("penalty", self.penalty, "0 or more", "None chooses one by cross-validation")

    def fit(
        self,
        frame: Any,
        outcome: str | ArrayLike,
        *,
        weights: ArrayLike | None = None,
        progress: Progress | bool = False,
    ) -> LogisticModel:
        """Fit on rows whose outcome is known.

        Parameters
        ----------
        frame
            Any frame of features, or what `read_features` made of one.
        outcome
            (n,) truths, or the name of a column of the frame.
        weights : (n,) numbers, optional
            How many rows each row stands for.
        """
        features, happened, weight = read_outcome(
            frame, outcome, weights=weights, words=self.words, leave_out=self.leave_out
        )
        encoding = learn_encoding(features, knots=self.knots, least=self.least, signs=self.signs, weight=weight)
        x, signs = encoding.matrix(features), encoding.signs
        losses: dict[str, float] = {}
        penalty = self.penalty
        if penalty is None:
            losses = self._losses(x, happened, weight, signs, progress)
            penalty = float(min(losses, key=lambda k: (round(losses[k], 9), -float(k))))
        found = fit_logistic(x, happened, weight, penalty=penalty, signs=signs)
        return LogisticModel(
            encoding=encoding, coefficients=found.coefficients, covariance=found.covariance, penalty=penalty,
            n=len(happened), happened=float(weight @ happened), weight=float(weight.sum()), effective=found.effective,
            log_loss=log_loss_of(found.coefficients[0] + x @ found.coefficients[1:], happened, weight)
            / float(weight.sum()), losses=losses,
        )  # fmt: skip

    def _losses(
        self, x: Floats, happened: Floats, weight: Floats, signs: NDArray[np.int64], progress: Progress | bool
    ) -> dict[str, float]:
        """Cross-validated log-loss a row of each penalty; the rows of a fold never choose for themselves."""
        keys = row_keys(np.column_stack([x.round(9), weight]))  # the order of rows moves the last digits of x
        if len(x) >= 2 * ROWS:  # a ridge is worth as many rows, however many there are: a sample finds it as well
            part = fold_codes(happened, keys, folds=len(x) // ROWS, seed=self.seed) == 0
            x, happened, weight, keys = x[part], happened[part], weight[part], keys[part]
        folds = fold_codes(happened, keys, folds=min(self.folds, len(x)), seed=self.seed)
        total = dict.fromkeys(map(str, PENALTIES), 0.0)
        report = reporter(progress)
        for fold in range(min(self.folds, len(x))):
            test, start = folds == fold, None
            train = ~test
            if not all(weight[train & (happened == v)].sum() > 0 for v in (0, 1)):
                continue
            for penalty in reversed(PENALTIES):
                fitted = fit_logistic(
                    x[train], happened[train], weight[train], penalty=penalty, signs=signs, start=start, tolerance=1e-6
                )
                start = fitted.coefficients
                total[str(penalty)] += log_loss_of(start[0] + x[test] @ start[1:], happened[test], weight[test])
            report("choose the penalty", fold + 1, self.folds)
        return {k: v / float(weight.sum()) for k, v in total.items()}


@attrs.frozen(kw_only=True, repr=False, hash=False)
class LogisticModel(Document):
    """A fitted logistic regression: probability of rows, with intervals and reasons.

    Attributes
    ----------
    coefficients : (p + 1,) numbers
        The intercept first; a column's effect is for one standard deviation (numbers) or against the most frequent
        level (words).
    covariance : (p + 1, p + 1)
        Inverse of the penalised information, the Laplace approximation of the posterior under a normal prior.
    losses : by penalty
        Cross-validated log-loss of each penalty that was tried; empty where one was given.
    """

    encoding: Encoding
    coefficients: Floats = attrs.field(converter=held_floats, eq=SAME)
    covariance: Floats = attrs.field(converter=held_floats, eq=SAME)
    penalty: float
    n: int
    happened: float
    weight: float
    effective: float
    log_loss: float
    losses: Mapping[str, float] = attrs.field(factory=dict)

    def __repr__(self) -> str:
        return f"LogisticModel({len(self.encoding.names)} features, penalty {self.penalty:g}, n = {self.n})"

    def __str__(self) -> str:
        rate = number_text(100 * self.happened / self.weight)
        chosen = f"ridge {self.penalty:g}" + (" (cross-validated)" if self.losses else "")
        head = f"Logistic regression: n = {self.n}, {rate} % happened, {chosen}, {self.effective:.1f} parameters"
        named = [f"{label}: {value}" for label, value in self.effects().items()]
        return "\n  ".join([head, *named[:12], *([f"... {len(named) - 12} more"] if len(named) > 12 else [])])

    def logits(self, frame: Any, /) -> Floats:
        """(n,) log odds."""
        features = read_features(frame, words=self._words(frame), empty_ok=True)
        found: Floats = self.coefficients[0] + self.encoding.matrix(features) @ self.coefficients[1:]
        return found

    def predict(self, frame: Any, /) -> Floats:
        """(n,) probabilities; a new level counts as the average customer, a number beyond what was seen as the end.

        Raises
        ------
        MissingColumn
            A column that the model was fitted with is not there; others are ignored.
        """
        return probabilities(self.logits(frame))

    def predict_interval(self, frame: Any, /, *, level: float = 0.95) -> Predictions:
        """Probabilities with intervals: normal on the log odds with the model's covariance, then turned back."""
        check_level(level)
        x = self._design(frame)
        logit = x @ self.coefficients
        half = normal_quantile(level) * np.sqrt(np.maximum(((x @ self.covariance) * x).sum(axis=1), 0.0))
        low, value, high = (probabilities(v) for v in (logit - half, logit, logit + half))
        return Predictions(value=value, low=low, high=high, level=level)

    def explain(self, frame: Any, /) -> Reasons:
        """What moves each row away from the average customer, by feature, in log odds; the parts add up."""
        features = read_features(frame, words=self._words(frame), empty_ok=True)
        parts = self.encoding.matrix(features) * self.coefficients[1:]
        owner, k = self.encoding.owner, len(self.encoding.columns)
        by_feature = np.zeros((len(features), k))
        for j in range(parts.shape[1]):
            by_feature[:, owner[j]] += parts[:, j]
        return Reasons.of(features, self.encoding.names, by_feature, base=float(self.coefficients[0]))

    def effects(self, *, level: float = 0.95) -> dict[str, Estimate]:
        """Coefficients by label, in log odds, strongest (as a multiple of their error) first.

        A ramp's coefficient is for one standard deviation of the ramp; that of a level is against the most frequent.
        One that rests on its bound has no width: it would have had the other sign.
        """
        check_level(level)
        z, error = normal_quantile(level), np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        names = ("(intercept)", *self.encoding.labels)
        made = {
            name: Estimate(
                value=float(b),
                low=float(b - z * s),
                high=float(b + z * s),
                level=level,
                n=self.n,
                rule=f"log odds, {name}",
                method="normal, ridge" if self.penalty else "wald",
            )
            for name, b, s in zip(names, self.coefficients, error, strict=True)
        }
        strength = {n: abs(b) / s if s > 0 else 0.0 for n, b, s in zip(names, self.coefficients, error, strict=True)}
        order = sorted(names[1:], key=lambda name: (-strength[name], name))
        return {name: made[name] for name in ("(intercept)", *order)}

    def to_frame(self, *, level: float = 0.95, backend: Any = None) -> Any:
        """One row a coefficient: term, log_odds, low, high, odds_ratio."""
        rows = [
            {
                "term": name,
                "log_odds": e.value,
                "low": e.low,
                "high": e.high,
                "odds_ratio": float(np.exp(min(e.value, 700.0))),
            }
            for name, e in self.effects(level=level).items()
        ]
        return frame_of(rows, backend=backend)

    def chart(self, *, top: int = 15, level: float = 0.95) -> Chart:
        """Strongest coefficients as odds ratios with their intervals."""
        from crmcore.idic.differentiate.propensity.charts import effects_chart

        return effects_chart(self, top=top, level=level)

    def _repr_html_(self) -> str:
        rows = [{"term": n, "log odds": str(e)} for n, e in self.effects().items()]
        return html_table(rows, caption=str(self).partition("\n")[0], limit=12)

    def _design(self, frame: Any) -> Floats:
        features = read_features(frame, words=self._words(frame), empty_ok=True)
        return np.concatenate([np.ones((len(features), 1)), self.encoding.matrix(features)], axis=1)

    def _words(self, frame: Any) -> Collection[str]:
        return word_columns(frame, [c.name for c in self.encoding.columns if not hasattr(c, "knots")])


def word_columns(frame: Any, names: Collection[str], /) -> Collection[str]:
    """Names of words that an unread frame has; a column that lacks is named later, by the model that needs it."""
    from crmcore._frames import read_frame

    if isinstance(frame, Features):
        return ()
    held = read_frame(frame)
    return [name for name in names if name in held.columns]


def words_and_numbers(features: Features, /) -> tuple[list[str], list[str]]:
    """Names of columns of words and of columns of numbers."""
    words = [n for n, c in features.columns.items() if isinstance(c, TextColumn)]
    return words, [n for n in features.columns if n not in words]
