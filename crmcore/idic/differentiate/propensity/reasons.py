"""Why a customer has the probability that the model gives: parts in log odds that add up, and a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.propensity.features import Features
from crmcore.idic.differentiate.propensity.newton import probabilities
from crmcore.metrics.columns import columns_frame
from crmcore.tables.columns import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Reason", "Reasons"]

Floats = NDArray[np.float64]


@attrs.frozen
class Reason:
    """One part of one row's log odds: above 0 raises the probability."""

    feature: str
    value: str
    log_odds: float

    def __str__(self) -> str:
        return f"{self.feature} {self.value} ({self.log_odds:+.2f})"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Reasons:
    """Parts of the log odds of rows: `base` plus the parts of a row is its log odds.

    Attributes
    ----------
    names : features, and pairs of them
    parts : (n, k) log odds
    base : log odds of the average customer
    values : of the features, as text, by name
    """

    names: tuple[str, ...]
    parts: Floats
    base: float
    _features: Features = attrs.field(alias="features")

    @classmethod
    def of(cls, features: Features, names: tuple[str, ...], parts: Floats, *, base: float) -> Reasons:
        """Reasons of rows."""
        return cls(names=names, parts=parts, base=base, features=features)

    def __len__(self) -> int:
        return len(self.parts)

    def __repr__(self) -> str:
        return f"Reasons({len(self)} rows, {len(self.names)} parts)"

    @property
    def probability(self) -> Floats:
        """(n,) probabilities that the parts add up to."""
        return probabilities(self.base + self.parts.sum(axis=1))

    def row(self, i: int, /, *, top: int = 5) -> tuple[Reason, ...]:
        """Strongest parts of one row first; parts of 0 are left out, equal ones stand in the order of their names."""
        if not -len(self) <= i < len(self):
            raise OutOfRange("row", i, f"0 to {len(self) - 1}", "count rows from 0")
        order = sorted(range(len(self.names)), key=lambda j: (-abs(self.parts[i, j]), self.names[j]))
        return tuple(
            Reason(self.names[j], self._value(i, self.names[j]), float(self.parts[i, j]))
            for j in order[:top]
            if self.parts[i, j] != 0
        )

    def sentence(self, i: int, /, *, top: int = 3) -> str:
        """One row in words."""
        held = self.row(i, top=top)
        up = ", ".join(f"{r.feature} {r.value}" for r in held if r.log_odds > 0)
        down = ", ".join(f"{r.feature} {r.value}" for r in held if r.log_odds < 0)
        chance = number_text(100 * float(self.probability[i]))
        base = number_text(100 * float(probabilities(np.array([self.base]))[0]))
        parts = [f"raised by {up}" if up else "", f"lowered by {down}" if down else ""]
        said = "; ".join(p for p in parts if p) or "nothing moves it"
        return f"{chance} % (average customer {base} %): {said}"

    def chart(self, i: int, /, *, top: int = 8) -> Chart:
        """One row as a waterfall from the average customer to its log odds."""
        from crmcore.idic.differentiate.propensity.charts import reasons_chart

        return reasons_chart(self, i, top=top)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a row: probability, then one column a part."""
        columns = {"probability": self.probability, **{n: self.parts[:, j] for j, n in enumerate(self.names)}}
        return columns_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        shown = [
            {"row": i, "probability": float(self.probability[i]), "reasons": "; ".join(map(str, self.row(i, top=3)))}
            for i in range(min(len(self), 10))
        ]
        more = f", the first 10 of {len(self)}" if len(self) > 10 else ""
        return html_table(shown, caption=f"Reasons in log odds{more}")

    def _value(self, i: int, name: str) -> str:
        if name not in self._features.columns:
            return "together"
        column = self._features.columns[name]
        if isinstance(column, TextColumn):
            return column[i] or "(missing)"
        cell = float(column[i])
        return "(missing)" if cell != cell else number_text(cell)
