"""Laws of corrected shares: order does not matter, kernels equal slow twins, intervals cover on simulated brands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.listening.shares import adjusted_counts, correct_sentiment, share_of_voice
from crmcore.listening.shares.kernels import brand_posterior, leave_one_out_slopes
from crmcore.listening.shares.simulating import simulated_brands


@given(st.integers(3, 30), st.integers(0, 10_000))
def test_slopes_without_one_equal_slopes_computed_one_by_one(k, seed):
    rng = np.random.default_rng(seed)
    f, y = rng.uniform(-1, 1, k), rng.choice([-1.0, 0.0, 1.0], k)
    for i, slope in enumerate(leave_one_out_slopes(f, y)):
        a, b = np.delete(f, i), np.delete(y, i)
        direct = ((a - a.mean()) * (b - b.mean())).sum() / ((a - a.mean()) ** 2).sum()
        assert slope == pytest.approx(min(max(direct, 0), 2), abs=1e-8)


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_order_of_posts_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    posts = simulated_brands(brands=4, posts=300, seed=seed)
    labels = np.where(rng.random(300) < 0.3, posts.truth, np.nan)
    order = rng.permutation(300)
    a = correct_sentiment(posts.score, labels, brand=posts.brand)
    b = correct_sentiment(posts.score[order], labels[order], brand=np.array(posts.brand)[order])
    for x, y in zip((a.total, *a.brands), (b.total, *b.brands), strict=True):
        assert x.net.value == pytest.approx(y.net.value, abs=1e-9)
        assert (x.net.low, x.net.high) == pytest.approx((y.net.low, y.net.high), abs=1e-8)


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_turning_every_opinion_turns_the_answer(seed):
    posts = simulated_brands(brands=3, posts=200, seed=seed)
    labels = np.where(np.arange(200) % 3 == 0, posts.truth, np.nan)
    a = correct_sentiment(posts.score, labels, brand=posts.brand)
    b = correct_sentiment(-posts.score, -labels, brand=posts.brand)
    for x, y in zip((a.total, *a.brands), (b.total, *b.brands), strict=True):
        assert (x.net.value, x.net.low, x.net.high) == pytest.approx((-y.net.value, -y.net.high, -y.net.low), abs=1e-8)


def test_the_posterior_equals_a_dense_normal_model():
    """Without the grid: multivariate normal conditioning, one pair (share, scale) at a time."""
    posts = simulated_brands(brands=4, posts=500, seed=8)
    names, brand = np.unique(np.array(posts.brand), return_inverse=True)
    rows = np.arange(60)
    f, y = posts.score, posts.truth
    found = brand_posterior(f, brand, f[rows], y[rows], brand[rows], brands=len(names), finite=False)
    n_b, k_b = np.bincount(brand), np.bincount(brand[rows], minlength=4)
    f_b = np.array([f[brand == b].mean() for b in range(4)])
    slope = leave_one_out_slopes(f[rows], y[rows]).mean()
    r = y[rows] - slope * f[rows]
    r_b = np.array([r[brand[rows] == b].mean() for b in range(4)])
    pooled = sum(((r[brand[rows] == b] - r_b[b]) ** 2).sum() for b in range(4)) / (60 - 4)
    within = np.array([(((r[brand[rows] == b] - r_b[b]) ** 2).sum() + 8 * pooled) / (k_b[b] - 1 + 8) for b in range(4)])
    steep = max(slope, min(y[rows].var() / np.cov(f[rows], y[rows], bias=True)[0, 1], 4.0))
    logs, means, variances = [], [], []
    for theta in np.linspace(0, 1, 9):
        for tau in 12**-0.5 * np.geomspace(0.1, 4.0, 24):
            turn = theta * (steep - slope)
            prior = np.diag(tau**2 + turn**2 * f.var() / n_b) + 1e6  # flat common mean
            drawn = turn * (f_b - f.mean())
            seen = prior + np.diag(within / k_b)
            gain = prior @ np.linalg.inv(seen)
            means.append(drawn + gain @ (r_b - drawn))
            variances.append(np.diag(prior - gain @ prior) + slope**2 * f.var() / n_b)
            _sign, logdet = np.linalg.slogdet(seen)
            log = -0.5 * logdet - 0.5 * (r_b - drawn) @ np.linalg.solve(seen, r_b - drawn)
            logs.append(log + 2 * np.log(tau) - 12 * tau**2)
    weight = np.exp(np.array(logs) - max(logs))
    weight /= weight.sum()
    value, low, high = found.contrasts(np.eye(4), level=0.95)
    assert value == pytest.approx(slope * f_b + weight @ np.array(means), abs=2e-3)
    sd = np.sqrt(weight @ np.array(variances) + weight @ np.array(means) ** 2 - (weight @ np.array(means)) ** 2)
    assert (high - low) / 2 == pytest.approx(1.98 * sd, rel=0.1)


@given(st.lists(st.sampled_from("ab"), min_size=4, max_size=60), st.integers(0, 999))
def test_adjusted_counts_with_a_perfect_classifier_count(said, seed):
    said = ["a", "b", *said]
    found = adjusted_counts(said, said, small_sample_ok=True)
    assert found["a"].value == pytest.approx(said.count("a") / len(said))


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=40), st.integers(0, 99))
def test_voice_adds_up_and_knows_no_order(rows, seed):
    rows = [(True, False, False), (False, True, False), (False, False, True), *rows]
    order = np.random.default_rng(seed).permutation(len(rows))
    held = np.array(rows)
    names = ("x", "y", "z")
    for overlap in ("split", "each"):
        a = share_of_voice(dict(zip(names, held.T, strict=True)), overlap=overlap, small_sample_ok=True)
        b = share_of_voice(dict(zip(names, held[order].T, strict=True)), overlap=overlap, small_sample_ok=True)
        assert sum(a[n].value for n in names) == pytest.approx(1)
        for n in names:
            assert (a[n].value, a[n].low, a[n].high) == pytest.approx((b[n].value, b[n].low, b[n].high))
            assert 0 <= a[n].low <= a[n].value <= a[n].high <= 1


@pytest.mark.slow
@pytest.mark.parametrize("error", [0.0, 0.15, 0.3])
@pytest.mark.parametrize("k", [50, 200])
def test_intervals_cover_on_simulated_brands(error, k):
    held, total, brands = 0, 0, 0
    for seed in range(300):
        posts = simulated_brands(posts=4000, error=error, seed=seed)
        labels = np.full(4000, np.nan)
        rows = np.random.default_rng(seed + 10_000).choice(4000, k, replace=False)
        labels[rows] = posts.truth[rows]
        found = correct_sentiment(posts.score, labels, brand=posts.brand)
        total += found.total.net.low <= posts.truth.mean() <= found.total.net.high
        for one in found.brands:
            held += one.net.low <= posts.truth[np.array(posts.brand) == one.name].mean() <= one.net.high
            brands += 1
    assert 0.91 <= held / brands <= 0.99
    assert 0.92 <= total / 300 <= 0.98
