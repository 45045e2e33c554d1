"""Credit of channels, with intervals, and with what it takes for granted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore import documents
from crmcore._base import html_table, named
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.estimates import Estimate, estimate_of, frame_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Attribution", "Spend", "SpendTable"]

Floats = NDArray[np.float64]
METHOD = "bootstrap"


def _no_draws() -> tuple[Floats, Floats]:
    return np.empty((0, 0)), np.empty((0, 0))


@attrs.frozen(kw_only=True)
class Attribution:
    """How many conversions, and how much value, each channel is credited with.

    Attributes
    ----------
    model : name or description
    channels : C names
    credit : C estimates, in conversions
    value : C estimates, in the unit of the value that was read
    total, total_value : what is shared; the credits add up to it
    assumptions : sentences that the numbers rest on
    untouched : conversions without a touch, which are nobody's
    draws : (draws, C) credited conversions of each redraw, and of value; empty after JSON
    """

    model: str
    channels: tuple[str, ...]
    credit: tuple[Estimate, ...]
    value: tuple[Estimate, ...]
    total: float
    total_value: float
    assumptions: tuple[str, ...]
    untouched: float = 0.0
    draws: tuple[Floats, Floats] = attrs.field(factory=_no_draws, eq=False, repr=False)

    def __getitem__(self, channel: str, /) -> Estimate:
        """Credited conversions of one channel."""
        if channel not in self.channels:
            raise UnknownName("channel", channel, self.channels)
        return self.credit[self.channels.index(channel)]

    def __len__(self) -> int:
        return len(self.channels)

    def __str__(self) -> str:
        wide = max(map(len, self.channels))
        order = np.argsort([-e.value for e in self.credit], kind="stable").tolist()
        lines = [f"{self.channels[i]:{wide}}  {self.credit[i]}" for i in order]
        nobody = [f"{self.untouched:g} conversions had no touch and are nobody's"] if self.untouched else []
        return "\n".join(
            [
                f"{self.total:,g} conversions by {self.model}",
                *lines,
                *nobody,
                *(f"assumes: {a}" for a in self.assumptions),
            ]
        )

    def shares(self) -> dict[str, float]:
        """Share of all conversions by channel; they sum to 1."""
        return {
            c: e.value / self.total if self.total else np.nan for c, e in zip(self.channels, self.credit, strict=True)
        }

    def by(self, groups: Mapping[str, str], /) -> Attribution:
        """Credit of groups of channels, such as owned, earned and paid; it adds up, and so do its intervals.

        Parameters
        ----------
        groups : channel -> group
            Every channel must have one.
        """
        missing = [c for c in self.channels if c not in groups]
        if missing:
            raise OutOfRange("groups", f"none for {missing}", "a group for every channel", "add them to the mapping")
        names = tuple(dict.fromkeys(groups[c] for c in self.channels))
        into = np.zeros((len(self.channels), len(names)))
        into[np.arange(len(self.channels)), [names.index(groups[c]) for c in self.channels]] = 1.0
        level = self.credit[0].level
        made = []
        for own, drawn in zip((self.credit, self.value), self.draws, strict=True):
            sums = np.array([e.value for e in own]) @ into
            made.append(
                intervals(sums, drawn @ into if len(drawn) else drawn, level=level, n=self.total, rule=own[0].rule)
            )
        return attrs.evolve(
            self, channels=names, credit=made[0], value=made[1],
            draws=_summed(self.draws, into),
        )  # fmt: skip

    def with_costs(self, costs: Mapping[str, float], /) -> SpendTable:
        """Cost per conversion and return on what was spent, by channel.

        Parameters
        ----------
        costs : channel -> money
            In the unit of value; 0 or more. A channel that is not named has no known cost.
        """
        odd = [c for c in costs if c not in self.channels]
        if odd:
            raise UnknownName("channel", odd[0], self.channels)
        for name, given in costs.items():
            if not 0 <= given < np.inf:
                raise OutOfRange(
                    f"costs[{name!r}]", given, "a number from 0", "leave the channel out if it is not known"
                )
        rows = []
        for i, name in enumerate(self.channels):
            cost = costs.get(name)
            if cost is not None:
                rows.append(Spend(channel=name, cost=cost, cost_per_conversion=_over(cost, self.credit[i]), return_on_spend=_ratio(self.value[i], cost)))  # noqa: E501  # fmt: skip
        if not rows:
            raise EmptyInput("costs", f"name the cost of at least one of {list(self.channels)}")
        return SpendTable(rows=tuple(rows), model=self.model)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a channel: channel, model, conversions, low, high, share, value, value_low, value_high."""
        rows = [
            {
                "channel": c, "model": self.model, "conversions": e.value, "low": e.low, "high": e.high,
                "share": e.value / self.total if self.total else np.nan, "value": v.value, "value_low": v.low,
                "value_high": v.high,
            }
            for c, e, v in zip(self.channels, self.credit, self.value, strict=True)
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the redraws stay behind."""
        document: dict[str, Any] = documents.to_dict(attrs.evolve(self, draws=_no_draws()))
        document.pop("draws")
        return document

    @classmethod
    def from_dict(cls, document: object) -> Attribution:
        """Read what `to_dict` wrote."""
        return documents.from_dict(cls, document)

    def chart(self) -> Chart:
        """Dots with intervals, the most credited first."""
        from crmcore.touchpoints.attribution.charts import credit_chart

        return credit_chart(self)

    def _repr_html_(self) -> str:
        rows = [
            {"channel": c, "conversions": e.value, "low": e.low, "high": e.high}
            for c, e in zip(self.channels, self.credit, strict=True)
        ]
        return html_table(rows[:40], caption=f"{self.total:,g} conversions by {self.model}; assumes: {'; '.join(self.assumptions)}")  # noqa: E501  # fmt: skip


def _summed(draws: tuple[Floats, Floats], into: Floats) -> tuple[Floats, Floats]:
    first, second = (d @ into if len(d) else d for d in draws)
    return first, second


def intervals(values: Floats, drawn: Floats, /, *, level: float, n: float, rule: str) -> tuple[Estimate, ...]:
    """Estimates with percentile intervals from redraws; without redraws the ends are NaN."""
    low, high = np.full((2, len(values)), np.nan)
    if len(drawn):
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0, method="weibull")
    return tuple(
        estimate_of(v, a, b, level=level, n=n, rule=rule, method=METHOD if len(drawn) else "none")
        for v, a, b in zip(values, low, high, strict=True)
    )


def _over(cost: float, made: Estimate) -> Estimate:
    """Cost per conversion; the interval turns around, and is open where credit may be nothing."""
    value, low, high = (cost / v if v > 0 else np.inf for v in (made.value, made.high, made.low))
    return estimate_of(value, low, high, level=made.level, n=made.n, rule="cost / conversions", method=made.method)


def _ratio(value: Estimate, cost: float) -> Estimate:
    ends = (e / cost if cost else np.nan for e in (value.value, value.low, value.high))
    return estimate_of(*ends, level=value.level, n=value.n, rule="value / cost", method=value.method)


@attrs.frozen(kw_only=True)
class Spend:
    """What a channel cost, and what that brought; the cost is taken as known."""

    channel: str
    cost: float
    cost_per_conversion: Estimate
    return_on_spend: Estimate


@attrs.frozen(kw_only=True)
class SpendTable(Document):
    """Costs of channels beside the credit of one model."""

    rows: tuple[Spend, ...]
    model: str

    def __getitem__(self, channel: str, /) -> Spend:
        return named(self.rows, "channel", channel, what="channel with a cost")

    def __str__(self) -> str:
        wide = max(len(r.channel) for r in self.rows)
        lines = [
            f"{r.channel:{wide}}  cost {r.cost:,g}, per conversion {r.cost_per_conversion.value:,.4g}, "
            f"return {r.return_on_spend}"
            for r in self.rows
        ]
        return "\n".join([f"costs and returns by {self.model}", *lines])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a channel: channel, cost, cost_per_conversion, return_on_spend, each with its ends."""
        rows = []
        for r in self.rows:
            row: dict[str, Any] = {"channel": r.channel, "cost": r.cost}
            for name in ("cost_per_conversion", "return_on_spend"):
                e: Estimate = getattr(r, name)
                row |= {name: e.value, f"{name}_low": e.low, f"{name}_high": e.high}
            rows.append(row)
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Return on spend with intervals; the dashed line is where a channel earns what it costs."""
        from crmcore.touchpoints.attribution.charts import return_chart

        return return_chart(self)

    def _repr_html_(self) -> str:
        rows = [
            {
                "channel": r.channel,
                "cost": r.cost,
                "per conversion": str(r.cost_per_conversion),
                "return": str(r.return_on_spend),
            }
            for r in self.rows
        ]
        return html_table(rows, caption=f"costs and returns by {self.model}")


def names_of(columns: Sequence[Attribution]) -> tuple[str, ...]:
    """Channels that all results share, in the order of the first."""
    first = columns[0].channels
    for other in columns[1:]:
        if set(other.channels) != set(first):
            raise OutOfRange(
                "channels", sorted(other.channels), f"{sorted(first)}", "compare results of the same paths"
            )
    return first
