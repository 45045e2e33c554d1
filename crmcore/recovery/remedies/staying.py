"""How likely a customer stays after a failure: a prior that is named and replaceable, and what moves it."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import between, html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.scalars import above, real
from crmcore.values import Severity

__all__ = ["TARP", "StayPrior", "StayRow", "forgiveness", "relationship_strength"]

Floats = NDArray[np.float64]
STEPS = 4
"""Severities, from low to critical."""


def _share(_instance: object, attribute: attrs.Attribute[float], value: float) -> None:
    between(0.0, 1.0, hint="a share of customers who stay: 0.46")(_instance, attribute, value)


@attrs.frozen(kw_only=True)
class StayRow(Document):
    """Shares of customers who stay (buy again) after a problem of one size, by how it was handled.

    Parameters
    ----------
    silent : share
        Did not complain.
    not_satisfied, satisfied, satisfied_quickly : shares
        Complained, and how it ended.
    """

    silent: float = attrs.field(validator=_share)
    not_satisfied: float = attrs.field(validator=_share)
    satisfied: float = attrs.field(validator=_share)
    satisfied_quickly: float = attrs.field(validator=_share)

    def __attrs_post_init__(self) -> None:
        if not self.not_satisfied <= self.satisfied <= self.satisfied_quickly:
            hint = "a better ending keeps at least as many: write the shares in this order"
            got = (self.not_satisfied, self.satisfied, self.satisfied_quickly)
            raise OutOfRange("not_satisfied, satisfied, satisfied_quickly", got, "rising shares", hint)

    @property
    def room(self) -> float:
        """What the best handling can win over the worst."""
        return self.satisfied_quickly - self.not_satisfied


@attrs.frozen(kw_only=True, repr=False)
class StayPrior(Document):
    """What is believed about staying until own data say better: a small problem, a large one, others on a line.

    Parameters
    ----------
    name, source, year
        Where the shares come from: they stand in every result that uses them.
    small, large : StayRow
        Of the lowest and the highest severity. The large problem must leave at least as much room for handling.
    worth_of : count
        Customers that the shares are worth as evidence: intervals are those of shares of so many.

    Examples
    --------
    >>> print(TARP)
    TARP (1986): stay after a small problem .37 silent, .46 not satisfied, .70 satisfied, .95 satisfied quickly; \
after a large one .09, .19, .54, .82; taken as worth 100 customers each
    >>> TARP.at("low").satisfied, round(TARP.at("high").satisfied, 3)
    (0.7, 0.593)
    """

    name: str
    source: str
    year: int
    small: StayRow
    large: StayRow
    worth_of: int = 100

    def __attrs_post_init__(self) -> None:
        if not str(self.name).strip():
            raise EmptyInput("name", "name the prior: it stands in every result that uses it")
        if self.large.room < self.small.room - 1e-9:
            hint = "else a worse failure would earn a smaller remedy: check that small and large are not exchanged"
            raise OutOfRange("large.room", round(self.large.room, 4), f"{self.small.room:.4g} or more", hint)
        above("worth_of", self.worth_of, hint="customers behind each share", allowed="1 or more", least=1)

    def __repr__(self) -> str:
        return f"StayPrior({self.name!r}, {self.year})"

    def __str__(self) -> str:
        small, large = (" ".join(f"{x:.2f}".lstrip("0") for x in attrs.astuple(r)).split() for r in self._rows())
        names = ("silent", "not satisfied", "satisfied", "satisfied quickly")
        told = ", ".join(f"{x} {name}" for x, name in zip(small, names, strict=True))
        return (
            f"{self.name} ({self.year}): stay after a small problem {told}; after a large one {', '.join(large)}; "
            f"taken as worth {self.worth_of} customers each"
        )

    def _rows(self) -> tuple[StayRow, StayRow]:
        return self.small, self.large

    def at(self, severity: Severity | str | int) -> StayRow:
        """Shares at one severity: on the line between small (low) and large (critical)."""
        step = step_of(severity)
        a = step / (STEPS - 1)
        small, large = (attrs.astuple(r) for r in self._rows())
        mixed = [(1 - a) * x + a * y for x, y in zip(small, large, strict=True)]
        names = [f.name for f in attrs.fields(StayRow)]
        return StayRow(**dict(zip(names, mixed, strict=True)))

    def columns(self) -> tuple[Floats, Floats]:
        """Shares not satisfied and satisfied quickly of the four severities, low first."""
        rows = [self.at(s) for s in sorted(Severity, reverse=True)]
        return np.array([r.not_satisfied for r in rows]), np.array([r.satisfied_quickly for r in rows])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a severity: severity and the four shares."""
        found = self._table()
        return write_frame({n: [row[n] for row in found] for n in found[0]}, backend=backend)

    def _table(self) -> list[dict[str, Any]]:
        return [{"severity": s.name.lower(), **attrs.asdict(self.at(s))} for s in sorted(Severity, reverse=True)]

    def _repr_html_(self) -> str:
        return html_table(self._table(), caption=f"{self.name} ({self.year}), {self.source}")


