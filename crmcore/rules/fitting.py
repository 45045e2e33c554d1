"""Kinds that go together or not, with the way out; and what both forms, alone and in columns, ask of one value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from crmcore.errors import CurrencyMismatch, WrongType
from crmcore.rules.kinds import Kind, Sort, combined, comparable
from crmcore.rules.nodes import Arithmetic, Node, TextMatch, TextTest
from crmcore.rules.wording import words

__all__ = [
    "combined_kind",
    "misfit",
    "number_in",
    "remedy",
    "same_kind",
    "text_test",
    "wrong_part",
    "years_between",
]


def misfit(node: Node, reason: str, left: Kind, right: Kind) -> NoReturn:
    """Raise what two kinds that do not go together are."""
    if reason == CurrencyMismatch.__name__:
        raise CurrencyMismatch(left.unit or "", right.unit or "")
    raise WrongType(f"`{words(node)}`", reason, "both sides of one kind", remedy(left, right))


def combined_kind(node: Arithmetic, left: Kind, right: Kind) -> Kind:
    """Kind of an arithmetic term; raises where it has none."""
    made = combined(node.op, left, right)
    return misfit(node, made, left, right) if isinstance(made, str) else made


def remedy(left: Kind, right: Kind) -> str:
    """Way out of a pair of kinds."""
    sorts = {left.sort, right.sort}
    if Sort.MONEY in sorts:
        return f"write amounts as Money.of('100', {left.unit or right.unit or 'THB'!r})"
    if Sort.TEXT in sorts and Sort.NUMBER in sorts:
        return "text that spells a number: field(...).as_number()"
    if Sort.TIME in sorts and Sort.NUMBER in sorts:
        return "count days: days_until(field) or days_between(start, end)"
    if Sort.DURATION in sorts:
        return "write durations as timedelta(days=30)"
    if left.sort is right.sort is Sort.TEXT:
        return "text goes with ==, .isin([...]), .contains(...)"
    return "compare like with like, or describe the fields in a Schema to find this when the rule is made"


def wrong_part(node: Node, got: Kind, allowed: str) -> NoReturn:
    """Raise what a value of the wrong kind is."""
    raise WrongType(f"`{words(node)}`", f"asked of {got}", allowed, remedy(got, got))


def same_kind(node: Node, left: Kind | None, right: Kind | None) -> None:
    """Refuse two known kinds that do not compare."""
    if left is not right and left is not None and right is not None:
        reason = comparable("==", left, right)
        if reason is not None:
            misfit(node, reason, left, right)


def number_in(text: str) -> float | None:
    """Number that a text spells, None where it spells none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value == value else None


def years_between(start_us: float, end_us: float) -> float | None:
    """Whole calendar years between two instants; None outside the years 1 to 9999."""
    try:
        a, b = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t) for t in (start_us, end_us))
    except OverflowError:
        return None
    before = (b.month, b.day, b.time()) < (a.month, a.day, a.time())
    return float(b.year - a.year - before)


def text_test(node: TextMatch) -> Callable[[str], bool]:
    """Predicate of one text."""
    import re

    if node.test is TextTest.MATCHES:
        search = re.compile(node.text, 0 if node.case_sensitive else re.IGNORECASE).search
        return lambda text: search(text) is not None
    wanted = node.text if node.case_sensitive else node.text.casefold()
    test = {
        TextTest.CONTAINS: str.__contains__,
        TextTest.STARTSWITH: str.startswith,
        TextTest.ENDSWITH: str.endswith,
    }[node.test]
    if node.case_sensitive:
        return lambda text: test(text, wanted)
    return lambda text: test(text.casefold(), wanted)
