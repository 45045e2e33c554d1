from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.special import hyp2f1

from crmcore.datasets import Planted, simulate_brand
from crmcore.datasets.brand import PARTS
from crmcore.datasets.campaigns import simulate_campaigns
from crmcore.datasets.orders import _purchase_times, simulate_orders
from crmcore.datasets.posts import BURSTS, simulate_posts
from crmcore.datasets.records import simulate_records
from crmcore.datasets.traits import simulate_traits


@pytest.fixture(scope="module")
def brand():
    return simulate_brand(12_000, seed=5)


def same(a, b):
    if a.dtype.kind in "mM":
        return a.shape == b.shape and bool(((a == b) | (np.isnat(a) & np.isnat(b))).all())
    if a.dtype.kind == "f":
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=True))
    return a.tolist() == b.tolist()


def test_the_same_seed_gives_the_same_brand_and_another_does_not():
    a, b, c = (simulate_brand(400, seed=s) for s in (5, 5, 6))
    for name, columns in a.tables.items():
        assert all(same(columns[k], b.tables[name][k]) for k in columns), name
    assert a.orders["order_id"].tolist() != c.orders["order_id"].tolist()


def test_another_plan_for_one_part_moves_no_other():
    a = simulate_brand(400, seed=5)
    b = simulate_brand(400, seed=5, planted=Planted(spam_share=0.5, holdout_share=0.5, email_lift=1.0))
    moved = {n for n, cols in a.tables.items() if not all(same(cols[k], b.tables[n][k]) for k in cols)}
    assert moved == {"sessions", "posts", "campaigns"}


def test_parts_are_only_ever_added_at_the_end():
    assert PARTS[:11] == (
        "records", "traits", "orders", "sessions", "posts",
        "surveys", "complaints", "campaigns", "consents", "referrals", "forum",
    )  # fmt: skip


def test_every_link_points_at_a_record_that_exists(brand):
    known = set(brand.truth.records.record_id.tolist())
    for name, columns in brand.tables.items():
        assert len({len(c) for c in columns.values()}) == 1, name
        for key in ("record_id", "referrer_record_id", "referred_record_id"):
            if key in columns:
                assert {i for i in columns[key].tolist() if i is not None} <= known, name
    orders = set(brand.orders["order_id"].tolist())
    for name in ("order_lines", "surveys", "complaints"):
        assert set(brand.tables[name]["order_id"].tolist()) <= orders
    assert set(brand.case_events["case_id"].tolist()) == set(brand.complaints["case_id"].tolist())


def test_an_order_stands_on_a_record_of_the_person_who_bought(brand):
    truth = brand.truth
    assert (truth.records.person[truth.orders.row] == truth.orders.person).all()
    web = brand.orders["channel"] == "web"
    assert set(truth.records.source[truth.orders.row[web]].tolist()) == {"web_orders"}
    assert set(truth.records.source[truth.orders.row[~web]].tolist()) == {"members"}


def test_lines_sum_to_the_order(brand):
    of = {o: i for i, o in enumerate(brand.orders["order_id"].tolist())}
    code = np.array([of[o] for o in brand.order_lines["order_id"].tolist()])
    assert (np.bincount(code, brand.order_lines["amount_minor"]) == brand.orders["amount_minor"]).all()
    assert (np.bincount(code) == brand.orders["items"]).all()
    assert brand.order_lines["amount_minor"].min() >= 0


def test_the_machine_pulls_its_capsules_into_baskets(brand):
    lines = brand.order_lines
    machine = set(lines["order_id"][lines["sku"] == "ready set-01"].tolist())
    capsule = set(lines["order_id"][lines["sku"] == "refill box-01"].tolist())
    confidence = len(machine & capsule) / len(machine)
    assert 0.55 < confidence < 0.85
    assert confidence / (len(capsule) / len(brand.orders["order_id"])) > 5


