"""Laws of web, social and business measures: order does not matter, units carry through, intervals cover."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmcore.metrics.behaviour.acquisition import Cac, cac
from crmcore.metrics.behaviour.business import deal_velocity
from crmcore.metrics.behaviour.content import content_types, link_purchases
from crmcore.metrics.behaviour.social import brand_mentions, share_of_voice
from crmcore.metrics.behaviour.spreading import spread
from crmcore.metrics.behaviour.web import ClickValue, click_value, page_dwell, time_on_site_by_page
from crmcore.metrics.durations.responses_in_time import answered_within, in_time, waits

HOUR = 3_600_000_000
CONTACTS = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 60)), max_size=15)  # person, hour


def hours(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    person = np.array([p for p, _ in rows], np.int64)
    return person, np.array([h * HOUR for _, h in rows], np.int64).astype("datetime64[us]")


@given(CONTACTS, CONTACTS, st.sampled_from([1.0, 24.0]))
def test_links_equal_their_slow_twin(views: list[tuple[int, int]], buys: list[tuple[int, int]], within: float) -> None:
    slow = []
    for who, at in buys:
        fits = [
            (seen, -row) for row, (viewer, seen) in enumerate(views) if who == viewer >= 0 and 0 <= at - seen <= within
        ]
        slow.append(-max(fits)[1] if fits else -1)
    assert link_purchases(*hours(views), *hours(buys), within_hours=within).tolist() == slow


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 9)), min_size=2, max_size=15),
    CONTACTS,
    st.randoms(use_true_random=False),
)
def test_content_types_do_not_depend_on_the_order_of_views(
    views: list[tuple[str, int, int]], buys: list[tuple[int, int]], random: Any
) -> None:
    assume({kind for kind, _, _ in views} == {"a", "b"})
    buyer, bought = hours(buys)

    def count(rows: list[tuple[str, int, int]]) -> dict[str, float]:
        person, seen = hours([(p, h) for _, p, h in rows])
        table = content_types([kind for kind, _, _ in rows], person, seen, buyer, bought)
        return {label: table[label].first.value for label in table.labels}

    shuffled = list(views)
    random.shuffle(shuffled)
    assert count(shuffled) == count(views)


CLICKS = st.tuples(st.integers(0, 50), st.lists(st.integers(1, 900), max_size=8))


@given(CLICKS, CLICKS)
def test_clicks_of_shards_add_up(a: tuple[int, list[int]], b: tuple[int, list[int]]) -> None:
    def value(part: tuple[int, list[int]]) -> ClickValue:
        return click_value(part[0] + len(part[1]), part[1], small_sample_ok=True)

    both, whole = value(a) + value(b), value((a[0] + b[0], a[1] + b[1]))
    assert (both.moments.n, both.orders.n) == (whole.moments.n, whole.orders.n)
    assert both.per_click.value == pytest.approx(whole.per_click.value, nan_ok=True)
    assert both.per_click.high == pytest.approx(whole.per_click.high, nan_ok=True)


COSTS = st.builds(Cac, spend=st.integers(0, 10**6), paid=st.integers(0, 50), referred=st.integers(0, 50))


@given(COSTS, COSTS)
def test_costs_add_up_and_advocates_never_make_customers_dearer(a: Cac, b: Cac) -> None:
    both = a + b
    assert both == cac(a.spend + b.spend, paid=a.paid + b.paid, referred=a.referred + b.referred)
    paid, blended = both.paid_cost(), both.blended_cost()
    assert paid.low <= paid.high
    if both.paid and both.spend:
        assert paid.low < paid.value < paid.high
        assert blended.value <= paid.value


WAITS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=30)


@given(WAITS, st.integers(0, 20), st.sampled_from([64.0, 0.25]))
def test_shares_in_time_do_not_depend_on_the_unit(cases: list[tuple[int, bool]], limit: int, factor: float) -> None:
    wait, done = np.array([w for w, _ in cases], float), [d for _, d in cases]
    one = answered_within(wait, done, limit, small_sample_ok=True)
    other = answered_within(wait * factor, done, limit * factor, small_sample_ok=True)
    assert (other.low, other.high) == (one.low, one.high)
    assert other.value == pytest.approx(one.value, nan_ok=True, abs=0)


@given(WAITS, st.integers(0, 20))
def test_a_share_in_time_lies_between_all_pending_missed_and_all_kept(
    cases: list[tuple[int, bool]], limit: int
) -> None:
    got = in_time([w for w, _ in cases], [d for _, d in cases], limit, target=0.7, small_sample_ok=True)
    assert got.kept + got.late + got.overdue + got.pending == len(cases)
    if not math.isnan(got.share.value):
        assert got.kept / len(cases) - 1e-9 <= got.share.value <= (got.kept + got.pending) / len(cases) + 1e-9


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=20), st.integers(0, 50))
def test_waits_are_those_of_a_look_at_now(cases: list[tuple[int, int]], more: int) -> None:
    opened = [a for a, _ in cases]
    answered = [a + b for a, b in cases]
    now = max(opened) + more
    duration, done = waits(hours([(0, a) for a in opened])[1], hours([(0, b) for b in answered])[1],
                           now=np.datetime64(now * HOUR, "us"))  # fmt: skip
    assert done.tolist() == [b <= now for b in answered]
    assert duration.tolist() == [min(b, now) - a for a, b in zip(opened, answered, strict=True)]


VOICES = st.lists(
    st.tuples(st.sampled_from(["ours", "rival a", "rival b"]), st.integers(1, 50), st.integers(0, 6)),
    min_size=2, max_size=40,
)  # fmt: skip


@given(VOICES, st.booleans(), st.booleans(), st.sampled_from([1.0, 1000.0]))
def test_voices_sum_to_one_whatever_their_order_and_unit(
    rows: list[tuple[str, int, int]], weighted: bool, clustered: bool, factor: float
) -> None:
    assume(len({brand for brand, _, _ in rows}) > 1)

    def table(part: list[tuple[str, int, int]], unit: float) -> Any:
        return share_of_voice(
            [brand for brand, _, _ in part],
            weights=[reach * unit for _, reach, _ in part] if weighted else None,
            author=[who for _, _, who in part] if clustered else None,
            small_sample_ok=True,
        )

    one, other = table(rows, 1.0), table(rows[::-1], factor)
    assert sum(e.value for e in one.estimates) == pytest.approx(1)
    for label in one.labels:
        assert other[label].value == pytest.approx(one[label].value)
        assert other[label].low == pytest.approx(one[label].low, nan_ok=True, abs=1e-9)
        assert not one[label].low > one[label].value + 1e-12


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_authors_and_mentions_do_not_depend_on_order(rows: list[tuple[int, bool]]) -> None:
    one, other = (
        brand_mentions([w for w, _ in part], [t for _, t in part], small_sample_ok=True) for part in (rows, rows[::-1])
    )
    assert (one.mentions, one.authors) == (other.mentions, other.authors)
    assert one.experience.low == pytest.approx(other.experience.low, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99)), min_size=1, max_size=20))
def test_half_of_the_uses_happen_within_the_half_life(rows: list[tuple[int, int]]) -> None:
    person, at = hours(rows)
    got = spread(person, at, seed=3, draws=100, small_sample_ok=True)
    days = (at - at.min()).astype(float) / 24 / HOUR
    assert (days <= got.half_life.value).mean() >= 0.5
    assert (days < got.half_life.value).mean() < 0.5 or len(days) == 1
    assert got.repeats.value == pytest.approx(got.uses / got.people - 1)
    assert not got.half_life.low > got.half_life.high


def sessions(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Page views: 1 + geometric pages a session, gamma dwell whose mean differs by session, the last one unseen."""
    pages = rng.geometric(0.35, n)
    session = np.repeat(np.arange(n), pages)
    dwell = rng.gamma(2.0, 15.0, len(session)) * rng.lognormal(0, 0.3, n)[session]
    last = np.append(np.diff(session) > 0, True)
    known = np.where(last, 0.0, dwell)
    return {"session": session, "dwell_s": known, "last": last, "whole": dwell}


