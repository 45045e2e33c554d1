"""Agreement levels by example: what each kind calls a typo, near, alike, different."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.linkage import compare as compare_module
from crmcore.linkage.compare import SWAPPED, Comparer, one_level, record_levels
from crmcore.linkage.fields import DEFINITIONS, LEVELS, Comparison, Kind
from crmcore.linkage.records import Column, Records

# From strongest agreement to none: levels never fall along a row.
LADDERS = {
    Kind.GIVEN_NAME: ("katharina", ["katharina", "katarina", "katrina", "kath", "k", "robert"], [1, 2, 3, 4, 4, 6]),
    Kind.SURNAME: ("featherstone", ["featherstone", "fetherstone", "feather", "ferguson", "li"], [1, 2, 4, 5, 6]),
    Kind.BIRTH_DATE: (
        "19800512",
        ["19800512", "19800513", "19801205", "19800930", "19810512", "19810511", "19801231", "19750512", "19751130"],
        [1, 2, 2, 5, 2, 4, 5, 3, 6],
    ),
    Kind.EMAIL: (
        "anna.lee@shop.org",
        ["anna.lee@shop.org", "ana.lee@shop.org", "anna.lee@mail.com", "anna.lea@mail.com", "bob@x.net"],
        [1, 2, 3, 4, 5],
    ),
    Kind.PHONE: (
        "+66812345678",
        ["+66812345678", "+66812345679", "+66812345689", "+66810005678"],
        [1, 2, 3, 4],
    ),
    Kind.STREET: (
        "sukhumvit road",
        ["sukhumvit road", "sukumvit raod", "sukhumvit", "sukhothai road", "silom"],
        [1, 2, 3, 4, 5],
    ),
    Kind.CITY: ("nonthaburi", ["nonthaburi", "nontaburi", "nonburi", "phuket"], [1, 2, 3, 4]),
    Kind.POSTCODE: (
        "sw1a1aa",
        ["sw1a1aa", "sw1a1ab", "sw1a9zz", "sw1b2aa", "sw9z8qq", "e16an"],
        [1, 2, 3, 4, 5, 6],
    ),
    Kind.GENDER: ("f", ["f", "m"], [1, 2]),
}


def table_of(kind: Kind, *cells: str | None) -> Comparer:
    return Comparer.of(Records.from_columns({"x": cells}, {"x": kind}))


@pytest.mark.parametrize("kind", list(LADDERS))
def test_levels_by_example(kind):
    word, others, expected = LADDERS[kind]
    comparer = table_of(kind, word, *others)
    hi = np.arange(1, len(others) + 1)
    assert comparer.levels(np.zeros_like(hi), hi)[:, 0].tolist() == expected
    assert [one_level(kind, word, other) for other in others] == expected


@pytest.mark.parametrize("kind", list(Kind))
def test_missing_on_either_side_is_level_zero(kind):
    comparer = table_of(kind, "19800101", None)
    assert comparer.levels(np.array([0, 1, 1]), np.array([1, 0, 1]))[:, 0].tolist() == [0, 0, 0]
    assert one_level(kind, None, "x") == one_level(kind, "x", "") == one_level(kind, None, None) == 0


@pytest.mark.parametrize("how", list(Comparison))
def test_every_level_has_a_name(how):
    assert len(set(LEVELS[how])) == len(LEVELS[how]) >= 2


@pytest.mark.parametrize("kind", list(Kind))
def test_the_typical_shares_are_a_distribution_and_agreement_is_typical(kind):
    definition = DEFINITIONS[kind]
    for n in {len(definition.levels), 7 if kind is Kind.GIVEN_NAME else len(definition.levels)}:
        shares = definition.typical(n)
        assert len(shares) == n
        assert sum(shares) == pytest.approx(1.0)
        assert shares[0] == max(shares)
        assert min(shares) > 0


def test_dates_that_are_no_eight_digits_have_edits_alone():
    # Two years, two edits apart: neither month nor day is known, so neither can agree.
    assert table_of(Kind.BIRTH_DATE, "1990", "1985").levels([0], [1])[0, 0] == 4
    assert one_level(Kind.BIRTH_DATE, "1990", "1985") == 4
    assert table_of(Kind.BIRTH_DATE, "1990", "19900101").levels([0], [1])[0, 0] == 6


def test_a_level_reached_exactly_is_reached_in_both_forms():
    # Jaro-Winkler of these is 9/10, which a double rounds to 0.8999999999999999: which level it is matters less than
    # that both forms say the same
    assert table_of(Kind.STREET, "c1aaacddc", "caaacd").levels([0], [1])[0, 0] == 4
    assert one_level(Kind.STREET, "c1aaacddc", "caaacd") == 4
    assert table_of(Kind.EMAIL, "a.aa.a@x.org", "aa..aa@@@@").levels([0], [1])[0, 0] == 5
    assert one_level(Kind.EMAIL, "a.aa.a@x.org", "aa..aa@@@@") == 5


def test_names_in_each_others_place_are_seen_and_the_surname_then_says_nothing():
    people = {"g": ["somchai", "jaidee", "somchai", None], "s": ["jaidee", "somchai", "wong", "somchai"]}
    kinds = {"g": Kind.GIVEN_NAME, "s": Kind.SURNAME}
    comparer = Comparer.of(Records.from_columns(people, kinds))
    assert comparer.levels(np.array([0, 0, 1]), np.array([1, 2, 3])).tolist() == [[SWAPPED, 0], [1, 6], [0, 1]]
    assert comparer.n_levels == (7, 6)
    assert record_levels([*kinds.values()], ["somchai", "jaidee"], ["jaidee", "somchai"]) == [SWAPPED, 0]


def test_swapped_names_that_are_alike_anyway_stay_what_they_are():
    comparer = Comparer.of(
        Records.from_columns({"g": ["jon", "jan"], "s": ["jan", "jon"]}, {"g": "given name", "s": "surname"})
    )
    assert comparer.levels(np.array([0]), np.array([1])).tolist() == [[2, 2]]


def test_a_given_name_alone_has_no_level_for_swapped_names():
    assert table_of(Kind.GIVEN_NAME, "a", "b").n_levels == (6,)


def test_pairs_of_values_that_meet_again_and_again_are_compared_once_with_the_same_result(monkeypatch):
    rng = np.random.default_rng(3)
    words = ["".join(rng.choice(list("abc"), rng.integers(1, 7))) for _ in range(60)]
    comparer = table_of(Kind.SURNAME, *words)
    lo, hi = rng.integers(0, 60, 3000), rng.integers(0, 60, 3000)
    seen = []
    true = compare_module._UNEQUAL[Comparison.NAME]
    monkeypatch.setitem(compare_module._UNEQUAL, Comparison.NAME, lambda e, a, b: seen.append(len(a)) or true(e, a, b))
    at_once = comparer.levels(lo, hi)
    by_hundreds = np.concatenate([comparer.levels(lo[i : i + 100], hi[i : i + 100]) for i in range(0, 3000, 100)])
    assert seen[0] <= len(set(words)) * (len(set(words)) - 1) // 2 < sum(seen[1:])
    assert (at_once == by_hundreds).all()


def test_records_without_columns_have_no_levels():
    comparer = Comparer.of(Records(np.array(["a", "b"], object), np.zeros(2, np.int32), ("s",), ()))
    assert comparer.levels(np.array([0]), np.array([1])).shape == (1, 0)


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [("00000000", "00000011", 3), ("19800101", "\u0e51\u0e59\u0e58\u0e50\u0e50\u0e51\u0e50\u0e51", 6)],
)
def test_a_date_of_zeros_and_one_in_other_digits_compare_as_the_scalar_form_does(a, b, level):
    column = Column.of("born", Kind.BIRTH_DATE, [a, b])
    records = Records(np.array(["1", "2"], object), np.zeros(2, np.int32), ("s",), (column,))
    kernel = Comparer.of(records).levels(np.array([0]), np.array([1]))[0, 0]
    assert kernel == one_level(Kind.BIRTH_DATE, a, b) == level
