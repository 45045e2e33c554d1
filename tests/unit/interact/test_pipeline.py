"""Sentences of errors and texts of the pipeline."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest

from crmcore.errors import CurrencyMismatch, DuplicateIds, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.idic.interact.pipeline import (
    Deal,
    PastDeal,
    Pipeline,
    Stage,
    Symptom,
    forecast,
    learn_chances,
    prepare_visit,
    score_forecast,
)
from crmcore.values import Money

SALES = Pipeline("sales", [Stage("lead", 0.1), Stage("offer", 0.5)])
DEAL = Deal(id="d1", amount=Money.of("10", "THB"), stage="offer", closes=date(2026, 6, 1))


def test_stages_are_distinct_and_have_probabilities() -> None:
    with pytest.raises(DuplicateIds, match="give each stage, won and lost their own names"):
        Pipeline("sales", [Stage("won", 0.5)])
    with pytest.raises(EmptyInput, match="Stage"):
        Pipeline("sales", [])
    with pytest.raises(OutOfRange, match=r"50 % is 0\.5"):
        Stage("lead", 50)
    with pytest.raises(OutOfRange, match=r"50 % is 0\.5"):
        attrs.evolve(DEAL, probability=50)
    with pytest.raises(WrongType, match="closes is a str"):
        attrs.evolve(DEAL, closes="2026-06-01")  # type: ignore[arg-type]


def test_a_forecast_refuses_what_it_cannot_add() -> None:
    with pytest.raises(EmptyInput, match="deals is empty"):
        forecast([], SALES)
    with pytest.raises(DuplicateIds, match="pass each deal once"):
        forecast([DEAL, DEAL], SALES)
    with pytest.raises(CurrencyMismatch, match="cannot combine EUR and THB"):
        forecast([DEAL, attrs.evolve(DEAL, id="d2", amount=Money.of("1", "EUR"))], SALES)
    with pytest.raises(UnknownName, match="did you mean 'offer'"):
        forecast([DEAL.moved("ofer")], SALES)
    with pytest.raises(UnknownName, match="did you mean 'month'"):
        forecast([DEAL], SALES, period="months")
    with pytest.raises(OutOfRange, match="pass seed=1"):
        forecast([DEAL], SALES, chances=learn_chances([], SALES))
    with pytest.raises(OutOfRange, match=r"90 % is 0\.9"):
        forecast([DEAL], SALES, commit_from=90)


def test_learning_and_scoring_refuse_unknown_names() -> None:
    with pytest.raises(UnknownName, match="did you mean 'lead'"):
        learn_chances([PastDeal(["leads"], True)], SALES)
    with pytest.raises(OutOfRange, match="prior_deals = 0"):
        learn_chances([], SALES, prior_deals=0)
    with pytest.raises(UnknownName, match="did you mean '2026-06'"):
        score_forecast(forecast([DEAL], SALES), {"2026-6": 1})
    with pytest.raises(EmptyInput, match="actual_minor is empty"):
        score_forecast(forecast([DEAL], SALES), {})


def test_results_print_show_and_draw() -> None:
    got = forecast([DEAL], SALES)
    assert repr(got) == "Forecast(1 groups)"
    assert str(got).startswith("2026-06: 500 [0, 1,000]")
    assert got.to_frame()["expected_minor"] == [500.0]
    assert "<table>" in got._repr_html_()
    assert got.chart().spec
    assert learn_chances([], SALES).chart().spec
    assert "mean CRPS 250" in str(score_forecast(got, {"2026-06": 0}))


def test_a_visit_in_the_past_and_a_symptom_without_words_are_refused() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    with pytest.raises(OutOfRange, match="prepare before the visit"):
        prepare_visit("v", "noise", [], at=now - timedelta(days=1), now=now)
    with pytest.raises(EmptyInput, match="brake noise"):
        Symptom("brakes", [])
    with pytest.raises(OutOfRange, match="whole numbers from 1"):
        Symptom("brakes", ["noise"], {"pads": 0})
