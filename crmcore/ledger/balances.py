"""What an account holds at an instant, by bucket; balances of one unit add up over accounts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from crmcore import _json
from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import CurrencyMismatch, OutOfRange
from crmcore.ledger.units import Unit

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["BUCKETS", "Balance"]

BUCKETS = ("active", "pending", "reserved", "spent", "expired", "reversed", "transferred", "repaid")
"""Where every credited amount is, at any instant: their sum is what was ever credited."""


@attrs.frozen(kw_only=True)
class Balance:
    """Where everything that was ever credited to an account is at one instant, in whole minor units.

    At every instant `credited = active + pending + reserved + spent + expired + reversed + transferred + repaid`.

    Parameters
    ----------
    account : text
        The account, or several joined by " + ".
    unit : Unit
        Of all amounts.
    as_of : aware datetime
        The instant.
    active : amount
        Can be spent.
    pending : amount
        Earned, not to be spent before an instant or a confirmation.
    reserved : amount
        Set aside for open reservations.
    spent : amount
        Paid, less what was refunded.
    expired : amount
        Left in lots whose day has passed.
    reversed : amount
        Taken back by the brand: cancelled, clawed back, adjusted away.
    transferred : amount
        Moved to other accounts.
    repaid : amount
        Used up by an earlier debt.
    debt : amount
        Owed: taken back after it was spent, and not repaid yet. While it is above 0, nothing is active.
    """

    account: str
    unit: Unit
    as_of: datetime
    active: int = 0
    pending: int = 0
    reserved: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0
    transferred: int = 0
    repaid: int = 0
    debt: int = 0

    @property
    def credited(self) -> int:
        """All that was ever earned, received or adjusted upwards."""
        return sum(getattr(self, name) for name in BUCKETS)

    @property
    def net(self) -> int:
        """What the account is worth to its owner now: active + pending + reserved - debt."""
        return self.active + self.pending + self.reserved - self.debt

    def __add__(self, other: Balance) -> Balance:
        if not isinstance(other, Balance):
            return NotImplemented
        if other.unit != self.unit:
            raise CurrencyMismatch(self.unit.name, other.unit.name)
        if other.as_of != self.as_of:
            hint = "ask both for the same instant"
            raise OutOfRange("as_of", other.as_of.isoformat(), f"{self.as_of.isoformat()} on both sides", hint)
        sums = {name: getattr(self, name) + getattr(other, name) for name in (*BUCKETS, "debt")}
        return Balance(account=f"{self.account} + {other.account}", unit=self.unit, as_of=self.as_of, **sums)

    def __str__(self) -> str:
        number = self.unit.number
        rest = [f"{number(n)} {name}" for name in (*BUCKETS[1:], "debt") if (n := getattr(self, name))]
        when = self.as_of.isoformat(timespec="minutes")
        tail = f" ({', '.join(rest)})" if rest else ""
        return f"{self.account}: {self.unit.text(self.active)} active{tail} at {when}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        found: dict[str, Any] = _json.to_dict(self)
        return found

    @classmethod
    def from_dict(cls, document: object) -> Balance:
        """Read what `to_dict` wrote."""
        return _json.from_dict(cls, document)

    def _rows(self) -> list[tuple[str, int]]:
        return [(name, getattr(self, name)) for name in (*BUCKETS, "debt")]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a bucket: bucket, amount_minor; `backend` as for the tables (None: a dict of lists)."""
        names, amounts = zip(*self._rows(), strict=True)
        return write_frame({"bucket": list(names), "amount_minor": list(amounts)}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"bucket": name, "amount": self.unit.number(n)} for name, n in self._rows() if n or name == "active"]
        caption = f"{self.account} in {self.unit.name} at {self.as_of.isoformat(timespec='minutes')}"
        return html_table(rows, caption=caption)

    def chart(self) -> Chart:
        """Bars of the buckets that are not empty."""
        from crmcore.charts import bar

        rows = [(name, n) for name, n in self._rows() if n or name == "active"]
        scale = 10.0**-self.unit.digits
        title = f"{self.account} at {self.as_of.date().isoformat()}"
        return bar([r[0] for r in rows], [r[1] * scale for r in rows], title=title, axis=self.unit.name)
