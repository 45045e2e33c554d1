"""Scorecards: named sub-scores from 0 to 1, each with its inputs; definitions are data, weights are configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore import documents
from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.columns import SAME, held
from crmcore.metrics.estimate_tables import EstimateTable
from crmcore.metrics.estimates import check_level, frame_of
from crmcore.metrics.scalars import real
from crmcore.metrics.survey.indices import IndexItem, SurveyIndex, weighted_means

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["RELATIONSHIP_HEALTH", "Scorecard", "ScorecardResult", "ScorecardTable", "SubScore", "relationship_health"]

Floats = NDArray[np.float64]
RELATIONSHIP_HEALTH = ("individual care", "long-term commitment", "mutual benefits", "interaction")
"""Sub-scores of the health of a relationship between a customer and a brand."""


@attrs.frozen
class SubScore:
    """One side of a scorecard: the mean of its inputs, from 0 (worst) to 1 (best).

    Parameters
    ----------
    name : text
    inputs : tuple of IndexItem
        Facts about the customer on their scales; behaviours that may pass their bounds say `beyond="clip"`.
    weight : number
        Above 0, relative to the other sub-scores.
    at_least : share
        Of the inputs, by weight, that must be there; below it the sub-score is missing, never 0.
    """

    name: str
    inputs: tuple[IndexItem, ...]
    weight: float = 1.0
    at_least: float = 0.5

    def __attrs_post_init__(self) -> None:
        if not 0 < real("weight", self.weight) < math.inf:
            raise OutOfRange("weight", self.weight, "a number above 0", "leave a sub-score out instead")
        self.index()  # which refuses what it cannot use

    def index(self) -> SurveyIndex:
        """The same as an index from 0 to 1."""
        return SurveyIndex(name=self.name, items=self.inputs, at_least=self.at_least, to=(0, 1))


@attrs.frozen(kw_only=True)
class Scorecard(Document):
    """Definition of a scorecard: data that saves as JSON, applied to one customer or to columns of all.

    Parameters
    ----------
    name : text
    parts : tuple of SubScore
        At least one, of different names; their weights are yours to choose.
    at_least : share
        Of the sub-scores, by weight, that must be there for an overall score; below it that is missing.

    Examples
    --------
    >>> visits, reply = IndexItem("visits", (0, 10), beyond="clip"), IndexItem("hours to reply", (0, 48), good="low")
    >>> card = Scorecard(name="service", parts=(SubScore("presence", (visits,)), SubScore("speed", (reply,))))
    >>> print(card.score({"visits": 12, "hours to reply": 36}))
    service 0.625, weakest: speed
    presence  1
    speed     0.25
    >>> print(card.score({"visits": 5, "hours to reply": None}))
    service 0.5, weakest: presence
    presence  0.5
    speed     missing
    missing: speed: hours to reply
    """

    name: str
    parts: tuple[SubScore, ...]
    at_least: float = 0.5

    def __attrs_post_init__(self) -> None:
        if not self.parts:
            raise EmptyInput(f"parts of the scorecard {self.name!r}", "name at least one sub-score")
        names = self.names
        again = sorted({n for n in names if names.count(n) > 1})
        if again:
            raise OutOfRange("parts", again, "each name once", "join the inputs of parts that share a name")
        if not 0 < real("at_least", self.at_least) <= 1:
            raise OutOfRange("at_least", self.at_least, "a share above 0", "0.5 asks for half of the sub-scores")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sub-scores, in their order."""
        return tuple(part.name for part in self.parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """Facts that the scorecard reads, each once."""
        return tuple(dict.fromkeys(item.column for part in self.parts for item in part.inputs))

    def score(self, facts: Mapping[str, float | None], /) -> ScorecardResult:
        """Score one customer; a fact that is None or not there is missing.

        Raises
        ------
        BadRows
            A fact off its scale.
        """
        return self.scores({name: [_number(facts.get(name))] for name in self.columns})[0]

    def scores(self, columns: Mapping[str, ArrayLike], /) -> ScorecardTable:
        """Score all customers at once.

        Parameters
        ----------
        columns : mapping of name to (n,) numbers
            None and NaN are missing; others than the inputs may be there.

        Raises
        ------
        MissingColumn, BadRows, OutOfRange
            A column is not there at all; facts off their scale; columns of different lengths.
        """
        inputs = [part.index().matrix(columns) for part in self.parts]
        if len({len(matrix) for matrix in inputs}) > 1:
            sizes = {part.name: len(matrix) for part, matrix in zip(self.parts, inputs, strict=True)}
            raise OutOfRange("columns", sizes, "one length", "row i of every column is one customer")
        sides = [
            weighted_means(matrix, [item.weight for item in part.inputs], at_least=part.at_least)
            for part, matrix in zip(self.parts, inputs, strict=True)
        ]
        scores = np.stack(sides, axis=1)
        overall = weighted_means(scores, [part.weight for part in self.parts], at_least=self.at_least)
        return ScorecardTable(card=self, scores=scores, overall=overall, inputs=np.concatenate(inputs, axis=1))


@attrs.frozen(kw_only=True)
class ScorecardResult:
    """Sub-scores of one customer, from 0 to 1; None is missing.

    `weakest` is the lowest sub-score, the first of equals; `inputs` holds each input, carried to 0 ... 1, by sub-score.
    """

    name: str
    scores: Mapping[str, float | None]
    overall: float | None
    weakest: str | None
    inputs: Mapping[str, Mapping[str, float | None]]

    @property
    def missing(self) -> tuple[str, ...]:
        """Inputs that were not there, as "sub-score: input"."""
        return tuple(f"{part}: {x}" for part, known in self.inputs.items() for x, v in known.items() if v is None)

    def __str__(self) -> str:
        head = f"{self.name} {_text(self.overall)}" + (f", weakest: {self.weakest}" if self.weakest else "")
        wide = max(map(len, self.scores))
        lines = [f"{name:{wide}}  {_text(value)}" for name, value in self.scores.items()]
        return "\n".join([head, *lines, *([f"missing: {', '.join(self.missing)}"] if self.missing else [])])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an input: part, part_score, input, input_score; NaN is missing."""
        rows = [
            {"part": part, "part_score": _number(self.scores[part]), "input": x, "input_score": _number(v)}
            for part, known in self.inputs.items()
            for x, v in known.items()
        ]
        return frame_of(rows, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "scores": dict(self.scores),
            "overall": self.overall,
            "weakest": self.weakest,
            "inputs": {part: dict(known) for part, known in self.inputs.items()},
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ScorecardResult:
        """Read what `to_dict` wrote."""
        return documents.from_dict(cls, fields)

    def chart(self) -> Chart:
        """A radar of the sub-scores, bars where there are fewer than three; a missing one has no point."""
        from crmcore.charts import bar
        from crmcore.metrics.survey.charts import radar

        values = [_number(v) for v in self.scores.values()]
        if len(values) >= 3:
            return radar(list(self.scores), values, title=self.name, description=str(self))
        there = [(name, v) for name, v in zip(self.scores, values, strict=True) if not math.isnan(v)]
        return bar([n for n, _ in there], [v for _, v in there], title=self.name, description=str(self))

    def _repr_html_(self) -> str:
        rows = [{"sub-score": name, "value": _text(value)} for name, value in self.scores.items()]
        weakest = f", weakest: {self.weakest}" if self.weakest else ""
        return html_table(rows, caption=f"{self.name} {_text(self.overall)}{weakest}")


def _text(value: float | None) -> str:
    return "missing" if value is None else number_text(value)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


@attrs.frozen(hash=False, repr=False, kw_only=True)
class ScorecardTable(Document):
    """Sub-scores of n customers: `table[i]` is one of them.

    Parameters
    ----------
    card : Scorecard
    scores : (n, k) shares
        NaN is missing.
    overall : (n,) shares
        NaN where too few sub-scores are there.
    inputs : (n, m) shares
        Every input, carried to 0 ... 1, part by part.
    """

    card: Scorecard
    scores: Floats = attrs.field(converter=held, eq=SAME)
    overall: Floats = attrs.field(converter=held, eq=SAME)
    inputs: Floats = attrs.field(converter=held, eq=SAME)

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        return f"ScorecardTable({self.card.name}, {len(self)} customers, {len(self.card.parts)} sub-scores)"

    def __str__(self) -> str:
        return str(self.means())

    @property
    def weakest(self) -> NDArray[np.int64]:
        """(n,) position of the lowest sub-score, the first of equals; −1 where all are missing."""
        filled = np.where(np.isnan(self.scores), np.inf, self.scores)
        none = np.isnan(self.scores).all(axis=1)
        lowest: NDArray[np.int64] = np.where(none, -1, filled.argmin(axis=1))
        return lowest

    def __getitem__(self, row: int) -> ScorecardResult:
        values, cells = self.scores[row].tolist(), iter(self.inputs[row].tolist())
        inputs = {part.name: {item.column: _known(next(cells)) for item in part.inputs} for part in self.card.parts}
        weakest = int(self.weakest[row])
        return ScorecardResult(
            name=self.card.name,
            scores=MappingProxyType(dict(zip(self.card.names, map(_known, values), strict=True))),
            overall=_known(float(self.overall[row])),
            weakest=self.card.names[weakest] if weakest >= 0 else None,
            inputs=MappingProxyType(inputs),
        )

    def means(self, *, level: float = 0.95) -> EstimateTable:
        """Mean of each sub-score and of the overall score, over those who have it, with Student's interval."""
        from crmcore.metrics.means import Moments

        check_level(level)
        labels = (*self.card.names, "overall")
        columns = [*self.scores.T, self.overall]
        estimates = tuple(
            Moments.of(column).estimate(level=level, rule=f"mean of {label}, 0-1", small_sample_ok=True)
            for label, column in zip(labels, columns, strict=True)
        )
        about = f"{self.card.name}, means of {len(self)} customers"
        return EstimateTable(labels=labels, estimates=estimates, what="sub-score", about=about)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: each sub-score, overall, weakest; NaN and None are missing."""
        if not len(self):
            raise EmptyInput("the scorecard table", "score at least one customer")
        names = (*self.card.names, None)
        rows = [
            {**dict(zip(self.card.names, row, strict=True)), "overall": total, "weakest": names[low]}
            for row, total, low in zip(self.scores.tolist(), self.overall.tolist(), self.weakest.tolist(), strict=True)
        ]
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """A radar of the mean sub-scores, bars where there are fewer than three."""
        from crmcore.charts import bar
        from crmcore.metrics.survey.charts import radar

        means = self.means()
        values = [e.value for e in means.estimates[:-1]]
        title = f"{self.card.name}, mean of {len(self)} customers"
        if len(values) >= 3:
            return radar(self.card.names, values, title=title)
        there = [(n, v) for n, v in zip(self.card.names, values, strict=True) if not math.isnan(v)]
        return bar([n for n, _ in there], [v for _, v in there], title=title)

    def _repr_html_(self) -> str:
        return self.means()._repr_html_()


def relationship_health(
    inputs: Mapping[str, Sequence[IndexItem]],
    /,
    *,
    weights: Mapping[str, float] | None = None,
    at_least: float = 0.5,
    input_share: float = 0.5,
) -> Scorecard:
    """Scorecard of a customer relationship: individual care, long-term commitment, mutual benefits, interaction.

    Parameters
    ----------
    inputs : mapping
        For each of the four sub-scores (`RELATIONSHIP_HEALTH`) the facts that you hold about it.
    weights : mapping, optional
        Weight of each sub-score; None weighs them alike. No weights are built in: what matters most differs by trade.
    at_least : share
        Of the sub-scores, by weight, that an overall score needs.
    input_share : share
        Of its inputs, by weight, that a sub-score needs.

    Raises
    ------
    UnknownName, OutOfRange
        A name that is not one of the four, or one that is not there.

    Examples
    --------
    >>> card = relationship_health({
    ...     "individual care": [IndexItem("CSAT")],
    ...     "long-term commitment": [IndexItem("years", (0, 10), beyond="clip")],
    ...     "mutual benefits": [IndexItem("rewards used", (0, 1))],
    ...     "interaction": [IndexItem("replies", (0, 12), beyond="clip")],
    ... })
    >>> print(card.score({"CSAT": 4, "years": 3, "rewards used": 0.5, "replies": None}))
    relationship health 0.517, weakest: long-term commitment
    individual care       0.75
    long-term commitment  0.3
    mutual benefits       0.5
    interaction           missing
    missing: interaction: replies
    """
    for given in (inputs, weights or {}):
        for name in given:
            if name not in RELATIONSHIP_HEALTH:
                raise UnknownName("sub-score of relationship health", name, RELATIONSHIP_HEALTH)
    lacking = [name for name in RELATIONSHIP_HEALTH if not inputs.get(name)]
    if lacking:
        hint = f"name at least one fact for {', '.join(lacking)}; a fact that is missing for a customer is fine"
        raise OutOfRange("inputs", tuple(inputs), f"all of {list(RELATIONSHIP_HEALTH)}", hint)
    parts = tuple(
        SubScore(name, tuple(inputs[name]), weight=(weights or {}).get(name, 1.0), at_least=input_share)
        for name in RELATIONSHIP_HEALTH
    )
    return Scorecard(name="relationship health", parts=parts, at_least=at_least)
