"""How many classes there are, by BIC, AIC or ICL."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from crmcore._base import Progress, html_table, one_of, reporter
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.needs.classes import Answers, LatentClasses, LatentClassModel, Measures

__all__ = ["ClassChoice", "choose_classes"]


@attrs.frozen(kw_only=True, repr=False)
class ClassChoice:
    """Models of 1, 2, ... classes and the criterion that chose among them.

    Attributes
    ----------
    models : in rising number of classes
    by : text
    """

    models: tuple[LatentClassModel, ...]
    by: str = attrs.field(validator=one_of(("bic", "aic", "icl"), what="criterion"))

    @property
    def best(self) -> LatentClassModel:
        """The model with the lowest criterion; the fewest classes where they tie."""
        return min(self.models, key=lambda m: float(getattr(m, self.by)))

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"classes": len(m.shares), "log_likelihood": m.log_likelihood, "bic": m.bic, "aic": m.aic, "icl": m.icl,
             "entropy_r2": m.entropy_r2, "converged": m.converged}
            for m in self.models
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{len(self.best.shares)} classes by {self.by.upper()}, of 1 to {len(self.models)}"

    def __repr__(self) -> str:
        return f"ClassChoice({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a number of classes."""
        rows = self._rows()
        return write_frame({name: [row[name] for row in rows] for name in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=str(self))


def choose_classes(
    *, answers: Answers | None = None, measures: Measures | None = None, seed: int, up_to: int = 6, by: str = "bic",
    starts: int = 10, progress: Progress | bool = False,
) -> ClassChoice:  # fmt: skip
    """Fit 1 to `up_to` classes and choose.

    Examples
    --------
    >>> print(choose_classes(measures={"visits": [1.0, 2.0, 3.0] * 9 + [51.0, 52.0, 53.0] * 9}, seed=1, up_to=2))
    2 classes by BIC, of 1 to 2
    """
    if up_to < 1:
        raise OutOfRange("up_to", up_to, "1 or more", "6 is the default")
    one_of(("bic", "aic", "icl"), what="criterion")(None, None, by)
    report, models = reporter(progress), []
    for k, rng in enumerate(np.random.default_rng(seed).spawn(up_to), start=1):
        models.append(LatentClasses(classes=k, starts=starts).fit(answers=answers, measures=measures, seed=rng))
        report("classes", k, up_to)
    return ClassChoice(models=tuple(models), by=by)
