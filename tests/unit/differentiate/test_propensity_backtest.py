"""Back-tests that cannot see the future, and a test that finds every leak made on purpose."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from crmcore.errors import BadRows, EmptyInput, MissingColumn, NaiveDatetime, OutOfRange, WrongType
from crmcore.idic.differentiate.propensity import (
    ActivityFacts,
    Acts,
    BacktestReport,
    Booster,
    FactsPredictor,
    LeakFound,
    Logistic,
    Past,
    backtest,
    check_leaks,
    cut,
)
from crmcore.tables import EventTable, OrderTable

START = datetime(2026, 1, 1, tzinfo=UTC)
CUTOFFS = [START + timedelta(days=d) for d in (150, 200)]


def log(n: int = 60, days: int = 300, seed: int = 0) -> OrderTable:
    """Customers with rhythms of their own; every third stops at some day."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, datetime, int]] = []
    for c in range(n):
        day, gap = float(rng.uniform(0, 60)), float(rng.uniform(5, 40))
        end = rng.uniform(60, days) if c % 3 == 0 else days
        while day < end:
            rows.append((f"customer {c:03d}", START + timedelta(days=day), int(rng.integers(5, 50))))
            day += float(rng.exponential(gap))
    names, times, amounts = zip(*rows, strict=True)
    return OrderTable.from_frame({"customer": names, "time": times, "amount": amounts}, currency="EUR")


def predictor(**changes: Any) -> FactsPredictor[OrderTable]:
    options: dict[str, Any] = {"recipe": Logistic(penalty=1.0), **changes}
    return FactsPredictor(target=Acts(silent=True, active_within_days=90), **options)


def test_a_backtest_reports_each_cutoff_and_all_together() -> None:
    report = backtest(predictor(), log(), cutoffs=CUTOFFS[::-1], horizon_days=30)
    assert [c.at for c in report.cutoffs] == CUTOFFS
    assert report.scores.n == sum(c.scores.n for c in report.cutoffs)
    assert report.scores.auc.low > 0.5
    said = str(report).splitlines()
    assert said[0] == "Back-test at 2 cutoffs, horizon 30 days"
    assert said[1].startswith("2026-05-31  n = ")
    assert BacktestReport.from_dict(report.to_dict()) == report
    assert len(report._repr_html_()) < 6000
    assert "customer 0" not in report._repr_html_() + repr(report)
    assert report.to_frame(backend="polars")["rows_known"].is_sorted()
    assert len(report.chart().rows) == 2
    assert report.chart("gain").title == "Gain"


def test_a_predictor_gets_a_past_that_holds_no_trace_of_later_rows() -> None:
    seen: list[Past[OrderTable]] = []

    class Watcher:
        def fit(self, past: Past[OrderTable], /, *, horizon_days: float) -> Watcher:
            seen.append(past)
            return self

        def predict(self, past: Past[OrderTable], /) -> NDArray[np.float64]:
            return np.full(len(past.customers), 0.5)

    late = OrderTable.from_frame(
        {
            "customer": ["a", "b", "a", "zoe"],
            "time": [START + timedelta(days=d) for d in (0, 1, 40, 41)],
            "amount": [1, 2, 3, 4],
            "product": ["tea", "tea", "secret", "secret"],
        },
        currency="EUR",
    )
    backtest(Watcher(), late, cutoffs=[START + timedelta(days=20)], horizon_days=21)
    past = seen[0]
    assert past.customers.ids == ("a", "b")
    assert past.table.product.values == ("tea",)
    written = pickle.dumps(past)
    assert b"secret" not in written
    assert b"zoe" not in written
    held: Any = past.table.amount_minor
    while held is not None:  # no view leads back to the whole column
        assert len(held) == 2
        held = held.base
    with pytest.raises(OutOfRange, match="it was not known yet"):
        past.before(START + timedelta(days=30))


