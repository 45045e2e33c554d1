"""What a pipeline will bring: by period and rep, with an interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware, html_table, listed
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import CurrencyMismatch, DuplicateIds, EmptyInput, OutOfRange, UnknownName
from crmcore.idic.interact.pipeline.deals import Deal, Pipeline
from crmcore.idic.interact.pipeline.learning import StageChance, StageChances
from crmcore.metrics.estimates import Estimate, check_level, estimate_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Forecast", "GroupForecast", "forecast"]

Floats = NDArray[np.float64]
_ATOMS = 4096  # most sums that are told apart before amounts are simulated
_KEPT = 400  # points that a distribution is kept as
_DRAWS = 20_000


@attrs.frozen(kw_only=True, eq=False, repr=False)
class GroupForecast(Document):
    """Forecast of one group of deals (a period, a rep, or both); amounts in minor units.

    Parameters
    ----------
    period, rep : text, optional
        What the group is; None where it is not split by that.
    currency : text
    deals : count
    expected : Estimate
        Sum of amount times probability; the interval holds what the deals bring at its level.
    wins : Estimate
        Deals that will be won (Poisson binomial where probabilities are fixed).
    worst_minor, commit_minor, best_minor : minor units
        Already won; won or at least as probable as `commit_from`; everything at least as probable as `best_from`.
    values, weights : (m,)
        The distribution of the sum.
    """

    period: str | None
    rep: str | None
    currency: str
    deals: int
    expected: Estimate
    wins: Estimate
    worst_minor: int
    commit_minor: int
    best_minor: int
    values: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Period and rep."""
        return " ".join(x for x in (self.period, self.rep) if x is not None) or "all"

    def __repr__(self) -> str:
        return f"GroupForecast({self.name!r}, {self.deals} deals, {self.currency})"

    def __str__(self) -> str:
        most = f"worst {self.worst_minor:,}, commit {self.commit_minor:,}, best {self.best_minor:,}"
        return f"{self.name}: {self.expected} {self.currency} minor, {most}"

    def _repr_html_(self) -> str:
        return html_table([_row(self)], caption=repr(self))


def _row(g: GroupForecast) -> dict[str, Any]:
    e = g.expected
    return {
        "period": g.period, "rep": g.rep, "deals": g.deals, "expected_minor": e.value, "low_minor": e.low,
        "high_minor": e.high, "worst_minor": g.worst_minor, "commit_minor": g.commit_minor, "best_minor": g.best_minor,
        "currency": g.currency,
    }  # fmt: skip


