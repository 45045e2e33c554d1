"""Progressive profiling: which question tells most about what we want to know, asked never twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.estimates import Estimate, check_level, estimate_of
from crmcore.metrics.intervals import normal_quantile

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["NextQuestion", "QuestionValue", "information_gain", "next_question"]

Codes = NDArray[np.intp]


def _codes(cells: Sequence[object]) -> Codes:
    """Codes by first appearance; -1 where nothing is known."""
    seen: dict[object, int] = {}
    missing = (c is None or (isinstance(c, float) and math.isnan(c)) for c in cells)
    return np.fromiter(
        (-1 if gone else seen.setdefault(c, len(seen)) for c, gone in zip(cells, missing, strict=True)),
        np.intp,
        len(cells),
    )


def information_gain(
    answers: Sequence[object], target: Sequence[object], /, *, level: float = 0.95, rule: str = "bits"
) -> Estimate:
    """Mutual information of two columns of words, in bits, less the bias of small samples.

    Exact from the counts: sum of p(a, t) log2(p(a, t) / p(a) p(t)). Chance alone gives (r - 1)(c - 1) / (2 n ln 2) bits
    on average (Miller 1955), which is taken off; what falls below 0 is 0. The interval is the delta method's, cut at 0.

    Parameters
    ----------
    answers, target : (n,) cells
        Rows where one is None or NaN are left out.
    level : share
    rule : text
        Of the estimate.

    Examples
    --------
    >>> information_gain(["a", "b"] * 200, ["x", "y"] * 200).value.__round__(3)
    0.998
    """
    if len(answers) != len(target):
        raise OutOfRange(
            "answers", len(answers), f"as many as the target, {len(target)}", "one cell a customer in both"
        )
    check_level(level)
    return _gain(_codes(answers), _codes(target), level=level, rule=rule)


def _gain(a: Codes, t: Codes, *, level: float, rule: str) -> Estimate:
    both = (a >= 0) & (t >= 0)
    n = int(both.sum())
    method = "Miller-Madow, delta"
    if not n:
        nan = math.nan
        return estimate_of(nan, nan, nan, level=level, n=0, rule=rule, method=method)
    width = int(t.max()) + 1
    counts = np.bincount(a[both] * width + t[both], minlength=(int(a.max()) + 1) * width).reshape(-1, width) / n
    rows, columns = counts.sum(1), counts.sum(0)
    held = counts > 0
    logs = np.log2(counts[held] / np.outer(rows, columns)[held])
    raw = float((counts[held] * logs).sum())
    error = math.sqrt(max(float((counts[held] * logs**2).sum()) - raw**2, 0.0) / n)
    bias = (int((rows > 0).sum()) - 1) * (int((columns > 0).sum()) - 1) / (2 * n * math.log(2))
    value, z = max(raw - bias, 0.0), normal_quantile(level)
    low, high = max(raw - bias - z * error, 0.0), max(raw - bias + z * error, 0.0)
    return estimate_of(value, low, high, level=level, n=n, rule=rule, method=method)


@attrs.frozen(kw_only=True)
class QuestionValue(Document):
    """What one question is worth: bits about the target, its cost in bits, and what is left."""

    field: str
    gain: Estimate
    cost_bits: float = 0.0

    @property
    def net_bits(self) -> float:
        """Gain less cost; minus infinity where no row tells."""
        return self.gain.value - self.cost_bits if self.gain.n else -math.inf


@attrs.frozen(kw_only=True, repr=False)
class NextQuestion(Document):
    """The question to ask next, and all that were weighed, best first.

    Parameters
    ----------
    field : text, optional
        What to ask; None where everything is known or asked, or nothing is worth its cost.
    target : text
    ranked : tuple of QuestionValue
    never_again : texts
        Known or asked before.
    given : texts
        Known fields whose values the customers compared share with this one.
    n : count
        Those customers.
    why : text
    """

    field: str | None
    target: str
    ranked: tuple[QuestionValue, ...]
    never_again: tuple[str, ...]
    given: tuple[str, ...]
    n: int
    why: str

    def __repr__(self) -> str:
        return f"NextQuestion({self.field!r} about {self.target!r}, {len(self.ranked)} weighed, n = {self.n})"

    def __str__(self) -> str:
        lines = [f"ask {self.field}: {self.why}" if self.field else f"ask nothing: {self.why}"]
        for q in self.ranked:
            cost = f", cost {number_text(q.cost_bits)}" if q.cost_bits else ""
            lines.append(f"  {q.field}: {q.gain}{cost}")
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"field": q.field, "gain_bits": q.gain.value, "low": q.gain.low, "high": q.gain.high, "n": q.gain.n,
             "cost_bits": q.cost_bits}
            for q in self.ranked
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a question, best first: field, gain_bits, low, high, n, cost_bits."""
        rows = self._rows()
        names = ("field", "gain_bits", "low", "high", "n", "cost_bits")
        return write_frame({n: [row[n] for row in rows] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self), limit=15)

    def chart(self) -> Chart:
        """What each question would tell, in bits, with its interval."""
        from crmcore.charts import dot_interval

        told = [q for q in self.ranked if q.gain.n]
        title = f"Bits about {self.target}"
        return dot_interval([q.field for q in told], [q.gain for q in told], title=title, description=str(self))


