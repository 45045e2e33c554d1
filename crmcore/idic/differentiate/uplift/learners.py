"""Learners of uplift: what a treatment changes for each customer, from a randomised experiment."""

from __future__ import annotations

import enum
from collections.abc import Collection
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import number_text
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName
from crmcore.idic.differentiate.propensity.crossing import ProbabilityModel, Recipe
from crmcore.idic.differentiate.propensity.encoding import Encoding, Numbers, learn_encoding
from crmcore.idic.differentiate.propensity.features import Features, names_of, read_features, read_outcome
from crmcore.idic.differentiate.propensity.logistic import Logistic, word_columns
from crmcore.idic.differentiate.propensity.saving import fields_of, model_from_dict, model_to_dict
from crmcore.idic.differentiate.uplift.ridge import fit_ridge
from crmcore.metrics.columns import SAME, held_floats, truths
from crmcore.metrics.scalars import named

__all__ = ["EffectModel", "Learner", "TwoModels", "UpliftLearner"]

Floats = NDArray[np.float64]


class Learner(enum.StrEnum):
    """How uplift is learnt."""

    T = "t"  # one model for the treated and one for the rest; uplift is the difference
    X = "x"  # each side's missing outcome is filled in by the other side's model, then the effects are regressed
    TRANSFORMED = "transformed"  # an outcome whose mean is the uplift is regressed


@attrs.frozen(kw_only=True)
class TwoModels:
    """A model of the treated and one of the rest."""

    treated: ProbabilityModel
    rest: ProbabilityModel

    def predict(self, frame: Any, /) -> Floats:
        """(n,) uplift: probability with the treatment less probability without."""
        return self.treated.predict(frame) - self.rest.predict(frame)

    def __repr__(self) -> str:
        return f"TwoModels(treated {self.treated!r}, rest {self.rest!r})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; both must be models of the house."""
        return {"treated": model_to_dict(self.treated), "rest": model_to_dict(self.rest)}

    @classmethod
    def from_dict(cls, document: object) -> TwoModels:
        """Read what `to_dict` wrote."""
        fields = fields_of(document, "TwoModels", ("treated", "rest"))
        return cls(treated=model_from_dict(fields["treated"]), rest=model_from_dict(fields["rest"]))


@attrs.frozen(kw_only=True, repr=False, hash=False)
class EffectModel(Document):
    """A linear model of the uplift itself, on the curves and levels of a table.

    Attributes
    ----------
    learner : "x" or "transformed"
    coefficients : (p + 1,) the intercept, the average uplift, first
    n, treated : rows, and how many of them were treated
    """

    learner: str
    encoding: Encoding
    coefficients: Floats = attrs.field(converter=held_floats, eq=SAME)
    n: int
    treated: int

    def __repr__(self) -> str:
        mean = number_text(float(self.coefficients[0]))
        return f"EffectModel({self.learner}-learner, n = {self.n}, {self.treated} treated, mean uplift {mean})"

    def predict(self, frame: Any, /) -> Floats:
        """(n,) uplift."""
        if not isinstance(frame, Features):
            words = [c.name for c in self.encoding.columns if not isinstance(c, Numbers)]
            frame = read_features(frame, words=word_columns(frame, words), empty_ok=True)
        found: Floats = self.coefficients[0] + self.encoding.matrix(frame) @ self.coefficients[1:]
        return found

    def effects(self) -> dict[str, float]:
        """Change of the uplift by column: a standard deviation more, or a level against the most frequent."""
        return dict(zip(self.encoding.labels, map(float, self.coefficients[1:]), strict=True))


