"""Types that a reader of consents, policies and triggers sees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.idic.interact import (
    ConsentLedger,
    ConsentTable,
    Contact,
    ContactPolicy,
    Message,
    Sources,
    decide,
    fire,
    plan,
)
from crmcore.idic.interact.consents import ConsentAnswer, ConsentColumn
from crmcore.idic.interact.contact import Audience, ContactPlan, Decision
from crmcore.idic.interact.contact.triggers import Firings, Silence
from crmcore.tables import CustomerIndex

NOW = datetime(2026, 6, 2, tzinfo=UTC)


def check(ledger: ConsentLedger, table: ConsentTable, policy: ContactPolicy, audience: Audience) -> None:
    assert_type(ledger.ask("a", "marketing", "sms", at=NOW), ConsentAnswer)
    assert_type(table.ask("marketing", "sms", at=NOW), ConsentColumn)
    assert_type(decide(Contact("a"), Message("m"), policy=policy, consents=ledger, now=NOW), Decision)
    assert_type(plan(audience, Message("m"), policy=policy, consents=table, now=NOW), ContactPlan)
    found = fire(Silence("s"), Sources(CustomerIndex.of(["a"])), since=NOW, until=NOW)
    assert_type(found, Firings)
    assert_type(found.who("s"), NDArray[np.bool_])
