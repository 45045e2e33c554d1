"""Durations of several groups: one curve each, and the log-rank test whether they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.columns import cells_of, codes_of, columns_frame, numbers, same_length, truths
from crmcore.metrics.durations.survival import SurvivalTable, kaplan_meier
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.scalars import entries
from crmcore.tables import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["LogRank", "SurvivalTables", "log_rank", "survival_by"]

Floats = NDArray[np.float64]

_RELATIVE = 1e-10  # singular values of the covariance below this share of the largest are rounding


@attrs.frozen(kw_only=True)
class LogRank(Document):
    """Whether groups end alike: observed and expected ends of each, and the test of equal hazards.

    `p_value` is NaN where nothing can be tested (no time at which an event could have happened in two groups).
    """

    labels: tuple[str, ...]
    n: tuple[int, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    statistic: float
    freedom: int
    p_value: float
    method: str

    def __str__(self) -> str:
        return f"chi2({self.freedom}) = {number_text(self.statistic)}, p = {self.p_value:.3g} ({self.method})"

    def _rows(self) -> list[dict[str, Any]]:
        columns = (self.labels, self.n, self.observed, self.expected)
        names = ("label", "n", "observed", "expected")
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a group: label, n, observed and expected events."""
        return frame_of(self._rows(), backend=backend)

    def _repr_html_(self) -> str:
        rows = [{**row, "expected": number_text(row["expected"])} for row in self._rows()]
        return html_table(rows, caption=str(self))