TARP = StayPrior(
    name="TARP", year=1986, source="TARP, Consumer Complaint Handling in America: an update study",
    small=StayRow(silent=0.37, not_satisfied=0.46, satisfied=0.70, satisfied_quickly=0.95),
    large=StayRow(silent=0.09, not_satisfied=0.19, satisfied=0.54, satisfied_quickly=0.82),
)  # fmt: skip
"""Losses below 5 $ and above 100 $ in the United States of the 1980s: a starting point, to be replaced by own data."""


def step_of(severity: Severity | str | int) -> int:
    """Steps above the lowest severity: 0 for low to 3 for critical.

    Examples
    --------
    >>> step_of("critical"), step_of(Severity.NORMAL)
    (3, 1)
    """
    if isinstance(severity, Severity):
        return STEPS - severity.value
    names = tuple(s.name.lower() for s in Severity)
    if isinstance(severity, str):
        if severity not in names:
            raise UnknownName("severity", severity, names)
        severity = Severity[severity.upper()]
    if severity not in set(Severity):
        raise OutOfRange("severity", severity, "1 (critical) to 4 (low)", f"or a word: {', '.join(names)}")
    return STEPS - int(severity)


def relationship_strength(tenure_years: float, *, half_years: float = 3.0) -> float:
    """Strength of a relationship by its age, from 0 to 1: t / (t + half).

    Parameters
    ----------
    tenure_years : years
        0 or more.
    half_years : years
        Age at which the strength is a half. A choice, not a finding.

    Examples
    --------
    >>> relationship_strength(0), relationship_strength(3), relationship_strength(9)
    (0.0, 0.5, 0.75)
    """
    years = above("tenure_years", tenure_years, hint="0 for a new customer", allowed="0 or more", least=0)
    half = above("half_years", half_years, hint="such as 3")
    return years / (years + half)


def forgiveness(
    prior: StayPrior, severity: Severity | str | int, relationship: float | None = None, *, weight: float = 1.0
) -> float:
    """Chance that a customer stays although nothing is put right.

    Parameters
    ----------
    prior : StayPrior
    severity : Severity
    relationship : strength from 0 to 1, optional
        `relationship_strength(tenure_years)`, or any own measure; None is not known and counts as 0.
    weight : log-odds
        By which a relationship of full strength raises the chance; 0 or more. Soares & Proença (2015) found that the
        age of a relationship moderates, and that severity lowers repurchase; the size is a choice.

    Returns
    -------
    share
        logit⁻¹(logit(not satisfied) + weight × strength). It explains and forecasts; it never makes a remedy smaller.

    Examples
    --------
    >>> round(forgiveness(TARP, "high"), 3), round(forgiveness(TARP, "high", relationship_strength(9)), 3)
    (0.28, 0.452)
    """
    above("weight", weight, hint="log-odds; 0 switches the moderator off", allowed="0 or more", least=0)
    strength = 0.0 if relationship is None else real("relationship", relationship)
    if not 0 <= strength <= 1:
        raise OutOfRange("relationship", relationship, "0 to 1", "relationship_strength(tenure_years) makes one")
    return float(moved(np.array([prior.at(severity).not_satisfied]), weight * strength)[0])


def moved(share: Floats, log_odds: ArrayLike, /) -> Floats:
    """Shares moved on the scale of log-odds; 0 and 1 stay.

    Examples
    --------
    >>> moved(np.array([0.5, 0.0]), np.log(3)).round(9).tolist()
    [0.75, 0.0]
    """
    factor = np.exp(np.asarray(log_odds, np.float64))
    made: Floats = share * factor / (1 - share + share * factor)
    return made
