"""Rows 45, 55 and 57 of the features: preparing a visit, the sales pipeline, one view of a deal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from crmcore.idic.interact.pipeline import (
    Deal,
    Forecast,
    PastDeal,
    Pipeline,
    Preparation,
    Stage,
    StageChances,
    Symptom,
    deal_view,
    forecast,
    learn_chances,
    prepare_visit,
    score_forecast,
)
from crmcore.lifecycle import Cases, Command
from crmcore.stores import MemoryStore
from crmcore.values import Interaction, Money

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
SALES = Pipeline("sales", [Stage("lead", 0.1), Stage("qualified", 0.3), Stage("quoted", 0.5)])
BRAKES = Symptom("brakes", ["brake noise", "squeaking brakes"], {"brake pads": 1}, ["brakes"])
ENGINE = Symptom("engine", ["oil leak", "engine warning"], {"oil filter": 1}, ["engine"])


def test_row_045_brake_noise_becomes_a_task_with_parts_and_skill_before_the_appointment() -> None:
    crew = {"ann": ["engine"], "bob": ["brakes"], "cho": ["brakes", "engine"]}
    got = prepare_visit(
        "visit 9", "brake noise", [BRAKES, ENGINE], at=AT + timedelta(days=3), now=AT,
        stock={"brake pads": 5}, staff=crew, load={"bob": 2, "cho": 1},
    )  # fmt: skip
    assert {p.part for p in got.parts} == {"brake pads"}
    assert set(got.skills) == {"brakes"}
    assert (got.staff, got.due_at < got.at, got.late) == ("cho", True, False)
    assert got.task == "prepare visit 9: 1 brake pads; skills brakes"
    assert Preparation.from_dict(got.to_dict()) == got


@pytest.mark.parametrize(
    ("answer", "found"),
    [("The brakes make a noise when I stop", ("brakes",)), ("There is no brake noise", ()),
     ("An oil leak, and the brakes are noisy? rather a brake noise", ("brakes", "engine")),
     ("Everything is fine", ()), ("", ())],
)  # fmt: skip
def test_row_045_other_words_negation_and_what_is_not_understood(answer: str, found: tuple[str, ...]) -> None:
    got = prepare_visit("v", answer, [BRAKES, ENGINE], at=AT + timedelta(days=3), now=AT)
    assert got.symptoms == found
    assert got.understood is bool(found)
    assert found or got.task == "read the answer for v and plan by hand"


def test_row_045_missing_parts_are_ordered_and_a_call_too_late_is_marked() -> None:
    got = prepare_visit("v", "brake noise", [BRAKES], at=AT + timedelta(hours=5), now=AT, staff={"ann": ["engine"]})
    assert [(p.reserved, p.short) for p in got.parts] == [(0, 1)]
    assert (got.staff, got.late, got.due_at) == (None, True, AT)
    assert "order 1 brake pads" in str(got)


def deals() -> list[Deal]:
    hundred = Money.of("100000", "THB")
    return [
        Deal(id="d1", amount=hundred, stage="quoted", closes=date(2026, 6, 10), rep="ann"),
        Deal(id="d2", amount=hundred, stage="lead", closes=date(2026, 7, 10), rep="bob", probability=0.5),
        Deal(id="d3", amount=hundred, stage="won", closes=date(2026, 8, 10), rep="ann"),
    ]


def test_row_055_three_deals_forecast_50k_50k_and_100k() -> None:
    got = forecast(deals(), SALES)
    assert [g.expected.value / 100 for g in got.groups] == [50_000, 50_000, 100_000]
    assert [g.name for g in got.groups] == ["2026-06", "2026-07", "2026-08"]
    june = got["2026-06"]
    assert (june.expected.low, june.expected.high, june.expected.method) == (0, 10_000_000, "exact")
    assert (june.worst_minor, june.commit_minor, june.best_minor) == (0, 0, 10_000_000)
    assert got["2026-08"].worst_minor == got["2026-08"].commit_minor == 10_000_000
    assert Forecast.from_dict(got.to_dict()).to_dict() == got.to_dict()


def test_row_055_a_manual_probability_stays_on_a_stage_change_as_value_and_as_case() -> None:
    assert deals()[1].moved("quoted").probability == 0.5
    cases = Cases(MemoryStore(), [SALES.workflow()])
    cases.open("sales", "d1", at=AT, data={"amount_minor": 10_000_000, "currency": "THB", "closes": "2026-06-10"})
    cases.handle("d1", Command("estimate", {"probability": 0.7}, at=AT, id="1")).or_raise()
    cases.handle("d1", Command("move to quoted", at=AT, id="2")).or_raise()
    deal = Deal.of_case(cases.read("d1"))
    assert (deal.stage, deal.probability) == ("quoted", 0.7)
    assert forecast([deal], SALES)["2026-06"].expected.value == pytest.approx(7_000_000)
    cases.handle("d1", Command("forget estimate", at=AT, id="3")).or_raise()
    assert forecast([Deal.of_case(cases.read("d1"))], SALES)["2026-06"].expected.value == 5_000_000
    cases.handle("d1", Command("win", at=AT, id="4")).or_raise()
    past = PastDeal.of_case(cases.read("d1"), SALES)
    assert past == PastDeal(["lead", "quoted"], True)


def test_row_055_by_rep_by_quarter_and_all_together() -> None:
    by_rep = forecast(deals(), SALES, period=None, by_rep=True)
    assert {g.rep: g.expected.value / 100 for g in by_rep.groups} == {"ann": 150_000, "bob": 50_000}
    assert [g.name for g in forecast(deals(), SALES, period="quarter").groups] == ["2026-Q2", "2026-Q3"]
    (everything,) = forecast(deals(), SALES, period=None).groups
    assert everything.wins.value == 2.0


def test_row_055_learned_probabilities_are_pulled_to_the_prior_and_widen_the_interval() -> None:
    past = [PastDeal(["lead", "qualified", "quoted"], i < 27) for i in range(30)] + [PastDeal(["lead"], None)] * 5
    learned = learn_chances(past, SALES, prior_deals=10)
    quoted = learned["quoted"]
    assert quoted.estimate.value == pytest.approx((5 + 27) / 40)
    assert (quoted.won, quoted.lost, learned["lead"].pending) == (27, 3, 5)
    assert quoted.estimate.low < 0.8 < quoted.estimate.high
    assert learn_chances([], SALES)["lead"].estimate.value == pytest.approx(0.1)
    assert StageChances.from_dict(learned.to_dict()) == learned
    got = forecast(deals(), SALES, chances=learned, seed=1)
    assert got["2026-06"].expected.value == pytest.approx(8_000_000)
    assert got["2026-07"].expected.value == 5_000_000, "set by hand"
    again = forecast(deals(), SALES, chances=learned, seed=1)
    assert again.to_dict() == got.to_dict()


def test_row_055_forecast_against_actual_by_crps() -> None:
    scored = score_forecast(forecast(deals(), SALES), {"2026-06": 10_000_000, "2026-08": 10_000_000})
    assert [g.crps_minor for g in scored.groups] == [2_500_000, 0]
    assert scored.inside.value == 1.0
    assert scored.mean_error_minor == -2_500_000


def test_row_057_the_deal_view_lists_two_clicks_and_one_case_before_the_quote() -> None:
    def hour(h: float) -> datetime:
        return AT + timedelta(hours=h)

    cases = Cases(MemoryStore(), [SALES.workflow()])
    cases.open("sales", "d1", at=hour(0), data={"customer": "c7"})
    cases.handle("d1", Command("move to quoted", actor="ann", at=hour(50), id="1")).or_raise()
    touches = [
        Interaction("c7", hour(-20), channel="email", kind="campaign click", reference="spring"),
        Interaction("c7", hour(10), channel="web", kind="campaign click", reference="summer"),
        Interaction("c7", hour(20), channel="phone", kind="service case", reference="case:K1"),
        Interaction("c7", hour(60), channel="email", kind="campaign click"),
        Interaction("c8", hour(30), channel="email", kind="campaign click"),
    ]
    view = deal_view(cases.history("d1"), touches, now=hour(100), quote_stage="quoted")
    assert view.before_quote() == {"marketing": 2, "service": 1}
    assert (view.stage, view.quoted_at) == ("quoted", hour(50))
    assert [x.side for x in view.lines] == ["marketing", "deal", "marketing", "service", "deal", "marketing"]
    early = deal_view(cases.history("d1"), touches, now=hour(12), quote_stage="quoted")
    assert (early.stage, early.quoted_at, early.before_quote()) == ("lead", None, {"marketing": 2})