def test_rows_that_arrived_late_are_unknown_at_the_cutoff() -> None:
    frame = {
        "customer": ["a", "a"],
        "time": [START, START + timedelta(days=1)],
        "received": ["2026-01-01T00:00+00:00", "2026-03-01T00:00+07:00"],
    }
    events = EventTable.from_frame(frame)
    assert len(cut(events, at=START + timedelta(days=5))) == 2
    assert len(cut(events, at=START + timedelta(days=5), arrived="received")) == 1
    assert len(cut(events, at=datetime(2026, 2, 28, 17, tzinfo=UTC), arrived="received")) == 2
    with pytest.raises(MissingColumn, match="did you mean 'received'"):
        cut(events, at=START, arrived="recieved")
    naive = EventTable.from_frame({**frame, "received": ["2026-01-01", "soon"]})
    with pytest.raises(BadRows, match=r"no instant with its zone in 2 rows \[0, 1\]"):
        cut(naive, at=START, arrived="received")


Leak = Callable[[OrderTable], FactsPredictor[OrderTable]]


def of_later_orders(table: OrderTable) -> FactsPredictor[OrderTable]:
    """Counts all orders of a customer, those of the future too."""
    totals = dict(zip(table.customers.ids, np.bincount(table.customer, minlength=len(table.customers)), strict=True))

    def facts(past: Past[OrderTable], /) -> dict[str, Any]:
        return {"orders ever": [float(totals.get(c, 0)) for c in past.customers.ids]}

    return predictor(facts=facts)


def of_a_scale(table: OrderTable) -> FactsPredictor[OrderTable]:
    """Divides by the mean amount of the whole log."""
    scale = float(table.amount_minor.mean())

    def facts(past: Past[OrderTable], /) -> dict[str, Any]:
        return {"spend": np.bincount(past.table.customer, weights=past.table.amount_minor / scale)}

    return predictor(facts=facts)


def of_the_size_of_the_population(table: OrderTable) -> FactsPredictor[OrderTable]:
    """Knows how long the log goes on."""
    end = table.time.max()

    def facts(past: Past[OrderTable], /) -> dict[str, Any]:
        held = ActivityFacts()(past)
        return {**held, "days to the end": np.full(len(past.customers), (end - past.table.time.max()).astype(float))}

    return predictor(facts=facts)


@pytest.mark.parametrize("leak", [of_later_orders, of_a_scale, of_the_size_of_the_population])
def test_a_purpose_made_leak_is_found_and_named(leak: Leak) -> None:
    with pytest.raises(LeakFound, match="the future leaks in") as caught:
        check_leaks(leak, log(), cutoffs=CUTOFFS, horizon_days=30, seed=1)
    assert caught.value.customers > 0
    assert caught.value.world in ("removed", "scrambled")
    assert caught.value.what.startswith("fact ")
    assert "customer 0" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_leak_through_names_is_found_without_a_factory() -> None:
    leaky = of_later_orders(log())
    with pytest.raises(LeakFound, match="customers were renamed"):
        check_leaks(leaky, log(), cutoffs=CUTOFFS, horizon_days=30, seed=1)


def test_a_look_up_that_fails_in_the_renamed_world_is_a_leak() -> None:
    known = dict.fromkeys(log().customers.ids, 1.0)
    leaky = predictor(facts=lambda past: {"known": [known[c] for c in past.customers.ids], **ActivityFacts()(past)})
    with pytest.raises(LeakFound, match="a look-up by name, which failed"):
        check_leaks(leaky, log(), cutoffs=CUTOFFS, horizon_days=30, seed=1)


@pytest.mark.parametrize("recipe", [Logistic(), Booster(rounds=20)], ids=["logistic", "booster"])
def test_predictors_of_the_house_do_not_leak(recipe: Logistic | Booster) -> None:
    report = check_leaks(lambda _: predictor(recipe=recipe), log(), cutoffs=CUTOFFS, horizon_days=30, seed=1)
    assert str(report).startswith("no leak: ")
    assert report.worlds == ("removed", "scrambled", "renamed")


def test_events_that_arrive_late_do_not_leak_either() -> None:
    orders = log()
    days = np.random.default_rng(1).integers(0, 30, len(orders))
    frame = orders.to_frame()
    received = [(t + timedelta(days=int(d))).isoformat() for t, d in zip(frame["time"], days, strict=True)]
    kinds = ["visit" if d % 2 else "purchase" for d in days]
    events = EventTable.from_frame(
        {"customer": frame["customer"], "time": frame["time"], "kind": kinds, "received": received}
    )
    honest: FactsPredictor[EventTable] = FactsPredictor(
        facts=ActivityFacts(kinds=("visit",)), target=Acts(kind="purchase"), recipe=Logistic(penalty=1.0)
    )
    check_leaks(honest, events, cutoffs=CUTOFFS, horizon_days=30, seed=1, arrived="received")
    report = backtest(honest, events, cutoffs=CUTOFFS, horizon_days=30, arrived="received")
    assert report.scores.auc.value > 0.6


