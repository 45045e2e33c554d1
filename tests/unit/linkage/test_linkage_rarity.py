"""Rare values say more than common ones, and a model says what the records said."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.linkage.compare import Comparer
from crmcore.linkage.fields import Kind
from crmcore.linkage.mixture import SAME_PERSON
from crmcore.linkage.rarity import MOST, Rarity, Shares, chance_levels
from crmcore.linkage.records import Records

SURNAMES = (
    ["smith"] * 60 + ["jones"] * 30 + ["smyth"] + ["featherstonehaugh"] * 2 + [f"rare{i:03d}x" for i in range(40)]
)


def comparer_of(cells: list[str | None], kind: Kind = Kind.SURNAME) -> Comparer:
    return Comparer.of(Records.from_columns({"x": cells}, {"x": kind}))


def fitted(comparer: Comparer) -> tuple[np.ndarray, Rarity]:
    n = len(comparer.table)
    levels = comparer.levels(*np.triu_indices(n, 1))
    u = chance_levels(levels, comparer)
    return u, Rarity.of(comparer, u)


def nats(comparer: Comparer, rarity: Rarity, a: int, b: int) -> float:
    lo, hi = np.array([a]), np.array([b])
    return float(rarity.terms(comparer, lo, hi, comparer.levels(lo, hi))[0, 0])


def test_agreeing_on_a_rare_name_says_more_than_on_a_common_one():
    comparer = comparer_of(SURNAMES)
    _, rarity = fitted(comparer)
    smith, rare = nats(comparer, rarity, 0, 1), nats(comparer, rarity, 91, 92)
    assert smith < 0 < rare
    assert rare - smith == pytest.approx(np.log(60 / 2))  # thirty times as rare


def test_a_fuzzy_agreement_follows_the_commoner_value_by_half_and_is_clipped():
    comparer = comparer_of(SURNAMES)
    _, rarity = fitted(comparer)
    same, fuzzy = nats(comparer, rarity, 0, 1), nats(comparer, rarity, 0, 90)  # smith, smyth
    assert fuzzy == pytest.approx(0.5 * same)
    many = comparer_of(["aaaaab", "aaaaac"] + ["common"] * 5000)
    _, far = fitted(many)
    assert nats(many, far, 0, 1) == MOST


def test_disagreement_and_missing_cells_have_no_rarity():
    comparer = comparer_of([*SURNAMES, None])
    _, rarity = fitted(comparer)
    assert nats(comparer, rarity, 0, 60) == 0  # smith, jones
    assert nats(comparer, rarity, 0, len(SURNAMES)) == 0


def test_agreeing_in_a_near_unique_column_is_not_punished():
    # 2,000 membership numbers, three of them on two records: an agreement is a strong sign, its value is not "common"
    comparer = comparer_of([f"m{i:05d}" for i in range(2000)] + ["m00001", "m00002", "m00003"], Kind.IDENTIFIER)
    u = np.full((1, 8), 1e-3)
    u[0, 1] = 3 / (2003 * 2002 / 2)
    rarity = Rarity.of(comparer, u)
    assert abs(nats(comparer, rarity, 1, 2000)) < 0.75


def test_the_shares_of_a_model_say_what_the_records_said():
    comparer = comparer_of([*SURNAMES, None, None])
    u, rarity = fitted(comparer)
    again = Rarity.of(comparer, u, [Shares.of(e) for e in comparer.fields])
    assert all((x == y).all() for x, y in zip(rarity.excess, again.excess, strict=True))


def test_a_value_that_the_model_never_saw_counts_once():
    shares = Shares.of(comparer_of(SURNAMES).fields[0])
    words = np.array(["smith", "new name", "rare001x"], object)
    assert (shares.find(words) * len(SURNAMES)).tolist() == pytest.approx([60, 1, 1])
    assert len(shares.hashes) == 3  # smith, jones, featherstonehaugh: values seen once are not kept
    nobody = Shares.of(comparer_of([None]).fields[0])
    assert nobody.find(words).tolist() == [1, 1, 1]
    assert len(nobody.find(words[:0])) == 0


def test_namesakes_do_not_feel_rarity_and_one_person_does():
    comparer = comparer_of(SURNAMES)
    _, rarity = fitted(comparer)
    felt = rarity.by_class(np.array([[2.0]]))[0]
    assert felt[SAME_PERSON].tolist() == [2.0, 2.0]
    assert felt[4] == 0


def test_gender_has_no_rare_values():
    comparer = comparer_of(["f"] * 99 + ["x", "x"], Kind.GENDER)
    _, rarity = fitted(comparer)
    assert nats(comparer, rarity, 99, 100) == 0


def test_chance_of_the_same_value_is_counted_exactly_and_the_rest_sums_to_one():
    comparer = comparer_of(SURNAMES)
    u, _ = fitted(comparer)
    counts = np.unique(SURNAMES, return_counts=True)[1]
    n = len(SURNAMES)
    assert u[0, 1] == pytest.approx((counts * (counts - 1) / 2).sum() / (n * (n - 1) / 2), rel=0.02)
    assert u[0, 1:7].sum() == pytest.approx(1)
    assert u[0, 0] == 1
