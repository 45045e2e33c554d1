"""The model of pairs: EM finds what was planted, log-odds are what the formula says."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from crmcore.linkage.compare import SWAPPED
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.mixture import (
    BACKGROUND,
    CLASSES,
    WIDTH,
    Weights,
    _group,
    class_scores,
    fit_em,
    free_fields,
    log_odds,
    names_agree,
    start,
)

KINDS = (Kind.GIVEN_NAME, Kind.SURNAME, Kind.BIRTH_DATE, Kind.EMAIL, Kind.PHONE, Kind.CITY, Kind.STREET)
N_LEVELS = (7, 6, 6, 5, 4, 4, 5)
N = 2_000


def chance(same: float = 0.01) -> np.ndarray:
    """Levels among unrelated pairs: rarely the same, mostly different."""
    u = np.full((len(KINDS), WIDTH), 1e-9)
    u[:, 0] = 1.0
    for f, k in enumerate(N_LEVELS):
        u[f, 1] = same
        u[f, 2:k] = 0.02
        u[f, k] = 1 - u[f, 1:k].sum()
        if k == 7:  # names in each other's place: hardly ever by chance
            u[f, 7], u[f, 6] = 1e-4, u[f, 7] + 0.02 - 1e-4
    return u


def begin() -> Weights:
    return start(KINDS, N_LEVELS, chance(), n_records=N)


def draw(share: np.ndarray, m: int, rng: np.random.Generator, missing: float = 0.1) -> np.ndarray:
    """(m, f) levels drawn from (f, 8) shares, some missing."""
    out = np.empty((m, len(KINDS)), np.int8)
    for f, k in enumerate(N_LEVELS):
        p = share[f, 1 : k + 1]
        out[:, f] = rng.choice(np.arange(1, k + 1), m, p=p / p.sum())
    out[rng.random(out.shape) < missing] = 0
    return out


def one_log_odds(w: Weights, levels: list[int], rarity: list[float]) -> float:
    """The formula, as one would say it."""
    given, surname, email = (w.kinds.index(k) for k in (Kind.GIVEN_NAME, Kind.SURNAME, Kind.EMAIL))
    named = (0 < levels[given] <= 4 and 0 < levels[surname] <= 4) or levels[given] == SWAPPED
    L = []
    for c in range(5):
        product = w.pi[c] * np.exp(rarity[c])
        for f, level in enumerate(levels):
            source = 4 if c in (2, 3) and f == email and named else c  # an address says the name again
            product *= w.theta[source, f, level] / w.u[f, level]
        L.append(product)
    return float(np.log(L[0] + L[1]) - np.log(L[2] + L[3] + L[4] + 1 - w.pi.sum()))


def test_log_odds_are_what_the_formula_says():
    rng = np.random.default_rng(0)
    w = begin()
    levels = np.concatenate([draw(w.theta[0], 150, rng), draw(w.u, 150, rng)])
    rarity = rng.normal(0, 2, (len(levels), 5))
    wanted = [one_log_odds(w, row, r) for row, r in zip(levels.tolist(), rarity.tolist(), strict=True)]
    assert log_odds(w, levels, rarity) == pytest.approx(wanted, abs=1e-9)


def test_a_pair_that_says_nothing_has_the_odds_of_any_pair():
    w = begin()
    odds = log_odds(w, np.zeros((1, len(KINDS)), np.int8), np.zeros((1, 5)))[0]
    same = w.pi[:2].sum()
    assert odds == pytest.approx(np.log(same / (1 - same)))


def test_each_class_explains_only_what_its_reason_touches():
    w = begin()
    free = free_fields(KINDS)
    for c in range(5):
        for f in range(len(KINDS)):
            assert free[c, f] or (w.theta[c, f] == w.u[f]).all()
    assert not free[2, KINDS.index(Kind.GIVEN_NAME)]  # people of one household have their own given names
    assert not free[4, KINDS.index(Kind.PHONE)]  # namesakes have their own telephones


def test_an_email_made_of_the_name_does_not_part_a_household_from_one_person():
    w = begin()
    says = {}
    for email in (2, 3, 5):
        row = np.array([[1, 1, 0, email, 0, 0, 0]], np.int8)
        says[email] = class_scores(w, row, np.zeros((1, 5)))[0]
    # between namesakes of one household an alike address is as likely as between any namesakes
    gain = says[3] - says[5]
    assert gain[2] == pytest.approx(gain[4])
    own = np.log(w.theta[2, 3, 3] / w.u[3, 3]) - np.log(w.theta[2, 3, 5] / w.u[3, 5])
    assert abs(gain[2] - own) > 0.1


def test_names_agree_in_either_order_and_only_where_both_are_known():
    rows = np.array([[1, 4], [4, 5], [0, 1], [1, 0], [SWAPPED, 0], [6, 6]], np.int8)
    kinds = (Kind.GIVEN_NAME, Kind.SURNAME)
    assert names_agree(kinds, rows).tolist() == [True, False, False, False, True, False]
    assert names_agree((Kind.SURNAME,), rows[:, :1]).tolist() == [False] * 6


@pytest.fixture(scope="module")
def planted() -> tuple[Weights, Weights]:
    """Parameters that made 40,000 pairs, and what EM made of the pairs."""
    rng = np.random.default_rng(4)
    first = begin()
    theta = first.theta.copy()
    theta[0, :, 1:] = 1e-9
    for f, k in enumerate(N_LEVELS):
        theta[0, f, 1] = 0.7
        theta[0, f, 2 : k + 1] = 0.3 / (k - 1)
    theta[1] = theta[0]
    for f in (KINDS.index(k) for k in (Kind.PHONE, Kind.CITY, Kind.STREET)):
        k = N_LEVELS[f]
        theta[1, f, 1 : k + 1] = [0.05] * (k - 1) + [1 - 0.05 * (k - 1)]
    all_pairs = N * (N - 1) / 2
    count = {0: 4000, 1: 2000, 2: 4000, 3: 3000, 4: 3000}
    pi = np.array([count[c] for c in range(5)]) / all_pairs
    truth = attrs.evolve(first, theta=theta, pi=pi)
    parts = [draw(theta[c], m, rng) for c, m in count.items()]
    unrelated = draw(first.u, 24_000, rng)
    levels = np.concatenate([*parts, unrelated])
    weight = np.ones(len(levels))
    weight[-len(unrelated) :] = (all_pairs - sum(count.values())) / len(unrelated)
    background = np.arange(len(levels)) >= len(levels) - len(unrelated)
    found, _ = fit_em(first, levels, np.zeros((len(levels), 5)), weight, background, n_records=N, iterations=200)
    return truth, found


def test_em_finds_the_planted_levels_of_one_person(planted):
    truth, found = planted
    for f, k in enumerate(N_LEVELS):
        assert found.theta[0, f, 1 : k + 1] == pytest.approx(truth.theta[0, f, 1 : k + 1], abs=0.04)


def test_em_finds_the_planted_number_of_matches(planted):
    truth, found = planted
    assert found.pi[:2].sum() == pytest.approx(truth.pi[:2].sum(), rel=0.1)
    assert 0 < found.pi.sum() < 1


def test_those_who_moved_keep_what_stays_and_change_what_moves(planted):
    _, found = planted
    stays, moves = KINDS.index(Kind.BIRTH_DATE), KINDS.index(Kind.PHONE)
    assert found.theta[1, stays] == pytest.approx(found.theta[0, stays], abs=0.02)
    assert found.theta[1, moves, 1] < 0.3 < found.theta[0, moves, 1]


def test_every_fitted_distribution_sums_to_one(planted):
    _, found = planted
    for f, k in enumerate(N_LEVELS):
        assert found.theta[:, f, 1 : k + 1].sum(axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    assert (found.theta > 0).all()
    assert (found.pi > 0).all()


def test_background_pairs_never_count_as_one_person():
    w = begin()
    levels = np.ones((500, len(KINDS)), np.int8)  # identical records
    none, zeros = np.ones(500, bool), np.zeros((500, 5))
    as_background, _ = fit_em(w, levels, zeros, np.ones(500), none, n_records=N, iterations=5)
    as_candidates, _ = fit_em(w, levels, zeros, np.ones(500), ~none, n_records=N, iterations=5)
    assert as_background.pi[~BACKGROUND].sum() * N * (N - 1) / 2 < 2  # what is believed before any pair is seen
    assert as_candidates.pi[:2].sum() * N * (N - 1) / 2 > 400


def test_pairs_alike_may_be_given_once_with_their_number():
    rng = np.random.default_rng(9)
    w = begin()
    levels = np.concatenate([draw(w.theta[0], 300, rng), draw(w.u, 700, rng)])
    rarity = np.round(rng.normal(0, 1, (1000, 5)) * 4) / 4
    some = np.arange(1000) % 3 == 0
    again, _ = fit_em(
        w, np.repeat(levels, 2, 0), np.repeat(rarity, 2, 0), np.full(2000, 0.5), np.repeat(some, 2), n_records=N
    )
    once, _ = fit_em(w, levels, rarity, np.ones(1000), some, n_records=N)
    assert again.pi == pytest.approx(once.pi, rel=1e-6)
    assert again.theta == pytest.approx(once.theta, rel=1e-6)


def test_grouping_by_quarters_of_a_nat_moves_results_by_little(monkeypatch):
    rng = np.random.default_rng(10)
    w = begin()
    levels = np.concatenate([draw(w.theta[0], 2000, rng), draw(w.u, 4000, rng)])
    rarity = rng.normal(0, 1, (len(levels), 1)) * np.array([[1, 1, 0.5, 0.5, 0]])
    none = np.zeros(len(levels), bool)
    grouped, _ = fit_em(w, levels, rarity, np.ones(len(levels)), none, n_records=N)

    def alone(levels, rarity, weight, background):
        _, groups, _ = _group(levels[:1], rarity[:1], weight[:1], background[:1])
        return levels, attrs.evolve(groups, rarity=rarity, background=background), weight

    monkeypatch.setattr("crmcore.linkage.mixture._group", alone)
    exact, _ = fit_em(w, levels, rarity, np.ones(len(levels)), none, n_records=N)
    apart = np.abs(log_odds(grouped, levels, rarity) - log_odds(exact, levels, rarity))
    assert apart.max() < 0.02  # nats, where a cut stands at about -1.1
    assert grouped.pi[:2].sum() == pytest.approx(exact.pi[:2].sum(), rel=1e-3)


def test_no_pairs_leave_the_parameters_as_they_were():
    w = begin()
    fitted, steps = fit_em(
        w, np.zeros((0, len(KINDS)), np.int8), np.zeros((0, 5)), np.zeros(0), np.zeros(0, bool), n_records=1
    )
    assert fitted is w
    assert steps == 0


def test_shares_start_as_a_distribution_even_for_a_single_record():
    for n in (1, 2, 3, 1_000_000):
        pi = start(KINDS, N_LEVELS, chance(), n_records=n).pi
        assert np.isfinite(pi).all()
        assert 0 < pi.sum() < 1


def test_every_class_has_a_name_for_the_reader():
    assert [c.value for c in CLASSES] == ["same person", "same person, moved", "household", "same place", "namesakes"]
    assert set(Kind) == set(DEFINITIONS)