@attrs.frozen(eq=False, repr=False)
class Forecast(Document):
    """Forecasts of groups, by period and then rep."""

    groups: tuple[GroupForecast, ...]

    def __len__(self) -> int:
        return len(self.groups)

    def __repr__(self) -> str:
        return f"Forecast({len(self)} groups)"

    def __str__(self) -> str:
        return "\n".join(map(str, self.groups))

    def __getitem__(self, name: str) -> GroupForecast:
        known = {g.name: g for g in self.groups}
        if name not in known:
            raise UnknownName("group", name, tuple(known))
        return known[name]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a group: period, rep, deals, expected, low, high, worst, commit, best (minor units), currency."""
        rows = [_row(g) for g in self.groups]
        return write_frame({n: [row[n] for row in rows] for n in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([_row(g) for g in self.groups], caption=repr(self), limit=10)

    def chart(self) -> Chart:
        """Expected amount of each group with its interval."""
        from crmcore.charts import dot_interval

        names = [g.name for g in self.groups]
        axis = f"{self.groups[0].currency} minor"
        return dot_interval(
            names, [g.expected for g in self.groups], title="Forecast", description=str(self), axis=axis
        )


def _period(deal: Deal, by: str) -> str:
    day = deal.closes
    if by == "month":
        return f"{day:%Y-%m}"
    return f"{day.year}-Q{(day.month + 2) // 3}" if by == "quarter" else str(day.year)


def forecast(
    deals: Iterable[Deal],
    pipeline: Pipeline,
    *,
    period: str | None = "month",
    by_rep: bool = False,
    chances: StageChances | None = None,
    now: datetime | None = None,
    seed: int | np.random.Generator | None = None,
    commit_from: float = 0.9,
    best_from: float = 0.0,
    level: float = 0.8,
) -> Forecast:
    """Forecast what deals bring: the sum of amount times probability, and the distribution around it.

    Parameters
    ----------
    deals : iterable of Deal
        One currency. A won deal counts in full, a lost one not at all; a probability set by hand beats its stage.
    pipeline : Pipeline
    period : "month", "quarter", "year" or None
        Of `Deal.closes`.
    by_rep : truth
        Split by rep as well.
    chances : StageChances, optional
        Learned probabilities; deals of one stage (and age) then share how far these may be off.
    now : aware datetime, optional
        Deals that tell since when they sit in their stage have the chance of that age.
    seed : int or Generator, optional
        Needed with `chances`, and where a group has more different sums than 4,096; else the distribution is exact.
    commit_from, best_from : share
        From which probability a deal counts as commit or best case; above 0 in any case.
    level : share
        Of the intervals.

    Raises
    ------
    EmptyInput, DuplicateIds, UnknownName, CurrencyMismatch, OutOfRange
        No deals, repeated ids, unknown stages or periods, two currencies, no seed where one is needed.

    Examples
    --------
    >>> from datetime import date
    >>> from crmcore.idic.interact.pipeline.deals import Stage
    >>> from crmcore.values import Money
    >>> sales = Pipeline("sales", [Stage("offer", 0.5)])
    >>> june = Deal(id="d1", amount=Money.of("1000", "THB"), stage="offer", closes=date(2026, 6, 9))
    >>> forecast([june], sales)["2026-06"].expected.value
    50000.0
    """
    given = listed(deals, "deals", Deal, what="Deal", hint="pass Deal(...) values")
    check_level(level)
    if now is not None:
        check_aware(now, "now")
    if period not in (None, "month", "quarter", "year"):
        raise UnknownName("period", str(period), ("month", "quarter", "year"))
    for name, share in (("commit_from", commit_from), ("best_from", best_from)):
        if not 0 <= share <= 1:
            raise OutOfRange(name, share, "0 to 1", "90 % is 0.9")
    _check(given)
    groups: dict[tuple[str | None, str | None], list[Deal]] = {}
    for deal in sorted(given, key=lambda d: d.id):
        key = (_period(deal, period) if period else None, deal.rep if by_rep else None)
        groups.setdefault(key, []).append(deal)
    rng = None if seed is None else np.random.default_rng(seed)
    asked = [d for d in given if d.probability is None and pipeline.outcome(d.stage) is None]
    rows = {} if chances is None else {d.id: _row_of(d, chances, now) for d in asked}
    ordered = sorted(groups, key=lambda k: (k[0] or "", k[1] or ""))
    return Forecast(
        tuple(
            _group(key, groups[key], pipeline, chances=rows, rng=rng, cuts=(commit_from, best_from), level=level)
            for key in ordered
        )
    )


def _check(deals: Sequence[Deal]) -> None:
    if not deals:
        raise EmptyInput("deals", "pass at least one deal")
    ids = [d.id for d in deals]
    if len(set(ids)) < len(ids):
        again = tuple(i for i, x in enumerate(ids) if x in ids[:i])
        raise DuplicateIds("deals", len(again), again, "pass each deal once, as it stands now")
    currencies = sorted({d.amount.currency for d in deals})
    if len(currencies) > 1:
        raise CurrencyMismatch(currencies[0], currencies[1])


def _group(
    key: tuple[str | None, str | None],
    deals: Sequence[Deal],
    pipeline: Pipeline,
    *,
    chances: Mapping[str, StageChance],
    rng: np.random.Generator | None,
    cuts: tuple[float, float],
    level: float,
) -> GroupForecast:
    learned = [chances.get(d.id) for d in deals]
    p = np.array([_chance(d, pipeline, row) for d, row in zip(deals, learned, strict=True)])
    amounts = np.array([d.amount.amount_minor for d in deals], np.float64)
    made = None if any(row is not None for row in learned) else _exact(amounts, p)
    if made is None:
        if rng is None:
            raise OutOfRange("seed", None, "an int or a Generator", "this forecast is simulated: pass seed=1")
        sums, counts = _simulate(amounts, p, learned, rng)
        values, weights = _points(sums)
        how = "simulation"
        wins = np.asarray(np.bincount(counts, minlength=len(deals) + 1) / len(counts), np.float64)
    else:
        values, weights = made
        how = "exact"
        wins = _poisson_binomial(p)
    won = np.array([d.stage == pipeline.won for d in deals], np.bool_)
    tail, n = (1 - level) / 2, len(deals)
    spans = [
        (_quantile(v, w, tail), _quantile(v, w, 1 - tail)) for v, w in ((values, weights), (np.arange(n + 1.0), wins))
    ]
    rule = "sum of amount x probability"
    total = [int(amounts[mask].sum()) for mask in (won, (p > 0) & (p >= cuts[0]), (p > 0) & (p >= cuts[1]))]
    return GroupForecast(
        period=key[0],
        rep=key[1],
        currency=deals[0].amount.currency,
        deals=n,
        expected=estimate_of(float((amounts * p).sum()), *spans[0], level=level, n=n, rule=rule, method=how),
        wins=estimate_of(float(p.sum()), *spans[1], level=level, n=n, rule="deals won", method=how),
        worst_minor=total[0],
        commit_minor=total[1],
        best_minor=total[2],
        values=values,
        weights=weights,
    )


def _row_of(deal: Deal, chances: StageChances, now: datetime | None) -> StageChance:
    if now is None or deal.since is None:
        return chances.of(deal.stage)
    if deal.since > now:
        raise OutOfRange("since", deal.since, f"up to now, {now}", "a deal cannot enter its stage later than now")
    return chances.of(deal.stage, (now - deal.since) / timedelta(days=1))


def _chance(deal: Deal, pipeline: Pipeline, learned: StageChance | None) -> float:
    stage = pipeline.probability(deal.stage)  # refuses unknown ones
    if learned is not None:
        return learned.estimate.value
    return stage if deal.probability is None or pipeline.outcome(deal.stage) is not None else deal.probability


def _exact(amounts: Floats, p: Floats) -> tuple[Floats, Floats] | None:
    """Distribution of the sum by adding deal by deal; None where there are too many different sums."""
    values: Floats = np.zeros(1)
    weights: Floats = np.ones(1)
    for amount, chance in sorted(zip(amounts.tolist(), p.tolist(), strict=True)):
        both = np.concatenate([values, values + amount])
        mass = np.concatenate([weights * (1 - chance), weights * chance])
        values, where = np.unique(both[mass > 0], return_inverse=True)
        weights = np.asarray(np.bincount(where, weights=mass[mass > 0]), np.float64)
        if len(values) > _ATOMS:
            return None
    return values, weights


def _poisson_binomial(p: Floats) -> Floats:
    """Probabilities of 0 to n successes of independent trials."""
    mass = np.ones(1)
    for chance in p.tolist():
        mass = np.convolve(mass, [1 - chance, chance])
    return mass


def _simulate(
    amounts: Floats, p: Floats, learned: Sequence[StageChance | None], rng: np.random.Generator
) -> tuple[Floats, NDArray[np.int64]]:
    """Sums and counts of wins; deals of one learned stage and age share a draw of its probability."""
    rows = {(row.stage, row.days): row for row in learned if row is not None}
    drawn = {
        at: rng.beta(row.a, row.b, _DRAWS) if row.a > 0 < row.b else np.full(_DRAWS, row.estimate.value)
        for at, row in sorted(rows.items())
    }
    sums, counts = np.zeros(_DRAWS), np.zeros(_DRAWS, np.int64)
    for i, row in enumerate(learned):
        hit = rng.random(_DRAWS) < (p[i] if row is None else drawn[row.stage, row.days])
        sums += amounts[i] * hit
        counts += hit
    return sums, counts


def _points(sums: Floats) -> tuple[Floats, Floats]:
    values, n = np.unique(sums, return_counts=True)
    if len(values) <= _KEPT:
        return values, n / len(sums)
    return np.quantile(sums, (np.arange(_KEPT) + 0.5) / _KEPT), np.full(_KEPT, 1 / _KEPT)


def _quantile(values: Floats, weights: Floats, q: float) -> float:
    at = int(np.searchsorted(np.cumsum(weights), q - 1e-12))
    return float(values[min(at, len(values) - 1)])
