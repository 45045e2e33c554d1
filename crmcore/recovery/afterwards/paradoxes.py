"""The recovery paradox, per outcome: are the recovered above those for whom nothing went wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.columns import numbers, truths
from crmcore.metrics.comparing import Comparison, p_text
from crmcore.metrics.estimates import SMALL_N, Estimate, check_level, frame_of
from crmcore.metrics.means import Moments
from crmcore.metrics.multiplicity import FAMILY_WISE, adjust
from crmcore.metrics.proportions import Counts
from crmcore.metrics.stratified import strata_of, stratified_difference

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Paradox", "ParadoxRow", "paradox"]


@attrs.frozen(kw_only=True)
class ParadoxRow(Document):
    """One outcome.

    Parameters
    ----------
    outcome : text
        `"satisfaction"`, `"repurchase"`, `"word of mouth"`, `"image"`.
    verdict : text
        `"holds"`: the recovered are above; `"reversed"`: they are below; `"not shown"`.
    comparison : Comparison
        Recovered minus never failed, within strata where there are any.
    crude : Comparison
        The same without strata (Welch).
    p_adjusted : share
        Over all outcomes.
    answered : Comparison
        Share of the recovered with this outcome minus that of the others.
    warnings : texts
        Why the verdict may mislead.
    """

    outcome: str
    verdict: str
    comparison: Comparison
    crude: Comparison
    p_adjusted: float
    answered: Comparison
    warnings: tuple[str, ...]

    @property
    def difference(self) -> Estimate:
        """Recovered minus never failed."""
        return self.comparison.difference

    def __str__(self) -> str:
        return f"{self.outcome}: {self.verdict}, {self.difference}, adjusted {p_text(self.p_adjusted)}"


@attrs.frozen(kw_only=True, repr=False)
class Paradox(Document):
    """Recovered customers beside those whom nothing went wrong for, outcome by outcome.

    Parameters
    ----------
    rows : tuple of ParadoxRow
    strata : texts
        What was held equal.
    adjustment, level
        Over the outcomes.
    """

    rows: tuple[ParadoxRow, ...]
    strata: tuple[str, ...]
    adjustment: str
    level: float

    def __getitem__(self, outcome: str) -> ParadoxRow:
        known = tuple(r.outcome for r in self.rows)
        if outcome not in known:
            raise UnknownName("outcome", outcome, known)
        return self.rows[known.index(outcome)]

    def holds(self) -> tuple[str, ...]:
        """Outcomes for which the paradox is shown."""
        return tuple(r.outcome for r in self.rows if r.verdict == "holds")

    def __repr__(self) -> str:
        return f"Paradox({len(self.rows)} outcomes, holds for {list(self.holds())})"

    def __str__(self) -> str:
        held = f"{', '.join(self.strata)} held equal" if self.strata else "nothing held equal"
        lines = [f"recovered minus never failed, {held}, p-values by {self.adjustment}"]
        for r in self.rows:
            lines += [str(r), *(f"  caution: {w}" for w in r.warnings)]
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "outcome": r.outcome, "verdict": r.verdict, "difference": r.difference.value, "low": r.difference.low,
                "high": r.difference.high, "crude": r.crude.difference.value, "p_value": r.comparison.p_value,
                "p_adjusted": r.p_adjusted, "n": r.difference.n, "answered_recovered": r.answered.first.value,
                "answered_others": r.answered.second.value, "warnings": "; ".join(r.warnings),
            }
            for r in self.rows
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an outcome."""
        return frame_of(self._rows(), backend=backend)

    def _repr_html_(self) -> str:
        shown = ("outcome", "verdict", "difference", "low", "high", "p_adjusted", "n", "warnings")
        return html_table([{n: row[n] for n in shown} for row in self._rows()], caption="recovered minus never failed")

    def chart(self) -> Chart:
        """Differences with their intervals."""
        from crmcore.charts import dot_interval

        rows = [r for r in self.rows if math.isfinite(r.difference.value)]
        return dot_interval(
            [r.outcome for r in rows], [r.difference for r in rows], title="Recovered minus never failed",
            description=repr(self), reference=0.0,
        )  # fmt: skip


