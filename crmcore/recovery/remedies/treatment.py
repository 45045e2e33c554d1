"""Whether groups of customers are treated alike: looked at after the decisions, never used in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore._base import html_table, listed
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.metrics.columns import codes_of, numbers
from crmcore.metrics.comparing import Comparison, p_text
from crmcore.metrics.estimates import SMALL_N, check_level, frame_of
from crmcore.metrics.exact import binomial_exact
from crmcore.metrics.multiplicity import adjust
from crmcore.metrics.stratified import strata_of, stratified_difference
from crmcore.recovery.remedies.cases import FailedCase

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["EqualTreatment", "GroupTreatment", "Twins", "audit_equal_treatment", "simulate_twins"]


@attrs.frozen(kw_only=True)
class GroupTreatment(Document):
    """One group against all others on one measure.

    Parameters
    ----------
    group, measure : text
    comparison : Comparison
        Group minus the others, like cases compared with like.
    crude : number
        The same difference without strata.
    p_adjusted : share
        Over all groups and measures.
    compared, of : counts
        Cases of the group in strata that hold others too, and in all.
    small : truth
        Fewer than 30 cases on a side: nothing found says little.
    """

    group: str
    measure: str
    comparison: Comparison
    crude: float
    p_adjusted: float
    compared: int
    of: int
    small: bool

    def unequal(self, *, level: float) -> bool:
        """Whether the difference is found after the adjustment."""
        return self.p_adjusted < 1 - level


@attrs.frozen(kw_only=True, repr=False)
class EqualTreatment(Document):
    """Differences between groups in what they were given, freed of what their cases were like.

    Parameters
    ----------
    rows : tuple of GroupTreatment
    strata : texts
        What was held equal.
    adjustment, level
        Of the p-values.
    """

    rows: tuple[GroupTreatment, ...]
    strata: tuple[str, ...]
    adjustment: str
    level: float

    def found(self) -> tuple[GroupTreatment, ...]:
        """Differences that are found."""
        return tuple(r for r in self.rows if r.unequal(level=self.level))

    @property
    def equal(self) -> bool | None:
        """False where a difference is found; None where it is not and every group is small; else True.

        True says that no difference was found: the intervals say how large one may still be.
        """
        if self.found():
            return False
        return None if all(r.small for r in self.rows) else True

    def __repr__(self) -> str:
        return f"EqualTreatment({len(self.rows)} comparisons, {len(self.found())} unequal)"

    def __str__(self) -> str:
        held = f"{', '.join(self.strata)} held equal" if self.strata else "nothing held equal"
        lines = [f"{held}; p-values by {self.adjustment}"]
        for r in self.rows:
            marks = "  UNEQUAL" if r.unequal(level=self.level) else ""
            marks += "  few cases" if r.small else ""
            told = f"{r.comparison.difference}, adjusted {p_text(r.p_adjusted)}"
            lines.append(f"{r.group}: {r.measure} {told}; {r.compared} of {r.of} compared{marks}")
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "group": r.group, "measure": r.measure, "difference": r.comparison.difference.value,
                "low": r.comparison.difference.low, "high": r.comparison.difference.high, "crude": r.crude,
                "p_value": r.comparison.p_value, "p_adjusted": r.p_adjusted, "compared": r.compared, "n": r.of,
                "unequal": r.unequal(level=self.level), "small": r.small,
            }
            for r in self.rows
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a group and measure."""
        return frame_of(self._rows(), backend=backend)

    def _repr_html_(self) -> str:
        shown = ("group", "measure", "difference", "low", "high", "p_adjusted", "n", "unequal", "small")
        return html_table([{n: row[n] for n in shown} for row in self._rows()], caption=repr(self))

    def chart(self) -> Chart:
        """Differences of the first measure with their intervals."""
        from crmcore.charts import dot_interval

        measure = self.rows[0].measure
        rows = [r for r in self.rows if r.measure == measure and math.isfinite(r.comparison.difference.value)]
        return dot_interval(
            [r.group for r in rows], [r.comparison.difference for r in rows], reference=0.0,
            title=f"{measure}: group minus others", description=repr(self),
        )  # fmt: skip