def test_a_predictor_that_differs_from_itself_proves_nothing() -> None:
    class Dice:
        def fit(self, past: Past[OrderTable], /, *, horizon_days: float) -> Dice:
            return self

        rng = np.random.default_rng(1)

        def predict(self, past: Past[OrderTable], /) -> NDArray[np.float64]:
            return self.rng.random(len(past.customers))

    with pytest.raises(OutOfRange, match="give it a fixed seed"):
        check_leaks(Dice(), log(), cutoffs=CUTOFFS, horizon_days=30, seed=1)


def test_predictions_of_another_shape_or_range_are_refused() -> None:
    class Wrong:
        def __init__(self, value: float, more: int) -> None:
            self.value, self.more = value, more

        def fit(self, past: Past[OrderTable], /, *, horizon_days: float) -> Wrong:
            return self

        def predict(self, past: Past[OrderTable], /) -> NDArray[np.float64]:
            return np.full(len(past.customers) + self.more, self.value)

    with pytest.raises(OutOfRange, match="one probability a customer"):
        backtest(Wrong(0.5, 1), log(), cutoffs=CUTOFFS, horizon_days=30)
    with pytest.raises(BadRows, match="not from 0 to 1"):
        backtest(Wrong(1.5, 0), log(), cutoffs=CUTOFFS, horizon_days=30)
    short = predictor(facts=lambda past: {"x": [1.0]})
    with pytest.raises(OutOfRange, match="one row a customer of past"):
        backtest(short, log(), cutoffs=CUTOFFS, horizon_days=30)


def test_cutoffs_whose_outcome_is_unknown_are_refused() -> None:
    end = START + timedelta(days=299)
    with pytest.raises(OutOfRange, match="30 days or more before"):
        backtest(predictor(), log(), cutoffs=[end], horizon_days=30)
    with pytest.raises(NaiveDatetime):
        backtest(predictor(), log(), cutoffs=[datetime(2026, 5, 1)], horizon_days=30)
    with pytest.raises(EmptyInput, match="name at least one instant"):
        backtest(predictor(), log(), cutoffs=[], horizon_days=30)
    with pytest.raises(EmptyInput, match="take a shorter horizon"):
        backtest(predictor(), log(), cutoffs=[START + timedelta(days=20)], horizon_days=30)
    with pytest.raises(OutOfRange, match="more than 0 days"):
        backtest(predictor(), log(), cutoffs=CUTOFFS, horizon_days=0)
    with pytest.raises(WrongType, match="read it first"):
        backtest(predictor(), {"a": [1]}, cutoffs=CUTOFFS, horizon_days=30)  # type: ignore[misc]


def test_a_log_that_is_complete_for_longer_may_say_so() -> None:
    orders = log(days=300)
    done = cut(orders, at=START + timedelta(days=205)).table
    late = backtest(predictor(), done, cutoffs=[START + timedelta(days=180)], horizon_days=25.5,
                    until=START + timedelta(days=206))  # fmt: skip
    assert late.cutoffs[0].scores.n > 0


def test_training_labels_come_from_what_was_known_at_the_cutoff() -> None:
    fitted: list[tuple[int, float]] = []

    class Recorder:
        def fit(self, frame: Any, outcome: Any, *, weights: Any = None) -> Recorder:
            fitted.append((len(frame), float(np.mean(outcome))))
            return self

        def predict(self, frame: Any, /) -> NDArray[np.float64]:
            return np.full(len(frame), 0.5)

    orders = log()
    for table in (orders, cut(orders, at=CUTOFFS[1]).table):
        backtest(predictor(recipe=Recorder(), looks=1), table, cutoffs=[CUTOFFS[0]], horizon_days=30)
    assert fitted[0] == fitted[1]
