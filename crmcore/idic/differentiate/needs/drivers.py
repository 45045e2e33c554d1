"""What sets each class apart from all other customers, tested with the share of false alarms held."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange
from crmcore.idic.differentiate.needs.classes import CLEAR, Answers, ClassMembers, Measures
from crmcore.metrics.multiplicity import adjust
from crmcore.metrics.scalars import share_of

__all__ = ["ClassDriver", "ClassDrivers", "class_drivers"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class ClassDriver:
    """One column in one class, against all other customers.

    Attributes
    ----------
    label : class
    column, answer : what was compared; `answer` is "" for a measure
    inside, outside : mean, or share of those who answered, in the class and in all others
    effect : difference over the standard deviation of all
    p_value, adjusted : before and after the correction for all comparisons; NaN where nothing can be compared
    n_inside, n_outside : customers with a known value
    """

    label: int
    column: str
    answer: str
    inside: float
    outside: float
    effect: float
    p_value: float
    adjusted: float
    n_inside: int
    n_outside: int

    @property
    def words(self) -> str:
        """The driver in words, as classes are named: "visits: high", "wants: ease"."""
        if self.answer:
            return f"{self.column}: {self.answer}" if self.effect > 0 else f"{self.column}: not {self.answer}"
        return f"{self.column}: {'high' if self.effect > 0 else 'low'}"


@attrs.frozen(kw_only=True, repr=False)
class ClassDrivers:
    """All comparisons, by class and then by falling effect.

    Attributes
    ----------
    drivers : one a class and measure, or a class and answer
    classes : count
    alpha : expected share of false ones among the drivers
    method : of the correction
    """

    drivers: tuple[ClassDriver, ...]
    classes: int
    alpha: float
    method: str

    def of(self, label: int, /) -> tuple[ClassDriver, ...]:
        """Drivers of one class that stand after correction and are not small, the strongest first."""
        return tuple(
            d for d in self.drivers if d.label == label and d.adjusted <= self.alpha and abs(d.effect) >= CLEAR
        )

    @property
    def names(self) -> tuple[str, ...]:
        """A name a class: its three strongest drivers."""
        found = (self.of(k) for k in range(self.classes))
        return tuple(", ".join(d.words for d in mine[:3]) or "like all customers" for mine in found)

    def _rows(self) -> list[dict[str, Any]]:
        return [{**attrs.asdict(d), "driver": d.words} for d in self.drivers]

    def __str__(self) -> str:
        return "\n".join(f"class {k}: {name}" for k, name in enumerate(self.names))

    def __repr__(self) -> str:
        return f"ClassDrivers({len(self.drivers)} comparisons, {self.classes} classes)"

    def _repr_html_(self) -> str:
        rows = [{"class": k, "drivers": name} for k, name in enumerate(self.names)]
        return html_table(rows, caption=f"{len(self.drivers)} comparisons, {self.method} at {self.alpha:g}")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a comparison."""
        rows = self._rows()
        return write_frame({name: [row[name] for row in rows] for name in rows[0]}, backend=backend)


