"""Seasonal time: found where it is, left alone where it is not, and carried through every number."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import BadRows, OutOfRange
from crmcore.idic.differentiate import clv
from crmcore.idic.differentiate.buying import (
    BuyingModel,
    CalendarChoice,
    Purchases,
    RepeatBuying,
    SeasonIndex,
    choose_calendar,
    choose_model,
    forecast,
    split_orders,
    track,
    with_later_orders,
)
from crmcore.tables import OrderTable

START = datetime(2022, 1, 1, tzinfo=UTC)
ZERO = int(np.datetime64("2022-01-01", "D").astype(int))
BUSY = SeasonIndex.of([0.8] * 40 + [1.2] * 4 + [2.2] * 6 + [0.7] * 2)
FLAT = SeasonIndex.of(np.ones(52))
indices = st.lists(st.floats(0.05, 20), min_size=52, max_size=52).map(SeasonIndex.of)


def world(index: SeasonIndex, *, n: int, days: int, seed: int) -> OrderTable:
    """BG/NBD buyers who arrive all the time and whose seasonal clock is that of the index."""
    rng = np.random.default_rng(seed)
    who, when = [], []
    for customer in range(n):
        clock = float(index.clock(ZERO + rng.uniform(0, days)))
        rate, leaves = rng.gamma(1.2, 1 / 30), rng.beta(0.6, 6.0)
        while (day := int(index.day_at(clock)) - ZERO) < days:
            who.append(f"c{customer}")
            when.append(START + timedelta(days=day))
            clock += rng.exponential(1 / rate)
            if rng.random() < leaves:
                break
    return OrderTable.from_frame({"customer": who, "time": when, "amount": [5] * len(who)}, currency="EUR")


@pytest.fixture(scope="module")
def seasonal() -> OrderTable:
    return world(BUSY, n=500, days=3 * 365, seed=1)


@pytest.fixture(scope="module")
def chosen(seasonal: OrderTable) -> CalendarChoice:
    return choose_calendar(seasonal, until=AT)


AT, END = START + timedelta(days=2 * 365 + 240), START + timedelta(days=3 * 365)


def test_the_season_that_was_planted_is_found_and_betters_the_forecast(
    seasonal: OrderTable, chosen: CalendarChoice
) -> None:
    assert chosen.calendar == chosen.index
    assert chosen.gain > 10
    assert 1 < chosen.freedom < 40
    assert np.corrcoef(chosen.index.weeks, BUSY.weeks)[0, 1] > 0.9
    assert "better by AIC than plain time" in str(chosen)
    with_, without = (split_orders(seasonal, at=AT, until=END, calendar=c) for c in (chosen.calendar, None))
    off = {}
    for name, seen in (("with", with_), ("without", without)):
        model = choose_model(seen.seen).model
        off[name] = abs(forecast(model, seen.seen, horizon=seen.horizon).against(seen.later).total_off)
        tracked = track(model, seen.seen, seasonal, seen_until=AT, until=END)
        assert tracked.actual.sum() > 0
        off[f"{name}, tracked"] = float(np.abs(tracked.actual - tracked.expected).sum())
    assert off["with"] < 0.1 < off["without"]
    assert off["with, tracked"] < 0.8 * off["without, tracked"]


def test_later_orders_never_move_the_choice(seasonal: OrderTable, chosen: CalendarChoice) -> None:
    early = seasonal.take(seasonal.time < np.datetime64(AT.replace(tzinfo=None)))
    assert choose_calendar(early, until=AT) == chosen


@pytest.mark.parametrize("seed", [2, 3])
def test_a_steady_world_has_no_calendar(seed: int) -> None:
    chosen = choose_calendar(world(FLAT, n=400, days=2 * 365, seed=seed))
    assert chosen.calendar is None
    assert "chance" in str(chosen) or "worse by AIC" in str(chosen) or "too little" in str(chosen)


def test_less_than_a_year_is_left_alone_unless_the_caller_vouches(seasonal: OrderTable) -> None:
    short = seasonal.take(seasonal.time < np.datetime64("2022-12-01"))
    chosen = choose_calendar(short)
    assert chosen.calendar is None
    assert chosen.whole_years == 0
    assert "no whole year" in str(chosen)
    vouched = choose_calendar(short, short_ok=True)
    assert vouched.index == chosen.index
    if vouched.calendar is not None:
        assert "the caller vouches" in str(vouched)


def test_a_choice_shows_and_comes_back_from_json(chosen: CalendarChoice) -> None:
    assert CalendarChoice.from_dict(chosen.to_dict()) == chosen
    assert chosen.to_frame(backend="polars")["time"].to_list() == ["plain", "seasonal"]
    assert len(chosen.chart().rows) == 52
    assert len(chosen._repr_html_()) < 6000
    assert len(chosen.index._repr_html_()) < 6000
    assert chosen.index.to_frame(backend="polars").height == 52
    assert "per seasonal week" in str(chosen.with_season)


@given(indices, st.lists(st.floats(-30_000, 40_000), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_clock_and_day_undo_each_other_and_years_keep_their_length(index: SeasonIndex, days: list[float]) -> None:
    assert index.day_at(index.clock(days)) == pytest.approx(np.array(days), abs=1e-6)
    order = np.argsort(days)
    assert (np.diff(index.clock(np.array(days)[order])) > -1e-9).all()
    years = np.arange("1900", "2100", dtype="datetime64[Y]").astype("datetime64[D]").astype(float)
    assert index.clock(years) == pytest.approx(years, abs=1e-6)


def test_a_flat_calendar_is_no_calendar(seasonal: OrderTable) -> None:
    plain, flat = (Purchases.of_orders(seasonal, until=AT, calendar=c) for c in (None, FLAT))
    for name in ("frequency", "recency", "age"):
        one, two = (np.asarray(getattr(p, name)[p.row]) for p in (plain, flat))
        assert one == pytest.approx(two, abs=1e-9)
    models = [RepeatBuying(model="bg", k=2).fit(p) for p in (plain, flat)]
    assert models[0].log_likelihood == pytest.approx(models[1].log_likelihood, abs=1e-5)
    assert flat.ahead(3.0) == pytest.approx(3.0)


def test_the_likelihood_is_that_of_a_rate_that_follows_the_season() -> None:
    orders = OrderTable.from_frame(
        {"customer": list("aaabbc"), "amount": [1] * 6,
         "time": ["2022-01-03", "2022-09-12", "2022-12-10", "2022-03-01", "2022-11-28", "2022-05-05"]},
        currency="EUR", zone="UTC",
    )  # fmt: skip
    seen = Purchases.of_orders(orders, until=datetime(2022, 12, 31, tzinfo=UTC), calendar=BUSY)
    model = RepeatBuying(model="nbd").fit(seen)
    r, alpha = model.parameters.values()
    total = 0.0
    days = {"a": ["2022-01-03", "2022-09-12", "2022-12-10"], "b": ["2022-03-01", "2022-11-28"], "c": ["2022-05-05"]}
    for times in days.values():
        at = np.array(times, "datetime64[D]").astype(float)
        passed = float(BUSY.clock(ZERO + 363) - BUSY.clock(at[0])) / 7
        x = len(at) - 1
        total += math.lgamma(r + x) - math.lgamma(r) + r * math.log(alpha) - (r + x) * math.log(alpha + passed)
        total += float(np.log(BUSY.rate_at(at[1:])).sum())
    assert model.log_likelihood == pytest.approx(total, abs=1e-9)


line = st.tuples(st.sampled_from("abcdefg"), st.integers(0, 500), st.integers(0, 9))


@given(st.lists(line, min_size=1, max_size=40), st.integers(1, 500), indices)
@settings(max_examples=60, deadline=None)
def test_carried_on_in_seasonal_time_equals_read_again(
    lines: list[tuple[str, int, int]], at: int, index: SeasonIndex
) -> None:
    lines = [("a", 0, 5), *lines]

    def table(rows: list[tuple[str, int, int]]) -> OrderTable:
        return OrderTable.from_frame(
            {"customer": [c for c, *_ in rows], "time": [START + timedelta(days=d) for _, d, _ in rows],
             "amount": [a for *_, a in rows]},
            currency="EUR",
        )  # fmt: skip

    split, end = START + timedelta(days=at), START + timedelta(days=510)
    early = Purchases.of_orders(table([row for row in lines if row[1] < at]), until=split, calendar=index)
    carried = with_later_orders(early, table(lines), since=split, until=end)
    again = Purchases.of_orders(table(lines), until=end, calendar=index)
    assert carried.customers is not None
    assert again.customers is not None
    place = [carried.customers.ids.index(c) for c in again.customers.ids]
    for name in ("frequency", "recency", "age"):
        one, two = (np.asarray(getattr(p, name)[p.row]) for p in (carried, again))
        assert one[place] == pytest.approx(two, abs=1e-7)
    assert carried.log_rates is not None
    assert again.log_rates is not None
    assert carried.log_rates.sum() == pytest.approx(again.log_rates.sum(), abs=1e-7)
    assert carried.log_gaps.sum() == pytest.approx(again.log_gaps.sum(), abs=1e-5)


def test_frames_speak_calendar_time_and_json_keeps_the_seasonal_one(seasonal: OrderTable) -> None:
    plain, timed = (Purchases.of_orders(seasonal, until=AT, calendar=c) for c in (None, BUSY))
    for name in ("recency", "age"):
        one, two = (p.to_frame(backend="polars").sort("customer")[name].to_numpy() for p in (plain, timed))
        assert one == pytest.approx(two, abs=1e-6)
    back = Purchases.from_dict(timed.to_dict())
    assert back.to_dict() == timed.to_dict()
    some = timed.take([3, 1, 2])
    assert some.calendar == BUSY
    assert some.log_rates is not None
    assert "in seasonal weeks: 2.23 in week 45" in str(timed)
    assert split_orders(seasonal, at=AT, until=END, calendar=BUSY).to_frame(backend="polars").height == len(timed)


def test_a_table_is_read_in_seasonal_time_and_its_gaps_are_not(seasonal: OrderTable) -> None:
    plain, timed = (Purchases.of_orders(seasonal, until=AT, calendar=c) for c in (None, BUSY))
    cells = [c[plain.row] for c in (plain.frequency, plain.recency, plain.age)]
    last = (AT - timedelta(days=1)).date()
    read = Purchases.of(*cells, calendar=BUSY, last_day=last)
    for name in ("recency", "age"):
        one, two = (np.asarray(getattr(p, name)[p.row]) for p in (read, timed))
        assert one == pytest.approx(two, abs=1e-6)
    with pytest.raises(OutOfRange, match="last observed day"):
        Purchases.of(*cells, calendar=BUSY)
    with pytest.raises(OutOfRange, match="no log_gaps"):
        Purchases.of(*cells, calendar=BUSY, last_day=last, log_gaps=np.zeros(len(plain)))


def test_a_model_and_purchases_of_two_calendars_are_refused(seasonal: OrderTable) -> None:
    plain, timed = (Purchases.of_orders(seasonal, until=AT, calendar=c) for c in (None, BUSY))
    model = RepeatBuying(model="bg").fit(timed)
    assert BuyingModel.from_dict(model.to_dict()) == model
    with pytest.raises(OutOfRange, match="read the purchases with that calendar"):
        forecast(model, plain, horizon=10)
    busy = forecast(model, attrs.evolve(timed, last_day=float(ZERO + 300)), horizon=8)
    calm = forecast(model, attrs.evolve(timed, last_day=float(ZERO + 30)), horizon=8)
    assert busy.total.value > 1.5 * calm.total.value


def test_an_index_is_checked_wherever_it_comes_from() -> None:
    assert clv.SeasonIndex is SeasonIndex
    assert str(FLAT) == "no season"
    assert SeasonIndex.from_dict(BUSY.to_dict()) == BUSY
    with pytest.raises(OutOfRange, match="52"):
        SeasonIndex.of([1.0])
    with pytest.raises(BadRows, match="positive"):
        SeasonIndex((0.0, *[1.0] * 51))
    assert BUSY.exposure(["2022-11-20"], ["2022-12-01"])[0] > 20


@pytest.mark.parametrize(
    "days",
    [[("a", 0)], [("a", 0), ("b", 0)], [("a", 0), ("b", 900)], [("a", 0), ("a", 1)], [("a", 9 * d) for d in range(99)]],
)  # fmt: skip
def test_the_smallest_logs_are_read_without_a_calendar(days: list[tuple[str, int]]) -> None:
    orders = OrderTable.from_frame(
        {"customer": [c for c, _ in days], "time": [START + timedelta(days=d) for _, d in days],
         "amount": [5] * len(days)},
        currency="EUR",
    )  # fmt: skip
    for short_ok in (False, True):
        chosen = choose_calendar(orders, short_ok=short_ok)
        assert chosen.calendar is None
        assert np.isfinite(chosen.index.weeks).all()


def test_a_cohort_by_birth_has_a_calendar_of_its_own(seasonal: OrderTable) -> None:
    born = (START, START + timedelta(days=400))
    told: list[str] = []
    chosen = choose_calendar(seasonal, until=AT, born=born, progress=lambda what, *_: told.append(what))
    seen = Purchases.of_orders(seasonal, until=AT, born=born, calendar=chosen.index)
    assert chosen.with_season.n == len(seen)
    assert seen.left_out["customers born outside"] > 0
    assert set(told) == {"calendar"}
