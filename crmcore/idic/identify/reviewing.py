"""Review by people: questions with their evidence, as a table to fill in and as a static page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import html_table, mask
from crmcore._frames import write_frame
from crmcore.linkage.explaining import Explanation, explain
from crmcore.linkage.questions import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmcore.idic.identify.people import People

__all__ = ["Review", "ReviewItem", "review_of"]

MOST_RECORDS = 12  # shown of the customers behind one question


@attrs.frozen(kw_only=True, repr=False)
class ReviewItem:
    """One question with what is needed to answer it.

    Attributes
    ----------
    question : which two records, why, and what the answer is worth
    left, right : record ids
    left_customer, right_customer : customer ids at present
    explanation : evidence for and against
    records : record id -> field of evidence -> value (masked unless asked for) of the records behind, at most 12
    n_records : how many records there are behind
    """

    question: Question
    left: str
    right: str
    left_customer: str
    right_customer: str
    explanation: Explanation
    records: dict[str, dict[str, str]] = attrs.field(eq=False)
    n_records: int

    def __repr__(self) -> str:
        return f"ReviewItem({self.left!r}, {self.right!r}, {self.question.reason.value})"

    def __str__(self) -> str:
        q = self.question
        head = f"{q.reason.value}; the answer decides {q.n_pairs} pairs, yes with probability {q.probability:.2f}"
        return f"{head}\n{self.explanation}"


@attrs.frozen(repr=False)
class Review:
    """Questions in the order of what their answers are worth.

    Fill in the column `answer` of `to_frame` (same or different) and pass it to `people.decide`.
    """

    items: tuple[ReviewItem, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[ReviewItem]:
        return iter(self.items)

    def __getitem__(self, at: int) -> ReviewItem:
        return self.items[at]

    def __repr__(self) -> str:
        return f"Review({len(self)} questions)"

    def __str__(self) -> str:
        lines = [f"{i}. {item.left} and {item.right}: {item.question.reason.value}" for i, item in enumerate(self, 1)]
        return "\n".join([f"{len(self)} questions, most valuable first", *lines])

    def rows(self) -> list[dict[str, object]]:
        """One row per question, with an empty answer."""
        return [
            {
                "left": item.left,
                "right": item.right,
                "answer": None,
                "reason": item.question.reason.value,
                "pairs": item.question.n_pairs,
                "probability": item.question.probability,
                "gain": item.question.gain,
                "left_customer": item.left_customer,
                "right_customer": item.right_customer,
            }
            for item in self
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per question, in a frame of `backend`; write same or different into `answer`."""
        rows = self.rows()
        names = ("left", "right", "answer", "reason", "pairs", "probability", "gain", "left_customer", "right_customer")
        return write_frame({k: [r[k] for r in rows] for k in names}, backend=backend)

    def _repr_html_(self) -> str:
        shown = [{k: v for k, v in row.items() if k != "answer"} for row in self.rows()]
        return html_table(shown, caption=f"{len(self)} questions", limit=15)

    def to_html(self) -> str:
        """A whole page: every question with records and evidence; no script, readable on light and dark screens."""
        body = "".join(_section(i, item) for i, item in enumerate(self, 1))
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Review</title>'
            '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
            f"<style>{_STYLE}</style></head><body><h1>{len(self)} questions</h1>"
            "<p>Most valuable first. Answer same or different, by record id, and pass the answers to people.decide.</p>"
            f"{body}</body></html>\n"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `to_html` to a file."""
        target = Path(path)
        target.write_text(self.to_html(), encoding="utf-8")
        return target


_STYLE = (
    "body{font-family:sans-serif;margin:2rem auto;max-width:62rem;line-height:1.4;padding:0 1rem}"
    "section{border-top:1px solid #8888;padding:.8rem 0 1.2rem}h2{font-size:1.05rem;margin:.2rem 0}"
    "table{border-collapse:collapse;margin:.5rem 0;font-size:.9rem}"
    "th,td{border:1px solid #8884;padding:.2rem .5rem;text-align:left;vertical-align:top}"
    "caption{text-align:left;font-weight:600;padding:.2rem 0}.asked{background:#0072b222}.scroll{overflow-x:auto}"
    "p{margin:.3rem 0}"
)


def _section(number: int, item: ReviewItem) -> str:
    q = item.question
    where = (
        f"one customer at present ({escape(item.left_customer)})"
        if item.left_customer == item.right_customer
        else f"two customers at present ({escape(item.left_customer)}, {escape(item.right_customer)})"
    )
    return (
        f"<section><h2>{number}. Are {escape(item.left)} and {escape(item.right)} the same?</h2>"
        f"<p>{escape(q.reason.value.capitalize())}; {where}. The answer decides {q.n_pairs} pairs of records "
        f"({q.left_size} with {q.right_size}); yes with probability {q.probability:.2f}.</p>"
        f'<div class="scroll">{_records(item)}</div><p>{escape(str(item.explanation.verdict).capitalize())}.</p>'
        f"{item.explanation.html_bars()}"
        "<p>\u2610 same &nbsp; \u2610 different</p></section>"
    )


def _records(item: ReviewItem) -> str:
    columns = list(dict.fromkeys(k for r in item.records.values() for k in r))
    head = "".join(f"<th>{escape(c)}</th>" for c in columns)
    body = ""
    for record, cells in item.records.items():
        asked = ' class="asked"' if record in (item.left, item.right) else ""
        body += (
            f"<tr{asked}><td>{escape(record)}</td>"
            + "".join(f"<td>{escape(cells.get(c, ''))}</td>" for c in columns)
            + "</tr>"
        )
    more = item.n_records - len(item.records)
    caption = f"Records behind, {more} more not shown" if more else "Records behind"
    return (
        f"<table><caption>{caption}</caption><thead><tr><th>record</th>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def review_of(people: People, asked: Sequence[Question], *, show_values: bool) -> Review:
    """Review with evidence for given questions."""
    ids = people.customer_ids
    return Review(tuple(_item(people, q, ids, show_values=show_values) for q in asked))


def _item(people: People, q: Question, customer_ids: Sequence[str], *, show_values: bool) -> ReviewItem:
    table, labels = people.table, people.labels
    behind = np.flatnonzero((labels == labels[q.left]) | (labels == labels[q.right]))
    rest = sorted(
        (r for r in behind.tolist() if r not in (q.left, q.right)), key=lambda r: (labels[r] != labels[q.left], r)
    )
    shown = [q.left, q.right, *rest][:MOST_RECORDS]
    evidence = people.linkage.records.columns  # normalised, so that records of all sources stand under one another
    two = labels[q.left] != labels[q.right]
    records: dict[str, dict[str, str]] = {}
    for row in shown:
        cells = {"customer": customer_ids[row]} if two else {}
        for column in evidence:
            value = column.text[row]
            if value is not None:
                cells[column.name] = value if show_values else mask(value)
        records[str(table.record_id[row])] = cells
    return ReviewItem(
        question=q,
        left=str(table.record_id[q.left]),
        right=str(table.record_id[q.right]),
        left_customer=customer_ids[q.left],
        right_customer=customer_ids[q.right],
        explanation=explain(people.linkage, q.left, q.right, show_values=show_values),
        records=records,
        n_records=len(behind),
    )
