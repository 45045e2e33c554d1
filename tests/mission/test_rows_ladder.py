"""The ladder: what the library promises, in the words of the field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.ladder import RUNGS, MarkovClv, climb, ladder
from crmcore.idic.differentiate.rfm import Migration
from crmcore.rules import Event, Facts, FactTable, Tiers

START = datetime(2026, 1, 1, tzinfo=UTC)


def facts(*events: tuple[str, int], subject: str = "a") -> Facts:
    made = [Event(kind=kind, time=START + timedelta(days=day)) for kind, day in events]
    return Facts({}, events=made, subject=subject)


CLIMBER = facts(("visit", 0), ("purchase", 10), ("purchase", 40), ("purchase", 70), ("referral", 90), ("referral", 99))


def test_row_029_four_dated_transitions_with_evidence() -> None:
    moves = ladder().history(CLIMBER, until=START + timedelta(days=100))
    assert [m.after for m in moves] == ["stranger", "buyer", "regular", "advocate"]
    assert [(m.at - START).days for m in moves] == [0, 10, 70, 99]
    assert all(m.reason for m in moves)


def test_row_029_a_regular_who_stops_buying_gets_grace_then_falls() -> None:
    regular = facts(("purchase", 0), ("purchase", 10), ("purchase", 20))
    dates = [START + timedelta(days=d) for d in (20, 390, 430)]
    moves = ladder().history(regular, until=dates[-1], also_at=dates)
    assert [str(m.kind) for m in moves][-2:] == ["grace started", "down"]
    assert moves[-1].after == "buyer"


def test_row_029_criteria_can_be_edited_and_saved() -> None:
    easy = ladder(regular_orders=2)
    moves = easy.history(CLIMBER, until=START + timedelta(days=50))
    assert moves[-1].after == "regular"
    assert Tiers.from_dict(easy.to_dict()) == easy
    assert easy.names == RUNGS
    with pytest.raises(OutOfRange):
        ladder(referrals=0)


def test_row_030_defenders_are_advocates_and_buyers_alone_are_not() -> None:
    defender = facts(("purchase", 0), ("defence", 1), ("defence", 2), ("defence", 3), ("referral", 4))
    assert ladder().history(defender, until=START + timedelta(days=5))[-1].after == "advocate"
    buyer = facts(*[("purchase", d) for d in range(50)])
    assert ladder().history(buyer, until=START + timedelta(days=60))[-1].after == "regular"
    replies = facts(("purchase", 0), ("defence", 1), ("defence", 2), ("defence", 3))
    assert ladder().history(replies, until=START + timedelta(days=5))[-1].after == "buyer"


def test_a_population_climbs_as_each_customer_does() -> None:
    rng = np.random.default_rng(3)
    kinds = ["visit", "purchase", "referral", "defence"]
    people = [
        facts(
            *[(str(rng.choice(kinds)), int(rng.integers(0, 700))) for _ in range(rng.integers(1, 14))], subject=f"p{i}"
        )
        for i in range(40)
    ]
    dates = [START + timedelta(days=d) for d in range(0, 900, 45)]
    run = climb(ladder(), FactTable.of_facts(people), dates=dates)
    for i, person in enumerate(people):
        standing = None
        for date, table in zip(dates, run.standings, strict=True):
            standing = ladder().assign(standing, person, now=date).standing
            assert table[i] == standing
    assert int(run.step_counts().counts.sum()) == 40 * (len(dates) - 1)
    assert int(run.moves(dates[0], dates[-1]).counts.sum()) == 40
    with pytest.raises(EmptyInput):
        climb(ladder(), FactTable.of_facts(people), dates=[])
    with pytest.raises(OutOfRange, match="ascending"):
        climb(ladder(), FactTable.of_facts(people), dates=dates[::-1])


def test_the_chain_is_the_sum_of_its_discounted_steps() -> None:
    moves = Migration(names=("gone", "low", "high"), counts=[[9, 0, 0], [3, 5, 2], [1, 2, 7]])
    step = moves.counts / moves.counts.sum(axis=1, keepdims=True)
    reward, factor = np.array([0.0, 10, 30]) - np.array([0.0, 1, 2]), np.eye(3)
    expected = np.zeros(3)
    for _ in range(400):
        expected += factor @ reward
        factor = factor @ step / 1.1
    found = MarkovClv(discount=0.1).fit(moves, reward=[0, 10, 30], cost=[0, 1, 2], seed=1)
    assert [e.value for e in found.values] == pytest.approx(expected.tolist())
    long = MarkovClv(discount=0.1, periods=400).fit(moves, reward=[0, 10, 30], cost=[0, 1, 2], seed=1)
    assert [e.value for e in long.values] == pytest.approx(expected.tolist())
    assert found.values[2].low < found.values[2].value < found.values[2].high
    assert abs(found.values[0].value) + abs(found.values[0].high) < 1e-9


def test_intervals_of_the_chain_cover_the_truth() -> None:
    true = np.array([[1, 0, 0], [0.2, 0.6, 0.2], [0.05, 0.25, 0.7]])
    reward = np.array([0.0, 10, 30])
    value = np.linalg.solve(np.eye(3) - true / 1.1, reward)[2]
    rng, hits = np.random.default_rng(0), 0
    for _ in range(200):
        counts = np.array([rng.multinomial(80, row) for row in true])
        moves = Migration(names=("gone", "low", "high"), counts=counts)
        e = MarkovClv(discount=0.1, draws=300, level=0.9).fit(moves, reward=reward, seed=rng).values[2]
        hits += e.low <= value <= e.high
    assert 0.84 <= hits / 200 <= 0.96


def test_a_rung_that_nobody_stood_on_has_no_value() -> None:
    moves = Migration(names=("gone", "low"), counts=[[0, 0], [3, 5]])
    found = MarkovClv(discount=0.1).fit(moves, reward=[0, 1], seed=1)
    assert np.isnan(found.values[0].value)
    with pytest.raises(OutOfRange, match="one a rung"):
        MarkovClv(discount=0.1).fit(moves, reward=[1], seed=1)
    with pytest.raises(OutOfRange):
        MarkovClv(discount=0)
