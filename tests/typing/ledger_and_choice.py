"""Types of the ledger and of allocation, as users see them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.choice import Allocation, Quota, allocate
from crmcore.ledger import (
    Account,
    Balance,
    Balances,
    Kind,
    Ledger,
    Limit,
    Posting,
    PostingTable,
    Statement,
    Unit,
    earn,
    evolve,
    replay,
    spend,
    statement,
)
from crmcore.metrics import proportion
from crmcore.stores import MemoryStore
from crmcore.values import Money

AT = datetime(2026, 3, 1, tzinfo=UTC)

posting = earn("a", "card:7", Decimal("1.5"), at=AT, unit=Unit("point", digits=1))
assert_type(posting, Posting)
assert_type(posting.kind, Kind)
assert_type(posting.amount, int | None)
assert_type(posting.expires_at, datetime | None)
assert_type(evolve(Account(id="card:7"), posting), Account)
assert_type(replay([posting]).balance(as_of=AT), Balance)
assert_type(statement([posting], as_of=AT), Statement)

ledger = Ledger(MemoryStore(), limits=[Limit(kind="spend", at_most=Money(1, "THB"), unit="THB", per="day")])
assert_type(ledger.post(posting), Posting)
assert_type(ledger.post_many([posting]), tuple[Posting, ...])
assert_type(ledger.balance("card:7", as_of=AT), Balance)
assert_type(ledger.balances(as_of=AT), Balances)

table = PostingTable.of([posting])
assert_type(table[0], Posting)
assert_type(table.balances(as_of=AT).active, NDArray[np.int64])
assert_type(table.balances(as_of=AT) + table.balances(as_of=AT), Balances)
assert_type(table.balances(as_of=AT)["card:7"], Balance)

assert_type(allocate([1, 2], [0.5, 1.0], budget=2), Allocation)
allocate([1], [proportion(30, 1000)], budget=2, by="low", groups=["a"], quotas=[Quota("a", at_most=1)])

spend("s", "card:7", 0.5, at=AT)  # type: ignore[arg-type]
spend("s", "card:7", 5, at="2026-03-01")  # type: ignore[arg-type]
spend("s", "card:7", 5)  # type: ignore[call-arg]
