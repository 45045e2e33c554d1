"""Weighed signals: what speaks against each row, what each signal adds, and from what sum it is enough."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.errors import UnknownName
from crmcore.metrics.columns import columns_frame
from crmcore.text.duplicates import DuplicateTexts

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ENOUGH", "WeighedSignals"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
ENOUGH = 1.0


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WeighedSignals:
    """Signals of n rows; a row is flagged where its weights add up to 1.

    Attributes
    ----------
    weight : (n, m) numbers
        What each signal adds, in the order of the enum `signals`.
    duplicates : DuplicateTexts
        What was found to say the same.
    """

    signals: ClassVar[type[enum.StrEnum]]
    row: ClassVar[str]  # what a row is
    flag: ClassVar[str]  # what a flagged row is called

    weight: Floats
    duplicates: DuplicateTexts

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def score(self) -> Floats:
        """(n,) sums; from 1 a row is flagged."""
        return np.asarray(self.weight.sum(axis=1))

    @property
    def flagged(self) -> Bools:
        """(n,) whether the signals are enough."""
        return self.score >= ENOUGH - 1e-9

    def has(self, signal: str, /) -> Bools:
        """(n,) whether a signal speaks."""
        known = list(self.signals)
        if signal not in known:
            raise UnknownName("signal", signal, tuple(known))
        return np.asarray(self.weight[:, known.index(self.signals(signal))] > 0)

    def why(self, row: int, /) -> tuple[tuple[str, float], ...]:
        """Signals of one row and what each adds, the strongest first; they add up to its score."""
        known, weights = list(self.signals), self.weight[row]
        order = np.argsort(-weights, kind="stable").tolist()
        return tuple((known[i], float(weights[i])) for i in order if weights[i] > 0)

    def counts(self) -> dict[str, int]:
        """Rows in which each signal speaks."""
        return {str(s): int(self.has(s).sum()) for s in self.signals}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} {self.row}s, {int(self.flagged.sum())} {self.flag})"

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {n}" for name, n in self.counts().items())
        return f"{int(self.flagged.sum())} of {len(self)} {self.row}s are {self.flag} ({parts})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a row: its number, a weight a signal, score, and the flag."""
        parts = {str(s): self.weight[:, i] for i, s in enumerate(self.signals)}
        head = {self.row: np.arange(len(self))}
        return columns_frame({**head, **parts, "score": self.score, self.flag: self.flagged}, backend=backend)

    def chart(self, *, title: str = "") -> Chart:
        """Rows by signal."""
        from crmcore.charts import bar

        counts = self.counts()
        return bar(list(counts), list(counts.values()), title=title or f"What speaks against {self.row}s")

    def _repr_html_(self) -> str:
        rows = [{"signal": name, f"{self.row}s": n} for name, n in self.counts().items()]
        return html_table(rows, caption=str(self))
