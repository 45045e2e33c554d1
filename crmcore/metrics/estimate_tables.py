"""Estimates side by side: touchpoints, answers of one question, segments."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, UnknownName
from crmcore.metrics.estimates import Estimate, frame_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["EstimateTable"]


@attrs.frozen(repr=False, kw_only=True)
class EstimateTable(Document):
    """Labelled estimates, each with an interval of its own.

    Parameters
    ----------
    labels, estimates : k entries
    what : text
        What a label names: `"touchpoint"`, `"answer"`.
    about : text
        What was estimated of whom, with the base of the numbers.
    percent : truth
        Whether the estimates are shares, drawn as percentages.

    Examples
    --------
    >>> from crmcore.metrics import proportion
    >>> table = EstimateTable(labels=("web", "shop"), estimates=(proportion(30, 100), proportion(80, 100)))
    >>> print(table)
    web   0.3 [0.219, 0.396] (95 %, n = 100, wilson)
    shop  0.8 [0.711, 0.867] (95 %, n = 100, wilson)
    >>> table["shop"].n
    100
    """

    labels: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    what: str = "label"
    about: str = ""
    percent: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, label: str) -> Estimate:
        if label not in self.labels:
            raise UnknownName(self.what, label, self.labels)
        return self.estimates[self.labels.index(label)]

    def __repr__(self) -> str:
        return f"EstimateTable({len(self)} of {self.what}: {self.about})"

    def __str__(self) -> str:
        wide = max(map(len, self.labels), default=0)
        lines = [self.about] if self.about else []
        for label, e in zip(self.labels, self.estimates, strict=True):
            lines.append(f"{label:{wide}}  {e}{'  few answers' if e.small else ''}")
        return "\n".join(lines)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a label: what the label names, value, low, high, level, n, rule, method, small."""
        if not self.labels:
            raise EmptyInput("the table", "a frame needs at least one row")
        rows = [
            {self.what: label, **attrs.asdict(e), "small": e.small}
            for label, e in zip(self.labels, self.estimates, strict=True)
        ]
        return frame_of(rows, backend=backend)

    def chart(self, *, title: str = "", reference: float | None = None) -> Chart:
        """Dots with intervals in the order of the table; labels without a value are left out."""
        from crmcore.charts import dot_interval

        drawn = [
            (label, e)
            for label, e in zip(self.labels, self.estimates, strict=True)
            if all(map(math.isfinite, (e.value, e.low, e.high)))
        ]
        if not drawn:
            raise EmptyInput("the table without a finite estimate", "draw labels that have answers")
        labels, estimates = zip(*drawn, strict=True)
        heading = title or self.about or self.what
        return dot_interval(
            labels, estimates, title=heading, description=self.about, percent=self.percent, reference=reference
        )

    def _repr_html_(self) -> str:
        rows = [
            {
                self.what: label,
                "n": e.n,
                **{part: number_text(getattr(e, part)) for part in ("value", "low", "high")},
                "": "few answers" if e.small else "",
            }
            for label, e in zip(self.labels, self.estimates, strict=True)
        ]
        return html_table(rows, caption=self.about or self.what)