@attrs.frozen(repr=False, hash=False)
class SurvivalTables:
    """Survival tables by group, addable like each of them.

    Examples
    --------
    >>> both = survival_by(["shop", "web", "web", "shop"], [3, 5, 8, 9], [True, True, False, True], unit="days")
    >>> both, both["web"]
    (SurvivalTables(shop, web; n = 4), SurvivalTable(n = 2, 1 events, 2 times, days))
    """

    tables: Mapping[str, SurvivalTable]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the groups, in order."""
        return tuple(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def __getitem__(self, label: str) -> SurvivalTable:
        if label not in self.tables:
            raise UnknownName("group", label, self.labels)
        return self.tables[label]

    def __repr__(self) -> str:
        shown = ", ".join(self.labels[:5]) + (", ..." if len(self) > 5 else "")
        return f"SurvivalTables({shown}; n = {sum(t.n for t in self.tables.values())})"

    def __str__(self) -> str:
        wide = max(map(len, self.labels))
        return "\n".join(f"{label:{wide}}  {table}" for label, table in self.tables.items())

    def __add__(self, other: SurvivalTables) -> SurvivalTables:
        """Groups of both; those of one name add up."""
        made = dict(self.tables)
        for label, table in other.tables.items():
            made[label] = made[label] + table if label in made else table
        return SurvivalTables({label: made[label] for label in sorted(made)})

    def log_rank(self, *, rho: float = 0.0, gamma: float = 0.0) -> LogRank:
        """Test of equal curves; see `log_rank`."""
        return log_rank(self.tables, rho=rho, gamma=gamma)

    def medians(self, *, level: float = 0.95, small_sample_ok: bool = False) -> dict[str, Estimate]:
        """Median duration of every group."""
        return {
            label: table.median(level=level, small_sample_ok=small_sample_ok) for label, table in self.tables.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {label: table.to_dict() for label, table in self.tables.items()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SurvivalTables:
        """Read what `to_dict` wrote."""
        return cls({label: SurvivalTable.from_dict(table) for label, table in fields.items()})

    def to_frame(self, *, level: float = 0.95, band: str = "log-log", backend: Any = None) -> Any:
        """One row a group and time: label and the columns of `SurvivalTable.columns`."""
        parts = {label: table.columns(level=level, band=band) for label, table in self.tables.items()}
        label = [name for name, columns in parts.items() for _ in columns["time"]]
        names = next(iter(parts.values()))
        stacked = {name: np.concatenate([columns[name] for columns in parts.values()]) for name in names}
        return columns_frame({"label": label, **stacked}, backend=backend)

    def chart(self, *, level: float = 0.95, band: str = "log-log", title: str = "Share that lasts") -> Chart:
        """One step curve with its band a group."""
        from crmcore.metrics.durations.charts import survival_chart

        return survival_chart(self.tables, level=level, band=band, title=title)

    def _repr_html_(self) -> str:
        rows = [
            {"group": label, "n": table.n, "median": str(table.median(small_sample_ok=True)).partition(" (")[0]}
            for label, table in self.tables.items()
        ]
        return html_table(rows, caption=escape("median durations by group"))


def survival_by(
    groups: TextColumn | ArrayLike,
    durations: ArrayLike,
    observed: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    unit: str = "",
) -> SurvivalTables:
    """Count durations by group.

    Parameters
    ----------
    groups : (n,) text
        Name of the group of each row; groups come out in sorted order.
    durations, observed, weights, entry, unit
        As for `survival.kaplan_meier`.

    Examples
    --------
    >>> both = survival_by(["a", "b"] * 20, range(40), [True] * 40)
    >>> str(both.medians(small_sample_ok=True)["a"])
    '18 [8, 28] (95 %, n = 20, brookmeyer-crowley, log-log)'
    """
    codes, names = codes_of(groups, len(cells_of("groups", groups)), "groups")
    columns = {
        "durations": numbers("durations", durations),
        "observed": truths("observed", observed),
        "weights": None if weights is None else numbers("weights", weights),
        "entry": None if entry is None else numbers("entry", entry),
    }
    same_length("survival_by", groups=codes, **columns)
    if len(names) == 0:
        raise EmptyInput("durations", "pass at least one case")
    order = np.argsort(codes, kind="stable")
    cuts = np.searchsorted(codes[order], np.arange(len(names) + 1))
    made = {}
    for i, name in enumerate(names):
        rows = order[cuts[i] : cuts[i + 1]]
        time, seen, weight, begin = (None if c is None else c[rows] for c in columns.values())
        assert time is not None and seen is not None  # noqa: PT018 (for the type checker)
        made[name] = kaplan_meier(time, seen, weights=weight, entry=begin, unit=unit)
    return SurvivalTables(made)


def log_rank(tables: Mapping[str, SurvivalTable], *, rho: float = 0.0, gamma: float = 0.0) -> LogRank:
    """Test whether groups share one hazard.

    Parameters
    ----------
    tables : mapping
        Label to table, at least two, unweighted, in one unit.
    rho, gamma : number
        Fleming-Harrington weights S^rho (1 − S)^gamma at the pooled curve just before each time, from 0: (0, 0) is the
        log-rank test, (1, 0) looks at early differences (Peto & Peto), (0, 1) at late ones. Choose before you look.

    Returns
    -------
    LogRank
        Σ W (d_gj − n_gj dⱼ/nⱼ) over event times, with the hypergeometric covariance: Mantel (1966), Peto & Peto (1972),
        Harrington & Fleming (1982), Biometrika 69:553. Degrees of freedom are the rank of the covariance: groups
        minus 1 where all met. Under several pairs of tests correct for their number.

    Raises
    ------
    EmptyInput, OutOfRange
        Fewer than two groups; weighted tables, two units, negative rho or gamma.

    Examples
    --------
    >>> web = kaplan_meier([1, 2, 2, 3, 4] * 6, [True] * 30)
    >>> shop = kaplan_meier([3, 4, 5, 6, 8] * 6, [True, True, False, True, True] * 6)
    >>> print(log_rank({"web": web, "shop": shop}))
    chi2(1) = 37.4, p = 9.55e-10 (log-rank)
    """
    if len(entries("tables", tables, hint="{'web': kaplan_meier(...), 'shop': kaplan_meier(...)}")) < 2:
        raise EmptyInput("tables with fewer than two groups", "pass at least two groups to compare")
    if not (rho >= 0 and gamma >= 0):
        raise OutOfRange("rho, gamma", (rho, gamma), "0 or more", "log-rank is (0, 0)")
    held = list(tables.values())
    for label, table in tables.items():
        if table.unit != held[0].unit:
            raise OutOfRange(f"unit of {label!r}", table.unit, repr(held[0].unit), "count all groups in one unit")
        if table.weighted:
            raise OutOfRange(f"weights of {label!r}", "unequal", "none", "its p-value would be wrong: count rows once")
    time, events, risk = _on_one_clock(held)
    pooled = np.cumprod(1 - events.sum(axis=0) / risk.sum(axis=0))
    before = np.concatenate([[1.0], pooled[:-1]]) if len(pooled) else pooled
    weight = before**rho * (1 - before) ** gamma
    gap, covariance, expected = _score(events, risk, weight)
    # the rows sum to 0, and a group that never met another adds nothing: what rounding leaves of them is no direction
    rank = int(np.linalg.matrix_rank(covariance, rtol=_RELATIVE, hermitian=True)) if len(time) else 0
    inverse = np.linalg.pinv(covariance, rcond=_RELATIVE, hermitian=True)
    statistic = float(gap @ inverse @ gap) if rank else math.nan
    from scipy.special import chdtrc

    return LogRank(
        labels=tuple(tables),
        n=tuple(t.n for t in held),
        observed=tuple(float(x) for x in events.sum(axis=1)),
        expected=tuple(float(x) for x in expected),
        statistic=statistic,
        freedom=rank,
        p_value=float(chdtrc(rank, statistic)) if rank else math.nan,
        method="log-rank" if rho == gamma == 0 else f"fleming-harrington({rho:g}, {gamma:g})",
    )


def _on_one_clock(tables: Sequence[SurvivalTable]) -> tuple[Floats, Floats, Floats]:
    """Event times of any group (m,), and events and numbers at risk (groups, m) there."""
    time = np.unique(np.concatenate([t.time[t.events > 0] for t in tables]))
    events, risk = np.zeros((2, len(tables), len(time)))
    for g, table in enumerate(tables):
        happened = table.events > 0
        events[g, np.searchsorted(time, table.time[happened])] = table.events[happened]
        left = table.events + table.censored
        gone = np.concatenate([[0.0], np.cumsum(left)])[np.searchsorted(table.time, time, side="left")]
        entered = np.concatenate([[0.0], np.cumsum(table.entered)])[np.searchsorted(table.time, time, side="left")]
        risk[g] = left.sum() - gone - (table.entered.sum() - entered)
    return time, events, risk


def _score(events: Floats, risk: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Weighted observed minus expected (g,), its covariance (g, g), and unweighted expected events (g,)."""
    all_events, all_risk = events.sum(axis=0), risk.sum(axis=0)
    part = risk / all_risk
    expected = part * all_events
    gap = ((events - expected) * weight).sum(axis=1)
    several = all_risk > 1
    spread = np.zeros_like(all_risk)
    spread[several] = (
        weight[several] ** 2 * all_events[several] * (all_risk[several] - all_events[several]) / (all_risk[several] - 1)
    )
    covariance = np.diag((part * spread).sum(axis=1)) - (part * spread) @ part.T
    return gap, covariance, expected.sum(axis=1)
