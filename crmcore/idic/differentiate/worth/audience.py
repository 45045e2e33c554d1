"""The priority audience: exactly the top share of customers, with a rule for ties that is written down."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange
from crmcore.metrics.columns import numbers
from crmcore.metrics.scalars import nan_alike, share_of
from crmcore.values.words import word

__all__ = ["Audience", "AtTheLine", "priority_audience"]


class AtTheLine(enum.StrEnum):
    """What happens to customers of equal value when not all of them fit."""

    BREAK = "break"  # further measures decide, then the id: the size is exact
    INCLUDE = "include"  # all get in
    EXCLUDE = "exclude"  # none gets in


@attrs.frozen(kw_only=True, repr=False)
class Audience:
    """Who gets it first.

    Attributes
    ----------
    members : ids, the best first
    places : number of places, floor(share * customers whose value is known)
    line : lowest value that got in; NaN where nobody did
    tied : customers at the last place's value
    missing : customers of unknown value, who are never in
    """

    members: tuple[str, ...]
    places: int
    line: float = attrs.field(eq=nan_alike)
    tied: int
    missing: int
    ties: AtTheLine

    def __len__(self) -> int:
        return len(self.members)

    def __str__(self) -> str:
        tie = f"; {self.tied} tied at the line, rule: {self.ties}" if self.tied > 1 else ""
        gone = f"; {self.missing} of unknown value left out" if self.missing else ""
        return f"{len(self)} members for {self.places} places, from {number_text(self.line)} up{tie}{gone}"

    def __repr__(self) -> str:
        return f"Audience({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a member: customer, place."""
        return write_frame({"customer": list(self.members), "place": np.arange(1, len(self) + 1)}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"members": len(self), "places": self.places, "tied": self.tied}], caption=str(self))


def priority_audience(
    customers: Sequence[str], values: ArrayLike, *, share: float = 0.3, then_by: Sequence[ArrayLike] = (),
    ties: AtTheLine | str = AtTheLine.BREAK,
) -> Audience:  # fmt: skip
    """Choose the top share of customers by value.

    There are floor(share * n) places, n = customers whose value is known. Equal values at the line: `"break"` lets
    `then_by` decide and then the id in its sorted order, so the size is exact and row order never matters;
    `"include"` and `"exclude"` treat all of them alike.

    Parameters
    ----------
    customers : (n,) ids
        Distinct.
    values : (n,) numbers
        More is better; NaN is missing.
    share : share
    then_by : sequence of (n,) numbers
        Further measures, more is better.
    ties : AtTheLine

    Examples
    --------
    >>> found = priority_audience("abcdefghij", [5, 9, 7, 7, 1, 2, 3, 4, 7, 0], share=0.3)
    >>> found.members, str(found)
    (('b', 'c', 'd'), '3 members for 3 places, from 7 up; 3 tied at the line, rule: break')
    """
    share_of("share", share, hint="write 30 % as share=0.3")
    rule = word(AtTheLine, ties, "rule for ties")
    ids = list(customers)
    if not ids:
        raise EmptyInput("customers", "pass at least one")
    if len(set(ids)) < len(ids):
        found, first = np.unique(np.array(ids, object), return_index=True)
        again = tuple(sorted(set(range(len(ids))) - set(first.tolist())))
        raise DuplicateIds("customers", len(ids) - len(found), again, "pass each customer once")
    columns = [
        numbers(name, c) for name, c in (("values", values), *((f"then_by[{i}]", c) for i, c in enumerate(then_by)))
    ]
    for name, column in zip(("values", *("then_by" for _ in then_by)), columns, strict=True):
        if len(column) != len(ids):
            raise OutOfRange(name, f"{len(column)} entries", f"{len(ids)}, as customers", "one number a customer")
    known = np.flatnonzero(~np.isnan(columns[0]))
    keys = [np.nan_to_num(-c, nan=np.inf) for c in columns]
    order = sorted(known.tolist(), key=lambda i: (*(float(k[i]) for k in keys), ids[i]))
    places = math.floor(share * len(known) + 1e-9)
    value = columns[0]
    line = float(value[order[places - 1]]) if places else math.nan
    tied = int((value == line).sum())
    chosen = order[:places]
    split = places < len(order) and places > 0 and value[order[places]] == line
    if split and rule is AtTheLine.INCLUDE:
        chosen = [i for i in order if value[i] >= line]
    elif split and rule is AtTheLine.EXCLUDE:
        chosen = [i for i in order if value[i] > line]
    return Audience(
        members=tuple(ids[i] for i in chosen), places=places,
        line=float(value[chosen[-1]]) if chosen else math.nan, tied=tied if split else 1,
        missing=len(ids) - len(known), ties=rule,
    )  # fmt: skip