def paradox(
    outcomes: Mapping[str, ArrayLike],
    recovered: ArrayLike,
    *,
    strata: Mapping[str, ArrayLike] | None = None,
    level: float = 0.95,
    adjustment: str = "holm",
) -> Paradox:
    """Test the recovery paradox for each outcome by itself.

    Parameters
    ----------
    outcomes : name -> (n,) numbers
        Scores, or 0 and 1; NaN is not answered, or not known.
    recovered : (n,) truths
        True: something failed and was put right; False: nothing ever failed. Customers whose failure was not put right
        are left out, and with them goes the reason why failing pays nobody.
    strata : name -> (n,) labels, optional
        What both sides must share to be compared: segment, tenure, satisfaction before. Those who complain and are
        recovered are other customers to begin with.
    level : share
        Of all intervals together under a family-wise adjustment.
    adjustment : text
        Over the outcomes; see `metrics.adjust`.

    Returns
    -------
    Paradox
        An outcome holds where its interval lies above 0 and its adjusted p-value is below 1 - level. Cautions name
        small sides, shares of answers that differ, and a difference that strata take away.

    Notes
    -----
    De Matos, Henrique & Rossi (2007), Journal of Service Research 10:60: over 24 samples the paradox holds for
    satisfaction, not for repurchase, word of mouth and image.

    Examples
    --------
    >>> happy, buys = [4, 5, 5, 4] * 15 + [3, 4, 4, 3] * 15, [1, 0, 1, 0] * 30
    >>> print(paradox({"satisfaction": happy, "repurchase": buys}, [True] * 60 + [False] * 60))
    recovered minus never failed, nothing held equal, p-values by holm
    satisfaction: holds, 1 [0.791, 1.21] (97.5 %, n = 120, welch), adjusted p < 0.0001
    repurchase: not shown, 0 [-0.209, 0.209] (97.5 %, n = 120, welch), adjusted p = 1
    """
    check_level(level)
    columns = {name: numbers(name, values) for name, values in outcomes.items()}
    if not columns:
        raise EmptyInput("outcomes", "{'satisfaction': scores, 'repurchase': bought_again}")
    inside = truths("recovered", recovered)
    n = len(inside)
    for name, column in columns.items():
        if len(column) != n:
            raise OutOfRange(f"length of {name}", len(column), f"{n}, as recovered", "pass columns of the same rows")
    held = dict(strata or {})
    label = strata_of(*held.values(), n=n) if held else None
    each = 1 - (1 - level) / len(columns) if adjustment in FAMILY_WISE else level
    made: list[tuple[str, Comparison, Comparison, Comparison]] = []
    for name, column in columns.items():
        there = ~np.isnan(column)
        crude = Moments.of(column[inside & there]).minus(Moments.of(column[~inside & there]), level=each)
        told = crude
        if label is not None:
            told = stratified_difference(column, inside, label, level=each, small_sample_ok=True)
        made.append((name, told, crude, _answered(there, inside)))
    p = adjust([m[1].p_value for m in made], method=adjustment)
    rows = tuple(
        ParadoxRow(
            outcome=name, verdict=_verdict(told, x, level), comparison=told, crude=crude, p_adjusted=x,
            answered=answered, warnings=tuple(_cautions(told, crude, answered, stratified=label is not None)),
        )
        for (name, told, crude, answered), x in zip(made, map(float, p), strict=True)
    )  # fmt: skip
    return Paradox(rows=rows, strata=tuple(held), adjustment=adjustment, level=level)


def _answered(there: np.ndarray[Any, np.dtype[np.bool_]], inside: np.ndarray[Any, np.dtype[np.bool_]]) -> Comparison:
    first = Counts(int((there & inside).sum()), int(inside.sum()))
    return first.minus(Counts(int((there & ~inside).sum()), int((~inside).sum())))


def _verdict(told: Comparison, p_adjusted: float, level: float) -> str:
    if not p_adjusted < 1 - level:
        return "not shown"
    if told.difference.low > 0:
        return "holds"
    return "reversed" if told.difference.high < 0 else "not shown"


def _cautions(told: Comparison, crude: Comparison, answered: Comparison, *, stratified: bool) -> list[str]:
    found: list[str] = []
    smaller = min(told.first.n, told.second.n)
    if smaller < SMALL_N:
        found.append(f"one side has {smaller} answers (< {SMALL_N})")
    if answered.p_value < 0.05:
        shares = (
            f"{100 * answered.first.value:.0f} % of the recovered, {100 * answered.second.value:.0f} % of the others"
        )
        found.append(f"{shares} answered: those who did may be other customers")
    if stratified and crude.conclusive and not told.conclusive:
        found.append("the crude difference is that of the strata")
    lost = crude.difference.n - told.difference.n
    if stratified and lost:
        found.append(f"{lost} of {crude.difference.n} answers lie in strata of one side alone and are left out")
    return found
