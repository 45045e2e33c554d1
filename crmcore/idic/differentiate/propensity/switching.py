"""Risk of switching to a competitor: no piece of evidence of loyalty can raise it, by construction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, listed, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.idic.differentiate.propensity.booster import Booster, BoosterModel
from crmcore.idic.differentiate.propensity.features import Features, read_features, read_outcome
from crmcore.idic.differentiate.propensity.logistic import Logistic, LogisticModel, word_columns
from crmcore.idic.differentiate.propensity.reasons import Reasons
from crmcore.tables.columns import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["SwitchingModel", "SwitchingRisk"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class SwitchingRisk:
    """Recipe of a risk that never rises with evidence of loyalty, all else equal.

    Parameters
    ----------
    loyalty : names
        Columns of numbers (or truths) that are evidence of loyalty: the more, the more loyal. A missing value is no
        evidence, which is the least that was seen.
    recipe : Logistic or Booster
        Its slopes or cuts on these columns are held at 0 or below; they join no pair.

    Examples
    --------
    >>> table = {"visits": [0, 1, 2, 3, 4, 5] * 30, "price": [9, 5] * 90}
    >>> left = [v < 2 or i % 10 == 0 for i, v in enumerate(table["visits"])]
    >>> model = SwitchingRisk(loyalty=["visits"]).fit(table, left)
    >>> risk = model.predict({"visits": [None, 0, 2, 4], "price": [9] * 4})
    >>> bool((np.diff(risk) <= 0).all())
    True
    """

    loyalty: Sequence[str] = attrs.field()
    recipe: Logistic | Booster = attrs.field(factory=Logistic)

    def __attrs_post_init__(self) -> None:
        names = listed(self.loyalty, "loyalty", str, what="names of columns", hint="write ['tenure']")
        if not names:
            raise EmptyInput("loyalty", "name at least one column that is evidence of loyalty")
        if not isinstance(self.recipe, Logistic | Booster):
            hint = "only these can promise that risk falls with evidence"  # type: ignore[unreachable]
            raise WrongType("recipe", f"a {type(self.recipe).__name__}", "a Logistic or a Booster", hint)
        object.__setattr__(self, "loyalty", names)

    def fit(self, frame: Any, outcome: str | ArrayLike, *, weights: ArrayLike | None = None) -> SwitchingModel:
        """Fit on customers of whom it is known whether they switched; arguments as for `Logistic.fit`."""
        features, happened, weight = read_outcome(
            frame, outcome, weights=weights, words=self.recipe.words, leave_out=self.recipe.leave_out
        )
        least: dict[str, float] = {}
        for name in self.loyalty:
            if name not in features.columns:
                raise UnknownName("column of loyalty", name, tuple(features.columns))
            seen = features.number(name)
            if not (seen == seen).any():
                raise OutOfRange(f"column {name!r}", "missing in every row", "some evidence", "leave the column out")
            least[name] = float(np.nanmin(seen))
        signs = {**self.recipe.signs, **dict.fromkeys(self.loyalty, -1)}
        recipe = attrs.evolve(self.recipe, signs=signs, words=(), leave_out=())
        model = recipe.fit(_without_gaps(features, least), happened, weights=weight)
        return SwitchingModel(model=model, least=least)


def _without_gaps(features: Features, least: Mapping[str, float]) -> Features:
    """Missing evidence is the least evidence."""
    filled: dict[str, Floats | TextColumn] = dict(features.columns)
    for name, low in least.items():
        column = features.number(name)
        filled[name] = np.where(np.isnan(column), low, column)
    return Features(filled, features.n)


@attrs.frozen(kw_only=True, repr=False, hash=False)
class SwitchingModel(Document):
    """A fitted risk of switching.

    Attributes
    ----------
    model : what was fitted
    least : by column of loyalty, the least evidence that was seen, which stands for a missing value
    """

    model: LogisticModel | BoosterModel
    least: Mapping[str, float]

    def __repr__(self) -> str:
        return f"SwitchingModel({self.model!r}, loyalty {list(self.least)})"

    def __str__(self) -> str:
        return f"Risk of switching, never raised by {', '.join(self.least)}\n{self.model}"

    def predict(self, frame: Any, /) -> Floats:
        """(n,) probabilities to switch."""
        return self.model.predict(self._read(frame))

    def explain(self, frame: Any, /) -> Reasons:
        """Reasons of each row; see `LogisticModel.explain`."""
        return self.model.explain(self._read(frame))

    def relief(self, frame: Any, /, *, column: str, more: float) -> Floats:
        """(n,) how much the risk falls (0 or more) with `more` of one kind of evidence, all else equal.

        Says what the model expects of such a customer, not what an action would cause: that takes an experiment.
        """
        if column not in self.least:
            raise UnknownName("column of loyalty", column, tuple(self.least))
        if not 0 <= more < np.inf:
            raise OutOfRange("more", more, "0 or more", "evidence is added, never taken away")
        features = self._read(frame)
        with_more = Features({**features.columns, column: features.number(column) + more}, features.n)
        found: Floats = self.model.predict(features) - self.model.predict(with_more)
        return found

    def chart(self) -> Chart:
        """What the model looks at; see the chart of the model."""
        return self.model.chart()

    def _repr_html_(self) -> str:
        rows = [{"loyalty": name, "least seen": number_text(low)} for name, low in self.least.items()]
        return html_table(rows, caption=f"Risk of switching: {str(self.model).partition(chr(10))[0]}")

    def _read(self, frame: Any) -> Features:
        if isinstance(frame, Features):
            return _without_gaps(frame, self.least)
        words = [c.name for c in self._columns if hasattr(c, "levels")]
        return _without_gaps(read_features(frame, words=word_columns(frame, words), empty_ok=True), self.least)

    @property
    def _columns(self) -> tuple[Any, ...]:
        return self.model.encoding.columns if isinstance(self.model, LogisticModel) else self.model.columns
