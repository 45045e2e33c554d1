"""The Net Promoter Score of one group of answers, also from weighted, repeated or nearly complete answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore import documents
from crmcore._base import number_text
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import cells_of, numbers
from crmcore.metrics.estimates import Estimate, check_level, frame_of, warn_if_small
from crmcore.metrics.intervals import wilson_interval
from crmcore.metrics.scalars import count_of, named, nan_alike
from crmcore.metrics.survey.nps_counts import (
    NPS_METHODS,
    NPS_RULE,
    NpsCounts,
    nps_difference,
    nps_groups,
    nps_interval,
    nps_standard_error,
)

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.metrics.comparing import Comparison

__all__ = ["NpsResult", "nps"]


@attrs.frozen(kw_only=True)
class NpsResult:
    """Net Promoter Score of one group of answers, in points from −100 to +100.

    Parameters
    ----------
    counts : NpsCounts
        Answers as they came, unweighted.
    promoters, passives, detractors : Estimate
        Shares of the three groups (weighted where weights were given), with Wilson intervals.
    score : Estimate
        In points; its interval is not clipped.
    standard_error : points
        Of the score.
    effective_n : number
        Simple random answers that would tell as much: n divided by the design effect.
    not_answered : count
        Rows without a score.

    Examples
    --------
    >>> print(nps(NpsCounts(50, 30, 20)))
    NPS 30 [14, 44.2] (95 %, n = 100, mover-wilson): 50 % promoters, 30 % passives, 20 % detractors
    """

    counts: NpsCounts
    promoters: Estimate
    passives: Estimate
    detractors: Estimate
    score: Estimate
    standard_error: float = attrs.field(eq=nan_alike)
    effective_n: float
    not_answered: int = 0

    def __str__(self) -> str:
        parts = ", ".join(f"{number_text(100 * share)} % {name}" for name, share in reversed(self._shares().items()))
        return f"NPS {self.score}: {parts}"

    def _shares(self) -> dict[str, float]:
        return {"detractors": self.detractors.value, "passives": self.passives.value, "promoters": self.promoters.value}

    def _parts(self) -> dict[str, Estimate]:
        shares = {"promoters": self.promoters, "passives": self.passives, "detractors": self.detractors}
        return {"score": self.score, **shares}

    def minus(self, other: NpsResult, /) -> Comparison:
        """Difference of two independent scores, weighted or not; see `nps_difference` for formulas and sources.

        Raises
        ------
        OutOfRange
            The two were estimated at different levels.

        Examples
        --------
        >>> better, worse = nps(NpsCounts(60, 30, 10)), nps(NpsCounts(50, 30, 20))
        >>> print(better.minus(worse).difference)
        20 [-0.293, 39.8] (95 %, n = 200, mover of mover-wilson)
        """
        level = self.score.level
        if other.score.level != level:
            raise OutOfRange("level of the other", other.score.level, f"{level}, as here", "estimate both at one level")
        return nps_difference(self.score, other.score, errors=(self.standard_error, other.standard_error))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        fields: dict[str, Any] = documents.to_dict(self)
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> NpsResult:
        """Read what `to_dict` wrote.

        Examples
        --------
        >>> made = nps(NpsCounts(50, 30, 20))
        >>> NpsResult.from_dict(made.to_dict()) == made
        True
        """
        return documents.from_dict(cls, fields)

    def to_frame(self, *, backend: Any = None) -> Any:
        """Four rows: the score in points and the three shares, each with its interval."""
        return frame_of([{"part": name, **attrs.asdict(part)} for name, part in self._parts().items()], backend=backend)

    def chart(self, *, title: str = "Net Promoter Score") -> Chart:
        """The classic stacked bar of answers, beside the score with its interval."""
        from crmcore.metrics.survey.charts import stacked_answers

        return stacked_answers(["all answers"], [self._shares()], [self.score], title=title, description=str(self))

    def _repr_html_(self) -> str:
        few = " <em>few answers</em>" if self.score.small else ""
        head, _, rest = str(self).partition(" [")
        caption = f"<figcaption>{escape(self.score.rule)}</figcaption>"
        return f"<figure><b>{escape(head)}</b> [{escape(rest)}{few}{caption}</figure>"


def nps(
    answers: NpsCounts | ArrayLike,
    *,
    level: float = 0.95,
    method: str = "mover-wilson",
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    population: int | None = None,
    seed: int | np.random.Generator | None = None,
    rule: str = NPS_RULE,
    small_sample_ok: bool = False,
) -> NpsResult:
    """Net Promoter Score: % promoters minus % detractors, with its interval.

    Parameters
    ----------
    answers : (n,) scores or NpsCounts
        Whole numbers from 0 to 10; None and NaN are not answered and stay out of every share.
    level : share
        Coverage aimed at.
    method : text
        `"mover-wilson"` (default), `"adjusted-wald"`, `"wald"` or `"bootstrap"` (needs `seed`): see `nps_interval`.
    weights : (n,) numbers, optional
        Above 0, one an answer, such as those of `rake`; they need not add up to anything.
    clusters : (n,) codes or words, optional
        Who answered, where one customer may have answered several times: answers of one customer say less than as many
        answers of different ones.
    population : count, optional
        People there are, where most of them answered: the interval narrows and is a point when all did.
    seed : whole number or Generator
        Only for the bootstrap.
    rule : text
        What was asked of whom, kept in the result.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 answers.

    Returns
    -------
    NpsResult

    Raises
    ------
    BadRows
        Scores that are not whole numbers from 0 to 10, weights that are not above 0.
    OutOfRange, UnknownName
        Columns of another length, fewer people than answers; no such method.

    Notes
    -----
    Weights, clusters and a finite population enter through the variance of the weighted score, linearised and with
    clusters as units (`metrics.design`): the interval is that of a simple random sample of the same shares and
    n / design effect answers: Kish (1965), Survey Sampling, section 8.2; Korn & Graubard (1998), Survey Methodology
    24:193.

    Examples
    --------
    >>> print(nps([10] * 50 + [8] * 30 + [3] * 20 + [None] * 7).score)
    30 [14, 44.2] (95 %, n = 100, mover-wilson)
    """
    check_level(level)
    method = named("NPS interval method", method, NPS_METHODS)
    if isinstance(answers, NpsCounts):
        given = [name for name, column in (("weights", weights), ("clusters", clusters)) if column is not None]
        if given:
            raise OutOfRange(given[0], "a column", "None beside counts", "pass the scores instead of NpsCounts")
        counts, silent, made = answers, 0, _simple(answers, population)
    else:
        group = nps_groups(answers)
        counts, silent = NpsCounts.of_groups(group), int((group < 0).sum())
        if weights is None and clusters is None:
            made = _simple(counts, population)
        else:
            made = _designed(group, weights, clusters, population, level)
    warn_if_small(counts.n, "the Net Promoter Score", ok=small_sample_ok)
    how: dict[str, Any] = {"level": level, "n": counts.n, "method": method + made.note}
    low, high = _ends(made, level=level, method=method, seed=seed)
    value = 100 * (made.shares[0] - made.shares[2])
    shares = zip(("promoters", "passives", "detractors"), made.shares, strict=True)
    return NpsResult(
        counts=counts,
        **{name: _share(name, share, made, level=level, n=counts.n) for name, share in shares},
        score=Estimate(value=value, low=low, high=high, rule=rule, **how),
        standard_error=made.standard_error,
        effective_n=made.effective_n,
        not_answered=silent,
    )


@attrs.frozen
class _Made:
    """Shares of promoters, passives and detractors, and what the sample is worth in simple random answers."""

    shares: tuple[float, float, float]
    standard_error: float  # points
    effective_n: float  # infinite after a census
    note: str = ""


def _simple(counts: NpsCounts, population: int | None) -> _Made:
    n, cells = counts.n, attrs.astuple(counts)
    if n == 0:
        return _Made((math.nan, math.nan, math.nan), math.nan, 0.0)
    left = 1.0
    if population is not None:
        if count_of("population", population, hint="count all people, not the invited") < n:
            allowed = f"a whole number, {n} (the answers) or more"
            raise OutOfRange("population", population, allowed, "count all people, not the invited")
        left = 1 - n / population
    error = float(nps_standard_error(*cells)) * math.sqrt(left)
    note = "" if population is None else f", of {population:,} people"
    return _Made((cells[0] / n, cells[1] / n, cells[2] / n), error, n / left if left else math.inf, note)


def _designed(
    group: NDArray[np.int8],
    weights: ArrayLike | None,
    clusters: ArrayLike | None,
    population: int | None,
    level: float,
) -> _Made:
    from crmcore.metrics.design import effective_interval, linearised_mean

    there = group >= 0
    columns = {
        "weights": None if weights is None else numbers("weights", weights),
        "clusters": None if clusters is None else cells_of("clusters", clusters),
    }
    for name, column in columns.items():
        if column is not None and column.shape != group.shape:
            raise OutOfRange(f"len({name})", column.shape, f"{len(group)}, one a score", "pass one entry a score")
    kept = {name: None if column is None else column[there] for name, column in columns.items()}
    # Promoters 1, passives 1/2, detractors 0: the score is this mean stretched, so its design effect is the same.
    made = linearised_mean(group[there] / 2, **kept, population=population)
    worth = effective_interval(made, level=level, method="wilson")[2]
    if made.n == 0:
        return _Made((math.nan, math.nan, math.nan), math.nan, 0.0)
    w = np.ones(made.n) if kept["weights"] is None else np.asarray(kept["weights"], np.float64)
    shares = np.bincount(group[there], weights=w, minlength=3) / w.sum()
    note = f", effective n = {number_text(worth)}" if math.isfinite(worth) else ", census"
    return _Made((float(shares[2]), float(shares[1]), float(shares[0])), 200 * made.standard_error, worth, note)


def _ends(made: _Made, *, level: float, method: str, seed: int | np.random.Generator | None) -> tuple[float, float]:
    if math.isinf(made.effective_n):
        value = 100 * (made.shares[0] - made.shares[2])
        return value, value
    cells = [share * made.effective_n if made.effective_n else 0.0 for share in made.shares]
    low, high = nps_interval(*cells, level=level, method=method, seed=seed)
    return float(low), float(high)


def _share(name: str, share: float, made: _Made, *, level: float, n: int) -> Estimate:
    low: float | NDArray[np.float64] = share
    high: float | NDArray[np.float64] = share
    if math.isfinite(made.effective_n):
        low, high = wilson_interval(share * made.effective_n if n else 0.0, made.effective_n, level=level)
    rule, method = f"{name} / answers", "wilson" + made.note
    return Estimate(value=share, low=float(low), high=float(high), level=level, n=n, rule=rule, method=method)
