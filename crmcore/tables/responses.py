"""Answers to surveys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import MISSING_WORDS, read_frame, write_frame
from crmcore.tables._cells import ids_out, micros, when
from crmcore.tables._door import Door, codes, instants, reals, same_length
from crmcore.tables.columns import CustomerIndex, TextColumn
from crmcore.values import Response

__all__ = ["ResponseTable"]


@attrs.frozen(eq=False, repr=False)
class ResponseTable:
    """Answers of customers to survey questions; row i of every column is the same answer.

    A score of NaN is "not answered", never 0; a time of NaT is unknown; a customer code of -1 answered anonymously.

    Examples
    --------
    >>> answers = ResponseTable.from_frame({"customer": ["c1", None], "question": ["nps", "nps"], "score": [9, None]})
    >>> answers, answers.score.tolist(), answers[0].score
    (ResponseTable(2 answers, 1 customers, questions ['nps']), [9.0, nan], 9.0)
    """

    customer: NDArray[np.int32] = attrs.field(converter=codes)  # (n,) code into customers, -1 = anonymous
    question: TextColumn
    score: NDArray[np.float64] = attrs.field(converter=reals)  # (n,) on the scale of its question, NaN = not answered
    text: TextColumn  # open answers
    time: NDArray[np.datetime64] = attrs.field(converter=instants)  # (n,) datetime64[us], UTC, NaT = unknown
    survey: TextColumn
    touchpoint: TextColumn  # what the question was about
    customers: CustomerIndex
    backend: str | None = None  # flavour of the frame that was read

    def __attrs_post_init__(self) -> None:
        columns = {"score": self.score, "text": self.text, "time": self.time, "survey": self.survey}
        more = {"touchpoint": self.touchpoint, "question": self.question}
        same_length("ResponseTable", len(self), {**columns, **more})

    def __len__(self) -> int:
        return len(self.customer)

    def __repr__(self) -> str:
        known = f"{len(self)} answers, {len(self.customers)} customers"
        return f"ResponseTable({known}, questions {list(self.question.values)})"

    def __getitem__(self, row: int) -> Response:
        code = self.customer[row]
        score = float(self.score[row])
        return Response(
            customer=self.customers[code] if code >= 0 else None,
            question=self.question[row] or "",
            score=None if np.isnan(score) else score,
            text=self.text[row],
            time=when(self.time, row),
            survey=self.survey[row],
            touchpoint=self.touchpoint[row],
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        customer: str = "customer",
        question: str = "question",
        score: str = "score",
        text: str = "text",
        time: str = "time",
        survey: str = "survey",
        touchpoint: str = "touchpoint",
        customers: CustomerIndex | None = None,
        zone: str | ZoneInfo | None = None,
        missing: Iterable[str] = MISSING_WORDS,
    ) -> ResponseTable:
        """Read answers, one per row; arguments that are not explained below are names of columns.

        `customer` and `question` must be there; the others may be absent under their default name.

        Parameters
        ----------
        frame
            Any frame, a dict of columns, or a list of dicts.
        customers
            Index to share; None makes one from this frame.
        zone
            Zone in which times without offset were written; without it they are refused.
        missing
            Text that means "missing", in exactly this spelling.

        Raises
        ------
        MissingColumn, NaiveDatetime, BadRows
            What cannot be read, all bad rows at once.
        """
        door = Door(read_frame(frame, missing=missing), "ResponseTable", zone=zone)
        n = len(door)
        code, index = door.customers(customer, customers)
        asked = door.text(question)
        door.required(question, asked.codes < 0, "name the question that was answered")
        made = cls(
            customer=code,
            question=asked,
            score=door.numbers(score) if door.has(score, "score") else np.full(n, np.nan),
            text=door.optional_text(text, "text"),
            time=door.times(time, required=False) if door.has(time, "time") else np.full(n, "NaT", "datetime64[us]"),
            survey=door.optional_text(survey, "survey"),
            touchpoint=door.optional_text(touchpoint, "touchpoint"),
            customers=index,
            backend=door.frame.backend,
        )
        door.close()
        return made

    @classmethod
    def of(cls, values: Iterable[Response], *, customers: CustomerIndex | None = None) -> ResponseTable:
        """Build a table from answers."""
        rows = list(values)
        ids = [row.customer for row in rows]
        index = CustomerIndex.of(ids) if customers is None else customers.extended(ids)
        return cls(
            customer=index.codes(ids),
            question=TextColumn.of([row.question for row in rows]),
            score=np.array([np.nan if row.score is None else row.score for row in rows], np.float64),
            text=TextColumn.of([row.text for row in rows]),
            time=micros(row.time for row in rows),
            survey=TextColumn.of([row.survey for row in rows]),
            touchpoint=TextColumn.of([row.touchpoint for row in rows]),
            customers=index,
        )

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> ResponseTable:
        """Select rows by position or mask; index and dictionaries are shared."""
        return ResponseTable(
            customer=self.customer[rows],
            question=self.question.take(rows),
            score=self.score[rows],
            text=self.text.take(rows),
            time=self.time[rows],
            survey=self.survey.take(rows),
            touchpoint=self.touchpoint.take(rows),
            customers=self.customers,
            backend=self.backend,
        )

    def to_frame(self, backend: Any = None) -> Any:
        """Write one row per answer, in the flavour that was read unless `backend` names another."""
        return write_frame(
            {
                "customer": ids_out(self.customer, self.customers),
                "question": self.question.to_list(),
                "score": self.score,
                "text": self.text.to_list(),
                "time": self.time,
                "survey": self.survey.to_list(),
                "touchpoint": self.touchpoint.to_list(),
            },
            backend=backend or self.backend,
        )