def test_orders_follow_the_expected_count_of_bg_nbd():
    # E[X(t)] of Fader, Hardie and Lee (2005), equation 9.
    plan, n, weeks = Planted(), 60_000, 120.0
    rng = np.random.default_rng(8)
    rate, drop = rng.gamma(plan.r, 1 / plan.alpha, n), rng.beta(plan.a, plan.b, n)
    who, when, alive = _purchase_times(rng, rate, drop, weeks)
    first = np.full(n, np.inf)
    np.minimum.at(first, who, when)
    t = weeks - first
    a, b, r, alpha = plan.a, plan.b, plan.r, plan.alpha
    z = t / (alpha + t)
    expected = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, z))
    repeats = np.bincount(who, minlength=n) - 1
    assert repeats.mean() == pytest.approx(expected.mean(), rel=0.03)
    assert (repeats[~alive] > 0).all()


def test_spend_varies_more_between_customers_than_within(brand):
    person, amount = brand.truth.orders.person, brand.orders["amount_minor"].astype(float)
    count = np.bincount(person)
    mean = np.bincount(person, amount) / np.maximum(count, 1)
    many = count >= 8
    expected = brand.truth.traits.mean_spend[: len(count)][many]
    assert np.corrcoef(mean[many], expected)[0, 1] > 0.85
    assert amount.mean() == pytest.approx(60_000, rel=0.08)


def test_planted_shares_are_near_their_targets(brand):
    truth = brand.truth
    assert np.bincount(truth.traits.needs) / 12_000 == pytest.approx(truth.planted.needs_share, abs=0.02)
    assert np.bincount(truth.traits.value_class).tolist() == [9600, 1800, 600]
    assert truth.traits.superfan.mean() == pytest.approx(0.02, abs=0.005)
    assert truth.posts.spam.mean() == pytest.approx(0.08 * 0.948, abs=0.015)
    held = (brand.campaigns["group"] == "hold-out").mean()
    assert held == pytest.approx(0.2, abs=0.02)
    assert 0.15 < (truth.ladder == 0).mean() < 0.30
    assert (truth.ladder == 3).sum() > 50


def test_needs_show_in_behaviour_and_attitude(brand):
    needs = brand.truth.traits.needs[brand.truth.orders.person]
    coupons = [brand.orders["coupon"][needs == g].mean() for g in range(3)]
    assert coupons[1] > 0.7
    assert max(coupons[0], coupons[2]) < 0.15
    answers = brand.surveys
    told = ~np.isnan(answers["nps"])
    group = brand.truth.traits.needs[brand.truth.surveys.person][told]
    items = np.stack([answers[k][told] for k in ("saves_time", "lowest_price", "shows_taste")])
    assert (items.argmax(axis=0) == group).mean() > 0.9


def test_value_class_is_what_later_spend_confirms(brand):
    spent = np.bincount(brand.truth.orders.person, brand.orders["amount_minor"], minlength=12_000)
    means = [spent[brand.truth.traits.value_class == v].mean() for v in range(3)]
    assert means[0] < means[1] < means[2]


def test_the_late_courier_is_the_cause_and_the_north_only_looks_guilty(brand):
    orders, late = brand.orders, brand.truth.orders.late
    shipped = orders["delivery"] != "pick-up"
    north, swift = (orders["region"] == "north") & shipped, (orders["courier"] == "swift") & shipped
    other = shipped & ~north
    assert late[north].mean() > 1.5 * late[other].mean()
    assert late[north & swift].mean() == pytest.approx(late[other & swift].mean(), abs=0.03)
    assert late[north & ~swift].mean() == pytest.approx(late[other & ~swift].mean(), abs=0.02)
    assert late[swift].mean() > 4 * late[shipped & ~swift].mean()


def test_most_complaints_have_the_planted_causes(brand):
    share = np.bincount(brand.truth.complaints.cause, minlength=4) / len(brand.truth.complaints)
    assert share[0] > 0.35
    assert share[0] > share[1] > share[2]


