"""Retention, roll-ups, web, social and business measures: errors, words, frames, pictures, JSON."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from crmcore.errors import (
    BadRows,
    CurrencyMismatch,
    EmptyInput,
    NaiveDatetime,
    OutOfRange,
    SmallSample,
    UnknownName,
    WrongType,
)
from crmcore.metrics import days, series
from crmcore.metrics.behaviour import acquisition, business, content, followers, rollups, social, spreading, staff, web
from crmcore.metrics.durations import churn, cohorts, responses_in_time

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def times(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[us]")


ORDERS = times("2026-01-05", "2026-02-03", "2026-01-20", "2026-02-10", "2026-03-02")
WHO = [0, 0, 1, 2, 2]

RESULTS: dict[str, Callable[[], Any]] = {
    "RateSeries": lambda: churn.churn_by_period(WHO, ORDERS, until=NOW),
    "RollUp": lambda: rollups.roll_up(ORDERS, [1, 2, 3, 4, 5], zone="Asia/Bangkok", watermark=NOW),
    "RetentionTable": lambda: cohorts.retention(WHO, ORDERS, until=NOW),
    "InTime": lambda: responses_in_time.in_time([1, 2, 3] * 20, [1, 1, 0] * 20, 2, target=0.5),
    "ClickValue": lambda: web.click_value(100, [50, 60, 50, 40]),
    "Vanity": lambda: followers.vanity(followers=10_000, engaged=40),
    "Mentions": lambda: social.brand_mentions([i // 2 for i in range(80)], [1, 0] * 40),
    "Spread": lambda: spreading.spread(range(40), np.repeat(ORDERS, 8), seed=1, draws=100),
    "Cac": lambda: acquisition.cac(1000, paid=20, referred=5, currency="THB"),
    "DealVelocity": lambda: business.deal_velocity([1, 0] * 20, [100, 50] * 20, [10, 20] * 20),
    "AutomationEffect": lambda: business.automation_effect([1] * 40 + [0] * 40, [3, 4] * 40),
    "Interactions": lambda: business.interactions(range(40), [4, 5] * 20, n_customers=50),
    "Adoption": lambda: staff.adoption(
        range(40), np.repeat(ORDERS, 8), n_users=40, since=times("2026-01-01")[0], until=NOW
    ),
    "ContentEffect": lambda: content.content_effect(
        range(40),
        np.repeat(ORDERS, 8),
        [3],
        ORDERS[:1],
        control_person=range(40, 80),
        control_time=np.repeat(ORDERS, 8),
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_prints_frames_and_round_trips(name: str) -> None:
    made = RESULTS[name]()
    assert type(made).__name__ == name
    assert str(made)
    assert 20 < len(made._repr_html_()) < 6000
    assert "<script" not in made._repr_html_()
    assert len(made.to_frame(backend="polars")) == len(made.to_frame(backend="pandas")) > 0
    assert type(made).from_dict(json.loads(json.dumps(made.to_dict()))) == made
    assert pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize("name", [n for n in RESULTS if hasattr(RESULTS[n](), "chart")])
def test_every_chart_has_rows_and_a_text_twin(name: str) -> None:
    chart = RESULTS[name]().chart()
    assert chart.rows
    assert len(chart.to_text().splitlines()) > 1
    assert json.dumps(chart.to_dict(), allow_nan=False)


def test_a_heat_map_leaves_cells_empty_that_are_too_young() -> None:
    table = cohorts.retention(WHO, ORDERS, until=datetime(2026, 3, 10, tzinfo=UTC))
    assert str(table).splitlines() == [
        "cohort      size     0     1     2",
        "2026-01-01     2  100%   50%     …",
        "2026-02-01     1  100%     …",
        "2026-03-01     0     …",
    ]
    empty = [(r["row"], r["column"]) for r in table.chart().rows if r["value"] is None]
    assert ("2026-02", "1") in empty
    assert ("2026-01", "1") not in empty
    assert {r["row"] for r in table.chart(latest=1).rows} == {"2026-02"}
    assert [e.value for e in table.curve()] == [1.0, 0.5]
    assert [e.n for e in table.curve()] == [3, 2]


def test_customers_who_signed_up_count_from_then() -> None:
    joined = times("2025-12-20", "2026-01-15", "2026-02-01", "NaT")
    table = cohorts.retention([*WHO, 3], np.append(ORDERS, ORDERS[:1]), until=NOW, joined=joined)
    assert table.starts[0] == date(2025, 12, 1)
    assert table.size.tolist() == [1, 1, 1, 0]
    assert table.rate(date(2025, 12, 1), 1).value == 1.0
    assert table.left_out == 1  # who never joined
    with pytest.raises(OutOfRange, match="customer = 2: expected below 2, the length of joined"):
        cohorts.retention(WHO, ORDERS, until=NOW, joined=joined[:2])


def test_rolling_retention_is_never_below_the_classic_one() -> None:
    rolling = cohorts.retention(WHO, ORDERS, until=NOW, rule="unbounded")
    classic = cohorts.retention(WHO, ORDERS, until=NOW)
    assert (rolling.active >= classic.active).all()
    assert "unbounded at month 1 / began" in rolling.rate(date(2026, 1, 1), 1).rule


def test_retention_refuses_what_it_cannot_read() -> None:
    with pytest.raises(UnknownName, match="did you mean 'unbounded'"):
        cohorts.retention(WHO, ORDERS, until=NOW, rule="unbound")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="unknown period 'fortnight'"):
        cohorts.retention(WHO, ORDERS, until=NOW, period="fortnight")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="did you mean 'Asia/Bangkok'"):
        cohorts.retention(WHO, ORDERS, until=NOW, zone="Asia/Bankok")
    with pytest.raises(NaiveDatetime):
        cohorts.retention(WHO, ORDERS, until=datetime(2026, 4, 1))
    with pytest.raises(EmptyInput, match="cohorts is empty"):
        cohorts.retention(WHO, ORDERS, until=datetime(2020, 4, 1, tzinfo=UTC))
    with pytest.raises(BadRows, match=r"time: missing in 1 row \[0\]"):
        cohorts.retention([0], times("NaT"), until=NOW)
    with pytest.raises(BadRows, match="customer: below -1"):
        cohorts.retention([-2], ORDERS[:1], until=NOW)
    with pytest.raises(EmptyInput, match="brackets is empty"):
        cohorts.retention(WHO, ORDERS, until=NOW, rule="bracket")
    with pytest.raises(OutOfRange, match="ascending pairs that do not overlap"):
        cohorts.retention(WHO, ORDERS, until=NOW, rule="bracket", brackets=[(0, 3), (2, 5)])
    with pytest.raises(OutOfRange, match="say rule='bracket'"):
        cohorts.retention(WHO, ORDERS, until=NOW, brackets=[(0, 3)])
    table = cohorts.retention(WHO, ORDERS, until=NOW)
    with pytest.raises(UnknownName, match="unknown cohort '2026-01-02'"):
        table.rate(date(2026, 1, 2), 0)
    with pytest.raises(OutOfRange, match="age = 9: expected 0 to 2"):
        table.rate(date(2026, 1, 1), 9)
    with pytest.raises(OutOfRange, match="rule, period, zone, until"):
        table + cohorts.retention(WHO, ORDERS, until=NOW, rule="unbounded")


def test_roll_ups_refuse_what_does_not_add_up() -> None:
    days_of = rollups.roll_up(ORDERS, zone="UTC")
    with pytest.raises(OutOfRange, match=r"period, zone = \('day', 'Asia/Bangkok'\)"):
        days_of + rollups.roll_up(ORDERS, zone="Asia/Bangkok")
    with pytest.raises(BadRows, match=r"values: not a finite number in 1 row \[1\]"):
        rollups.roll_up(ORDERS, [1, np.nan, 1, 1, 1], zone="UTC")
    with pytest.raises(OutOfRange, match=r"len\(values\) = 1"):
        rollups.roll_up(ORDERS, [1], zone="UTC")
    with pytest.raises(UnknownName, match="unknown label 'web'"):
        days_of.of("web")
    with pytest.raises(UnknownName, match="unknown column 'sum'"):
        days_of.chart(of="sum")
    with pytest.raises(NaiveDatetime):
        rollups.roll_up([datetime(2026, 1, 1)], zone="UTC")
    with pytest.raises(BadRows, match="time: no time in 1 row"):
        rollups.roll_up(["soon"], zone="UTC")


def test_an_empty_batch_changes_nothing() -> None:
    days_of = rollups.roll_up(ORDERS, [1, 2, 3, 4, 5], zone="UTC", watermark=NOW)
    nothing = rollups.roll_up(ORDERS[:0], np.array([], np.int64), zone="UTC")
    assert len(nothing) == 0
    assert nothing + days_of == days_of
    assert str(nothing) == ""
    assert not days_of.changed_since(nothing + days_of)


def test_sparse_days_of_many_labels_are_grouped_all_the_same() -> None:
    at = times("1999-01-01", "2026-01-01", "1999-01-01")
    labels = np.array(["a", "b", "a"])
    wide = rollups.roll_up(np.append(at, at), [1.5, 2, 3] * 2, zone="UTC", labels=np.append(labels, labels))
    assert wide.count.tolist() == [4, 2]
    assert wide.total.tolist() == [9.0, 4.0]


def test_a_day_that_clocks_repeat_ends_with_its_last_hour() -> None:
    ends = days.period_ends(days.local_periods(times("2026-10-25T12:00"), "Europe/Berlin"), "Europe/Berlin")
    assert ends.tolist() == [datetime(2026, 10, 25, 23)]
    samoa = days.local_periods(times("2011-12-30T09:59", "2011-12-30T10:00"), "Pacific/Apia")
    assert days.period_starts(samoa) == [date(2011, 12, 29), date(2011, 12, 31)]  # 30 December did not happen
    assert days.local_periods(times(), "UTC").tolist() == []
    assert days.period_ends([], "UTC").tolist() == []


def test_series_of_two_rules_do_not_add_up() -> None:
    one = series.RateSeries(number=[1, 2], k=[1, 0], n=[2, 0], rule="a / b", period="day")
    assert one[date(1970, 1, 2)].value == 0.5
    assert np.isnan(one[date(1970, 1, 3)].value)
    assert len(one.chart().rows) == 1
    assert repr(one) == "RateSeries(2 days, a / b)"
    with pytest.raises(OutOfRange, match="count both alike"):
        one + series.RateSeries(number=[1], k=[1], n=[2], rule="c / b", period="day")
    with pytest.raises(OutOfRange, match="0 to n in each period"):
        series.RateSeries(number=[1], k=[3], n=[2], rule="a / b")
    with pytest.raises(OutOfRange, match="one entry a period"):
        series.RateSeries(number=[1, 2], k=[3], n=[2], rule="a / b")
    with pytest.raises(UnknownName, match="start of a period"):
        one[date(2026, 1, 1)]


def test_waits_refuse_time_that_runs_backwards() -> None:
    with pytest.raises(BadRows, match=r"answered: before opened in 1 row \[0\]"):
        responses_in_time.waits(ORDERS[1:2], ORDERS[:1], now=NOW)
    with pytest.raises(BadRows, match="opened: after now"):
        responses_in_time.waits(ORDERS[:1], ORDERS[:1], now=times("2026-01-01")[0])
    with pytest.raises(UnknownName, match="did you mean 'hours'"):
        responses_in_time.waits(ORDERS, ORDERS, now=NOW, unit="hour")
    with pytest.raises(WrongType, match="now is str: expected an aware datetime"):
        responses_in_time.waits(ORDERS, ORDERS, now="today")  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match=r"write 70 % as target=0\.7"):
        responses_in_time.in_time([1], [True], 2, target=70)
    late = responses_in_time.waits(ORDERS[:1], ORDERS[1:2], now=times("2026-01-06")[0], unit="days")
    assert (late[0].tolist(), late[1].tolist()) == ([1.0], [False])  # the answer had not come yet


def test_web_measures_refuse_rules_that_do_not_fit() -> None:
    with pytest.raises(UnknownName, match="did you mean 'single page'"):
        web.bounce_rate([1], session_rule="ga4", bounce="single")  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match="pass duration_s"):
        web.bounce_rate([1], session_rule="ga4", bounce="not engaged")
    with pytest.raises(OutOfRange, match="use time_on_site_by_page"):
        web.time_on_site([1], session_rule="ga4", last_page="censored")
    with pytest.raises(UnknownName, match="unknown last page 'none'"):
        web.time_on_site([1], session_rule="ga4", last_page="none")  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match="pass both or neither"):
        web.time_on_site([1], session_rule="ga4", last_page="heartbeat")
    with pytest.raises(BadRows, match="last: not one last page in 2 rows"):
        web.time_on_site_by_page([0, 0], [5, 0], [0, 0], session_rule="ga4", horizon_s=5)
    with pytest.raises(OutOfRange, match="clicks = 1: expected a whole number from 2"):
        web.click_value(1, [5, 5])
    with pytest.raises(BadRows, match="order_values: not a finite number"):
        web.click_value(10, [np.nan])


def test_bounces_by_three_rules_differ_on_the_same_sessions() -> None:
    pages, seconds, keys = [1, 1, 1, 2, 0], [5, 60, 3, 1, 2], [0, 0, 1, 0, 0]
    rates = [
        web.bounce_rate(
            pages, session_rule="r", bounce=bounce, duration_s=seconds, key_events=keys, small_sample_ok=True
        )
        for bounce in web.BOUNCES
    ]
    assert [r.value for r in rates] == [0.6, 0.4, 0.4]
    assert [r.rule for r in rates] == [
        "bounces (single page) / sessions (r)",
        "bounces (not engaged, 10 s) / sessions (r)",
        "bounces (short single page, 10 s) / sessions (r)",
    ]


def test_social_measures_refuse_what_says_nothing() -> None:
    with pytest.raises(EmptyInput, match="bases is empty"):
        social.engagement_rates([1], {})
    with pytest.raises(EmptyInput, match="share of voice needs a rival"):
        social.share_of_voice(["ours"] * 40)
    with pytest.raises(BadRows, match="weights: not a finite number from 0"):
        social.share_of_voice(["ours", "rival"], weights=[1, -1])
    with pytest.raises(OutOfRange, match=r"write 1 % as limit=0\.01"):
        followers.vanity(followers=10, engaged=1, limit=1)
    with pytest.raises(BadRows, match="last_active: after now"):
        followers.active_followers(times("2027-01-01"), now=NOW)
    with pytest.raises(OutOfRange, match="within_days = 0"):
        followers.active_followers(ORDERS, now=NOW, within_days=0)
    with pytest.raises(OutOfRange, match="draws = 5"):
        spreading.spread(WHO, ORDERS, seed=1, draws=5, small_sample_ok=True)
    with pytest.warns(SmallSample, match="the engagement rate stands on n = 1"):
        social.engagement_rates([1], {"reach": [10]})


def test_loud_authors_make_the_interval_wider() -> None:
    brand = (["ours"] * 5 + ["rival"] * 5) * 8
    one_each = social.share_of_voice(brand, author=range(80))
    loud = social.share_of_voice(brand, author=[i // 5 for i in range(80)], small_sample_ok=True)
    assert loud["ours"].value == one_each["ours"].value == 0.5
    assert loud["ours"].width > one_each["ours"].width
    assert loud["ours"].method.startswith("wilson, effective n = ")
    assert social.share_of_voice(brand, weights=[2] * 80, weighted_by="reach")["ours"].rule == (
        "ours / all, weighted by reach"
    )


def test_business_measures_refuse_what_cannot_be_right() -> None:
    with pytest.raises(OutOfRange, match="spend = -1"):
        acquisition.cac(-1, paid=1)
    with pytest.raises(OutOfRange, match=r"paid = 1\.5"):
        acquisition.cac(1, paid=1.5)  # type: ignore[arg-type]
    with pytest.raises(CurrencyMismatch, match="THB and EUR"):
        acquisition.cac(1, paid=1, currency="THB") + acquisition.cac(1, paid=1, currency="EUR")
    with pytest.raises(EmptyInput, match="name at least one channel"):
        acquisition.cac_by_channel({}, paid={})
    with pytest.raises(BadRows, match=r"value: not a number from 0 in 1 row \[0\]"):
        business.deal_velocity([True, False], [np.nan, 1], [3, 3])
    with pytest.raises(OutOfRange, match="cycle_days"):
        business.deal_velocity([True], [5], [0], small_sample_ok=True)
    with pytest.raises(BadRows, match=r"customer: no code in 1 row \[1\]"):
        business.interactions([0, 5], [1, 1], n_customers=3)
    with pytest.raises(EmptyInput, match="cases is empty"):
        business.automation_effect([], [])


def test_no_deal_won_is_no_velocity_with_an_open_end() -> None:
    got = business.deal_velocity([False] * 40, [5] * 40, [3] * 40)
    assert (got.velocity.value, got.velocity.high) == (0.0, np.inf)
    assert np.isnan(got.value.value)


def test_adoption_refuses_less_than_one_whole_week() -> None:
    whole = {"n_users": 3, "small_sample_ok": True}
    with pytest.raises(OutOfRange, match="at least one whole week between"):
        staff.adoption(WHO, ORDERS, since=times("2026-01-06")[0], until=times("2026-01-18")[0], **whole)
    one = staff.adoption(WHO, ORDERS, since=times("2026-01-05")[0], until=times("2026-01-12")[0], **whole)
    assert len(one.weeks) == 1
    assert np.isnan(one.trend.value)
    with pytest.raises(BadRows, match="user: no code of a user"):
        staff.adoption([9], ORDERS[:1], since=ORDERS[0], until=NOW, **whole)
    with pytest.raises(OutOfRange, match="n_users = 0"):
        staff.adoption([], ORDERS[:0], n_users=0, since=ORDERS[0], until=NOW)
    with pytest.raises(OutOfRange, match="who did nothing is never active"):
        staff.adoption(WHO, ORDERS, since=ORDERS[0], until=NOW, at_least=0, **whole)


def test_churn_refuses_silence_of_no_length() -> None:
    for count in (churn.lapsed_share, churn.customer_lifetimes):
        with pytest.raises(OutOfRange, match="silence_days = 0"):
            count(WHO, ORDERS, now=NOW, silence_days=0)
    with pytest.raises(EmptyInput, match="nobody known was active before it"):
        churn.lapsed_share([-1], ORDERS[:1], now=NOW, silence_days=5)


def test_links_refuse_no_time_and_take_empty_columns() -> None:
    with pytest.raises(OutOfRange, match="within_hours = 0"):
        content.link_purchases([0], ORDERS[:1], [0], ORDERS[:1], within_hours=0)
    assert content.link_purchases([], ORDERS[:0], [0], ORDERS[:1]).tolist() == [-1]
    assert content.link_purchases([-1], ORDERS[:1], [-1], ORDERS[:1]).tolist() == [-1]


def test_one_unit_shows_no_spread() -> None:
    visit = web.time_on_site_by_page([0, 0], [5, 0], [0, 1], session_rule="r", horizon_s=5, small_sample_ok=True)
    deal = business.deal_velocity([True], [5], [2], small_sample_ok=True).velocity
    voice = spreading.spread(["a", "a"], ORDERS[:2], seed=1, small_sample_ok=True).half_life
    assert [visit.value, deal.value] == [10.0, 2.5]
    assert all(np.isnan([e.low, e.high]).all() for e in (visit, deal, voice))


def test_traffic_counts_sessions_without_a_source() -> None:
    from crmcore.tables import TextColumn

    table = web.traffic(TextColumn.of(["social", None, "search", "social"] * 10))
    assert table.labels == ("(unknown)", "search", "social")
    assert table["social"].value == 0.5
    assert web.traffic(["social", "search"] * 20)["social"].value == 0.5


def test_weights_of_nothing_are_no_voice() -> None:
    with pytest.raises(EmptyInput, match="all of them 0"):
        social.share_of_voice(["ours", "rival"], weights=[0, 0])


def test_long_tables_print_what_a_terminal_holds() -> None:
    years = np.datetime64("2023-01-01", "us") + np.arange(36) * np.timedelta64(30, "D")
    table = cohorts.retention(np.zeros(36, int), years, until=NOW)
    assert str(table).splitlines()[-1] == f"... {len(table.ages) - 13} more ages"
    assert max(map(len, str(table).splitlines())) < 100
