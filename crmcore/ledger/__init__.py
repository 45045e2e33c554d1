"""Accounts that must balance: points, stamps, coupons, vouchers, budgets.

An account is a fold of postings over lots: what was earned, when it opens and when it expires, what paid for what, what
was given back. Nothing is posted for expiry: balances are asked for at an instant, and what was said about an instant
never changes, because postings of an account only ever go forward in time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.ledger.accounts import Account, evolve, replay
    from crmcore.ledger.balances import Balance, Balances
    from crmcore.ledger.books import Ledger
    from crmcore.ledger.columns import PostingTable
    from crmcore.ledger.limits import Limit, Per
    from crmcore.ledger.postings import IfExpired, IfSpent, Kind, Posting, SpendOrder
    from crmcore.ledger.refusals import Overdraft
    from crmcore.ledger.statements import Statement, statement
    from crmcore.ledger.units import Unit
    from crmcore.ledger.verbs import (
        adjust,
        cancel,
        claw_back,
        commit,
        confirm,
        earn,
        release,
        reserve,
        reverse,
        spend,
        transfer,
    )

__all__ = [
    "Account",
    "Balance",
    "Balances",
    "IfExpired",
    "IfSpent",
    "Kind",
    "Ledger",
    "Limit",
    "Overdraft",
    "Per",
    "Posting",
    "PostingTable",
    "SpendOrder",
    "Statement",
    "Unit",
    "adjust",
    "cancel",
    "claw_back",
    "commit",
    "confirm",
    "earn",
    "evolve",
    "release",
    "replay",
    "reserve",
    "reverse",
    "spend",
    "statement",
    "transfer",
]

_HOMES = {
    ".accounts": ("Account", "evolve", "replay"),
    ".balances": ("Balance", "Balances"),
    ".books": ("Ledger",),
    ".columns": ("PostingTable",),
    ".limits": ("Limit", "Per"),
    ".postings": ("IfExpired", "IfSpent", "Kind", "Posting", "SpendOrder"),
    ".refusals": ("Overdraft",),
    ".statements": ("Statement", "statement"),
    ".units": ("Unit",),
    ".verbs": (
        "adjust", "cancel", "claw_back", "commit", "confirm", "earn", "release", "reserve", "reverse", "spend",
        "transfer",
    ),
}  # fmt: skip

__getattr__ = lazy_names(__name__, {name: home for home, names in _HOMES.items() for name in names})
