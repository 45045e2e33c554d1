"""How urgent a case is: severity, reach, value, distress and repeated failure, each with its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, OutOfRange
from crmcore.metrics.scalars import above, count_of, nan_alike, real
from crmcore.recovery.employees.work import severity_of
from crmcore.values import Severity

__all__ = ["Priority", "Triage", "TriageTable"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class Priority(Document):
    """How urgent one case is, and why.

    Parameters
    ----------
    priority : Severity
        In which band the score lies; 1 (critical) first.
    severity : Severity
        After earlier failures were counted.
    score : number
        Product of `factors`.
    factors : factor by name
        Severity, reach, value, distress.
    reasons : tuple of text
        One for each, and one for each that is not known.
    """

    priority: Severity = attrs.field(converter=Severity)
    severity: Severity = attrs.field(converter=Severity)
    score: float = attrs.field(eq=nan_alike)
    factors: dict[str, float] = attrs.field(hash=False)
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.priority.name.lower()} ({self.score:.3g}): {'; '.join(self.reasons)}"

    def _repr_html_(self) -> str:
        rows = [{"factor": name, "times": value} for name, value in self.factors.items()]
        return html_table(rows, caption=str(self))


@attrs.frozen(eq=False, repr=False)
class TriageTable:
    """Urgency of many cases; row i of every column is the same case."""

    severity: NDArray[np.int64]
    score: Floats
    priority: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.score)

    def __repr__(self) -> str:
        counts = {s.name.lower(): int((self.priority == s).sum()) for s in Severity}
        return f"TriageTable({len(self)} cases: {', '.join(f'{n} {name}' for name, n in counts.items())})"

    def order(self) -> NDArray[np.intp]:
        """Rows, the most urgent first: by priority, then score, then row."""
        return np.lexsort((np.arange(len(self)), -self.score, self.priority))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a case: severity, score, priority (as words)."""
        words = {int(s): s.name.lower() for s in Severity}
        columns: dict[str, Any] = {
            "severity": [words[s] for s in self.severity.tolist()],
            "score": self.score,
            "priority": [words[p] for p in self.priority.tolist()],
        }
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"priority": s.name.lower(), "cases": int((self.priority == s).sum())} for s in Severity]
        return html_table(rows, caption=repr(self))


def _bands(value: Sequence[float]) -> tuple[float, ...]:
    found = tuple(real("bands", v) for v in value)
    if len(found) != 3 or not found[0] >= found[1] >= found[2] > 0:
        raise OutOfRange("bands", found, "three falling scores above 0", "least score of critical, high and normal")
    return found


def _weight(default: float) -> Any:
    def check(_instance: object, attribute: attrs.Attribute[float], value: float) -> None:
        above(attribute.name, value, least=0, allowed="a weight from 0", hint="0 leaves the factor out")

    return attrs.field(default=default, validator=check)


