"""Which content a segment gets, and a log of what was given to whom, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import check_aware, html_table
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange

__all__ = ["ContentLog", "assign_content"]


@attrs.frozen(kw_only=True, repr=False)
class ContentLog:
    """Assignments in the order they were made; a log only grows: `assign_content` returns a longer one.

    Attributes
    ----------
    customers, segments, contents, reasons, at : columns; row i is one assignment
    """

    customers: tuple[str, ...] = ()
    segments: tuple[str | None, ...] = ()
    contents: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    at: tuple[datetime, ...] = ()

    def __len__(self) -> int:
        return len(self.contents)

    def __str__(self) -> str:
        counts = {content: self.contents.count(content) for content in sorted(set(self.contents))}
        return f"{len(self)} assignments: " + ", ".join(f"{k} {v}" for k, v in counts.items())

    def __repr__(self) -> str:
        return f"ContentLog({len(self)} assignments)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an assignment."""
        columns: dict[str, list[Any]] = {
            "customer": list(self.customers), "segment": list(self.segments), "content": list(self.contents),
            "reason": list(self.reasons), "at": list(self.at),
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"content": c, "assignments": self.contents.count(c)} for c in sorted(set(self.contents))]
        return html_table(rows, caption=f"{len(self)} assignments")


def assign_content(
    customers: Sequence[str], *, segments: Sequence[str | None], content: Mapping[str, str], default: str,
    now: datetime, log: ContentLog | None = None,
) -> ContentLog:  # fmt: skip
    """Give each customer the content of its segment, and log it behind what was logged before.

    Parameters
    ----------
    customers : (n,) ids
    segments : (n,) names, None where the segment is not known
    content : segment to content
    default : what a segment without content gets, with that reason
    now : aware datetime of the assignment
    log : what was logged before

    Examples
    --------
    >>> from datetime import UTC
    >>> when = datetime(2026, 6, 1, tzinfo=UTC)
    >>> log = assign_content(
    ...     ["c1", "c2"], segments=["browsers", None], content={"browsers": "B"}, default="A", now=when
    ... )
    >>> log.contents, log.reasons
    (('B', 'A'), ('segment browsers', 'no segment: default'))
    """
    check_aware(now, "now")
    if len(customers) != len(segments):
        hint = "row i of both is the same customer"
        raise OutOfRange("segments", f"{len(segments)} entries", f"{len(customers)}, as customers", hint)
    before = log or ContentLog()

    def reason(segment: str | None) -> str:
        if segment is None:
            return "no segment: default"
        return f"segment {segment}" if segment in content else f"segment {segment} has no content: default"

    return ContentLog(
        customers=(*before.customers, *customers), segments=(*before.segments, *segments),
        contents=(*before.contents, *(default if s is None else content.get(s, default) for s in segments)),
        reasons=(*before.reasons, *map(reason, segments)), at=(*before.at, *[now] * len(customers)),
    )  # fmt: skip
