"""Rows of the feature list that measures of behaviour own: durations, retention, web, social, business."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from crmcore.metrics import Counts, compare
from crmcore.metrics.behaviour.acquisition import Cac, cac, cac_by_channel
from crmcore.metrics.behaviour.business import automation_effect, deal_velocity, interactions
from crmcore.metrics.behaviour.content import content_effect, link_purchases
from crmcore.metrics.behaviour.followers import VanityFlag, active_followers, follower_cohorts, vanity
from crmcore.metrics.behaviour.rollups import roll_up
from crmcore.metrics.behaviour.social import brand_mentions, engagement_rate, engagement_rates, share_of_voice
from crmcore.metrics.behaviour.spreading import spread
from crmcore.metrics.behaviour.staff import adoption
from crmcore.metrics.behaviour.web import (
    bounce_rate,
    click_value,
    conversion,
    page_dwell,
    time_on_site,
    time_on_site_by_page,
)
from crmcore.metrics.durations.churn import churn_by_period, churn_rate, customer_lifetimes, lapsed_share
from crmcore.metrics.durations.cohorts import retention
from crmcore.metrics.durations.responses_in_time import Verdict, answered_within, in_time, waits
from crmcore.metrics.durations.survival import kaplan_meier
from crmcore.tables import EventTable, OrderTable


def times(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[us]")


def test_row_034_acquisition_cost_is_50_paid_and_40_blended() -> None:
    cost = cac(1000, paid=20, referred=5, currency="THB")
    assert (cost.paid_cost().value, cost.blended_cost().value) == (50.0, 40.0)
    assert cost.paid_cost().low < 50 < cost.paid_cost().high
    assert cost.paid_cost().rule == "spend / paid customers in THB"
    assert cost.blended_cost().value < cost.paid_cost().value  # advocates make customers cheaper


def test_row_034_channels_add_up_and_a_channel_that_won_nobody_has_no_upper_end() -> None:
    by = cac_by_channel({"ads": 900, "fair": 100}, paid={"ads": 20}, referred={"friends": 5})
    assert list(by) == ["ads", "fair", "friends"]
    assert sum(by.values(), Cac(spend=0, paid=0)) == cac(1000, paid=20, referred=5)
    nobody = by["fair"].paid_cost()
    assert np.isnan(nobody.value)
    assert nobody.high == np.inf
    assert nobody.low > 0
    assert by["friends"].blended_cost().value == 0


def test_row_035_five_durations_two_of_them_censored_as_by_hand() -> None:
    # months: 1, 2 and 4 ended; 3 and 5 still customers. S = 4/5; 4/5 * 3/4 = 3/5; 3/5; 3/5 * 1/2 = 3/10; 3/10
    table = kaplan_meier([1, 2, 3, 4, 5], [True, True, False, True, False], unit="months")
    assert table.survival == pytest.approx([0.8, 0.6, 0.6, 0.3, 0.3])
    assert table.at_risk.tolist() == [5, 4, 3, 2, 1]
    variance = 1 / (5 * 4) + 1 / (4 * 3) + 1 / (2 * 1)  # Greenwood at 4 months
    assert table.log_variance[3] == pytest.approx(variance)
    assert table.cumulative_hazard[3] == pytest.approx(1 / 5 + 1 / 4 + 1 / 2)
    assert table.median(small_sample_ok=True).value == 4
    assert table.restricted_mean(4, small_sample_ok=True).value == pytest.approx(1 + 0.8 + 0.6 + 0.6)
    beyond = table.survival_at(7, small_sample_ok=True)
    assert np.isnan(beyond.value)  # nobody was watched for so long
    assert (beyond.low, beyond.high) == (0, table.band()[1][-1])


def test_row_035_retention_of_a_cohort_with_young_cells_marked_and_not_zero() -> None:
    orders = OrderTable.from_frame(
        {
            "customer": ["a", "b", "a", "c", "c", None],
            "time": ["2026-01-05", "2026-01-09", "2026-02-20", "2026-02-03", "2026-03-02", "2026-02-02"],
            "amount": [1, 1, 1, 1, 1, 1],
        },
        currency="THB",
        zone="Asia/Bangkok",
    )
    until = datetime(2026, 3, 10, tzinfo=UTC)
    table = retention(orders.customer, orders.time, until=until, zone="Asia/Bangkok")
    assert table.starts == [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    assert table.size.tolist() == [2, 1, 0]
    assert table.rate(date(2026, 1, 1), 1).value == 0.5
    young = table.rate(date(2026, 2, 1), 1)  # March runs: c came, but the month is not over
    assert np.isnan(young.value)
    assert (young.low, young.high) == (0, 1)
    assert "too young" in young.rule
    assert table.left_out == 1  # the buyer whom nobody knows
    states = table.to_frame(backend="polars").filter(age="1")
    assert states["state"].to_list() == ["complete", "censored", "censored"]
    assert states["active"].to_list() == [1, None, None]


def test_row_035_churn_has_three_named_definitions() -> None:
    assert churn_rate(12, 240).value == 0.05
    who, when = [0, 1, 0, 2, 2], times("2026-01-05", "2026-01-09", "2026-02-20", "2026-02-03", "2026-03-02")
    april = datetime(2026, 4, 1, tzinfo=UTC)
    by_month = churn_by_period(who, when, until=april)
    assert (by_month.k.tolist(), by_month.n.tolist()) == ([1, 1], [2, 2])
    lapsed = lapsed_share(who, when, now=april, silence_days=60, small_sample_ok=True)
    assert (lapsed.value, lapsed.n) == (0.5, 2)  # customer 2 began 57 days ago: too young to have lapsed
    lifetimes = customer_lifetimes(who, when, now=april, silence_days=60)
    assert (lifetimes.events.sum(), lifetimes.censored.sum()) == (1, 2)


def test_row_056_pipeline_velocity_is_deals_times_win_rate_times_value_over_cycle() -> None:
    got = deal_velocity(
        [True, True, False, False], [100, 300, 900, 50], [10, 30, 90, 4], small_sample_ok=True
    )  # 4 x .5 x 200 / 20
    assert got.velocity.value == pytest.approx(4 * 0.5 * 200 / 20)
    assert got.velocity.low < got.velocity.value < got.velocity.high


def test_row_064_a_late_event_of_yesterday_corrects_yesterday_alone() -> None:
    zone, noon = "Asia/Bangkok", times("2026-03-01T05:00", "2026-03-02T05:00", "2026-03-03T05:00")
    before = roll_up(noon, [100, 200, 300], zone=zone, watermark=np.datetime64("2026-03-03T00:00"))
    late = roll_up(times("2026-03-02T16:59:59"), [50], zone=zone)  # 23:59:59 of 2 March in Bangkok
    after = before + late
    assert after.changed_since(before) == [(date(2026, 3, 2), "")]
    assert after.count.tolist() == [1, 2, 1]
    assert after.total.tolist() == [100, 250, 300]
    assert after.final.tolist() == [True, True, False]
    whole = roll_up(np.append(noon, times("2026-03-02T16:59:59")), [100, 200, 300, 50], zone=zone)
    assert (after.count.tolist(), after.total.tolist()) == (whole.count.tolist(), whole.total.tolist())


def test_row_064_days_of_23_and_25_hours_keep_their_events() -> None:
    hourly = np.datetime64("2026-01-01T00", "us") + np.arange(24 * 365) * np.timedelta64(1, "h")
    days = roll_up(hourly, zone="Europe/Berlin")
    lengths = dict(zip(days.starts, days.hours.tolist(), strict=True))
    assert (lengths[date(2026, 3, 29)], lengths[date(2026, 10, 25)]) == (23, 25)
    inner = slice(1, -1)  # the first and the last local day are cut by the end of the data
    assert days.count[inner].tolist() == days.hours[inner].tolist()


def test_row_064_events_of_a_table_roll_up_by_channel() -> None:
    events = EventTable.from_frame(
        {
            "customer": ["a", "b", "a"],
            "time": ["2026-03-01T09:00+07:00", "2026-03-01T10:00+07:00", "2026-03-01T11:00+07:00"],
            "channel": ["line", None, "line"],
        }
    )
    days = roll_up(events.time, zone="Asia/Bangkok", labels=events.channel)
    assert days.of("line").count.tolist() == [2]
    assert days.of("").count.tolist() == [1]


def test_row_068_a_purchase_after_two_views_is_counted_once_and_for_the_latest() -> None:
    views = times("2026-03-01T08:00", "2026-03-01T20:00", "2026-03-01T08:00")
    buys = times("2026-03-02T07:59", "2026-03-02T20:00:01", "2026-03-01T07:00")
    link = link_purchases([0, 0, 1], views, [0, 0, 1], buys, within_hours=24)
    assert link.tolist() == [1, -1, -1]  # within 24 h of the second view; a second too late; before any view


def test_row_068_uplift_of_content_has_an_interval() -> None:
    seen = np.full(200, np.datetime64("2026-03-01T08:00", "us"))
    bought = np.full(30, np.datetime64("2026-03-01T20:00", "us"))
    buyers = [*range(25), *range(100, 105)]
    got = content_effect(
        range(100), seen[:100], buyers, bought, control_person=range(100, 200), control_time=seen[100:]
    )
    assert got.linked == 25
    assert got.uplift.difference.value == pytest.approx(0.2)
    assert 0 < got.uplift.difference.low < 0.2 < got.uplift.difference.high
    same = compare(Counts(25, 100), Counts(5, 100))
    assert got.uplift.difference.low == same.difference.low


def test_row_069_ten_thousand_followers_of_whom_40_are_engaged_are_vanity() -> None:
    got = vanity(followers=10_000, engaged=40)
    assert got.engaged.value == 0.004
    assert got.flag is VanityFlag.VANITY
    assert vanity(followers=10_000, engaged=40, limit=0.003).flag is VanityFlag.UNDECIDED
    assert vanity(followers=10_000, engaged=40, limit=0.002).flag is VanityFlag.ALIVE
    assert vanity(followers=50, engaged=0).flag is VanityFlag.UNDECIDED  # too few to say


def test_row_088_six_of_ten_reps_used_the_system_this_week() -> None:
    monday = datetime(2026, 3, 2, 9, tzinfo=UTC)
    active = {0: [0, 1, 2], 1: [0, 1, 2, 3], 2: [0, 1, 2, 3, 4, 5, 5]}  # week: users; one of them twice
    rows = [(user, monday + timedelta(weeks=week, hours=user)) for week, users in active.items() for user in users]
    got = adoption(
        [user for user, _ in rows],
        [at for _, at in rows],
        n_users=10,
        since=datetime(2026, 3, 2, tzinfo=UTC),
        until=datetime(2026, 3, 25, tzinfo=UTC),  # the fourth week still runs
        small_sample_ok=True,
    )
    assert [e.value for e in got.weeks.estimates()] == [0.3, 0.4, 0.6]
    latest = got.latest()
    assert (latest.value, round(latest.low, 4), round(latest.high, 4)) == (0.6, 0.3127, 0.8318)
    assert got.trend.value == pytest.approx(0.15)
    assert got.trend.low < 0.15 < got.trend.high


def test_row_123_conversion_is_a_proportion_with_its_rule() -> None:
    rate = conversion(30, 1000)
    assert (rate.value, round(rate.low, 4), round(rate.high, 4)) == (0.03, 0.0211, 0.0425)
    assert rate.rule == "orders / visits"


def test_row_126_time_on_site_of_three_sessions_is_60_seconds_and_names_its_rules() -> None:
    got = time_on_site([60, 120, 0], session_rule="ga4", small_sample_ok=True)
    assert got.value == 60
    assert got.rule == "seconds / sessions (ga4), last page zero"
    beat = time_on_site(
        [60, 120, 0], session_rule="ga4", last_page="heartbeat", last_page_s=[5, 10, 15], small_sample_ok=True
    )
    assert beat.value == 70
    assert "last page heartbeat" in beat.rule


def test_row_126_a_censored_last_page_counts_as_long_as_other_pages() -> None:
    session = np.repeat(np.arange(40), 3)
    dwell, last = np.tile([20.0, 40.0, 0.0], 40), np.tile([False, False, True], 40)
    got = time_on_site_by_page(session, dwell, last, session_rule="ga4", horizon_s=40)
    assert got.value == pytest.approx(3 * 30)  # the zero rule says 60: it takes the last page for unread
    assert page_dwell(dwell, last).median().value == 20
    assert "last page censored" in got.rule


def test_row_127_two_of_five_sessions_with_one_page_bounce() -> None:
    got = bounce_rate([1, 3, 1, 2, 5], session_rule="matomo", small_sample_ok=True)
    assert got.value == 0.4
    assert got.rule == "bounces (single page) / sessions (matomo)"
    ga4 = bounce_rate(
        [1, 3, 1, 2, 5], session_rule="ga4", bounce="not engaged", duration_s=[11, 60, 10, 5, 90], small_sample_ok=True
    )
    assert ga4.value == 0.2  # one of the two stayed longer than 10 s: the same sessions, another rate


def test_row_128_a_hundred_clicks_with_four_orders_of_50_are_4_percent_and_2_a_click() -> None:
    got = click_value(100, [50, 50, 50, 50])
    assert (got.conversion.value, got.per_click.value, got.per_order.value) == (0.04, 2.0, 50.0)
    assert got.per_click.low < 2 < got.per_click.high
    halves = click_value(60, [50]) + click_value(40, [50, 50, 50])
    assert halves.per_click.value == pytest.approx(2.0)
    assert halves.per_click.high == pytest.approx(got.per_click.high)


def test_row_129_engagement_by_reach_and_by_followers() -> None:
    assert engagement_rate(50, 1000, per="reach").value == 0.05
    assert engagement_rate(50, 2000, per="followers").value == 0.025
    posts = engagement_rates([20, 30] * 15, {"reach": [400, 600] * 15, "followers": [1000, 1000] * 15})
    assert (posts["reach"].value, posts["followers"].value) == (0.05, 0.025)
    assert posts["reach"].rule == "reactions / reach"


def test_row_130_three_of_ten_followers_did_something_in_30_days() -> None:
    now = datetime(2026, 3, 31, tzinfo=UTC)
    days_ago = [1, 30, 15, 31, 60, 90, 200, None, None, 40]
    seen = [None if d is None else now - timedelta(days=d) for d in days_ago]
    got = active_followers(seen, now=now, small_sample_ok=True)
    assert got.value == 0.3
    joined = [now - timedelta(days=200)] * 5 + [now - timedelta(days=210)] * 5
    cohorts = follower_cohorts(joined, seen, now=now)
    assert int(cohorts.k.sum()) == 3
    assert int(cohorts.n.sum()) == 10


def test_row_131_ten_mentions_by_six_authors_of_which_four_tell_an_experience() -> None:
    author = ["a", "a", "a", "b", "b", "c", "d", "d", "e", "f"]
    told = [True, True, False, False, False, True, False, False, True, False]
    got = brand_mentions(author, told, small_sample_ok=True)
    assert (got.mentions, got.authors, got.experience.value) == (10, 6, 0.4)
    assert got.experience.low < 0.4 < got.experience.high
    voice = share_of_voice(["ours"] * 30 + ["rival"] * 70, author=[f"p{i // 2}" for i in range(100)])
    assert voice["ours"].value == pytest.approx(0.3)


def test_row_162_repeats_per_person_and_half_life_of_a_phrase() -> None:
    who = ["a", "b", "a", "c", "a", "b"]
    when = times("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-05", "2026-03-09", "2026-03-20")
    got = spread(who, when, seed=1, small_sample_ok=True)
    assert (got.people, got.uses, got.repeats.value) == (3, 6, 1.0)
    assert got.half_life.value == 2.0  # three of six uses within two days
    assert got.half_life.low <= 2.0 <= got.half_life.high


def test_row_165_share_answered_within_4_hours_with_two_open_cases() -> None:
    nine = datetime(2026, 3, 2, 9, tzinfo=UTC)
    minutes = [30, 60, 90, 120, 180, 210, 360, 480]
    opened = [nine] * 8 + [nine + timedelta(hours=7), nine + timedelta(hours=3)]
    answered = [nine + timedelta(minutes=m) for m in minutes] + [None, None]
    durations, done = waits(opened, answered, now=nine + timedelta(hours=8))
    # 10 cases; ends at .5, 1, 1.5, 2, 3, 3.5 h; one case is open since 1 h, one since 5 h
    left = (9 / 10) * (8 / 9) * (6 / 7) * (5 / 6) * (4 / 5) * (3 / 4)
    got = answered_within(durations, done, 4, small_sample_ok=True)
    assert got.value == pytest.approx(1 - left)
    assert 6 / 10 < got.value < 6 / 8  # open cases are neither missed nor left out
    assert got.low < got.value < got.high
    assert got.rule == "answered within 4 hours, open cases censored"


def test_row_165_a_target_counts_open_cases_neither_as_kept_nor_as_missed() -> None:
    got = in_time([1, 2, 3, 5] * 20, [True, True, False, False] * 20, 4, target=0.7, unit="hours")
    assert (got.kept, got.late, got.overdue, got.pending) == (40, 0, 20, 20)
    assert got.share.value == pytest.approx(0.5)
    assert got.verdict is Verdict.MISSED
    assert got.kept + got.late + got.overdue + got.pending == 80


def test_row_195_automated_and_human_satisfaction_differ_with_an_interval() -> None:
    automated = [True] * 60 + [False] * 40
    score = [3, 4, 5] * 20 + [4, 5] * 20
    got = automation_effect(automated, score)
    assert got.share.value == 0.6
    assert got.scores.difference.value == pytest.approx(4.0 - 4.5)
    assert got.scores.difference.high < 0
    assert got.scores.p_value < 0.01
    quiet = automation_effect(automated, [float("nan")] * 30 + score[30:])
    assert [e.value for e in quiet.answered] == [0.5, 1.0]  # shown: who answered differs


def test_row_199_quality_and_quantity_are_both_shown() -> None:
    more_and_worse = interactions([0, 0, 0, 0, 1, 1, 1, 1], [2] * 8, n_customers=4, small_sample_ok=True)
    fewer_and_better = interactions([0, 0, 1, 1], [4] * 4, n_customers=4, small_sample_ok=True)
    both = [(i.per_customer.value, i.quality.value) for i in (more_and_worse, fewer_and_better)]
    assert both == [(2.0, 2.0), (1.0, 4.0)]  # one product, two stories
    assert "quality" in str(more_and_worse)
    assert "interactions per customer" in str(more_and_worse)
    assert more_and_worse.to_frame(backend="polars")["part"].to_list() == ["quantity", "quality"]
