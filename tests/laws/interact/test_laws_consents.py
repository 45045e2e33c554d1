"""Laws of consents: equal to reading statements one by one; order is irrelevant; one person = a population; as of."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from crmcore.idic.interact.consents import ConsentLedger, ConsentTable, Statement

sys.path.insert(0, str(Path(__file__).parent))
import contact_oracle as slow

QUESTIONS = [(p, c, s) for p in ("marketing", "research") for c in ("email", "sms") for s in ("*", "shop")]


@pytest.mark.parametrize("seed", range(60))
def test_an_answer_equals_reading_the_statements_one_by_one(seed: int) -> None:
    rng, now = slow.case(seed)
    rules = slow.random_rules(rng)
    said = {name: slow.random_statements(rng, name, now) for name in "abcdefgh"}
    flat = [s for statements in said.values() for s in statements]
    ledger, shuffled = ConsentLedger(flat, rules=rules), ConsentLedger(rules=rules)
    for statement in [*rng.sample(flat, len(flat)), *flat[:3]]:  # in any order, some twice
        shuffled.record(statement)
    table = ConsentTable.of(ledger)
    frame = ConsentTable.from_frame(ledger.to_frame(), rules=rules) if flat else table
    for purpose, channel, scope in QUESTIONS:
        for known in (None, now - timedelta(days=4)):
            asked = {"at": now, "scope": scope, "known_at": known}
            column = table.ask(purpose, channel, **asked)
            assert column.standings() == frame.ask(purpose, channel, **asked).standings()
            for name in said:
                answer = ledger.ask(name, purpose, channel, **asked)
                expected = slow.standing(said[name], rules, (purpose, channel, scope), now, known)
                assert answer.standing == expected, (seed, purpose, channel)
                assert shuffled.ask(name, purpose, channel, **asked) == answer
                code = table.customers.code(name)
                if code >= 0:
                    assert column.standings()[code] == expected
                    assert (column.to_frame()["until"][code]) == answer.until


@pytest.mark.parametrize("seed", range(20))
def test_what_was_known_at_an_instant_never_changes(seed: int) -> None:
    rng, now = slow.case(seed)
    early = slow.random_statements(rng, "a", now)
    late = [
        Statement.from_dict({**s.to_dict(), "recorded_at": (now + timedelta(days=1)).isoformat()})
        for s in slow.random_statements(rng, "a", now)
        if s not in early
    ]
    ledger = ConsentLedger(early)
    known = now - timedelta(hours=6)
    before = [ledger.ask("a", *q[:2], at=known, scope=q[2], known_at=known) for q in QUESTIONS]
    ledger.record(late)
    assert [ledger.ask("a", *q[:2], at=known, scope=q[2], known_at=known) for q in QUESTIONS] == before


@pytest.mark.parametrize("seed", range(20))
def test_a_ledger_survives_json_frames_and_an_undone_merge(seed: int) -> None:
    rng, now = slow.case(seed)
    ledger = ConsentLedger(
        [s for n in "abc" for s in slow.random_statements(rng, n, now)], rules=slow.random_rules(rng)
    )
    plain = [ledger.ask(n, *q[:2], at=now, scope=q[2]) for n in "abc" for q in QUESTIONS]
    if len(ledger):
        again = ConsentLedger.from_frame(ledger.to_frame(), rules=ledger.rules)
        assert [ledger.statements(n) for n in "abc"] == [again.statements(n) for n in "abc"]
    ledger.merge("a", "b", at=now - timedelta(days=3))
    ledger.merge("b", "c", at=now - timedelta(days=2), rule="latest")
    copy = ConsentLedger.from_dict(json.loads(json.dumps(ledger.to_dict())))
    joined = [ledger.ask(n, *q[:2], at=now, scope=q[2]) for n in "abc" for q in QUESTIONS]
    assert [copy.ask(n, *q[:2], at=now, scope=q[2]) for n in "abc" for q in QUESTIONS] == joined
    standings = [answer.standing for answer in joined]
    n = len(QUESTIONS)
    assert standings[:n] == standings[n : 2 * n] == standings[2 * n :]  # one person, one answer
    ledger.unmerge("b", at=now)
    ledger.unmerge("c", at=now)
    assert [ledger.ask(x, *q[:2], at=now, scope=q[2]) for x in "abc" for q in QUESTIONS] == plain
    counts = ledger.counts()
    ledger.erase("a", at=now, by="officer", reason="request")
    assert ledger.counts() == counts
