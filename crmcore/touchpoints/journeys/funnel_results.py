"""What a funnel says: reached, dropped and pending a step, shares with intervals, times; one or one a segment."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import html_table, named, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, UnknownName
from crmcore.metrics.columns import columns_frame
from crmcore.metrics.durations import SurvivalTable
from crmcore.metrics.estimates import Estimate

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Entry", "Funnel", "FunnelStep", "FunnelTable", "StepOrder"]


class StepOrder(enum.StrEnum):
    """What may stand between two steps, and whether their order counts."""

    ORDERED = "ordered"  # other steps may lie between
    STRICT = "strict"  # the very next row must match
    ANY = "any"  # the steps may come in any order


class Entry(enum.StrEnum):
    """Which occurrence of the first step begins a try."""

    ANY = "any"  # every one; the deepest try counts
    FIRST = "first"
    LAST = "last"


@attrs.frozen(kw_only=True)
class FunnelStep:
    """One step.

    Attributes
    ----------
    reached : journeys that got here
    dropped, pending : of those, who got no further: for good, and because observation ended before their time was up
    conversion : share that came here from the step before, of those who had their time; None at the first step
    overall : share that came here of all that entered and had their time
    time_s : median seconds from the step before; None at the first step
    dwell_s : median seconds that drop-outs of this step stayed in the journey after it; None at the last step
    """

    step: str
    reached: int
    dropped: int
    pending: int
    conversion: Estimate | None
    overall: Estimate
    time_s: Estimate | None
    dwell_s: Estimate | None


@attrs.frozen(kw_only=True)
class Funnel(Document):
    """A funnel and the terms on which it was counted; see `funnel`.

    `time_to_convert_s` is the median over those who converted; `survival` (in days) also counts who had not yet, as
    censored: `survival.ended_by(7)` is the share that converts within a week; None where nobody entered.
    """

    steps: tuple[FunnelStep, ...]
    order: StepOrder = attrs.field(converter=StepOrder)
    entry: Entry = attrs.field(converter=Entry)
    window_s: float | None
    time_to_convert_s: Estimate
    survival: SurvivalTable | None
    journeys: int

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, step: str) -> FunnelStep:
        return named(self.steps, "step", step, what="step")

    @property
    def converted(self) -> Estimate:
        """Share that reached the last step, of all that entered and had their time."""
        return self.steps[-1].overall

    @property
    def counts(self) -> tuple[int, ...]:
        """Journeys that reached each step."""
        return tuple(s.reached for s in self.steps)

    @property
    def terms(self) -> str:
        """On which terms it was counted, in words."""
        window = "no window" if self.window_s is None else f"within {number_text(self.window_s)} s of the entry"
        return f"{self.order} steps, {window}, entry at {self.entry} occurrence"

    def __str__(self) -> str:
        wide = max(len(s.step) for s in self.steps)
        lines = [
            f"{s.step:{wide}}  {s.reached:,} reached"
            + (f" ({_percent(s.conversion)} of the step before)" if s.conversion is not None else "")
            + (f", {s.dropped:,} dropped, {s.pending:,} pending" if s is not self.steps[-1] else "")
            for s in self.steps
        ]
        return "\n".join([f"{self.journeys:,} journeys; {self.terms}", *lines])

    def columns(self) -> dict[str, list[Any]]:
        """step, reached, dropped, pending, and value, low and high of conversion and overall, time_s, dwell_s."""
        made: dict[str, list[Any]] = {"step": [s.step for s in self.steps]}
        for name in ("reached", "dropped", "pending"):
            made[name] = [getattr(s, name) for s in self.steps]
        for part in ("conversion", "overall"):
            for end in ("value", "low", "high"):
                found = [getattr(s, part) for s in self.steps]
                name = part if end == "value" else f"{part}_{end}"
                made[name] = [np.nan if e is None else getattr(e, end) for e in found]
        for part in ("time_s", "dwell_s"):
            made[part] = [np.nan if (e := getattr(s, part)) is None else e.value for s in self.steps]
        return made

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a step, with the names of `columns`."""
        return columns_frame(_arrays(self.columns()), backend=backend)

    def chart(self) -> Chart:
        """Share that reaches each step, with its interval."""
        from crmcore.touchpoints.journeys.charts import funnel_chart

        return funnel_chart(self)

    def _repr_html_(self) -> str:
        rows = [
            {"step": s.step, "reached": s.reached, "dropped": s.dropped, "pending": s.pending,
             "of all": _percent(s.overall)}
            for s in self.steps
        ]  # fmt: skip
        return html_table(rows, caption=self.terms)


def _by_name(value: Mapping[str, Funnel]) -> Mapping[str, Funnel]:
    return dict(value)


@attrs.frozen(kw_only=True)
class FunnelTable(Document):
    """One funnel a segment, in the order of their names; journeys without a segment are in none."""

    funnels: Mapping[str, Funnel] = attrs.field(converter=_by_name)

    def __len__(self) -> int:
        return len(self.funnels)

    def __getitem__(self, segment: str) -> Funnel:
        if segment not in self.funnels:
            raise UnknownName("segment", segment, tuple(self.funnels))
        return self.funnels[segment]

    def __str__(self) -> str:
        return "\n".join(f"{name}: {_percent(f.converted)} of {f.counts[0]:,}" for name, f in self.funnels.items())

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a segment and step: segment, and the columns of `Funnel.columns`."""
        made: dict[str, list[Any]] = {}
        for name, part in self.funnels.items():
            for key, cells in {"segment": [name] * len(part), **part.columns()}.items():
                made.setdefault(key, []).extend(cells)
        return columns_frame(_arrays(made), backend=backend)

    def chart(self) -> Chart:
        """Share of each segment that converts, with its interval."""
        from crmcore.charts import dot_interval

        drawn = {name: f.converted for name, f in self.funnels.items() if f.converted.n}
        if not drawn:
            raise EmptyInput("the funnels", "nobody has had the time to convert")
        return dot_interval(list(drawn), list(drawn.values()), title="Conversion by segment", percent=True,
                            description=str(self), axis="share of journeys that convert")  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [
            {"segment": n, "entered": f.counts[0], "converted": _percent(f.converted)} for n, f in self.funnels.items()
        ]
        return html_table(rows, caption="funnel by segment")


def _arrays(columns: Mapping[str, list[Any]]) -> dict[str, Any]:
    return {k: v if k in ("step", "segment") else np.array(v) for k, v in columns.items()}


def _percent(e: Estimate) -> str:
    return f"{100 * e.value:.1f} % [{100 * e.low:.1f}, {100 * e.high:.1f}]" if e.n else "not known"
