"""What happened on an account: postings, and what followed without one (expiry, opening, lapse), line by line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, NaiveDatetime, OutOfRange
from crmcore.ledger._book import Book
from crmcore.ledger._lots import instant_of, micros_of
from crmcore.ledger.accounts import balance_of, in_order
from crmcore.ledger.balances import Balance
from crmcore.ledger.postings import Posting
from crmcore.ledger.units import Unit

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Line", "Statement", "statement"]


@attrs.frozen(kw_only=True)
class Line:
    """One line: what happened, and what it did to the amount that can be spent.

    `posting` is empty where nobody posted anything: "expired", "became active", "reservation lapsed".
    """

    at: datetime
    what: str
    posting: str = ""
    change: int
    active: int
    reference: str = ""
    reason: str = ""


@attrs.frozen(kw_only=True, repr=False)
class Statement(Document):
    """Lines of one account between two instants, with the balances before and after."""

    account: str
    unit: Unit
    opening: int
    lines: tuple[Line, ...]
    closing: Balance

    def __repr__(self) -> str:
        return f"Statement({self.account!r}, {len(self.lines)} lines, {self.unit.text(self.closing.active)} active)"

    def __str__(self) -> str:
        number = self.unit.number
        body = [("", "opening", "", number(self.opening))]
        body += [
            (
                f"{line.at:%Y-%m-%d %H:%M}",
                f"{line.what} {line.posting}".strip(),
                f"{'+' if line.change > 0 else ''}{number(line.change)}" if line.change else "",
                number(line.active),
            )
            for line in self.lines
        ]
        wide = [max(len(row[i]) for row in body) for i in range(4)]
        head = f"{self.account} in {self.unit.name}"
        lines = [f"{a:{wide[0]}}  {b:{wide[1]}}  {c:>{wide[2]}}  {d:>{wide[3]}}" for a, b, c, d in body]
        return "\n".join([head, *(line.rstrip() for line in lines), str(self.closing)])

    def _columns(self) -> dict[str, list[Any]]:
        names = {"at": "at", "what": "what", "posting": "posting", "change": "change_minor", "active": "active_minor",
                 "reference": "reference", "reason": "reason"}  # fmt: skip
        return {column: [getattr(line, name) for line in self.lines] for name, column in names.items()}

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a line: at, what, posting, change_minor, active_minor, reference, reason."""
        return write_frame(self._columns(), backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {"at": f"{x.at:%Y-%m-%d %H:%M}", "what": f"{x.what} {x.posting}".strip(),
             "change": self.unit.number(x.change), "active": self.unit.number(x.active)}
            for x in self.lines[-20:]
        ]  # fmt: skip
        return html_table(rows, caption=str(self.closing))

    def chart(self) -> Chart:
        """The spendable amount over time, as steps."""
        from crmcore.charts import line

        if not self.lines:
            raise EmptyInput("the statement", "draw a span in which something happened")
        scale = 10.0**-self.unit.digits
        x: list[datetime] = []
        y: list[float] = []
        before = self.opening
        for entry in self.lines:
            x += [entry.at, entry.at]
            y += [before * scale, entry.active * scale]
            before = entry.active
        x.append(self.closing.as_of)
        y.append(before * scale)
        return line(x, y, title=f"{self.account}: active {self.unit.name}", description=str(self.closing))


def statement(
    postings: Iterable[Posting], *, as_of: datetime, since: datetime | None = None, ordered: bool = False
) -> Statement:
    """Account for everything after `since` and up to `as_of` (inclusive).

    Parameters
    ----------
    postings : postings of one account
        In any order.
    as_of : aware datetime
        End of the span; may lie in the future, then coming expiries are shown.
    since : aware datetime, optional
        Start of the span (exclusive); None: before the first posting.
    ordered : truth
        Whether they come in the order in which they apply, as a ledger keeps them; otherwise those of one instant apply
        in the order of `Kind`, then by id.

    Raises
    ------
    OutOfRange
        Postings of no or several accounts.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> from crmcore.ledger import earn, spend
    >>> day = lambda d: datetime(2026, 5, d, tzinfo=UTC)
    >>> books = [earn("a", "card:7", 30, at=day(1), expires_at=day(9)), spend("s", "card:7", 25, at=day(3))]
    >>> print(statement(books, as_of=day(10)))
    card:7 in point
                      opening        0
    2026-05-01 00:00  earn a   +30  30
    2026-05-03 00:00  spend s  -25   5
    2026-05-09 00:00  expired   -5   0
    card:7: 0 point active (25 spent, 5 expired) at 2026-05-10T00:00+00:00
    """
    distinct = {p.id: p for p in postings}.values()
    listed = list(distinct) if ordered else in_order(distinct)
    names = sorted({p.account for p in listed})
    if len(names) != 1:
        raise OutOfRange("postings", f"of {len(names)} accounts", "postings of one account", "state one account")
    for name, at in (("as_of", as_of), ("since", since)):
        if at is not None and at.utcoffset() is None:
            raise NaiveDatetime(name)
    end = micros_of(as_of, 0)
    book = Book(names[0], listed[0].unit)
    lines: list[Line] = []
    for posting in listed:
        micros = micros_of(posting.at, 0)
        if micros > end:
            break
        active = _pass_time(book, micros, lines)
        book.post(posting)
        now = book.buckets(micros)[0]
        lines.append(
            Line(
                at=posting.at, what=posting.kind.value, posting=posting.id, change=now - active, active=now,
                reference=posting.reference, reason=posting.reason,
            )
        )  # fmt: skip
    _pass_time(book, end, lines)
    start = -(2**62) if since is None else micros_of(since, 0)
    kept = tuple(line for line in lines if micros_of(line.at, 0) > start)
    opening = kept[0].active - kept[0].change if kept else (lines[-1].active if lines else 0)
    closing = balance_of(book, as_of)
    return Statement(account=names[0], unit=listed[0].unit, opening=opening, lines=kept, closing=closing)


def _pass_time(book: Book, to: int, lines: list[Line]) -> int:
    """Note what changes by itself up to an instant; returns what is active then."""
    last = max(book.at, micros_of(lines[-1].at, book.at) if lines else book.at)
    active = book.buckets(last)[0]
    for instant in book.instants(to):
        holds = set(book.holds)
        before = book.buckets(instant - 1)
        book.advance(instant)
        after = book.buckets(instant)
        if after[0] == active and after[4] == before[4]:
            continue
        what = "expired" if after[4] > before[4] else "became active"
        if holds - set(book.holds):
            what = "reservation lapsed"
        at = instant_of(instant)
        if at is not None and (after[0] != active or after[4] != before[4]):
            lines.append(Line(at=at, what=what, change=after[0] - active, active=after[0]))
        active = after[0]
    return active