def next_question(
    known: Mapping[str, object],
    columns: Mapping[str, Sequence[object]],
    *,
    target: str,
    asked: Iterable[str] = (),
    cost_bits: Mapping[str, float] | None = None,
    least_rows: int = 30,
    level: float = 0.95,
) -> NextQuestion:
    """Choose the field that tells most about a target, given what this customer has told already.

    Parameters
    ----------
    known : mapping of field to value
        What is known; None is not known.
    columns : mapping of field to (n,) cells
        Words of other customers, the target among them (such as their segment); None where they did not tell. Put
        numbers into bands first.
    target : text
        Column to learn about; it is never asked for.
    asked : texts
        Asked before, answered or not: never asked twice.
    cost_bits : mapping of field to bits, optional
        What asking costs: length, sensitivity. A question is asked when it tells more than it costs.
    least_rows : count
        The gain is taken among customers that share the known values, passing over known fields (by
        name) that would leave fewer than so many.
    level : share

    Raises
    ------
    UnknownName, OutOfRange, EmptyInput
        A field without a column, columns of different lengths, no rows.

    Examples
    --------
    >>> columns = {"segment": ["a", "a", "b", "b"] * 20, "pet": ["cat", "cat", "dog", "dog"] * 20}
    >>> print(next_question({}, columns, target="segment").field)
    pet
    """
    names = tuple(columns)
    for name in (target, *(cost_bits or {})):
        if name not in columns:
            raise UnknownName("column", name, names)
    n = len(columns[target])
    if not n:
        raise EmptyInput("columns", "pass what other customers told: one row a customer")
    odd = [name for name in names if len(columns[name]) != n]
    if odd:
        raise OutOfRange(
            f"length of {odd}", [len(columns[c]) for c in odd], f"{n}, as the target", "one row a customer"
        )
    costs = dict(cost_bits or {})
    told = {k: v for k, v in known.items() if v is not None and k in columns and k != target}
    rows, given = _alike(told, columns, n, least_rows)
    done = {target, *(k for k, v in known.items() if v is not None), *asked}
    aim = _codes(columns[target])[rows]
    weighed = [
        QuestionValue(
            field=name,
            gain=_gain(_codes(columns[name])[rows], aim, level=level, rule=f"bits of {name} about {target}"),
            cost_bits=float(costs.get(name, 0.0)),
        )
        for name in names
        if name not in done
    ]
    ranked = tuple(sorted(weighed, key=lambda q: (-q.net_bits, q.field)))
    best = ranked[0] if ranked and ranked[0].net_bits > 0 else None
    if best is not None:
        shared = f" among {int(rows.sum())} customers alike in {', '.join(given)}" if given else ""
        why = f"it tells {number_text(best.gain.value)} bits about {target}{shared}"
    else:
        why = "no question tells more than it costs" if ranked else "everything is known or was asked"
    return NextQuestion(
        field=best.field if best else None,
        target=target,
        ranked=ranked,
        never_again=tuple(sorted(done - {target})),
        given=given,
        n=int(rows.sum()),
        why=why,
    )


def _alike(
    told: Mapping[str, object], columns: Mapping[str, Sequence[object]], n: int, least: int
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Rows that share the known values, and by which fields: fields that leave too few rows are passed over."""
    rows, given = np.ones(n, np.bool_), []
    for name in sorted(told):
        same = rows & np.fromiter((cell == told[name] for cell in columns[name]), np.bool_, n)
        if same.sum() >= least:
            rows = same
            given.append(name)
    return rows, tuple(given)