def test_a_case_moves_forward_in_time_and_starts_with_its_creation(brand):
    events = brand.case_events
    first = np.concatenate([[True], events["case_id"][1:] != events["case_id"][:-1]])
    assert set(events["event"][first].tolist()) == {"created"}
    assert (np.diff(events["time"])[~first[1:]] >= np.timedelta64(0, "us")).all()
    reopened = np.flatnonzero(events["event"] == "reopened")
    assert set(events["event"][reopened - 1].tolist()) == {"solved"}
    slow = np.isin(brand.complaints["agent"].astype(str), ["agent 20", "agent 21", "agent 22", "agent 23"])
    again = np.isin(brand.complaints["case_id"].astype(str), events["case_id"][reopened].astype(str))
    assert again[slow].mean() > 1.5 * again[~slow].mean()


def test_who_answers_a_survey_is_happier_than_who_was_asked(brand):
    answers = brand.surveys
    told = ~np.isnan(answers["nps"])
    assert 0.2 < told.mean() < 0.45

    def nps(score):
        return 100 * ((score >= 9).mean() - (score <= 6).mean())

    assert nps(answers["nps"][told]) - nps(brand.truth.surveys.would_say) > 8
    assert (answers["nps"][told] == brand.truth.surveys.would_say[told]).all()
    assert np.isnat(answers["answered_at"][~told]).all()
    assert set(np.unique(answers["csat"][told])) <= {1.0, 2.0, 3.0, 4.0, 5.0}


def test_late_parcels_cost_satisfaction(brand):
    row = {o: i for i, o in enumerate(brand.orders["order_id"].tolist())}
    at = np.array([row[o] for o in brand.surveys["order_id"].tolist()])
    late = brand.truth.orders.late[at]
    assert brand.truth.surveys.would_say[late].mean() < brand.truth.surveys.would_say[~late].mean() - 1.0


def test_a_campaign_lifts_response_by_its_true_uplift(brand):
    campaigns = brand.campaigns
    held = campaigns["group"] == "hold-out"
    measured = campaigns["bought"][~held].mean() - campaigns["bought"][held].mean()
    true = np.mean(list(brand.truth.uplift().values()))
    error = np.sqrt(0.1 * 0.9 / held.sum() + 0.1 * 0.9 / (~held).sum())
    assert abs(measured - true) < 4 * error
    person = brand.truth.campaigns.person
    assert (brand.truth.records.person_id[person] != None).all()  # noqa: E711
    assert campaigns["cost_minor"][held].sum() == 0
    assert np.isnat(campaigns["sent_at"][held]).all()


def test_price_seekers_gain_most_and_status_seekers_are_put_off(brand):
    c = brand.truth.campaigns
    needs = brand.truth.traits.needs[c.person]
    gain = [(c.if_contacted - c.if_held_out)[needs == g].mean() for g in range(3)]
    assert gain == pytest.approx([0.02, 0.09, -0.015], abs=1e-3)


def test_a_rival_fails_at_delivery_where_the_others_do_not(brand):
    truth = brand.truth.posts_table()
    bad = (truth["sentiment"] < 0) & ~truth["spam"]
    share = {
        b: (truth["aspect"][bad & (truth["brand"] == b)] == "delivery").mean()
        for b in ("Lumora", "Kasten & Co", "Petrichor")
    }
    assert share["Kasten & Co"] > 0.4
    assert share["Lumora"] < 0.18
    assert share["Petrichor"] < 0.2


def test_planted_bursts_stand_in_their_days(brand):
    day = (brand.posts["time"].astype("datetime64[D]") - np.datetime64("2023-01-01")).astype(int)
    for b, planned in enumerate(BURSTS):
        rows = brand.truth.posts.burst == b
        assert rows.sum() > 5
        assert day[rows].min() >= planned.first_day
        assert day[rows].max() <= planned.last_day
    pouch = np.array(["refill pouch" in t for t in brand.posts["text"]])
    assert pouch[(day < 770) | (day > 880)].mean() < 0.002


