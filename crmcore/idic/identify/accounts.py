"""Business accounts: who belongs to whom, who speaks for whom and since when, and what a whole group is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs
import numpy as np

from crmcore._base import aware, named
from crmcore._frames import write_frame
from crmcore.errors import ConflictingConstraints, DuplicateIds, NaiveDatetime, OutOfRange, UnknownName

__all__ = ["Account", "AccountTree", "ContactRole"]


@attrs.frozen
class Account:
    """One organisation; `parent` is the account that owns it, None at the top."""

    account_id: str
    name: str
    parent: str | None = None


@attrs.frozen
class ContactRole:
    """What one person does for one account, from when to when (None: open; the end is exclusive)."""

    account_id: str
    customer: str  # customer id of the person
    role: str  # "buyer", "decision maker"
    valid_from: datetime | None = attrs.field(default=None, validator=aware)
    valid_until: datetime | None = attrs.field(default=None, validator=aware)

    def __attrs_post_init__(self) -> None:
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise OutOfRange(
                "valid_until", self.valid_until.isoformat(), f"later than {self.valid_from.isoformat()}", "swap them"
            )

    def holds(self, *, at: datetime) -> bool:
        """Whether the person had this role at `at`."""
        if at.utcoffset() is None:
            raise NaiveDatetime("at")
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at < self.valid_until
        )


def _accounts(given: Iterable[Account]) -> tuple[Account, ...]:
    return tuple(sorted(given, key=lambda a: a.account_id))


def _contacts(given: Iterable[ContactRole]) -> tuple[ContactRole, ...]:
    return tuple(given)


@attrs.frozen(eq=False, repr=False)
class AccountTree:
    """Accounts with their owners, and contacts with their roles.

    A person who is no contact of any account (a private customer) simply has none.

    Raises
    ------
    DuplicateIds
        An account stands there twice.
    UnknownName
        A parent or a contact's account does not exist; the nearest is proposed.
    ConflictingConstraints
        Accounts own each other in a circle; the circle is named.

    Examples
    --------
    >>> tree = AccountTree([Account("h", "Holding"), Account("a", "A Ltd", "h"), Account("b", "B Ltd", "h")])
    >>> tree.roll_up({"a": 10, "b": 20})
    {'a': 10, 'b': 20, 'h': 30}
    """

    accounts: tuple[Account, ...] = attrs.field(converter=_accounts)
    contacts: tuple[ContactRole, ...] = attrs.field(default=(), converter=_contacts)

    def __attrs_post_init__(self) -> None:
        names = [a.account_id for a in self.accounts]
        again = tuple(i for i in range(1, len(names)) if names[i] == names[i - 1])
        if again:
            raise DuplicateIds("accounts", len(again), again, "name each account once")
        known = set(names)
        for account in self.accounts:
            if account.parent is not None and account.parent not in known:
                raise UnknownName(f"parent of account {account.account_id!r}", account.parent, tuple(names))
        for contact in self.contacts:
            if contact.account_id not in known:
                raise UnknownName("account of a contact", contact.account_id, tuple(names))
        self._refuse_circles()

    def _refuse_circles(self) -> None:
        parent = {a.account_id: a.parent for a in self.accounts}
        safe: set[str] = set()
        for start in parent:
            path: dict[str, None] = {}
            at: str | None = start
            while at is not None and at not in safe:
                if at in path:
                    circle = list(path)[list(path).index(at) :]
                    raise ConflictingConstraints(
                        "owners of accounts", (*circle, at), "an account cannot own its owner: clear one parent"
                    )
                path[at] = None
                at = parent[at]
            safe.update(path)

    def __repr__(self) -> str:
        return f"AccountTree({len(self.accounts)} accounts, {len(self.contacts)} contact roles)"

    def __getitem__(self, account_id: str) -> Account:
        return named(self.accounts, "account_id", account_id, what="account")

    def path(self, account_id: str) -> tuple[str, ...]:
        """Account and its owners, up to the top."""
        out = [account_id]
        while (parent := self[out[-1]].parent) is not None:
            out.append(parent)
        return tuple(out)

    def below(self, account_id: str) -> tuple[str, ...]:
        """Account and everything that it owns, directly or through others, by id."""
        self[account_id]
        return tuple(a.account_id for a in self.accounts if account_id in self.path(a.account_id))

    def roll_up(self, amounts: Mapping[str, int]) -> dict[str, int]:
        """Amount of each account with all that it owns.

        Parameters
        ----------
        amounts : account id -> minor units of one currency
            Own amounts; accounts that are left out have 0.
        """
        known = tuple(a.account_id for a in self.accounts)
        for name in amounts:
            if name not in known:
                raise UnknownName("account", name, known)
        position = {name: i for i, name in enumerate(known)}
        parent = np.array([position[a.parent] if a.parent is not None else -1 for a in self.accounts], np.int64)
        total = np.array([amounts.get(name, 0) for name in known], object)  # Python integers: no overflow
        for level in self._levels(parent):
            np.add.at(total, parent[level], total[level])
        return dict(zip(known, total.tolist(), strict=True))

    @staticmethod
    def _levels(parent: np.ndarray[Any, np.dtype[np.int64]]) -> list[np.ndarray[Any, np.dtype[np.intp]]]:
        """Accounts that have an owner, deepest first, one array per depth: a level is added before its owners are."""
        depth = np.zeros(len(parent), np.int64)
        at = parent.copy()
        while (at >= 0).any():
            depth += at >= 0
            at = np.where(at >= 0, parent[at], -1)
        return [np.flatnonzero(depth == d) for d in range(int(depth.max(initial=0)), 0, -1)]

    def contacts_of(
        self, account_id: str, *, at: datetime, role: str | None = None, whole_group: bool = False
    ) -> tuple[ContactRole, ...]:
        """Contacts of an account (and with `whole_group` of all that it owns) at one time, of one role where named."""
        homes = self.below(account_id) if whole_group else (self[account_id].account_id,)
        found = [c for c in self.contacts if c.account_id in homes and c.holds(at=at) and role in (None, c.role)]
        return tuple(sorted(found, key=lambda c: (c.account_id, c.role, c.customer)))

    def accounts_of(self, customer: str, *, at: datetime) -> tuple[str, ...]:
        """Accounts that a person speaks for at one time; none for a private customer."""
        return tuple(sorted({c.account_id for c in self.contacts if c.customer == customer and c.holds(at=at)}))

    def to_frame(self, amounts: Mapping[str, int] | None = None, *, backend: Any = None) -> Any:
        """Return one row per account: name, owner, top of the group, depth, and with `amounts` own and group total."""
        paths = [self.path(a.account_id) for a in self.accounts]
        columns: dict[str, Any] = {
            "account_id": [a.account_id for a in self.accounts],
            "name": [a.name for a in self.accounts],
            "parent": [a.parent for a in self.accounts],
            "top": [p[-1] for p in paths],
            "depth": [len(p) - 1 for p in paths],
        }
        if amounts is not None:
            total = self.roll_up(amounts)
            columns["own"] = [amounts.get(a.account_id, 0) for a in self.accounts]
            columns["group"] = [total[a.account_id] for a in self.accounts]
        return write_frame(columns, backend=backend)