def class_drivers(
    members: ClassMembers, *, answers: Answers | None = None, measures: Measures | None = None, alpha: float = 0.05,
    method: str = "benjamini-hochberg",
) -> ClassDrivers:  # fmt: skip
    """Test which columns set each class apart.

    Parameters
    ----------
    members : classes of the customers
    answers, measures : the columns to compare, one entry a customer, None or NaN where not known
    alpha : share of false alarms among the drivers to bear
    method : of `crmcore.metrics.adjust`, over all comparisons at once

    Raises
    ------
    OutOfRange
        A column of another length.
    BadRows
        Infinite measures.

    Notes
    -----
    Measures by Welch's t-test, answers by Fisher's exact test, on the most probable class. Columns that formed the
    classes differ between them by construction: of those the tests say how far apart the classes lie, not that there
    are classes. A p-value that shall stand as evidence needs columns that were not fitted.

    Examples
    --------
    >>> from crmcore.idic.differentiate.needs import LatentClasses
    >>> visits = {"visits": [1.0, 2.0, 3.0] * 20 + [51.0, 52.0, 53.0] * 20}
    >>> members = LatentClasses(classes=2).fit(measures=visits, seed=1).members(measures=visits)
    >>> print(class_drivers(members, answers={"region": ["north", "south"] * 60}, measures=visits))
    class 0: visits: low
    class 1: visits: high
    """
    share_of("alpha", alpha, hint="write 5 % as alpha=0.05")
    texts, numbers = answers or {}, {k: np.asarray(v, float) for k, v in (measures or {}).items()}
    _check(texts, numbers, len(members))
    classes = members.probability.shape[1]
    columns = [(name, "", v) for name, v in numbers.items()]
    for name, column in texts.items():
        known = np.array([a is not None for a in column])
        columns += [
            (name, level, np.where(known, [float(a == level) for a in column], np.nan))
            for level in sorted({a for a in column if a is not None})
        ]
    found = [_compare(members.label == k, k, *column) for k in range(classes) for column in columns]
    corrected = adjust([d.p_value for d in found], method=method)
    found = [attrs.evolve(d, adjusted=float(p)) for d, p in zip(found, corrected, strict=True)]
    found.sort(key=lambda d: (d.label, -abs(d.effect) if d.effect == d.effect else 1.0, d.column, d.answer))
    return ClassDrivers(drivers=tuple(found), classes=classes, alpha=alpha, method=method)


def _compare(inside: NDArray[np.bool_], label: int, column: str, answer: str, values: Floats) -> ClassDriver:
    known = ~np.isnan(values)
    one, other = values[known & inside], values[known & ~inside]
    means = [float(v.mean()) if len(v) else float("nan") for v in (one, other)]
    spread = float(values[known].std()) if known.any() else 0.0
    effect = (means[0] - means[1]) / spread if spread > 0 else (0.0 if len(one) and len(other) else float("nan"))
    p = _exact(one, other) if answer else _welch(one, other)
    return ClassDriver(label=label, column=column, answer=answer, inside=means[0], outside=means[1], effect=effect,
                       p_value=p, adjusted=p, n_inside=len(one), n_outside=len(other))  # fmt: skip


def _exact(one: Floats, other: Floats) -> float:
    from scipy.stats import fisher_exact

    if not len(one) or not len(other):
        return float("nan")
    table = [[int(v.sum()), len(v) - int(v.sum())] for v in (one, other)]
    return float(fisher_exact(np.array(table)).pvalue)


def _welch(one: Floats, other: Floats) -> float:
    from scipy.special import stdtr

    if min(len(one), len(other)) < 2:
        return float("nan")
    parts = [float(v.var(ddof=1)) / len(v) for v in (one, other)]
    gap = float(one.mean() - other.mean())
    if sum(parts) == 0:
        return 1.0 if gap == 0 else 0.0
    df = sum(parts) ** 2 / sum(v**2 / (len(x) - 1) for v, x in zip(parts, (one, other), strict=True))
    return float(2 * stdtr(df, -abs(gap) / np.sqrt(sum(parts))))


def _check(texts: Answers, numbers: dict[str, Floats], n: int) -> None:
    if not texts and not numbers:
        raise EmptyInput("columns", "pass answers, measures or both, one entry a customer")
    for name, column in (*texts.items(), *numbers.items()):
        if len(column) != n:
            raise OutOfRange(name, f"{len(column)} entries", f"{n}, as members", "row i of both is the same customer")
    rows = {k: tuple(np.flatnonzero(np.isinf(v)).tolist()) for k, v in numbers.items()}
    problems = tuple(BadRow(k, "infinite", bad) for k, bad in rows.items() if bad)
    if problems:
        raise BadRows("the measures", problems, "use NaN where a number is not known")
