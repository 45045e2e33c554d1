"""Regions of cases: one value of an attribute, two values together, or either from some time on."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import number_text
from crmcore.documents import Document
from crmcore.errors import OutOfRange

if TYPE_CHECKING:
    from crmcore.recovery.process.causes.case_columns import CaseColumns

__all__ = ["Literal", "Period", "Region"]


@attrs.frozen
class Period(Document):
    """A day, or a number on a scale of time.

    Parameters
    ----------
    name : text
        Column of the time.
    day : date, optional
    number : number, optional
        Exactly one of both.

    Examples
    --------
    >>> print(Period("opened", day=date(2026, 3, 1)), Period("week", number=12.0))
    2026-03-01 week 12
    """

    name: str
    day: date | None = None
    number: float | None = None

    def __attrs_post_init__(self) -> None:
        if (self.day is None) == (self.number is None):
            raise OutOfRange("period", "both or none of day and number", "one of them", "a column of time has one kind")

    @classmethod
    def of(cls, name: str, start: date | float, /) -> Period:
        """Name a day or number of a column."""
        return cls(name, day=start) if isinstance(start, date) else cls(name, number=float(start))

    @property
    def rank(self) -> float:
        """What orders periods of one column: the number, or the day's place in the calendar."""
        return float(self.day.toordinal()) if self.day is not None else float(self.number or 0.0)

    def __str__(self) -> str:
        return self.day.isoformat() if self.day is not None else f"{self.name} {number_text(self.rank)}"


@attrs.frozen(order=True)
class Literal(Document):
    """One attribute and one of its values.

    Examples
    --------
    >>> print(Literal("carrier", "C7"))
    carrier = C7
    """

    attribute: str
    value: str

    def __str__(self) -> str:
        return f"{self.attribute} = {self.value}"


@attrs.frozen
class Region(Document):
    """Cases that have all of the values, from a period on where one is stated; without values, all cases.

    Parameters
    ----------
    literals : tuple of Literal
        In the order of their attributes' names; at most two.
    since : Period, optional
        First period that counts.

    Examples
    --------
    >>> print(Region((Literal("channel", "phone"), Literal("product", "P4"))))
    channel = phone and product = P4
    >>> print(Region((Literal("warehouse", "W2"),), Period("day", number=230)))
    warehouse = W2 from day 230
    """

    literals: tuple[Literal, ...]
    since: Period | None = None

    def __str__(self) -> str:
        said = " and ".join(map(str, self.literals)) or "all cases"
        return said if self.since is None else f"{said} from {self.since}"

    @property
    def parts(self) -> tuple[Region, ...]:
        """Each value alone, where there are two."""
        return tuple(Region((part,)) for part in self.literals) if len(self.literals) > 1 else ()

    def rows(self, cases: CaseColumns, /) -> NDArray[np.bool_]:
        """(n,) which cases lie in the region; none for a value or time that the cases do not know.

        Examples
        --------
        >>> from crmcore.recovery.process.causes.case_columns import CaseColumns
        >>> cases = CaseColumns.from_frame({"carrier": ["C1", "C7"], "late": [0, 1]}, failed="late")
        >>> Region((Literal("carrier", "C7"),)).rows(cases).tolist()
        [False, True]
        """
        inside = np.ones(len(cases), bool)
        for part in self.literals:
            column = next((a for a in cases.attributes if a.name == part.attribute), None)
            if column is None or part.value not in column.values:
                return np.zeros(len(cases), bool)
            inside &= column.codes == column.values.index(part.value)
        if self.since is not None:
            if cases.periods is None:
                return np.zeros(len(cases), bool)
            first = cases.periods.position(self.since)
            inside &= cases.periods.codes >= first
        return inside