def test_time_on_site_with_censored_last_pages_covers_the_truth() -> None:
    rng = np.random.default_rng(20260602)
    horizon = 120.0
    many = sessions(rng, 400_000)
    truth = np.minimum(many["whole"], horizon).sum() / 400_000
    hits, runs = 0, 400
    for _ in range(runs):
        part = sessions(rng, 150)
        columns = {name: part[name] for name in ("session", "dwell_s", "last")}
        got = time_on_site_by_page(**columns, session_rule="made", horizon_s=horizon)
        hits += got.low <= truth <= got.high
    assert 0.915 <= hits / runs <= 0.985


def test_the_error_of_time_on_site_equals_a_bootstrap_over_sessions() -> None:
    rng = np.random.default_rng(5)
    part = sessions(rng, 200)
    got = time_on_site_by_page(part["session"], part["dwell_s"], part["last"], session_rule="made", horizon_s=120)
    starts = np.searchsorted(part["session"], np.arange(201))
    values = []
    for _ in range(600):
        drawn = rng.integers(0, 200, 200)
        rows = np.concatenate([np.arange(starts[s], starts[s + 1]) for s in drawn])
        dwell = page_dwell(part["dwell_s"][rows], part["last"][rows])
        values.append(len(rows) / 200 * dwell.restricted_mean(120).value)
    low, high = np.quantile(values, [0.025, 0.975])
    assert got.width == pytest.approx(high - low, rel=0.12)


def test_the_error_of_deal_velocity_equals_a_bootstrap_over_deals() -> None:
    rng = np.random.default_rng(6)
    n = 300
    won, cycle = rng.random(n) < 0.4, rng.gamma(3, 10, n)
    value = rng.lognormal(5, 0.6, n) * cycle / 30
    got = deal_velocity(won, value, cycle).velocity
    draws = rng.integers(0, n, (2000, n))
    w = won[draws]
    boot = w.sum(axis=1) * (value[draws] * w).sum(axis=1) / (cycle[draws] * w).sum(axis=1)
    low, high = np.quantile(np.log(boot), [0.025, 0.975])
    assert math.log(got.high / got.low) == pytest.approx(high - low, rel=0.08)


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_acquisition_cost_covers_the_truth(rate: float) -> None:
    rng = np.random.default_rng(7)
    won = rng.poisson(rate * 1000, 2000)
    inside = [c.low <= 1 / rate <= c.high for c in (cac(1000, paid=int(k)).paid_cost() for k in won)]
    assert 0.945 <= np.mean(inside) <= 0.99
