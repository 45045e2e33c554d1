"""What an account holds at an instant, by bucket, and what a whole population holds, as arrays; both add up."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import CurrencyMismatch, OutOfRange, UnknownName
from crmcore.ledger.units import Unit
from crmcore.tables import CustomerIndex
from crmcore.tables._door import frozen

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["BUCKETS", "Balance", "Balances"]

BUCKETS = ("active", "pending", "reserved", "spent", "expired", "reversed", "transferred", "repaid")
"""Where every credited amount is, at any instant: their sum is what was ever credited."""


@attrs.frozen(kw_only=True)
class Balance(Document):
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


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Balances:
    """Balances of a population at one instant: one array a bucket, in whole minor units, one entry an account.

    Shards of accounts add up: `a + b`, where each account's postings lie in one of them.

    Attributes
    ----------
    accounts : CustomerIndex
        Entry i of every array belongs to `accounts[i]`.
    active, pending, reserved, spent, expired, reversed, transferred, repaid, debt : (k,) amounts
        As in `Balance`.
    credited : (k,) amounts
        Sum of all credits, counted from the postings apart from the buckets.
    expiring : (k,) amounts, optional
        What will expire before the instant that was asked for.
    """

    accounts: CustomerIndex
    unit: Unit
    as_of: datetime
    active: NDArray[np.int64]
    pending: NDArray[np.int64]
    reserved: NDArray[np.int64]
    spent: NDArray[np.int64]
    expired: NDArray[np.int64]
    reversed: NDArray[np.int64]
    transferred: NDArray[np.int64]
    repaid: NDArray[np.int64]
    debt: NDArray[np.int64]
    credited: NDArray[np.int64]
    expiring: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.accounts)

    def __repr__(self) -> str:
        total = self.unit.text(int(self.active.sum()))
        return f"Balances({len(self)} accounts, {total} active at {self.as_of.isoformat(timespec='minutes')})"

    def __getitem__(self, account: str) -> Balance:
        row = self.accounts.code(account)
        if row < 0:
            raise UnknownName("account", account, self.accounts.ids[:20])
        return self._balance(account, lambda column: int(column[row]))

    def _balance(self, account: str, pick: Any) -> Balance:
        found = {name: pick(getattr(self, name)) for name in (*BUCKETS, "debt")}
        return Balance(account=account, unit=self.unit, as_of=self.as_of, **found)

    def total(self) -> Balance:
        """Sum over all accounts: what the programme owes its members."""
        return self._balance(f"{len(self)} accounts", lambda column: int(column.sum()))

    def check(self) -> Balances:
        """Prove that every account adds up; returns the balances themselves, or raises `Unbalanced` naming accounts."""
        from crmcore.ledger.refusals import Unbalanced

        sums = np.sum([getattr(self, name) for name in BUCKETS], axis=0)
        wrong = np.flatnonzero((sums != self.credited) | (self.debt < 0) | ((self.debt > 0) & (self.active > 0)))
        if len(wrong):
            names = tuple(f"{self.accounts[i]!r}: credited {self.credited[i]}, buckets {sums[i]}" for i in wrong[:5])
            raise Unbalanced(f"{len(wrong)} accounts", names)
        return self

    def __add__(self, other: Balances) -> Balances:
        if not isinstance(other, Balances):
            return NotImplemented
        if other.unit != self.unit:
            raise CurrencyMismatch(self.unit.name, other.unit.name)
        if other.as_of != self.as_of:
            hint = "ask both for the same instant"
            raise OutOfRange("as_of", other.as_of.isoformat(), f"{self.as_of.isoformat()} on both sides", hint)
        index = self.accounts if other.accounts is self.accounts else self.accounts.extended(other.accounts.ids)
        to = index.codes(other.accounts.ids)
        both = to[(other.credited != 0)]
        if (self.credited[both[both < len(self)]] != 0).any():
            hint = "keep all postings of an account in one shard"
            raise OutOfRange("shards", "an account in both", "each account in one", hint)

        def joined(a: NDArray[np.int64] | None, b: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
            if a is None or b is None:
                return None
            out = np.zeros(len(index), np.int64)
            out[: len(a)] = a
            out[to] += b
            return frozen(out)

        names = (*BUCKETS, "debt", "credited", "expiring")
        found: dict[str, Any] = {name: joined(getattr(self, name), getattr(other, name)) for name in names}
        return Balances(accounts=index, unit=self.unit, as_of=self.as_of, **found)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an account: account, one column a bucket, debt, and expiring where it was asked for."""
        columns = {name: getattr(self, name) for name in (*BUCKETS, "debt")}
        if self.expiring is not None:
            columns["expiring"] = self.expiring
        return write_frame({"account": list(self.accounts.ids), **columns}, backend=backend)

    def __str__(self) -> str:
        return str(self.total())

    def _repr_html_(self) -> str:
        return self.total()._repr_html_()

    def chart(self) -> Chart:
        """Bars of the buckets, over all accounts."""
        return self.total().chart()
