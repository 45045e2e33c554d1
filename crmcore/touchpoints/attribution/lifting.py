"""What experiments say beside what attribution says: conversions that would not have come without a channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, named
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.metrics import Counts, Estimate
from crmcore.metrics.estimates import estimate_of, frame_of
from crmcore.touchpoints.attribution.result import Attribution

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Incrementality", "Lift", "incrementality"]


@attrs.frozen(kw_only=True)
class Lift:
    """One channel: what a model credits it with, and what its hold-out says that it added.

    Attributes
    ----------
    credited, added : conversions
    ratio : added / credited; below 1 the model flatters the channel
    """

    channel: str
    credited: Estimate
    added: Estimate
    ratio: Estimate

    @property
    def verdict(self) -> str:
        """What the two say together, in words."""
        if self.ratio.high < 1:
            return "credited with more than it adds"
        if self.ratio.low > 1:
            return "adds more than it is credited with"
        return "no difference that chance could not make"


@attrs.frozen(kw_only=True)
class Incrementality(Document):
    """Credit beside experiments, channel by channel."""

    rows: tuple[Lift, ...]
    model: str

    def __getitem__(self, channel: str, /) -> Lift:
        return named(self.rows, "channel", channel, what="channel with an experiment")

    def __str__(self) -> str:
        wide = max(len(r.channel) for r in self.rows)
        return "\n".join(
            f"{r.channel:{wide}}  credited {r.credited.value:,.4g}, added {r.added.value:,.4g} "
            f"[{r.added.low:,.4g}, {r.added.high:,.4g}]: {r.verdict}"
            for r in self.rows
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a channel: channel, credited, added, ratio, each with its ends, and the verdict."""
        rows = []
        for r in self.rows:
            row: dict[str, Any] = {"channel": r.channel}
            for name in ("credited", "added", "ratio"):
                e: Estimate = getattr(r, name)
                row |= {name: e.value, f"{name}_low": e.low, f"{name}_high": e.high}
            rows.append({**row, "verdict": r.verdict})
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Added / credited with intervals; the dashed line is where both agree."""
        from crmcore.charts import dot_interval

        return dot_interval(
            [r.channel for r in self.rows], [r.ratio for r in self.rows],
            title="Added by experiment / credited by model",
            description=str(self), axis="added / credited", reference=1.0,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [
            {"channel": r.channel, "credited": str(r.credited), "added": str(r.added), "": r.verdict} for r in self.rows
        ]
        return html_table(rows, caption=f"credit by {self.model} beside experiments")


def incrementality(
    found: Attribution, experiments: Mapping[str, tuple[Counts, Counts]], /, *, level: float = 0.95
) -> Incrementality:
    """Set credited conversions beside those that a hold-out shows to be added.

    Parameters
    ----------
    found : Attribution
    experiments : channel -> (reached, held out)
        Conversions of n customers who were reached by the channel, and of those kept from it at random, over the time
        of the paths.

    Notes
    -----
    added = (share of the reached who converted - share of the held out) x customers reached, Newcombe's interval. The
    credit is taken as known in the ratio: its own interval is a matter of the model, not of the experiment.

    Examples
    --------
    >>> from crmcore.touchpoints.attribution import PathCounts, attribute
    >>> paths = PathCounts.of(["e-mail", "search"], conversions=[100, 50], nulls=[900, 500])
    >>> print(incrementality(attribute(paths, model="last"), {"e-mail": (Counts(100, 1000), Counts(80, 1000))}))
    e-mail  credited 100, added 20 [-5.161, 45.27]: credited with more than it adds
    """
    if not experiments:
        raise EmptyInput("experiments", "pass at least one: {'e-mail': (Counts(100, 1000), Counts(80, 1000))}")
    rows = []
    for channel, (reached, held_out) in experiments.items():
        credited = found[channel]
        gap = reached.minus(held_out, level=level).difference
        ends = [v * reached.n for v in (gap.value, gap.low, gap.high)]
        n = int(reached.n + held_out.n)
        added = estimate_of(*ends, level=level, n=n, rule="conversions added", method=gap.method)
        share = [v / credited.value if credited.value > 0 else float("nan") for v in ends]
        ratio = estimate_of(*share, level=level, n=n, rule="added / credited", method=gap.method)
        rows.append(Lift(channel=channel, credited=credited, added=added, ratio=ratio))
    return Incrementality(rows=tuple(rows), model=found.model)