@attrs.frozen(kw_only=True)
class UpliftLearner:
    """Recipe of a model of uplift.

    Parameters
    ----------
    learner : Learner
        `"t"`, `"x"` (Künzel, Sekhon, Bickel & Yu 2019, PNAS 116:4156) or `"transformed"` (Athey & Imbens 2016, PNAS
        113:7353). The first follows what each side does and is right for large effects; the others shrink the effect
        itself, which serves where effects are small beside differences between customers.
    recipe : Recipe
        Of the outcome: `Logistic` or `Booster`. The transformed outcome needs none.
    knots, least, words, leave_out
        Of the effect's own columns, as for `Logistic`.

    Examples
    --------
    >>> table = {"age": [20, 60] * 200}
    >>> sent = [True, True, False, False] * 100
    >>> bought = [(s and a == 60) or i % 20 == 3 for i, (s, a) in enumerate(zip(sent, table["age"]))]
    >>> model = UpliftLearner(learner="transformed", knots=0).fit(table, bought, treated=sent)
    >>> model.predict({"age": [20, 60]}).round(1).tolist()
    [0.0, 0.8]
    """

    learner: Learner | str = Learner.T
    recipe: Recipe = attrs.field(factory=Logistic)
    knots: int = 3
    least: int = 10
    words: Collection[str] = ()
    leave_out: Collection[str] = ()

    def __attrs_post_init__(self) -> None:
        found = named("uplift learner", str(self.learner), [x.value for x in Learner])
        object.__setattr__(self, "learner", Learner(found))

    def fit(
        self, frame: Any, outcome: str | ArrayLike, *, treated: str | ArrayLike, weights: ArrayLike | None = None
    ) -> TwoModels | EffectModel:
        """Fit on a randomised experiment.

        Parameters
        ----------
        frame
            Any frame of features, known before the treatment.
        outcome : (n,) truths, or the name of a column
            Whether it happened.
        treated : (n,) truths, or the name of a column
            Whether the treatment was given; both sides need rows of both outcomes.
        weights : (n,) numbers, optional
            How many customers each row stands for.
        """
        side_name, side = _side(frame, treated)
        leave_out = (*names_of(self.leave_out), *((side_name,) if side_name else ()))
        features, y, w = read_outcome(frame, outcome, weights=weights, words=self.words, leave_out=leave_out)
        if len(side) != len(y):
            raise OutOfRange("len(treated)", len(side), f"{len(y)}, as the features", "one truth a row")
        for value, name in ((True, "treated"), (False, "not treated")):
            for hit in (0.0, 1.0):
                if not w[(side == value) & (y == hit)].sum() > 0:
                    hint = "uplift compares both sides: each needs rows where it happened and where it did not"
                    raise OutOfRange(f"rows that were {name}", "one outcome only", "rows of both outcomes", hint)
        if self.learner is Learner.TRANSFORMED:
            share = float(w @ side / w.sum())
            return self._effect(features, y * (side - share) / (share * (1 - share)), w, side)
        treated_model, rest = (self.recipe.fit(features.take(rows), y[rows], weights=w[rows]) for rows in (side, ~side))
        two = TwoModels(treated=treated_model, rest=rest)
        if self.learner is Learner.T:
            return two
        filled = np.where(side, y - two.rest.predict(features), two.treated.predict(features) - y)
        return self._effect(features, filled, w, side)

    def _effect(self, features: Features, effect: Floats, w: Floats, side: NDArray[np.bool_]) -> EffectModel:
        """Regress the effect: of the X-learner both sides by their own model, joined by the other side's share."""
        encoding = learn_encoding(features, knots=self.knots, least=self.least, weight=w)
        x = encoding.matrix(features)
        if self.learner is Learner.TRANSFORMED:
            beta = fit_ridge(x, effect, w)[0]
        else:
            share = float(w @ side / w.sum())
            by_rest = fit_ridge(x[~side], effect[~side], w[~side])[0]
            beta = share * by_rest + (1 - share) * fit_ridge(x[side], effect[side], w[side])[0]
        return EffectModel(
            learner=str(self.learner), encoding=encoding, coefficients=beta, n=len(effect), treated=int(side.sum())
        )


def _side(frame: Any, treated: str | ArrayLike) -> tuple[str | None, NDArray[np.bool_]]:
    if not isinstance(treated, str):
        return None, truths("treated", treated)
    if isinstance(frame, Features):
        if treated not in frame.columns:
            raise UnknownName("column", treated, tuple(frame.columns))
        hint = "pass the column itself beside features that were read"
        raise OutOfRange("treated", treated, "a column of truths", hint)
    from crmcore._frames import read_frame

    return treated, truths(treated, np.array(read_frame(frame).column(treated), object))