@attrs.frozen(kw_only=True)
class Triage(Document):
    """Weights of urgency: score = 2^(4 - severity) * (1 + r log10(1 + reach)) * (1 + v value) * (1 + d distress).

    Every factor is at least 1 and rises with its input, so no input ever makes a case less urgent. What is not known
    counts as 0 and is named among the reasons. Earlier failures of the customer raise the severity by one step each,
    at most `repeat_steps`. What is critical after that has priority 1 whatever the other factors say.

    Parameters
    ----------
    reach_weight, value_weight, distress_weight : number from 0
        r, v and d: with 0.25, 10,000 people who could read it double the score.
    repeat_steps : count
        How far earlier failures can raise the severity.
    repeat_days : count
        How long a failure is remembered.
    bands : three falling scores
        Least score of the priorities critical, high and normal.

    Examples
    --------
    >>> print(Triage().priority("normal", reach=10_000, value=0.9, distress=0.8, earlier=0))
    critical (8.12): severity normal: 2; 10000 could read it: x 2; value 0.9: x 1.45; distress 0.8: x 1.4
    """

    reach_weight: float = _weight(0.25)
    value_weight: float = _weight(0.5)
    distress_weight: float = _weight(0.5)
    repeat_steps: int = 1
    repeat_days: int = 365
    bands: tuple[float, ...] = attrs.field(default=(8.0, 4.0, 2.0), converter=_bands)

    def __attrs_post_init__(self) -> None:
        count_of("repeat_steps", self.repeat_steps, hint="1: a second failure counts one step more")
        count_of("repeat_days", self.repeat_days, hint="365: twelve months")

    def priority(
        self,
        severity: Severity | str | int,
        *,
        reach: float | None = None,
        value: float | None = None,
        distress: float | None = None,
        earlier: int = 0,
    ) -> Priority:
        """Urgency of one case.

        Parameters
        ----------
        severity : Severity, its word or number
        reach : people, optional
            0 for what was said in private.
        value, distress : share, optional
        earlier : count
            Failures of the same customer within `repeat_days`, this one left out.

        Raises
        ------
        UnknownName, OutOfRange
            No such severity; numbers outside their range.
        """
        given = severity_of(severity)
        count_of("earlier", earlier, hint="earlier failures of this customer")
        for name, number, most in (("reach", reach, math.inf), ("value", value, 1), ("distress", distress, 1)):
            if number is not None and not 0 <= real(name, number) <= most:
                raise OutOfRange(name, number, "0 to 1" if most == 1 else "people from 0", "None means not known")
        graded = Severity(max(1, given - min(earlier, self.repeat_steps)))
        factors = {"severity": float(2 ** (4 - graded)), "reach": float(self._reach(reach or 0.0)),
                   "value": 1 + self.value_weight * (value or 0),
                   "distress": 1 + self.distress_weight * (distress or 0)}  # fmt: skip
        score = factors["severity"] * factors["reach"] * factors["value"] * factors["distress"]
        reached = next((p for p, least in zip(Severity, self.bands, strict=False) if score >= least), Severity.LOW)
        reasons = [f"severity {graded.name.lower()}: {factors['severity']:g}"]
        if earlier:
            step = "one more" if graded != given else "already the worst or not counted"
            reasons.append(f"{earlier} earlier in {self.repeat_days} days: severity {given.name.lower()} + {step}")
        shown = ("{:g} could read it", "value {:g}", "distress {:g}")
        for name, number, told in zip(("reach", "value", "distress"), (reach, value, distress), shown, strict=True):
            if number is None:
                reasons.append(f"{name} is not known: counted as 0")
            elif number:
                reasons.append(f"{told.format(number)}: x {factors[name]:.3g}")
        return Priority(
            priority=Severity.CRITICAL if graded == 1 else reached, severity=graded, score=score, factors=factors,
            reasons=tuple(reasons),
        )  # fmt: skip

    def table(
        self,
        severity: ArrayLike,
        *,
        reach: ArrayLike | None = None,
        value: ArrayLike | None = None,
        distress: ArrayLike | None = None,
        earlier: ArrayLike | None = None,
    ) -> TriageTable:
        """Urgency of many cases at once; NaN or None is not known.

        Parameters
        ----------
        severity : (n,) 1 to 4
        reach, value, distress, earlier : (n,) numbers, optional
            As for `priority`.

        Raises
        ------
        BadRows
            All rows outside their range, by column.

        Examples
        --------
        >>> Triage().table([3, 3, 1], earlier=[0, 1, 0]).priority.tolist()
        [3, 2, 1]
        """
        given = np.asarray(severity, np.float64).reshape(-1)
        columns = {
            name: _column(cells, len(given), name)
            for name, cells in (("reach", reach), ("value", value), ("distress", distress), ("earlier", earlier))
        }
        _check(given, columns)
        seen = {name: np.nan_to_num(cells) for name, cells in columns.items()}
        steps = np.minimum(seen["earlier"], self.repeat_steps)
        graded = np.maximum(1, given - steps).astype(np.int64)
        score = np.exp2(4 - graded) * self._reach(seen["reach"])
        score = score * (1 + self.value_weight * seen["value"]) * (1 + self.distress_weight * seen["distress"])
        bands = np.select([(graded == 1) | (score >= self.bands[0]), score >= self.bands[1], score >= self.bands[2]],
                          [1, 2, 3], 4)  # fmt: skip
        return TriageTable(graded, score, bands.astype(np.int64))

    def _reach(self, reach: Any) -> Any:
        return 1 + self.reach_weight * np.log10(1 + reach)


def _column(cells: ArrayLike | None, n: int, name: str) -> Floats:
    found = np.full(n, np.nan) if cells is None else np.asarray(cells, np.float64).reshape(-1)
    if len(found) != n:
        raise OutOfRange(name, f"{len(found)} numbers", f"{n}, one for each severity", "pass columns of one length")
    return found


def _check(severity: Floats, columns: dict[str, Floats]) -> None:
    wrong = [("severity", "not 1, 2, 3 or 4", ~np.isin(severity, [1, 2, 3, 4]))]
    for name, cells in columns.items():
        most = 1 if name in ("value", "distress") else np.finfo(np.float64).max
        odd = (cells < 0) | (cells > most)
        if name == "earlier":
            odd |= (cells != np.floor(cells)) & ~np.isnan(cells)
        told = "outside 0 to 1" if most == 1 else "below 0, infinite, or no count" if name == "earlier" else "below 0"
        wrong.append((name, told, odd))
    problems = tuple(
        BadRow(name, reason, tuple(np.flatnonzero(odd).tolist())) for name, reason, odd in wrong if odd.any()
    )
    if problems:
        raise BadRows("the cases", problems, "leave unknown cells empty (NaN)")
