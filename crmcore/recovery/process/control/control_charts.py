"""Control charts: single values (XmR), shares (p), rates (u) and counts (c), with phases and named rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.metrics.columns import numbers
from crmcore.metrics.estimates import frame_of
from crmcore.metrics.scalars import named
from crmcore.recovery.process.control.limits import (
    EXACT,
    PRINTED,
    Lines,
    count_lines,
    moving_ranges,
    standardised,
    xmr_lines,
)
from crmcore.recovery.process.control.points import Points, counted, points_of
from crmcore.recovery.process.control.runs import NELSON, NELSON_FOR_COUNTS, RunRule, broken, rules_named

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ControlChart", "Signal", "c_chart", "p_chart", "u_chart", "xmr"]

Floats = NDArray[np.float64]
Label = str | date | datetime | float


@attrs.frozen
class Signal(Document):
    """A point that completes a pattern which chance makes seldom.

    Parameters
    ----------
    position : count
        Of the point, from 0.
    label : text
        Of the point.
    rule : text
        Name of the rule.
    side : text
        `above` or `below` the centre, `rising` or `falling` for a trend, or `-` for a rule without a side.
    value : number
    """

    position: int
    label: str
    rule: str
    side: str
    value: float

    def __str__(self) -> str:
        side = "" if self.side == "-" else f", {self.side}"
        return f"{self.label} ({number_text(self.value)}): {self.rule}{side}"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ControlChart(Document):
    """A process over time with the limits that its own variation sets.

    Parameters
    ----------
    kind : text
        `xmr`, `p`, `u` or `c`.
    labels : (n,) text
    values, centre, lower, upper, sigma : (n,)
        NaN where a point has no value; limits are 3 sigma from the centre, those of shares and counts within range.
    phase : (n,) text
        Phase of each point; limits and rules stay within a phase.
    baseline : (n,) truth
        Points that the limits are computed from.
    moving_range, range_centre, range_upper : (n,)
        Of a chart of single values; empty for the others.
    signals : tuple of Signal
        In order of time, then of the rules.
    rules : tuple of RunRule
        That were asked.
    spread : text
        What sigma comes from.
    """

    kind: str
    labels: tuple[str, ...]
    values: Floats
    centre: Floats
    lower: Floats
    upper: Floats
    sigma: Floats
    phase: tuple[str, ...]
    baseline: NDArray[np.bool_]
    moving_range: Floats
    range_centre: Floats
    range_upper: Floats
    signals: tuple[Signal, ...]
    rules: tuple[RunRule, ...]
    spread: str

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"ControlChart({self.kind}, {len(self)} points, {len(self.signals)} signals)"

    @property
    def stable(self) -> bool:
        """Whether no rule was broken."""
        return not self.signals

    def rules_at(self, position: int, /) -> tuple[str, ...]:
        """Names of the rules that a point breaks."""
        return tuple(s.rule for s in self.signals if s.position == position)

    def __str__(self) -> str:
        lines = [f"{self.kind} chart of {len(self)} points, sigma from {self.spread}"]
        for name in dict.fromkeys(self.phase):
            i = self.phase.index(name)
            limits = f"{number_text(self.lower[i])} to {number_text(self.upper[i])}"
            varied = " (of its first point)" if np.ptp(self._of(name, self.sigma)) > 1e-12 else ""
            called = f"phase {name}: " if name else ""
            lines.append(f"{called}centre {number_text(self.centre[i])}, limits {limits}{varied}")
        lines += [str(s) for s in self.signals] or ["no signal: nothing but the usual variation"]
        return "\n".join(lines)

    def _of(self, name: str, column: Floats) -> Floats:
        chosen = column[[p == name for p in self.phase]]
        known = chosen[~np.isnan(chosen)]
        return known if len(known) else np.zeros(1)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a point: label, value, centre, lower, upper, sigma, phase, baseline, rules (joined, or empty)."""
        names = ("value", "centre", "lower", "upper", "sigma")
        columns = (self.values, self.centre, self.lower, self.upper, self.sigma)
        said: dict[int, list[str]] = {}
        for signal in self.signals:
            said.setdefault(signal.position, []).append(signal.rule)
        rows: list[dict[str, object]] = [
            {
                "label": self.labels[i],
                **{name: float(column[i]) for name, column in zip(names, columns, strict=True)},
                "phase": self.phase[i],
                "baseline": bool(self.baseline[i]),
                "rules": "; ".join(said.get(i, [])),
            }
            for i in range(len(self))
        ]
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Points in order of time, centre and limits as steps, signals in another colour."""
        from crmcore.recovery.process.charts import control_chart_picture

        return control_chart_picture(self)

    def _repr_html_(self) -> str:
        if not self.signals:
            return f"<figure>{escape(str(self))}</figure>"
        rows = [{"point": s.label, "value": number_text(s.value), "rule": s.rule, "side": s.side} for s in self.signals]
        return html_table(rows, caption=f"{self.kind} chart: {len(self.signals)} signals in {len(self)} points")


def xmr(
    values: ArrayLike,
    /,
    *,
    labels: Sequence[Label] | None = None,
    phases: Sequence[object] | None = None,
    baseline: int | Sequence[bool] | None = None,
    rules: Iterable[RunRule | str] = NELSON,
    constants: str = "exact",
    small_sample_ok: bool = False,
) -> ControlChart:
    """Chart of single values, such as a day's mean hours to an answer, with the limits of their moving ranges.

    Parameters
    ----------
    values : (n,) numbers
        In order of time; NaN is a point without a value: rules pass over it, and no range is taken across it.
    labels : (n,), optional
        Days or names; by default 1 to n.
    phases : (n,), optional
        What the process was at each point ("before", "new carrier"): each phase has limits of its own, and no rule
        reaches from one into the next.
    baseline : count or (n,) truth, optional
        Points that set the limits: the first so many of each phase, or those marked. By default all.
    rules : rules or names
    constants : text
        `"exact"` (of the normal distribution) or `"printed"` (1.128 and 3.267, as books have them).
    small_sample_ok : truth
        Be silent where fewer than 12 points set the limits.

    Returns
    -------
    ControlChart

    Raises
    ------
    BadRows, OutOfRange, EmptyInput, UnknownName

    Notes
    -----
    sigma = mR-bar / d2, limits centre +/- 3 sigma, of the ranges D4 mR-bar: Shewhart's chart in the form of Wheeler,
    Understanding Variation (1993). The range, not the standard deviation of all, so that a shift does not widen the
    limits that should show it.

    Examples
    --------
    >>> hours = [5, 6, 5, 4, 6, 5, 5, 6, 4, 5, 6, 5, 12]
    >>> print(xmr(hours, baseline=12))
    xmr chart of 13 points, sigma from moving ranges
    centre 5.17, limits 2.27 to 8.07
    13 (12): beyond 3 sigma, above
    """
    points = points_of(values, labels=labels, phases=phases, baseline=baseline, small_sample_ok=small_sample_ok)
    known = {"exact": EXACT, "printed": PRINTED}
    chosen = known[named("set of constants", constants, known)]
    ranges = moving_ranges(points.values, points.phase)
    lines, mean_range = xmr_lines(points.values, ranges, points.phase, points.baseline, chosen)
    made = _chart("xmr", points, lines, rules_named(rules), "moving ranges", low=-np.inf, high=np.inf)
    return attrs.evolve(made, moving_range=ranges, range_centre=mean_range, range_upper=chosen.d4 * mean_range)


def p_chart(
    failures: ArrayLike,
    trials: ArrayLike,
    /,
    *,
    labels: Sequence[Label] | None = None,
    phases: Sequence[object] | None = None,
    baseline: int | Sequence[bool] | None = None,
    rules: Iterable[RunRule | str] = NELSON_FOR_COUNTS,
    spread: str = "within",
    small_sample_ok: bool = False,
) -> ControlChart:
    """Chart of the share of cases that failed, each point with limits of its own size.

    Parameters
    ----------
    failures, trials : (n,) counts
        Failed cases, and all of them, a period each. A period without cases is a gap.
    labels, phases, baseline, rules, small_sample_ok
        As in `xmr`; by default the four rules that suit counts.
    spread : text
        `"within"`: the binomial alone. `"between"`: times the spread of the periods around it, for large counts whose
        level varies from day to day more than chance does (Laney's p').

    Examples
    --------
    >>> print(p_chart([12, 15, 8, 30], [50, 50, 50, 50], baseline=3, small_sample_ok=True))
    p chart of 4 points, sigma from the binomial
    centre 0.233, limits 0.0539 to 0.413
    4 (0.6): beyond 3 sigma, above
    """
    points, size = counted(failures, trials, labels, phases, baseline, small_sample_ok, whole=True)
    lines = count_lines(points.counts, size, points.phase, points.baseline, binomial=True)
    return _counts("p", points, lines, rules, spread, high=1.0)


def u_chart(
    counts: ArrayLike,
    exposure: ArrayLike,
    /,
    *,
    labels: Sequence[Label] | None = None,
    phases: Sequence[object] | None = None,
    baseline: int | Sequence[bool] | None = None,
    rules: Iterable[RunRule | str] = NELSON_FOR_COUNTS,
    spread: str = "within",
    small_sample_ok: bool = False,
) -> ControlChart:
    """Chart of events per unit, such as complaints per 1,000 orders; a unit may have several.

    Parameters
    ----------
    counts, exposure : (n,)
        Events, and the units that could have them. A period without units is a gap.
    labels, phases, baseline, rules, spread, small_sample_ok
        As in `p_chart`, with the Poisson in place of the binomial.

    Examples
    --------
    >>> u_chart([14, 12, 20], [10, 8, 13], small_sample_ok=True).upper.round(2).tolist()
    [2.64, 2.78, 2.5]
    """
    points, size = counted(counts, exposure, labels, phases, baseline, small_sample_ok, whole=False)
    lines = count_lines(points.counts, size, points.phase, points.baseline, binomial=False)
    return _counts("u", points, lines, rules, spread, high=np.inf)


def c_chart(
    counts: ArrayLike,
    /,
    *,
    labels: Sequence[Label] | None = None,
    phases: Sequence[object] | None = None,
    baseline: int | Sequence[bool] | None = None,
    rules: Iterable[RunRule | str] = NELSON_FOR_COUNTS,
    spread: str = "within",
    small_sample_ok: bool = False,
) -> ControlChart:
    """Chart of events a period, where every period has the same chances: complaints a week of a steady business.

    Parameters
    ----------
    counts : (n,) counts
        NaN is a gap.
    labels, phases, baseline, rules, spread, small_sample_ok
        As in `p_chart`, with the Poisson in place of the binomial.

    Examples
    --------
    >>> made = c_chart([16, 14, 28, 16, 12, 20, 10, 12, 10, 17, 19, 17])
    >>> round(float(made.centre[0]), 2), made.rules_at(2)
    (15.92, ('beyond 3 sigma',))
    """
    column = numbers("counts", counts)
    gap = np.where(np.isnan(column), 0.0, 1.0)
    points, size = counted(np.nan_to_num(column, nan=0.0), gap, labels, phases, baseline, small_sample_ok, whole=False)
    lines = count_lines(points.counts, size, points.phase, points.baseline, binomial=False)
    return _counts("c", points, lines, rules, spread, high=np.inf)


def _counts(
    kind: str, points: Points, lines: Lines, rules: Iterable[RunRule | str], spread: str, *, high: float
) -> ControlChart:
    """Chart of shares or rates, its sigma widened by the spread between periods where that is asked."""
    model = "the binomial" if kind == "p" else "the Poisson"
    if named("spread", spread, ("within", "between")) == "between":
        z = standardised(points.values, lines)
        ranges = moving_ranges(np.where(np.isfinite(z), z, np.nan), points.phase)
        between, _ = xmr_lines(z, ranges, points.phase, points.baseline & np.isfinite(z), EXACT)
        lines = Lines(lines.centre, lines.sigma * between.sigma)
        model += " and the spread between periods"
    return _chart(kind, points, lines, rules_named(rules), model, low=0.0, high=high)


def _chart(
    kind: str, points: Points, lines: Lines, rules: tuple[RunRule, ...], spread: str, *, low: float, high: float
) -> ControlChart:
    z = standardised(points.values, lines)
    none = np.zeros(0)
    return ControlChart(
        kind=kind,
        labels=points.labels,
        values=points.values,
        centre=lines.centre,
        lower=np.maximum(lines.centre - 3 * lines.sigma, low),
        upper=np.minimum(lines.centre + 3 * lines.sigma, high),
        sigma=lines.sigma,
        phase=tuple(points.phase_names[i] for i in points.phase),
        baseline=points.baseline,
        moving_range=none,
        range_centre=none,
        range_upper=none,
        signals=tuple(_signals(points, z, rules)),
        rules=rules,
        spread=spread,
    )


def _signals(points: Points, z: Floats, rules: tuple[RunRule, ...]) -> list[Signal]:
    """Broken rules, phase by phase, over the points that have a value."""
    beside = {1: "above", -1: "below", 2: "-"}
    out: list[tuple[int, int, Signal]] = []
    for number in range(len(points.phase_names)):
        rows = np.flatnonzero((points.phase == number) & ~np.isnan(z))
        for rank, rule in enumerate(rules):
            found = broken(z[rows], rule)
            sides = {1: "rising", -1: "falling"} if rule.kind == "trend" else beside
            for i in np.flatnonzero(found):
                at = int(rows[i])
                side = sides[int(found[i])]
                out.append((at, rank, Signal(at, points.labels[at], rule.name, side, float(points.values[at]))))
    return [signal for *_, signal in sorted(out, key=lambda item: item[:2])]