def test_a_post_names_the_brand_it_is_about(brand):
    names = brand.truth.posts_table()["brand"]
    assert all(n in t for n, t in zip(names, brand.posts["text"], strict=True))


def test_a_reply_answers_an_earlier_post(brand):
    time = dict(zip(brand.posts["post_id"], brand.posts["time"], strict=True))
    for mine, parent in zip(brand.posts["post_id"], brand.posts["reply_to"], strict=True):
        assert parent is None or time[parent] <= time[mine]


def test_sessions_walk_with_the_planted_shares(brand):
    sessions = brand.sessions
    follows = sessions["session_id"][1:] == sessions["session_id"][:-1]
    plain = sessions["touchpoint"][:-1] != "e-mail"
    here, there = sessions["state"][:-1], sessions["state"][1:]
    assert not (here[follows] == "purchase").any()
    at = (here == "explore") & plain
    assert (follows & (there == "explore"))[at].mean() == pytest.approx(0.42, abs=0.02)
    assert (follows & (there == "evaluate"))[at].mean() == pytest.approx(0.30, abs=0.02)
    step = np.diff(sessions["time"])[follows]
    assert (step >= np.timedelta64(0, "us")).all()


def test_sessions_from_an_email_buy_more_often(brand):
    sessions = brand.sessions
    evaluating = sessions["state"] == "evaluate"
    bought = np.append(
        (sessions["state"][1:] == "purchase") & (sessions["session_id"][1:] == sessions["session_id"][:-1]), False
    )
    mail = sessions["touchpoint"] == "e-mail"
    assert bought[evaluating & mail].mean() / bought[evaluating & ~mail].mean() == pytest.approx(1.8, abs=0.5)


def test_superfans_buy_praise_and_bring_others(brand):
    truth = brand.truth
    fan = truth.traits.superfan
    assert (truth.traits.value_class[fan] >= 1).all()
    buyers = truth.orders.count > 0
    assert truth.referrals[fan & buyers].mean() > 20 * truth.referrals[~fan].mean()
    own = (truth.posts.person >= 0) & (truth.posts.brand == 0)
    tone = truth.posts.sentiment[own]
    assert tone[fan[truth.posts.person[own]]].mean() > tone[~fan[truth.posts.person[own]]].mean() + 0.2


def test_a_referral_comes_before_the_first_order_of_the_new_buyer(brand):
    person = dict(zip(brand.truth.records.record_id, brand.truth.records.person, strict=True))
    first = brand.truth.orders.first
    new = np.array([person[r] for r in brand.referrals["referred_record_id"]])
    old = np.array([person[r] for r in brand.referrals["referrer_record_id"]])
    assert (brand.referrals["time"] < first[new]).all()
    assert (brand.referrals["time"] > first[old]).all()
    assert len(set(new.tolist())) == len(new)


def test_consent_has_three_answers_and_never_asked_has_no_time(brand):
    consents = brand.consents
    assert set(consents["status"].tolist()) == {"granted", "withdrawn", "never asked"}
    assert np.isnat(consents["time"][consents["status"] == "never asked"]).all()
    assert not np.isnat(consents["time"][consents["status"] != "never asked"]).any()


def test_the_tables_of_truth_cover_all_rows(brand):
    truth = brand.truth
    assert len(truth.records_table()["needs"]) == len(truth.records)
    assert (
        truth.records_table()["needs"].tolist()[:50]
        == truth.persons_table()["needs"][truth.records.person].tolist()[:50]
    )
    assert len(truth.cases_table()["cause"]) == len(brand.complaints["case_id"])
    assert truth.person_of[truth.records.record_id[3]] == truth.records.person_id[truth.records.person[3]]
    assert truth.walk[0][3] == "purchase"
    assert truth.bursts == BURSTS