def audit_equal_treatment(
    group: ArrayLike,
    measures: Mapping[str, ArrayLike],
    *,
    strata: Mapping[str, ArrayLike] | None = None,
    level: float = 0.95,
    adjustment: str = "benjamini-hochberg",
) -> EqualTreatment:
    """Compare what groups of customers were given, case like with case like.

    Parameters
    ----------
    group : (n,) labels
        A protected attribute, held beside the decisions for this audit alone.
    measures : name -> (n,) numbers
        What each case got: cost in minor units, effect, 0 and 1 for one remedy; NaN leaves a case out.
    strata : name -> (n,) labels, optional
        What may rightly differ: severity, failure, fault, bands of the loss. Leave out what is unequal itself.
    level : share
        Coverage of each interval, and 1 - level the threshold of adjusted p-values.
    adjustment : text
        Over all groups and measures; see `metrics.adjust`.

    Returns
    -------
    EqualTreatment

    Raises
    ------
    EmptyInput
        One group alone, or no measure.

    Examples
    --------
    >>> severity = ["low", "high"] * 100
    >>> group = ["a", "b", "b", "a", "a", "a", "b", "b"] * 25
    >>> print(audit_equal_treatment(group, {"cost": [5, 20] * 100}, strata={"severity": severity}))
    severity held equal; p-values by benjamini-hochberg
    a: cost 0 [0, 0] (95 %, n = 200, stratified), adjusted p = 1; 100 of 100 compared
    b: cost 0 [0, 0] (95 %, n = 200, stratified), adjusted p = 1; 100 of 100 compared
    """
    check_level(level)
    columns = {name: numbers(name, values) for name, values in measures.items()}
    if not columns:
        raise EmptyInput("measures", "{'cost': plans.cost} or {'voucher': plans.gives('voucher')}")
    n = len(next(iter(columns.values())))
    for name, column in columns.items():
        if len(column) != n:
            raise OutOfRange(f"length of {name}", len(column), f"{n}, a row a case", "pass columns of the same cases")
    code, groups = codes_of(group, n, "group")
    if len(groups) < 2:
        raise EmptyInput("group with fewer than two labels", "pass the attribute of every decided case")
    held = dict(strata or {})
    label = strata_of(*held.values(), n=n) if held else None
    made: list[tuple[str, str, Comparison, float, int, int]] = []
    for name, column in columns.items():
        for g, word in enumerate(groups):
            inside = code == g
            told = stratified_difference(column, inside, label, level=level, small_sample_ok=True)
            there = ~np.isnan(column)
            crude = _mean(column[inside & there]) - _mean(column[~inside & there])
            made.append((word, name, told, crude, told.first.n, int((inside & there).sum())))
    p = adjust([m[2].p_value for m in made], method=adjustment)
    rows = tuple(
        GroupTreatment(
            group=word, measure=name, comparison=told, crude=crude, p_adjusted=float(x), compared=k, of=of,
            small=min(told.first.n, told.second.n) < SMALL_N,
        )
        for (word, name, told, crude, k, of), x in zip(made, p, strict=True)
    )  # fmt: skip
    return EqualTreatment(rows=rows, strata=tuple(held), adjustment=adjustment, level=level)


def _mean(column: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    return float(column.mean()) if len(column) else math.nan


@attrs.frozen(kw_only=True)
class Twins(Document):
    """The same cases given to customers of two groups.

    Parameters
    ----------
    groups : pair of texts
    pairs : count
    same : count
        Pairs that got the same.
    first_more, second_more : counts
        Pairs in which one got more.
    p_value : share
        Exact sign test over pairs that differ; 1 where none does.
    examples : texts
        Ids of at most five cases whose twins differ.
    """

    groups: tuple[str, str]
    pairs: int
    same: int
    first_more: int
    second_more: int
    p_value: float
    examples: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether every pair got the same: for rules without chance nothing less will do."""
        return self.same == self.pairs

    def __str__(self) -> str:
        first, second = self.groups
        return (
            f"{self.same} of {self.pairs} pairs alike; {first} more in {self.first_more}, {second} more in "
            f"{self.second_more}, {p_text(self.p_value)} (exact sign test)"
        )


def simulate_twins(
    decide: Callable[[FailedCase, str], float], cases: Iterable[FailedCase], groups: Sequence[str]
) -> Twins:
    """Decide each case twice, for customers who differ in nothing but a protected attribute.

    Parameters
    ----------
    decide : callable
        `decide(case, group)`, the whole way of deciding as it is in use (a policy, a model, a form filled in by staff),
        which returns what the customer gets as one number.
    cases : cases
    groups : pair of texts
        Two values of the attribute.

    Returns
    -------
    Twins

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.recovery.remedies import RemedyPolicy, scripts
    >>> policy = RemedyPolicy(menu=scripts.electronics_menu())
    >>> now = datetime(2026, 6, 1, tzinfo=UTC)
    >>> cases = [FailedCase(id=f"c{i}", customer="x", failure="slow answer", severity=1 + i % 4) for i in range(40)]
    >>> print(simulate_twins(lambda case, group: policy.decide(case, now=now).effect, cases, ["women", "men"]))
    40 of 40 pairs alike; women more in 0, men more in 0, p = 1 (exact sign test)
    """
    rows = listed(cases, "cases", FailedCase, what="cases", hint="FailedCase(id=..., customer=..., failure=...)")
    if not rows:
        raise EmptyInput("cases", "pass cases of the kinds that you decide")
    pair = tuple(listed(groups, "groups", str, what="texts", hint="['women', 'men']"))
    if len(set(pair)) != 2 or len(pair) != 2:
        raise OutOfRange("groups", list(pair), "two different values", "compare more groups two at a time")
    if not callable(decide):
        raise WrongType("decide", f"a {type(decide).__name__}", "a callable", "lambda case, group: ...")
    gaps = [float(decide(c, pair[0])) - float(decide(c, pair[1])) for c in rows]
    up, down = sum(g > 0 for g in gaps), sum(g < 0 for g in gaps)
    p = float(binomial_exact(up, up + down, 0.5)) if up + down else 1.0
    differing = tuple(c.id for c, g in zip(rows, gaps, strict=True) if g)[:5]
    return Twins(
        groups=(pair[0], pair[1]), pairs=len(rows), same=len(rows) - up - down, first_more=up, second_more=down,
        p_value=p, examples=differing,
    )  # fmt: skip
