"""Laws of the pipeline: exact sums equal enumeration, CRPS equals its integral, groups add up to the whole."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, date, datetime, timedelta

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import EmptyInput
from crmcore.idic.interact.pipeline import (
    Deal,
    DealHistory,
    PastDeal,
    Pipeline,
    PipelineBacktest,
    Stage,
    StageMove,
    backtest_chances,
    forecast,
    learn_chances,
)
from crmcore.idic.interact.pipeline.scoring import crps
from crmcore.values import Money

SALES = Pipeline("sales", [Stage("lead", 0.1), Stage("offer", 0.6)])
STAGE_NAMES = ("s0", "s1", "s2")
BACK = Pipeline("back", [Stage(name, 0.2 + 0.3 * i) for i, name in enumerate(STAGE_NAMES)])


@st.composite
def deals(draw: st.DrawFn) -> list[Deal]:
    return [
        Deal(
            id=f"d{i}",
            amount=Money(draw(st.integers(0, 9)), "THB"),
            stage=draw(st.sampled_from(["lead", "offer", "won", "lost"])),
            closes=date(2026, draw(st.integers(1, 3)), 5),
            rep=draw(st.sampled_from(["ann", "bob"])),
            probability=draw(st.sampled_from([None, 0.0, 0.25, 1.0])),
        )
        for i in range(draw(st.integers(1, 7)))
    ]


def chance(deal: Deal) -> float:
    if deal.stage in ("won", "lost") or deal.probability is None:
        return SALES.probability(deal.stage)
    return deal.probability


@settings(max_examples=60, deadline=None)
@given(deals())
def test_the_distribution_of_the_sum_is_that_of_all_outcomes(given_: list[Deal]) -> None:
    (got,) = forecast(given_, SALES, period=None).groups
    slow: dict[float, float] = {}
    for ends in itertools.product((0, 1), repeat=len(given_)):
        mass = np.prod([chance(d) if e else 1 - chance(d) for d, e in zip(given_, ends, strict=True)])
        total = float(sum(d.amount.amount_minor * e for d, e in zip(given_, ends, strict=True)))
        if mass > 0:
            slow[total] = slow.get(total, 0.0) + float(mass)
    assert dict(zip(got.values.tolist(), got.weights.tolist(), strict=True)) == pytest.approx(slow)
    assert got.expected.value == pytest.approx(sum(v * w for v, w in slow.items()))
    assert got.worst_minor <= got.commit_minor <= got.best_minor
    assert got.expected.low <= got.expected.high


@settings(max_examples=40, deadline=None)
@given(deals())
def test_periods_and_reps_add_up_to_the_whole_in_any_order(given_: list[Deal]) -> None:
    (whole,) = forecast(given_, SALES, period=None).groups
    parts = forecast(given_, SALES, by_rep=True)
    assert sum(g.expected.value for g in parts.groups) == pytest.approx(whole.expected.value)
    assert sum(g.deals for g in parts.groups) == whole.deals
    assert forecast(given_[::-1], SALES, by_rep=True).to_dict() == parts.to_dict()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 9)), min_size=1, max_size=8), st.integers(-25, 25))
def test_crps_is_the_integral_of_the_squared_distance_of_the_distributions(
    atoms: list[tuple[int, int]], actual: int
) -> None:
    values = np.array(sorted(v for v, _ in atoms), float)
    weights = np.array([w for _, w in atoms], float)
    weights /= weights.sum()
    edges = np.unique([*values, float(actual)])
    slow = sum(
        (b - a) * (weights[values <= a].sum() - (actual <= a)) ** 2 for a, b in itertools.pairwise(edges.tolist())
    )
    assert crps(values, weights, actual) == pytest.approx(slow, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.1, 100))
def test_a_learned_probability_lies_between_the_prior_and_the_share_seen(won: int, lost: int, weight: float) -> None:
    past = [PastDeal(["offer"], True)] * won + [PastDeal(["offer"], False)] * lost
    e = learn_chances(past, SALES, prior_deals=weight)["offer"].estimate
    seen = won / (won + lost) if won + lost else 0.6
    assert min(0.6, seen) - 1e-9 <= e.value <= max(0.6, seen) + 1e-9
    assert 0 <= e.low <= e.high <= 1


def test_a_simulation_comes_near_to_the_exact_distribution() -> None:
    many = [Deal(id=f"d{i}", amount=Money(2**i, "THB"), stage="offer", closes=date(2026, 6, 1)) for i in range(15)]
    (simulated,) = forecast(many, SALES, period=None, seed=3).groups
    assert simulated.expected.method == "simulation"
    assert simulated.expected.value == pytest.approx(0.6 * (2**15 - 1))
    assert float((simulated.values * simulated.weights).sum()) == pytest.approx(simulated.expected.value, rel=0.02)
    assert simulated.wins.value == pytest.approx(9)


MOVES = st.lists(st.tuples(st.sampled_from(STAGE_NAMES), st.integers(0, 20)), min_size=1, max_size=4)
HISTORIES = st.lists(
    st.tuples(MOVES, st.sampled_from(["won", "lost", None]), st.integers(0, 20)), min_size=2, max_size=8
)
START = datetime(2026, 1, 1, tzinfo=UTC)


def history(i: int, moves: list[tuple[str, int]], end: str | None, after: int) -> DealHistory:
    last = max(at for _, at in moves)
    ended = [StageMove(end, START + timedelta(days=last + after))] if end else []
    return DealHistory(f"d{i}", [*(StageMove(s, START + timedelta(days=at)) for s, at in moves), *ended])


def backtested(deals: list[DealHistory], at: datetime) -> tuple[PipelineBacktest | None, list[object]]:
    seen: list[object] = []

    def score(known: list[DealHistory], open_: list[DealHistory]) -> list[float]:
        seen.extend([tuple(known), tuple(open_)])
        return [0.25] * len(open_)

    try:
        got = backtest_chances(
            deals, BACK, at=at, until=at + timedelta(days=60), others={"s": score}, small_sample_ok=True
        )
    except EmptyInput:
        got = None
    return got, seen


@given(HISTORIES, st.integers(0, 25))
@settings(max_examples=60, deadline=None)
def test_later_events_move_no_prediction(raw: list[tuple[list[tuple[str, int]], str | None, int]], cut: int) -> None:
    at = START + timedelta(days=cut)
    deals = [history(i, *row) for i, row in enumerate(raw)]
    turned = [  # other outcomes after the cutoff, and deals that begin after it
        attrs.evolve(d, moves=[*d.known_at(at).moves, StageMove("won", at + timedelta(days=1))])
        if d.known_at(at).stage in STAGE_NAMES else d.known_at(at)
        for d in deals
    ] + [DealHistory("new", {"s0": at + timedelta(days=1), "won": at + timedelta(days=2)})]  # fmt: skip
    assert backtested(deals, at)[1] == backtested(turned, at)[1]


@given(HISTORIES, st.integers(0, 25))
@settings(max_examples=60, deadline=None)
def test_scores_are_those_of_a_loop_over_deals(
    raw: list[tuple[list[tuple[str, int]], str | None, int]], cut: int
) -> None:
    at = START + timedelta(days=cut)
    deals = [history(i, *row) for i, row in enumerate(raw)]
    got, _ = backtested(deals, at)
    known = [d.known_at(at) for d in deals]
    past = [PastDeal([m.stage for m in d.moves], {"won": True, "lost": False}.get(d.stage)) for d in known if d.moves]
    learned = learn_chances(past, BACK)
    aged = learn_chances([d.past(BACK, now=at) for d in known if d.moves], BACK)
    assert aged.stages == learned.stages
    squares, logs, by_stage, pending = [], [], [], 0
    for deal, then in zip(deals, known, strict=True):
        if then.stage in STAGE_NAMES:
            end = deal.known_at(at + timedelta(days=60)).stage
            pending += end not in ("won", "lost")
            if end in ("won", "lost"):
                p = aged.of(then.stage, (at - then.moves[-1].at) / timedelta(days=1)).estimate.value
                by_stage.append((learned[then.stage].estimate.value - (end == "won")) ** 2)
                squares.append((p - (end == "won")) ** 2)
                logs.append(-math.log(p if end == "won" else 1 - p))
    if got is None:
        assert not squares
        return
    assert (got.n, got.pending) == (len(squares), pending)
    assert got["learned"].brier.value == pytest.approx(sum(squares) / len(squares))
    assert got["by stage"].brier.value == pytest.approx(sum(by_stage) / len(by_stage))
    assert got["learned"].log_score.value == pytest.approx(sum(logs) / len(logs))
    assert got["learned"].brier_over_learned.value == 0


SAT = st.lists(st.tuples(st.sampled_from([True, False, None]), st.integers(0, 30)), min_size=1, max_size=40)


@given(SAT, st.floats(0.5, 50))
@settings(max_examples=80, deadline=None)
def test_an_age_counts_the_deals_that_sat_longer_and_starts_from_the_age_before(
    sat: list[tuple[bool | None, int]], weight: float
) -> None:
    past = [PastDeal(["offer"], won, days=[days]) for won, days in sat]
    got = learn_chances(past, SALES, prior_deals=weight)
    assert (
        got["offer"] == learn_chances([PastDeal(["offer"], won) for won, _ in sat], SALES, prior_deals=weight)["offer"]
    )
    before, ages = got["offer"], [row.days for row in got.aged]
    assert ages == sorted(set(ages))
    assert all(age > 0 for age in ages)
    for row in got.aged:
        older = [won for won, days in sat if days > row.days]
        assert (row.won, row.lost, row.pending) == tuple(older.count(kind) for kind in (True, False, None))
        wanted = (weight * before.estimate.value + row.won) / (weight + row.won + row.lost)
        assert row.won + row.lost > 0
        assert row.estimate.value == pytest.approx(wanted)
        assert got.of("offer", row.days) == row
        assert got.of("offer", row.days - 1e-6) == before
        before = row
