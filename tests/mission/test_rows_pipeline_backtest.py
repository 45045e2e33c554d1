"""Row 55 of the features: probabilities of a pipeline, learned until a date and judged by what came after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pytest

from crmcore.errors import BadRows, DuplicateIds, EmptyInput, NaiveDatetime, OutOfRange, SmallSample, UnknownName
from crmcore.idic.interact.pipeline import (
    Deal,
    DealHistory,
    PastDeal,
    Pipeline,
    PipelineBacktest,
    Stage,
    StageChances,
    StageMove,
    backtest_chances,
    forecast,
    learn_chances,
)
from crmcore.lifecycle import Cases, Command
from crmcore.stores import MemoryStore
from crmcore.values import Money

SALES = Pipeline("sales", [Stage("lead", 0.5), Stage("quoted", 0.5)])


def day(n: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)


def story(n: int = 400, seed: int = 3) -> list[DealHistory]:
    """Leads of which 3 of 10 are quoted, and of these 8 of 10 won; other leads are lost."""
    rng, made = np.random.default_rng(seed), []
    for i in range(n):
        begins = rng.uniform(0, 300)
        moves = {"lead": day(begins)}
        if rng.random() < 0.3:
            moves["quoted"] = day(begins + 10)
        won = "quoted" in moves and rng.random() < 0.8
        moves["won" if won else "lost"] = day(begins + 30)
        made.append(DealHistory(f"d{i}", moves))
    return made


def test_row_055_learned_chances_beat_what_was_assumed_and_the_overall_rate() -> None:
    got = backtest_chances(story(), SALES, at=[day(150), day(200), day(250)], until=day(400))
    assert got.n > 80
    assert got.pending == 0
    assert got["prior"].brier_over_learned.low > 0
    assert got["overall rate"].brier_over_learned.low > 0
    assert got["learned"].brier.value < got["prior"].brier.value == 0.25
    assert got["learned"].log_score.value < np.log(2) == pytest.approx(got["prior"].log_score.value)


def test_row_055_leads_which_stay_are_worse_than_leads_which_come_and_age_says_so() -> None:
    got = backtest_chances(story(), SALES, at=[day(150), day(200), day(250)], until=day(400))
    rows = got["by stage"].reliability
    assert rows[0].predicted > rows[0].won.high  # learned from all that came, asked about those still there
    assert got["by stage"].brier_over_learned.low > 0
    aged = got["learned"].reliability
    assert min(row.predicted for row in aged) < 0.05  # after ten days no lead is quoted any more
    assert aged[-1].won.low <= aged[-1].predicted <= aged[-1].won.high


def test_row_055_a_forecast_takes_the_age_of_deals_into_account() -> None:
    now = day(300)
    learned = learn_chances([d.past(SALES, now=now) for d in story() if d.known_at(now).moves], SALES)
    young, old = (
        Deal(id=name, amount=Money.of("1000", "THB"), stage="lead", closes=now.date(), since=day(300 - n))
        for name, n in (("young", 2), ("old", 20))
    )
    means = [
        forecast([deal], SALES, chances=learned, now=at, seed=1, period=None).groups[0].expected.value / 100_000
        for deal, at in ((young, now), (old, now), (old, None))
    ]
    assert means[0] == means[2] == pytest.approx(learned["lead"].estimate.value)
    assert means[1] == pytest.approx(learned.of("lead", 20).estimate.value)
    assert means[1] < 0.05 < means[0]
    assert learned.of("quoted", 0.0) == learned["quoted"] == learned.of("quoted")
    assert "lead after" in str(learned)
    assert list(learned.to_frame()["days"]) == [0, *(r.days for r in learned.aged if r.stage == "lead"), 0]
    assert StageChances.from_dict(learned.to_dict()) == learned
    with pytest.raises(OutOfRange, match="later than now"):
        forecast([attrs.evolve(old, since=day(301))], SALES, chances=learned, now=now, seed=1)
    with pytest.raises(NaiveDatetime):
        forecast([old], SALES, chances=learned, now=datetime(2026, 6, 1), seed=1)
    with pytest.raises(OutOfRange, match="1, as stages"):
        PastDeal(["lead"], True, days=[1, 2])
    with pytest.raises(OutOfRange, match="finite numbers from 0"):
        PastDeal(["lead"], True, days=[-1])


def test_row_055_a_lead_score_is_judged_beside_them_and_sees_the_past_only() -> None:
    seen: list[datetime] = []

    def score(known: list[DealHistory], open_: list[DealHistory]) -> list[float]:
        seen.extend(move.at for deal in known for move in deal.moves)
        assert {deal.stage for deal in open_} <= {"lead", "quoted"}
        return [0.8 if deal.stage == "quoted" else 0.1 for deal in open_]

    got = backtest_chances(story(), SALES, at=day(200), until=day(400), others={"lead score": score})
    assert max(seen) <= day(200)
    assert [j.name for j in got.judged] == ["learned", "by stage", "prior", "overall rate", "lead score"]
    assert set(got.reliability_table()["prediction"]) == {j.name for j in got.judged}


def test_row_055_open_deals_are_pending_and_a_small_back_test_warns() -> None:
    deals = [DealHistory("a", {"lead": day(0), "won": day(9)}), DealHistory("b", {"lead": day(0)}),
             DealHistory("c", [StageMove("lost", day(20)), StageMove("lead", day(1))])]  # fmt: skip
    with pytest.warns(SmallSample, match="back-test"):
        got = backtest_chances(deals, SALES, at=day(5), until=day(30))
    assert (got.n, got.pending, got.rate.value) == (2, 1, 0.5)
    assert str(got).startswith("2 predictions, 1 still open, won 0.5 [")
    assert "learned: Brier 0.25" in str(got)
    assert len(got._repr_html_()) < 6000
    assert list(got.to_frame()["prediction"]) == ["learned", "by stage", "prior", "overall rate"]
    assert got.chart().spec
    assert PipelineBacktest.from_dict(got.to_dict()) == got


def test_row_055_cases_are_read_and_wrong_calls_are_told() -> None:
    cases = Cases(MemoryStore(), [SALES.workflow()])
    cases.open("sales", "d1", at=day(0))
    cases.handle("d1", Command("move to quoted", actor="ann", at=day(2), id="1")).or_raise()
    cases.handle("d1", Command("win", actor="ann", at=day(5), id="2")).or_raise()
    deal = DealHistory.of_case(cases.read("d1"), SALES)
    assert [(m.stage, m.at) for m in deal.moves] == [("lead", day(0)), ("quoted", day(2)), ("won", day(5))]
    assert deal.known_at(day(3)).stage == "quoted"
    asked = {"at": day(3), "until": day(9), "small_sample_ok": True}
    assert backtest_chances([deal], SALES, **asked).n == 1
    with pytest.raises(DuplicateIds):
        backtest_chances([deal, deal], SALES, **asked)
    with pytest.raises(UnknownName):
        backtest_chances([DealHistory("x", {"offer": day(0)})], SALES, **asked)
    with pytest.raises(EmptyInput, match="no deal was open"):
        backtest_chances([deal], SALES, **{**asked, "at": day(6)})
    with pytest.raises(OutOfRange, match="before until"):
        backtest_chances([deal], SALES, **{**asked, "until": day(3)})
    with pytest.raises(OutOfRange, match="groups"):
        backtest_chances([deal], SALES, **asked, groups=0)
    with pytest.raises(NaiveDatetime):
        backtest_chances([deal], SALES, **{**asked, "at": datetime(2026, 1, 2)})
    with pytest.raises(BadRows, match="not from 0 to 1"):
        backtest_chances([deal], SALES, **asked, others={"odd": lambda known, open_: [2.0] * len(open_)})
    with pytest.raises(OutOfRange, match="other names"):
        backtest_chances([deal], SALES, **asked, others={"prior": lambda known, open_: [0.5] * len(open_)})
