"""Value of business accounts: rolled up over contracts and seats, each contract counted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import BadRow, BadRows, CurrencyMismatch, DuplicateIds, EmptyInput, OutOfRange
from crmcore.idic.differentiate.worth.hierarchies import lineages
from crmcore.metrics.columns import numbers
from crmcore.metrics.estimates import Estimate, check_level, estimate_of
from crmcore.metrics.intervals import normal_quantile

__all__ = ["AccountValues", "account_values"]

Codes = NDArray[np.intp]


@attrs.frozen(kw_only=True, repr=False)
class AccountValues:
    """Expected value of every account for the coming term.

    Attributes
    ----------
    accounts : ids, sorted
    values : one estimate an account, minor units; n = contracts
        With parents, of the account and of all that lie below it.
    parents : owner of each account, or None; empty where no owners were given
    share_of_wallet : expected value over what the account can spend; NaN where that is unknown
    total : of all accounts, contracts independent of each other
    """

    accounts: tuple[str, ...]
    values: tuple[Estimate, ...]
    share_of_wallet: tuple[float, ...]
    total: Estimate
    currency: str
    parents: tuple[str | None, ...] = ()

    def __len__(self) -> int:
        return len(self.accounts)

    def __str__(self) -> str:
        return f"{len(self)} accounts, expected value {self.total} {self.currency} minor units"

    def __repr__(self) -> str:
        return f"AccountValues({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an account: account, parent (where given), value, low, high, contracts, share_of_wallet."""
        return write_frame(
            {
                "account": list(self.accounts),
                **({"parent": list(self.parents)} if self.parents else {}),
                "value": np.array([e.value for e in self.values]),
                "low": np.array([e.low for e in self.values]),
                "high": np.array([e.high for e in self.values]),
                "contracts": np.array([e.n for e in self.values]),
                "share_of_wallet": np.array(self.share_of_wallet),
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        return html_table([{"accounts": len(self), "value": str(self.total)}], caption=self.currency)


def account_values(
    account: Sequence[str], *, contract: Sequence[str], seats: ArrayLike, margin_minor: ArrayLike, renewal: ArrayLike,
    currency: str | Sequence[str], renewal_error: ArrayLike | None = None, wallet_minor: dict[str, float] | None = None,
    parent: Mapping[str, str] | None = None, level: float = 0.95,
) -> AccountValues:  # fmt: skip
    """Roll contracts up to accounts: expected value = renewal x seats x margin a seat, summed.

    The interval carries two uncertainties: whether a contract renews (variance p (1 - p)) and how well p is known
    (`renewal_error`); contracts are taken as independent, the sum as normal, never below 0 nor above all renewed.

    Parameters
    ----------
    account, contract : (n,) ids
        Row i is one contract; a contract on two rows, of one account or two, is refused: it would count twice.
    seats : (n,) counts
    margin_minor : (n,) minor units a seat and term, after cost to serve
    renewal : (n,) probabilities
    currency : one text, or (n,) texts that must be one
    renewal_error : (n,) standard errors of `renewal`, optional
    wallet_minor : account to what it can spend in the term, optional
    parent : account to the account that owns it, optional
        A group of companies: every owner stands in the result with its own contracts and those of all accounts below
        it; the total counts each contract once. Accounts that own themselves through others are refused.
    level : share

    Examples
    --------
    >>> found = account_values(
    ...     ["acme", "acme"], contract=["k1", "k2"], seats=[10, 5], margin_minor=[100, 200], renewal=[0.9, 0.5],
    ...     currency="EUR", wallet_minor={"acme": 5600},
    ... )
    >>> found.values[0].value, found.share_of_wallet
    (1400.0, (0.25,))
    """
    check_level(level)
    n = len(account)
    if not n:
        raise EmptyInput("contracts", "pass one row a contract")
    units = {currency} if isinstance(currency, str) else set(currency)
    if len(units) > 1:
        first, second, *_ = sorted(units)
        raise CurrencyMismatch(first, second)
    columns = {"seats": numbers("seats", seats), "margin_minor": numbers("margin_minor", margin_minor)}
    columns["renewal"] = numbers("renewal", renewal)
    columns["renewal_error"] = np.zeros(n) if renewal_error is None else numbers("renewal_error", renewal_error)
    sizes = {"contract": len(contract), **{name: len(column) for name, column in columns.items()}}
    for name, size in sizes.items():
        if size != n:
            raise OutOfRange(name, f"{size} entries", f"{n}, as account", "row i of each is one contract")
    seen: set[str] = set()
    again = tuple(i for i, k in enumerate(contract) if k in seen or seen.add(k))  # type: ignore[func-returns-value]
    if again:
        raise DuplicateIds("contract", len(again), again, "give a contract to one account, on one row")
    bad = {
        "seats": ~(columns["seats"] >= 0),
        "margin_minor": ~np.isfinite(columns["margin_minor"]),
        "renewal": ~((columns["renewal"] >= 0) & (columns["renewal"] <= 1)),
        "renewal_error": ~(columns["renewal_error"] >= 0),
    }
    problems = [
        BadRow(k, "missing or out of range", tuple(np.flatnonzero(b).tolist())) for k, b in bad.items() if b.any()
    ]
    if problems:
        raise BadRows("the contracts", tuple(problems), "seats from 0, margins known, renewals from 0 to 1")
    above = lineages((str(a) for a in account), parent=parent or {})
    row = np.repeat(np.arange(n), [len(above[str(a)]) for a in account])
    names, code = np.unique(np.array([up for a in account for up in above[str(a)]]), return_inverse=True)
    worth, p = columns["seats"] * columns["margin_minor"], columns["renewal"]
    variance = worth**2 * (p * (1 - p) + columns["renewal_error"] ** 2)

    def rolled(group: Codes, of: Codes, k: int) -> list[Estimate]:
        mean, var = np.bincount(group, (p * worth)[of], k), np.bincount(group, variance[of], k)
        least, most = (np.bincount(group, w[of], k) for w in (np.minimum(worth, 0), np.maximum(worth, 0)))
        half = normal_quantile(level) * np.sqrt(var)
        low, high = np.maximum(mean - half, least), np.minimum(mean + half, most)
        count = np.bincount(group, minlength=k)
        return [
            estimate_of(*ends, level=level, n=int(c), rule="expected renewal x seats x margin", method="normal")
            for *ends, c in zip(mean, low, high, count, strict=True)
        ]

    values = rolled(code, row, len(names))
    wallet = wallet_minor or {}
    share = tuple(
        e.value / wallet[a] if wallet.get(a, 0) > 0 else float("nan") for a, e in zip(names, values, strict=True)
    )
    return AccountValues(
        accounts=tuple(str(a) for a in names), values=tuple(values), share_of_wallet=share,
        total=rolled(np.zeros(n, np.intp), np.arange(n), 1)[0], currency=units.pop(),
        parents=() if parent is None else tuple(parent.get(str(a)) for a in names),
    )  # fmt: skip
