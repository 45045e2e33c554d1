"""What an employee may decide alone: empowerment limits as data, and who may decide where they end."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from crmcore._base import html_table, listed
from crmcore._frames import read_frame, write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, CurrencyMismatch, DuplicateIds, OutOfRange, UnknownName
from crmcore.recovery.employees.checks import check_kind
from crmcore.values import Money
from crmcore.values.words import word

__all__ = ["AloneLimit", "Authority", "Empowerment", "Span"]


class Span(enum.StrEnum):
    """Over what amounts are added before they are held against a limit."""

    CASE = "case"
    CUSTOMER = "customer"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


def _span(value: Span | str) -> Span:
    return word(Span, value, "span of a limit")


@attrs.frozen(kw_only=True)
class AloneLimit(Document):
    """At most so much of an action, decided alone by one grade.

    Parameters
    ----------
    grade, action : text
    at_most : Money, optional
        None: without limit, or an action that costs nothing, such as an apology in writing.
    per : Span
        `"case"`, `"customer"`, `"day"`, `"month"`, `"year"`.
    """

    grade: str
    action: str
    at_most: Money | None = None
    per: Span = attrs.field(default=Span.CASE, converter=_span)

    def __attrs_post_init__(self) -> None:
        check_kind("at_most", self.at_most, Money, hint="Money.of('500', 'THB'); None is no limit", optional=True)
        if self.at_most is not None and self.at_most.amount_minor < 0:
            raise OutOfRange("at_most", str(self.at_most), "0 or more", "0 means: never alone")


@attrs.frozen(kw_only=True)
class Authority(Document):
    """Whether somebody may decide alone, and who may if not.

    Parameters
    ----------
    alone : truth
    reasons : texts
        Every limit that is passed; none where alone.
    approver : grade, optional
        The lowest higher grade that may decide this alone; None where alone, or where nobody may.
    room : Money, optional
        The most that this grade may still decide alone now; None without limit, or where the action is not its own.
    """

    alone: bool
    reasons: tuple[str, ...]
    approver: str | None
    room: Money | None

    def __str__(self) -> str:
        if self.alone:
            return "may decide alone"
        who = f"ask a {self.approver}" if self.approver else "no grade may decide this"
        return f"may not decide alone: {'; '.join(self.reasons)}; {who}"


def _limits(items: Iterable[AloneLimit]) -> tuple[AloneLimit, ...]:
    return listed(items, "limits", AloneLimit, what="limits", hint="limits=[AloneLimit(grade=..., action=...)]")


def _grades(items: Iterable[str]) -> tuple[str, ...]:
    return listed(items, "grades", str, what="texts", hint='lowest first: grades=["agent", "supervisor"]')


@attrs.frozen(repr=False)
class Empowerment(Document):
    """Grades, lowest first, and what each may decide alone. What no limit names may not be decided alone.

    Parameters
    ----------
    grades : texts
        Lowest first; each grade has only what its own limits give it.
    limits : limits
        Several of one grade and action (a case and a day) hold together.

    Examples
    --------
    >>> from crmcore.values import Money
    >>> rules = Empowerment(
    ...     ["agent", "supervisor"],
    ...     [
    ...         AloneLimit(grade="agent", action="refund", at_most=Money.of(500, "THB")),
    ...         AloneLimit(grade="supervisor", action="refund", at_most=Money.of(5000, "THB")),
    ...     ],
    ... )
    >>> print(rules.decide("refund", Money.of(700, "THB"), grade="agent"))
    may not decide alone: refund of 700.00 THB is above 500.00 THB a case; ask a supervisor
    """

    grades: tuple[str, ...] = attrs.field(converter=_grades)
    limits: tuple[AloneLimit, ...] = attrs.field(converter=_limits)

    def __attrs_post_init__(self) -> None:
        if len(set(self.grades)) < len(self.grades):
            again = tuple(i for i, g in enumerate(self.grades) if g in self.grades[:i])
            raise DuplicateIds("grades", len(again), again, "list each grade once, lowest first")
        seen: dict[tuple[str, str, Span], int] = {}
        for i, limit in enumerate(self.limits):
            if limit.grade not in self.grades:
                raise UnknownName("grade of a limit", limit.grade, self.grades)
            key = (limit.grade, limit.action, limit.per)
            if key in seen:
                hint = "keep one limit for each grade, action and span"
                raise DuplicateIds("limits", 1, (seen[key], i), hint)
            seen[key] = i

    @property
    def actions(self) -> tuple[str, ...]:
        """Actions that some grade may decide, by name."""
        return tuple(sorted({limit.action for limit in self.limits}))

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        grades: Iterable[str],
        grade: str = "grade",
        action: str = "action",
        at_most: str = "at_most",
        currency: str = "currency",
        per: str = "per",
    ) -> Empowerment:
        """Read limits from a frame, amounts in major units ("500.00"); no amount is no limit.

        Raises
        ------
        BadRows
            Every row that is no limit, with its reason.
        """
        read = read_frame(frame)
        known = _grades(grades)
        cells: dict[str, list[object]] = {name: read.column(name) for name in (grade, action)}
        for name in (at_most, currency, per):
            cells[name] = read.column(name) if name in read.columns else [None] * len(read)
        found: list[AloneLimit] = []
        bad: dict[tuple[str, str], list[int]] = {}
        for i in range(len(read)):
            row = {name: column[i] for name, column in cells.items()}
            odd = [] if row[grade] in known else [(grade, f"not one of {list(known)}")]
            odd += [] if isinstance(row[action], str) else [(action, "missing, or no text")]
            span = Span.CASE if row[per] is None else row[per]
            odd += [] if span in list(Span) else [(per, f"not one of {[s.value for s in Span]}")]
            money = None
            try:
                money = None if row[at_most] is None else Money.of(str(row[at_most]), str(row[currency]))
            except OutOfRange as error:
                odd.append((currency if error.name == "currency" else at_most, f"expected {error.allowed}"))
            if money is not None and money.amount_minor < 0:
                odd.append((at_most, "below 0"))
            if not odd:
                limit = AloneLimit(grade=str(row[grade]), action=str(row[action]), at_most=money, per=_span(str(span)))
                found.append(limit)
            for problem in odd:
                bad.setdefault(problem, []).append(i)
        if bad:
            problems = tuple(BadRow(column, reason, tuple(rows)) for (column, reason), rows in bad.items())
            raise BadRows(
                "the table of limits", problems, "amounts in major units with an ISO currency, grades as listed"
            )
        return cls(known, found)

    def __repr__(self) -> str:
        return f"Empowerment({len(self.grades)} grades, {len(self.actions)} actions, {len(self.limits)} limits)"

    def __str__(self) -> str:
        return "\n".join(
            f"{row['grade']}: {row['action']} up to {row['at_most'] or 'any amount'} a {row['per']}"
            for row in self._rows()
        )

    def decide(
        self,
        action: str,
        amount: Money | None = None,
        *,
        grade: str,
        used: Mapping[Span | str, Money] | None = None,
    ) -> Authority:
        """Whether a grade may decide something alone.

        Parameters
        ----------
        action : text
        amount : Money, optional
            None for what costs nothing; then only limits of 0 stand in the way.
        grade : text
        used : mapping of span to Money, optional
            What the same person has already decided in the case, for the customer, today, this month, this year.
            The approver is found by the amount alone, because what approvers have used is not known here.

        Raises
        ------
        UnknownName
            No such grade or action.
        CurrencyMismatch
            An amount in another currency than its limit: limits are never converted.
        """
        if grade not in self.grades:
            raise UnknownName("grade", grade, self.grades)
        if action not in self.actions:
            raise UnknownName("action", action, self.actions)
        check_kind("amount", amount, Money, hint="Money.of('700', 'THB')", optional=True)
        if amount is not None and amount.amount_minor < 0:
            raise OutOfRange("amount", str(amount), "0 or more", "what is given, not what is taken back")
        for span, money in (used or {}).items():
            check_kind(f"used[{str(span)!r}]", money, Money, hint="Money.of('700', 'THB')")
        spent = {_span(span): money for span, money in (used or {}).items()}
        reasons, room = self._held(action, amount, grade, spent)
        approver = None
        if reasons:
            higher = self.grades[self.grades.index(grade) + 1 :]
            approver = next((g for g in higher if not self._held(action, amount, g, {})[0]), None)
        return Authority(alone=not reasons, reasons=reasons, approver=approver, room=room)

    def _held(
        self, action: str, amount: Money | None, grade: str, spent: Mapping[Span, Money]
    ) -> tuple[tuple[str, ...], Money | None]:
        """Limits that would be passed, and what is left."""
        mine = [x for x in self.limits if x.grade == grade and x.action == action]
        if not mine:
            return (f"{action} is not among what a {grade} decides",), None
        reasons: list[str] = []
        room: Money | None = None
        for limit in mine:
            if limit.at_most is None:
                continue
            before = spent.get(limit.per, Money(0, limit.at_most.currency))
            if amount is not None and amount.currency != limit.at_most.currency:
                raise CurrencyMismatch(amount.currency, limit.at_most.currency)
            left = max(limit.at_most - before, Money(0, limit.at_most.currency))
            room = left if room is None else min(room, left)
            if amount is None:
                if not limit.at_most:
                    reasons.append(f"{action} is never a {grade}'s own decision")
            elif amount > left:
                also = f" with {before} before" if before else ""
                reasons.append(f"{action} of {amount}{also} is above {limit.at_most} a {limit.per}")
        return tuple(reasons), room

    def _rows(self) -> list[dict[str, str | None]]:
        def place(x: AloneLimit) -> tuple[str, int, str]:
            return x.action, self.grades.index(x.grade), x.per

        return [
            {"grade": x.grade, "action": x.action, "at_most": str(x.at_most) if x.at_most else None, "per": str(x.per)}
            for x in sorted(self.limits, key=place)
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a limit: grade, action, at_most (amount in major units, missing without limit), currency, per."""
        rows = [(x.grade, x.action, x.at_most, str(x.per)) for x in self.limits]
        columns: dict[str, list[Any]] = {
            "grade": [r[0] for r in rows],
            "action": [r[1] for r in rows],
            "at_most": [None if r[2] is None else str(r[2].amount) for r in rows],
            "currency": [None if r[2] is None else r[2].currency for r in rows],
            "per": [r[3] for r in rows],
        }
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self))
