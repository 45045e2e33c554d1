"""Two groups compared, and many at once: one `compare` for whatever counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from inspect import signature
from itertools import accumulate
from operator import add
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast, runtime_checkable

import attrs

from crmcore._base import html_table, number_text
from crmcore.errors import EmptyInput, UnknownName, WrongType
from crmcore.metrics.estimates import SMALL_N, Estimate, check_level, estimate_of, frame_of, warn_if_small
from crmcore.metrics.scalars import entries, named, nan_alike

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Comparable", "Comparison", "ComparisonTable", "compare", "compare_many", "mover", "p_text"]


@runtime_checkable
class Comparable(Protocol):
    """Addable counts of one group that know how to be compared with another group of their kind.

    `minus` returns the difference, self minus other, with an interval at `level`, a p-value and the name of its test;
    the groups are independent. Empty groups are legal: NaN, and an interval that says nothing.
    """

    def __add__(self, other: Self, /) -> Self: ...
    def minus(self, other: Self, /, *, level: float = 0.95) -> Comparison:
        """Difference, self minus other."""
        ...


C = TypeVar("C", bound=Comparable)


def p_text(p_value: float, /) -> str:
    """A p-value for eyes: three digits, and no zero that is none.

    Examples
    --------
    >>> p_text(0.0312), p_text(1e-12), p_text(float("nan"))
    ('p = 0.0312', 'p < 0.0001', 'p = nan')
    """
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.3g}"


@attrs.frozen(kw_only=True)
class Comparison:
    """Two estimates and their difference, first minus second.

    `p_value` is two-sided, of the test that `test` names; NaN where it cannot be computed (an empty group, no spread).
    It ignores that several pairs may have been compared: `compare_many` does not. `statistic` is the z or t that the
    p-value comes from, with the sign of the difference; None where the test has none (it is exact) or cannot be made.
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    p_value: float = attrs.field(eq=nan_alike)
    test: str = ""
    statistic: float | None = None

    def __str__(self) -> str:
        how = f" ({self.test})" if self.test else ""
        return f"difference {self.difference}, {p_text(self.p_value)}{how}"

    @property
    def conclusive(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return self.difference.excludes(0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        p = None if math.isnan(self.p_value) else self.p_value
        return {
            **{name: part.to_dict() for name, part in self._parts().items()},
            "p_value": p,
            "test": self.test,
            "statistic": self.statistic,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Comparison:
        """Read what `to_dict` wrote."""
        parts: dict[str, Any] = {name: Estimate.from_dict(fields[name]) for name in ("first", "second", "difference")}
        p = fields["p_value"]
        known = {"test": fields.get("test", ""), "statistic": fields.get("statistic")}
        return cls(**parts, p_value=math.nan if p is None else p, **known)

    def _parts(self) -> dict[str, Estimate]:
        return {"first": self.first, "second": self.second, "difference": self.difference}

    def to_frame(self, *, backend: Any = None) -> Any:
        """Three rows: first, second, difference."""
        return frame_of([{"part": name, **attrs.asdict(part)} for name, part in self._parts().items()], backend=backend)

    def chart(self) -> Chart:
        """The two estimates with their intervals."""
        from crmcore.charts import dot_interval

        return dot_interval(["first", "second"], [self.first, self.second], title="Two groups", description=str(self))

    def _repr_html_(self) -> str:
        return f"<figure><b>{escape(str(self))}</b></figure>"


def mover(first: Estimate, second: Estimate, /, *, method: str) -> Estimate:
    """Difference of two independent estimates from their own intervals, which need not be symmetric.

    Parameters
    ----------
    first, second : Estimate
        At one level.
    method : text
        Name of the result: `"newcombe"` where both are Wilson's.

    Returns
    -------
    Estimate
        d − √((x₁−l₁)² + (u₂−x₂)²) to d + √((u₁−x₁)² + (x₂−l₂)²), the method of variance estimates recovery: Zou &
        Donner (2008), Statistics in Medicine 27:1693. NaN where an end or a value is.

    Examples
    --------
    >>> from crmcore.metrics import proportion
    >>> print(mover(proportion(56, 70), proportion(48, 80), method="newcombe"))
    0.2 [0.0524, 0.334] (95 %, n = 150, newcombe)
    """
    gap = first.value - second.value
    low = gap - math.hypot(first.value - first.low, second.high - second.value)
    high = gap + math.hypot(first.high - first.value, second.value - second.low)
    n = first.n + second.n
    return estimate_of(gap, low, high, level=first.level, n=n, rule="first - second", method=method)


def compare(a: C, b: C, *, level: float = 0.95, test: str | None = None, small_sample_ok: bool = False) -> Comparison:
    """Difference of two independent groups, a minus b, with interval and test.

    Parameters
    ----------
    a, b : counts of one kind
        `Counts` (proportions), `Moments` (means), `Exposure` (rates), or anything else that is `Comparable`;
        a customer counts in one of them.
    level : share
        Coverage aimed at.
    test : text, optional
        A test of the kind by name, such as `"fisher exact"` for small `Counts`; None is the default of the kind.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when either n is below 30.

    Returns
    -------
    Comparison
        How it was made (interval and test) stands in it; the `minus` of each kind names its source.

    Raises
    ------
    WrongType
        The two are of different kinds, or one cannot be compared.
    UnknownName
        The kind has no such test.

    Examples
    --------
    >>> from crmcore.metrics import Counts
    >>> print(compare(Counts(56, 70), Counts(48, 80)))
    difference 0.2 [0.0524, 0.334] (95 %, n = 150, newcombe), p = 0.00805 (pooled z)
    """
    check_level(level)
    check_alike({"a": a, "b": b})
    made = _minus(a, b, level=level, test=test)
    warn_if_small(min(made.first.n, made.second.n), "the smaller group", ok=small_sample_ok)
    return made


class _Tested(Protocol):
    """A kind that has several tests."""

    def minus(self, other: object, /, *, level: float, test: str) -> Comparison: ...


def _minus(a: C, b: C, *, level: float, test: str | None) -> Comparison:
    if test is None:
        return a.minus(b, level=level)
    if "test" not in signature(type(a).minus).parameters:
        raise UnknownName(f"test of {type(a).__name__}", test, ())
    return cast(_Tested, a).minus(b, level=level, test=test)


def check_alike(groups: Mapping[str, object]) -> None:
    """Refuse what cannot be compared, and two kinds in one comparison."""
    kinds: list[type] = []
    for name, group in groups.items():
        if not isinstance(group, Comparable):
            hint = "count first: Counts(k, n) for shares, Moments.of(values) for means, NpsCounts.of(scores)"
            if hasattr(group, "minus"):
                hint = "take the difference of two results, first.minus(second), or compare their counts"
            raise WrongType(name, type(group).__name__, "counts that can be compared", hint)
        kinds.append(type(group))
        if kinds[-1] is not kinds[0]:
            first = next(iter(groups))
            hint = f"{first} is {kinds[0].__name__}: compare shares with shares and means with means"
            raise WrongType(name, kinds[-1].__name__, f"the kind of {first}, {kinds[0].__name__}", hint)


@attrs.frozen(repr=False, kw_only=True)
class ComparisonTable:
    """Every group against one baseline or against the rest, with p-values adjusted for how many were looked at.

    `p_adjusted` stands beside the raw `p_value` of each comparison. With a family-wise adjustment all intervals of the
    differences hold together with probability `level` (Bonferroni); with a false discovery rate each holds alone.
    """

    labels: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    p_adjusted: tuple[float, ...] = attrs.field(eq=lambda p: tuple(map(nan_alike, p)))
    against: str
    adjustment: str
    level: float

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, label: str) -> Comparison:
        if label not in self.labels:
            raise UnknownName("group", label, self.labels)
        return self.comparisons[self.labels.index(label)]

    def __repr__(self) -> str:
        return f"ComparisonTable({len(self)} groups against {self.against}, {self.adjustment})"

    def __str__(self) -> str:
        wide = max(map(len, self.labels))
        lines = [f"against {self.against}, {self._how()}"]
        for label, c, p in zip(self.labels, self.comparisons, self.p_adjusted, strict=True):
            d = c.difference
            few = "  few observations" if _few(c) else ""
            span = f"{number_text(d.value)} [{number_text(d.low)}, {number_text(d.high)}]"
            lines.append(f"{label:{wide}}  {number_text(c.first.value)}  difference {span}  {p_text(p)}{few}")
        return "\n".join(lines)

    def _how(self) -> str:
        together = "together" if self.level != self.comparisons[0].difference.level else "each"
        return f"p-values adjusted by {self.adjustment}, intervals {100 * self.level:g} % {together}"

    def found(self, *, threshold: float | None = None) -> tuple[str, ...]:
        """Groups whose adjusted p-value is at most the threshold (1 − level where none is given), in table order."""
        at_most = 1 - self.level if threshold is None else threshold
        return tuple(label for label, p in zip(self.labels, self.p_adjusted, strict=True) if p <= at_most)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "group": label,
                "n": c.first.n,
                "value": c.first.value,
                "other": c.second.value,
                "difference": c.difference.value,
                "low": c.difference.low,
                "high": c.difference.high,
                "p_value": c.p_value,
                "p_adjusted": p,
                "small": _few(c),
            }
            for label, c, p in zip(self.labels, self.comparisons, self.p_adjusted, strict=True)
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a group: group, n, value, other, difference, low, high, p_value, p_adjusted, small."""
        return frame_of(self._rows(), backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "labels": list(self.labels),
            "comparisons": [c.to_dict() for c in self.comparisons],
            "p_adjusted": [None if math.isnan(p) else p for p in self.p_adjusted],
            "against": self.against,
            "adjustment": self.adjustment,
            "level": self.level,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ComparisonTable:
        """Read what `to_dict` wrote."""
        return cls(
            labels=tuple(fields["labels"]),
            comparisons=tuple(Comparison.from_dict(c) for c in fields["comparisons"]),
            p_adjusted=tuple(math.nan if p is None else p for p in fields["p_adjusted"]),
            against=fields["against"],
            adjustment=fields["adjustment"],
            level=fields["level"],
        )

    def chart(self, *, title: str = "") -> Chart:
        """Differences with their intervals and a line at zero; groups without a value are left out."""
        from crmcore.charts import dot_interval

        drawn = [(x, c.difference) for x, c in zip(self.labels, self.comparisons, strict=True) if _finite(c.difference)]
        if not drawn:
            raise EmptyInput("the comparison table without a finite difference", "add groups that have observations")
        labels, estimates = zip(*drawn, strict=True)
        heading = title or f"Difference from {self.against}"
        return dot_interval(labels, estimates, title=heading, description=self._how(), reference=0.0)

    def _repr_html_(self) -> str:
        rows = [
            {k: v if isinstance(v, str | int) else number_text(v) for k, v in row.items() if k != "small"}
            | {"": "few observations" if row["small"] else ""}
            for row in self._rows()
        ]
        return html_table(rows, caption=f"against {self.against}, {self._how()}")


def _few(c: Comparison) -> bool:
    return min(c.first.n, c.second.n) < SMALL_N


def _finite(e: Estimate) -> bool:
    return all(map(math.isfinite, (e.value, e.low, e.high)))


def compare_many(
    groups: Mapping[str, C],
    *,
    baseline: str | None = None,
    adjust: str = "holm",
    level: float = 0.95,
    test: str | None = None,
) -> ComparisonTable:
    """Compare each group with a baseline, or with all other groups together, without being fooled by their number.

    Parameters
    ----------
    groups : mapping
        Name to counts of one kind, at least two; the groups are independent (a customer counts in one of them).
    baseline : name, optional
        Group that the others are compared with. None compares each group with the sum of all others.
    adjust : text
        `"holm"` (default), `"hochberg"`, `"bonferroni"`, `"benjamini-hochberg"`, `"benjamini-yekutieli"`;
        see `multiplicity.adjust`.
    level : share
        Coverage aimed at: of all intervals together with a family-wise adjustment (each is Bonferroni's, a little wider
        than Holm's p-values need), else of each alone.
    test : text, optional
        As for `compare`.

    Returns
    -------
    ComparisonTable
        In the order of `groups`; groups with fewer than 30 observations are flagged instead of warned about.

    Raises
    ------
    EmptyInput
        Fewer than two groups.
    WrongType
        Groups of different kinds.
    UnknownName
        No such baseline, adjustment or test.

    Examples
    --------
    >>> from crmcore.metrics import Counts
    >>> shops = {"north": Counts(30, 1000), "south": Counts(60, 1000), "web": Counts(33, 1000)}
    >>> print(compare_many(shops, baseline="north"))
    against north, p-values adjusted by holm, intervals 95 % together
    south  0.06  difference 0.03 [0.00923, 0.0516]  p = 0.00242
    web    0.033  difference 0.003 [-0.015, 0.0211]  p = 0.701
    >>> compare_many(shops, adjust="benjamini-hochberg").found()
    ('north', 'south')
    """
    from crmcore.metrics.multiplicity import ADJUSTMENTS, FAMILY_WISE
    from crmcore.metrics.multiplicity import adjust as adjusted

    check_level(level)
    groups = entries("groups", groups, hint="{'north': Counts(30, 1000), 'south': Counts(60, 1000)}")
    if len(groups) < 2:
        raise EmptyInput("groups with fewer than two entries", "one group alone: use its estimate()")
    adjust = named("adjustment", adjust, ADJUSTMENTS)
    if baseline is not None and baseline not in tuple(groups):
        raise UnknownName("baseline", baseline, tuple(groups))
    check_alike(groups)
    labels = tuple(name for name in groups if name != baseline)
    counts = list(groups.values())
    others = _rest(counts) if baseline is None else [groups[baseline]] * len(labels)
    each = 1 - (1 - level) / len(labels) if adjust in FAMILY_WISE else level
    made = tuple(_minus(groups[x], other, level=each, test=test) for x, other in zip(labels, others, strict=True))
    p = adjusted([c.p_value for c in made], method=adjust)
    against = "the rest" if baseline is None else baseline
    return ComparisonTable(
        labels=labels, comparisons=made, p_adjusted=tuple(p.tolist()), against=against, adjustment=adjust, level=level
    )


def _rest(counts: Sequence[C]) -> list[C]:
    """Sum of all others for each entry, in a linear number of additions."""
    before = list(accumulate(counts, add))
    after = list(accumulate(reversed(counts), add))[::-1]
    inner = [add(before[i - 1], after[i + 1]) for i in range(1, len(counts) - 1)]
    return [after[1], *inner, before[-2]]
