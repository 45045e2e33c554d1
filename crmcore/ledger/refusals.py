"""Why a posting is refused: house errors with the facts in fields and the way out in the last line."""

from __future__ import annotations

from datetime import datetime

import attrs

from crmcore.errors import CrmError

__all__ = ["AlreadySettled", "ChangedPosting", "LateEntry", "LimitExceeded", "LotUsed", "Overdraft", "Unbalanced"]


def _when(at: datetime | None) -> str:
    return "" if at is None else f" at {at.isoformat(timespec='minutes')}"


@attrs.define(eq=False)
class Overdraft(CrmError, ValueError):
    """An account holds less than was asked for; amounts are whole minor units."""

    account: str
    what: str
    unit: str
    asked: int
    active: int
    pending: int = 0
    reserved: int = 0
    expired: int = 0
    debt: int = 0
    digits: int = 0
    at: datetime | None = None

    @property
    def missing(self) -> int:
        """How much more would have been needed."""
        return self.asked - self.active

    def __str__(self) -> str:
        from crmcore.ledger.units import Unit

        number = Unit(self.unit, self.digits).number
        parts = {"pending": self.pending, "reserved": self.reserved, "expired": self.expired, "owed": self.debt}
        rest = ", ".join(f"{number(n)} {word}" for word, n in parts.items() if n)
        return (
            f"{self.account!r} cannot {self.what} {number(self.asked)} {self.unit}{_when(self.at)}: "
            f"{number(self.active)} active, {number(self.missing)} missing{f' ({rest})' if rest else ''}.\n"
            f"  hint: {self._way_out(number(self.active))}"
        )

    def _way_out(self, active: str) -> str:
        if self.pending >= self.missing > 0:
            return "wait for the pending amount, or confirm it first"
        if self.reserved >= self.missing > 0:
            return "commit or release the open reservation first"
        return f"ask for at most {active}, or earn more first"


@attrs.define(eq=False)
class LimitExceeded(CrmError, ValueError):
    """A posting would pass a limit of its account."""

    account: str
    kind: str
    per: str
    limit: int
    used: int
    asked: int
    unit: str
    way_out: str
    digits: int = 0

    def __str__(self) -> str:
        from crmcore.ledger.units import Unit

        unit = Unit(self.unit, self.digits)
        used, asked = unit.number(self.used), unit.number(self.asked)
        said = f"{used} used and {asked} asked: expected at most {unit.text(self.limit)} per {self.per}"
        return f"{self.kind} on {self.account!r}: {said}.\n  hint: {self.way_out}"


@attrs.define(eq=False)
class LateEntry(CrmError, ValueError):
    """A posting is older than the last one of its account, so it would change balances that were already stated."""

    account: str
    posting: str
    at: datetime
    last: datetime

    def __str__(self) -> str:
        return (
            f"posting {self.posting!r}{_when(self.at)} comes after one{_when(self.last)} on {self.account!r}: "
            "expected postings in the order of time.\n"
            "  hint: book it at the present instant and name the earlier one in its reason or reference"
        )


@attrs.define(eq=False)
class ChangedPosting(CrmError, ValueError):
    """A posting id stands in the books already, with other content."""

    posting: str
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"posting {self.posting!r} was booked before with another {', '.join(self.fields)}: "
            "expected the same content under the same id.\n"
            "  hint: repeat it unchanged, or give the new posting an id of its own"
        )


@attrs.define(eq=False)
class AlreadySettled(CrmError, ValueError):
    """What a posting refers to has been settled before: reversed in full, committed, released, confirmed."""

    what: str
    of: str
    left: int
    asked: int

    def __str__(self) -> str:
        return (
            f"{self.what} of {self.of!r}: {self.asked} asked, {self.left} left to settle.\n"
            f"  hint: {'nothing is left to do' if not self.left else f'ask for at most {self.left}'}; "
            "a repeated call repeats the id of its posting"
        )


@attrs.define(eq=False)
class LotUsed(CrmError, ValueError):
    """A lot can no longer give what is taken back from it: part was spent, moved or reserved, or its day has passed."""

    lot: str
    asked: int
    there: int
    hint: str

    def __str__(self) -> str:
        return f"lot {self.lot!r} still has {self.there} of the {self.asked} to take.\n  hint: {self.hint}"


@attrs.define(eq=False)
class Unbalanced(CrmError, ArithmeticError):
    """An account does not add up: the books were changed from outside, or there is a fault in the engine."""

    account: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.account!r} does not balance: {'; '.join(self.faults[:5])}.\n"
            "  hint: replay it from its postings; if that differs too, report the postings"
        )
