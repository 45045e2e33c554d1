"""Which pairs are asked about, and how far the answers move the model."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import BadRows, EmptyInput, OutOfRange, WrongType
from crmcore.linkage.labels import CUT, Calibration, propose, recalibrate
from crmcore.linkage.review import evaluate_pairs


def simulated(n, extra, shift, seed):
    """Pairs whose true log-odds weigh each field by 1 + extra; the model weighs all by 1."""
    rng = np.random.default_rng(seed)
    match = rng.random(n) < 0.3
    bars = rng.normal(0, 1.5, (n, len(extra))) + np.where(match, 1.2, -1.6)[:, None]
    truth = bars @ (1 + np.asarray(extra)) + shift
    return bars.sum(axis=1), bars, rng.random(n) < 1 / (1 + np.exp(-truth))


def loss(log_odds, y):
    return float(np.mean(np.log1p(np.exp(-np.where(y, log_odds, -log_odds)))))


def test_chosen_pairs_lie_near_the_cut_and_spread_over_patterns():
    odds = np.repeat([-9.0, CUT - 0.3, CUT + 0.3, CUT + 0.4, 9.0], [5000, 60, 60, 3, 900])
    proposal = propose(odds, np.repeat(np.arange(5), [5000, 60, 60, 3, 900]), 30, seed=4, random_share=0.0)
    pattern = np.searchsorted([5000, 5060, 5120, 5123], proposal.pairs, side="right")
    asked = np.bincount(pattern, minlength=5)
    assert asked[1] + asked[2] + asked[3] >= 20
    assert asked[1] > 5
    assert asked[2] > 5
    assert asked[3] >= 1  # a rare pattern is asked about too


def test_the_random_part_gives_unbiased_estimates():
    odds, _, match = simulated(20_000, np.zeros(3), 0.0, 3)
    put, patterns = odds > CUT, np.round(odds * 2).astype(int)
    values = []
    for seed in range(60):
        proposal = propose(odds, patterns, 200, seed=seed, random_share=0.5)
        drawn = proposal.pairs[proposal.sampled]
        options = {"weights": proposal.weights[proposal.sampled], "stratum": proposal.stratum[proposal.sampled]}
        values.append(evaluate_pairs(put[drawn], match[drawn], **options).recall.value)
    assert np.mean(values) == pytest.approx((put & match).sum() / match.sum(), abs=0.02)


def test_judged_pairs_are_not_chosen_again():
    odds, patterns = np.zeros(50), np.zeros(50, int)
    judged = np.arange(50) < 40
    proposal = propose(odds, patterns, 20, seed=1, random_share=0.0, judged=judged)
    assert proposal.pairs.tolist() == list(range(40, 50))


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-9, 9), st.integers(0, 4)), min_size=1, max_size=60),
    st.integers(1, 80),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_a_proposal_has_the_size_asked_for_and_repeats(rows, size, share, seed):
    odds, patterns = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    one, two = (propose(odds, patterns, size, seed=seed, random_share=share) for _ in range(2))
    assert len(set(one.pairs.tolist())) == len(one) == min(size, len(rows))
    np.testing.assert_array_equal(one.pairs, two.pairs)
    assert ((one.weights > 0) == one.sampled).all()


@pytest.mark.parametrize("n", [5, 20, 100])
def test_labels_that_agree_with_the_model_hardly_move_it(n):
    odds, bars, match = simulated(20_000, np.zeros(5), 0.0, 8)
    after = []
    for seed in range(15):
        i = propose(odds, np.round(odds * 2).astype(int), n, seed=seed).pairs
        after.append(loss(recalibrate(odds[i], bars[i], match[i]).apply(odds, bars), match))
    assert np.mean(after) < loss(odds, match) + 0.003


def test_labels_find_the_field_that_is_trusted_too_much():
    extra = np.array([0.0, 0.0, -0.9, 0.0])
    odds, bars, match = simulated(20_000, extra, 0.0, 2)
    i = propose(odds, np.round(odds * 2).astype(int), 400, seed=1).pairs
    found = recalibrate(odds[i], bars[i], match[i], names=["given", "surname", "street", "phone"])
    assert min(found.fields, key=found.fields.get) == "street"
    other = simulated(20_000, extra, 0.0, 77)
    assert loss(found.apply(*other[:2]), other[2]) < 0.9 * loss(other[0], other[2])
    assert found.loss_after < found.loss_before
    assert found.unchanged < 0.01
    assert found.errors["street"] < 0.3


def test_one_surprising_answer_cannot_turn_the_model():
    odds = np.r_[np.full(30, 8.0), np.full(30, -8.0)]
    answers = odds > 0
    answers[0] = False
    found = recalibrate(odds, np.zeros((60, 0)), answers)
    assert (found.apply(np.array([8.0]), np.zeros((1, 0))) > 5).all()


def test_the_order_of_judgements_does_not_matter():
    odds, bars, match = simulated(120, np.array([0.5, -0.5]), 1.0, 6)
    moved = np.random.default_rng(0).permutation(120)
    assert recalibrate(odds, bars, match) == recalibrate(odds[moved], bars[moved], match[moved])


def test_only_the_ratio_of_weights_counts():
    odds, bars, match = simulated(60, np.zeros(2), 1.5, 9)
    even = recalibrate(odds, bars, match)
    assert recalibrate(odds, bars, match, weights=np.full(60, 7.0)) == even
    assert recalibrate(odds, bars, match, weights=np.where(match, 5.0, 1.0)).shift > even.shift


def test_a_calibration_survives_json():
    odds, bars, match = simulated(200, np.array([0.5, -0.5]), 1.0, 6)
    for found in (recalibrate(odds, bars, match), Calibration()):
        again = Calibration.from_dict(json.loads(json.dumps(found.to_dict())))
        assert again.to_dict() == found.to_dict()
    assert "judgements" in str(found)
    assert "<table>" in found._repr_html_()


def test_unusable_judgements_are_errors():
    one = np.zeros((1, 1))
    with pytest.raises(EmptyInput):
        recalibrate(np.zeros(0), np.zeros((0, 1)), np.zeros(0, bool))
    with pytest.raises(WrongType):
        recalibrate(np.zeros(2), one, np.zeros(2, bool))
    with pytest.raises(WrongType, match="names"):
        recalibrate(np.zeros(1), one, np.zeros(1, bool), names=["a", "b"])
    with pytest.raises(BadRows, match="not a usable number"):
        recalibrate(np.array([np.inf]), one, np.zeros(1, bool))
    with pytest.raises(OutOfRange):
        recalibrate(np.zeros(1), one, np.zeros(1, bool), label_error=0.5)
    with pytest.raises(OutOfRange):
        propose(np.zeros(1), np.zeros(1, int), 1, seed=0, random_share=2.0)
    with pytest.raises(WrongType):
        propose(np.zeros(1), np.zeros(2, int), 1, seed=0)
    with pytest.raises(WrongType, match="features"):
        Calibration(fields={"a": 0.1}).apply(np.zeros(1), np.zeros((1, 2)))
