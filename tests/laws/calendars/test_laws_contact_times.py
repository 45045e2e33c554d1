"""Laws of contact times: equal to stepping through minutes; one contact = a column of them; order is irrelevant."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from crmcore.calendars.contact_times import CalendarCap, ContactTimes, SlidingCap

sys.path.insert(0, str(Path(__file__).parent))
import contact_stepper as slow


def rules_of(case: dict) -> ContactTimes:
    caps = [
        SlidingCap(length, most) if kind == "sliding" else CalendarCap(length, most)
        for kind, length, most in case["caps"]
    ]
    return ContactTimes(case["zone"], quiet_hours=case["quiet_hours"], weekdays=case["weekdays"], caps=caps)


def column(instants: list[datetime]) -> np.ndarray:
    return np.array([at.astimezone(UTC).replace(tzinfo=None) for at in instants], "datetime64[us]")


def check_against_stepper(seed: int) -> None:
    case = slow.random_case(seed)
    decision = rules_of(case).decide(case["at"], case["history"])
    assert decision.reason == slow.first_reason(case, case["at"]), case
    expected = slow.next_allowed(case)
    if expected is not None:
        assert decision.next_allowed_at == expected, case
    else:
        assert slow.first_reason(case, decision.next_allowed_at) is None, case
    for send in decision.evidence:
        assert send in case["history"]
    shuffled = random.Random(seed).sample(case["history"], len(case["history"]))
    assert rules_of(case).decide(case["at"], shuffled) == decision
    rows = rules_of(case).decide_all(column([case["at"]]), column(case["history"]), [0, len(case["history"])])
    assert rows.reasons() == [decision.reason], case
    assert rows.next_allowed[0] == column([decision.next_allowed_at])[0], case


@pytest.mark.parametrize("block", range(6))
def test_contact_times_equal_stepping_through_minutes(block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        check_against_stepper(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_contact_times_equal_stepping_through_minutes_on_three_thousand_cases(block: int) -> None:
    for seed in range(1000 + block * 300, 1300 + block * 300):
        check_against_stepper(seed)


@pytest.mark.parametrize("seed", range(20))
def test_a_population_is_decided_as_its_contacts_one_by_one(seed: int) -> None:
    rng = random.Random(seed)
    cases = [slow.random_case(rng.randrange(10**9)) for _ in range(40)]
    rules = rules_of(cases[0])
    zones = sorted({case["zone"] for case in cases})
    sends = [at for case in cases for at in case["history"]]
    offsets = np.cumsum([0, *(len(case["history"]) for case in cases)])
    codes = [zones.index(case["zone"]) for case in cases]
    rows = rules.decide_all(column([c["at"] for c in cases]), column(sends), offsets, zones=zones, zone_codes=codes)
    single = [rules.decide(case["at"], case["history"], zone=case["zone"]) for case in cases]
    assert rows.reasons() == [decision.reason for decision in single]
    assert (rows.next_allowed == column([decision.next_allowed_at for decision in single])).all()
    assert [rules.caps[c] if c >= 0 else None for c in rows.cap_code] == [decision.cap for decision in single]