def test_all_tables_become_data_frames():
    frames = simulate_brand(150, seed=2).to_frames("pandas")
    assert set(frames) >= {"members", "orders", "posts", "case_events", "referrals"}
    assert len(frames["orders"].columns) == 15


def test_a_brand_of_one_person_is_possible():
    assert len(simulate_brand(1, seed=3).people) == 1


def test_progress_reaches_its_end():
    seen = []
    simulate_brand(200, seed=1, progress=lambda stage, done, total: seen.append((stage, done, total)))
    assert ("records", 8, 8) in seen
    assert seen[-1] == ("brand", 5, 5)


def test_drawing_one_part_alone_equals_drawing_it_among_others():
    plan = Planted()
    records = simulate_records(300, seed=1)
    a, b = np.random.default_rng(4).spawn(2)
    traits = simulate_traits(300, planted=plan, rng=np.random.default_rng(1))
    before = simulate_posts(records, traits, planted=plan, rng=b).posts["text"].tolist()
    simulate_orders(records, traits, planted=plan, rng=a)
    simulate_campaigns(records, traits, planted=plan, rng=a)
    after = (
        simulate_posts(records, traits, planted=plan, rng=np.random.default_rng(4).spawn(2)[1]).posts["text"].tolist()
    )
    assert before == after


def test_importing_datasets_loads_no_heavy_library():
    code = (
        "import sys, crmcore.datasets as d; d.simulate_brand; "
        "names = {'pandas', 'polars', 'pyarrow', 'scipy.stats', 'phonenumbers', 'nltk', 'narwhals'}; "
        "heavy = names & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_repr_of_a_brand_shows_sizes_and_nobody(brand):
    shown = repr(brand) + repr(brand.truth)
    assert shown.startswith("Brand(12000 persons, Frames(members: ")
    assert "@" not in shown


def test_the_forum_answers_as_often_and_as_soon_as_planted(brand):
    posts, planted = brand.forum, brand.truth.planted
    row = {post: i for i, post in enumerate(posts["post_id"].tolist())}
    question, answer = (np.flatnonzero(posts["kind"] == kind) for kind in ("question", "answer"))
    first: dict[int, float] = {}
    for i in answer.tolist():
        parent = row[posts["reply_to"][i]]
        wait = (posts["time"][i] - posts["time"][parent]) / np.timedelta64(1, "h")
        assert wait >= 0
        assert posts["author"][i] != posts["author"][parent]
        first[parent] = min(wait, first.get(parent, np.inf))
    waits = np.array([first.get(q, np.inf) for q in question.tolist()])
    n = len(question)
    for hours in (4, 24, 72):
        share = planted.answered_share * -np.expm1(-hours / planted.reply_hours)
        assert abs((waits <= hours).mean() - share) < 4 * np.sqrt(share * (1 - share) / n) + 0.01
    staff = posts["staff"][answer]
    assert staff.mean() == pytest.approx(planted.staff_share, abs=4 * np.sqrt(0.18 * 0.82 / len(staff)))
    assert set(posts["reply_to"][posts["kind"] == "question"].tolist()) == {None}


def test_the_forum_knows_members_by_their_records_and_superfans_help_most(brand):
    posts, person = brand.forum, brand.truth.forum.person
    assert (posts["staff"] == (person < 0)).all()
    of = dict(zip(brand.truth.records.record_id.tolist(), brand.truth.records.person.tolist(), strict=True))
    members = ~posts["staff"]
    assert [of[a] for a in posts["author"][members].tolist()] == person[members].tolist()
    helps = np.bincount(person[members & (posts["kind"] == "answer")], minlength=len(brand.people))
    fan = brand.truth.traits.superfan
    assert helps[fan].mean() > 5 * helps[~fan].mean()
