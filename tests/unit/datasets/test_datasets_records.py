from __future__ import annotations

import re

import numpy as np
import pytest

from crmcore.datasets import simulate_records
from crmcore.datasets.columns import children, long_tail, opaque_ids, texts
from crmcore.datasets.contacts import phone_text
from crmcore.datasets.names import given_names, surnames
from crmcore.datasets.people import CHILD, HEAD, TWIN, simulate_people
from crmcore.datasets.places import COUNTRIES, national
from crmcore.errors import OutOfRange


@pytest.fixture(scope="module")
def records():
    return simulate_records(6000, seed=11)


def same(a, b):
    if a.dtype.kind in "mM":
        return a.shape == b.shape and bool(((a == b) | (np.isnat(a) & np.isnat(b))).all())
    return a.tolist() == b.tolist()


def test_the_same_seed_gives_the_same_records_and_another_seed_does_not():
    a, b, c = (simulate_records(300, seed=s) for s in (5, 5, 6))
    for source, columns in a.sources.items():
        assert all(same(columns[k], b.sources[source][k]) for k in columns)
    assert a.truth.record_id.tolist() != c.truth.record_id.tolist()
    assert a.sources["members"]["mobile"].tolist()[:20] != c.sources["members"]["mobile"].tolist()[:20]


def test_more_noise_in_one_part_leaves_people_and_ids_alone():
    a, b = simulate_records(400, seed=3), simulate_records(400, seed=3, noise=0.0)
    assert a.truth.record_id.tolist() == b.truth.record_id.tolist()
    assert a.truth.person.tolist() == b.truth.person.tolist()
    assert a.contacts.email.tolist() == b.contacts.email.tolist()
    assert a.sources["call_centre"]["call_ref"].tolist() == b.sources["call_centre"]["call_ref"].tolist()


def test_a_named_child_generator_does_not_feel_its_siblings():
    one = children(np.random.default_rng(1), "orders", "posts")
    two = children(np.random.default_rng(1), "orders", "posts", "added later")
    two["orders"].random(1000)
    assert one["posts"].random() == two["posts"].random()


def test_each_record_has_one_person_and_each_person_at_least_one_record(records):
    truth = records.truth
    assert len(set(truth.record_id.tolist())) == len(truth)
    assert np.unique(truth.person).tolist() == list(range(6000))
    listed = [i for columns in records.sources.values() for i in columns["record_id"].tolist()]
    assert listed == truth.record_id.tolist()
    columns = truth.columns()
    household = dict(zip(columns["person_id"], columns["household_id"], strict=True))
    assert all(household[p] == h for p, h in zip(columns["person_id"], columns["household_id"], strict=True))


def test_duplicates_sets_the_mean_and_some_people_have_many(records):
    counts = np.bincount(records.truth.person)
    assert 1.4 < counts.mean() < 1.5
    assert counts.max() >= 7
    denser = np.bincount(simulate_records(3000, seed=1, duplicates=1.4).truth.person)
    assert 2.2 < denser.mean() < 2.55


def test_no_duplicates_means_one_record_each():
    truth = simulate_records(500, seed=2, duplicates=0.0).truth
    assert sorted(truth.person.tolist()) == list(range(500))


def test_record_ids_say_nothing_about_the_person(records):
    assert all(re.fullmatch("[0-9a-f]{12}", i) for i in records.truth.record_id.tolist())
    rank = np.argsort(np.argsort(records.truth.record_id.astype(str)))
    assert abs(np.corrcoef(rank, records.truth.person)[0, 1]) < 0.05
    row = np.arange(len(records.truth))
    members = records.truth.source == "members"
    assert abs(np.corrcoef(row[members], records.truth.person[members])[0, 1]) < 0.05


def test_ids_stay_distinct_when_many_are_drawn():
    ids = opaque_ids(np.random.default_rng(0), 50_000)
    assert len(set(ids.tolist())) == 50_000


def test_five_sources_have_their_own_columns_and_no_empty_one(records):
    assert list(records.sources) == ["members", "web_orders", "page_inbox", "call_centre", "line_oa"]
    shared = set.intersection(*(set(c) for c in records.sources.values()))
    assert shared == {"record_id"}
    for columns in records.sources.values():
        assert len({len(c) for c in columns.values()}) == 1
        assert all(any(cell is not None for cell in c.tolist()) for c in columns.values())


def test_families_share_surname_and_home_and_twins_a_birthday():
    people = simulate_people(20_000, rng=np.random.default_rng(4))
    child = np.flatnonzero(people.role == CHILD)
    assert 0.9 < (people.surname[child] == people.surname[people.relative[child]]).mean() < 1.0
    assert (people.address[child] == people.address[people.relative[child]]).all()
    twin = np.flatnonzero(people.role == TWIN)
    assert len(twin) > 20
    assert (people.birth[twin] == people.birth[twin - 1]).all()
    junior = (people.given[child] == people.given[people.relative[child]]) & (
        people.surname[child] == people.surname[people.relative[child]]
    )
    assert 0.005 < junior.mean() < 0.05
    assert (people.birth[child] > people.birth[people.relative[child]]).mean() > 0.97


def test_mobile_numbers_are_distinct_and_valid_in_their_country():
    import phonenumbers

    for c, rule in enumerate(COUNTRIES):
        country = np.full(120, c)
        for mobile in (True, False):
            numbers = national(np.random.default_rng(c), country, mobile=mobile)
            assert len(set(numbers.tolist())) == 120
            valid = [phonenumbers.is_valid_number(phonenumbers.parse(f"+{rule.calling}{n}")) for n in numbers]
            assert np.mean(valid) > 0.9, (rule.code, mobile)


def test_most_numbers_in_the_records_read_as_valid(records):
    import phonenumbers

    members = records.sources["members"]
    pairs = [(p, c) for p, c in zip(members["mobile"], members["country"], strict=True) if p][:600]

    def valid(text: str, country: str) -> bool:
        try:
            return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, country)))
        except phonenumbers.NumberParseException:
            return False

    assert np.mean([valid(p, c) for p, c in pairs]) > 0.85


def test_a_number_that_was_given_up_comes_back_with_somebody_else():
    people = simulate_people(20_000, rng=np.random.default_rng(6))
    before = {n: i for i, n in enumerate(people.mobile_before.tolist()) if n is not None}
    heirs = [(i, before[n]) for i, n in enumerate(people.mobile.tolist()) if n in before]
    assert 150 < len(heirs) < 450
    assert all(a != b and people.country[a] == people.country[b] for a, b in heirs)
    assert len(set(people.mobile.tolist())) > 19_990  # numbers of two countries may look alike


def test_every_telephone_habit_writes_the_same_number():
    digits, country = texts(["812345678"] * 6), np.zeros(6, dtype=np.int64)
    written = {phone_text(np.random.default_rng(0), digits[:1], country[:1], style=np.eye(6)[h])[0] for h in range(6)}
    assert written == {
        "081-234-5678", "081 234 5678", "0812345678", "+66812345678", "+66 81 234 5678", "66812345678",
    }  # fmt: skip


def test_mailboxes_cannot_reach_anybody(records):
    cells = [*records.sources["web_orders"]["email"], *records.sources["line_oa"]["linked_email"]]
    domains = [c.rpartition("@")[2] for c in cells if c and "@" in c]
    assert np.mean([d.endswith(".example") for d in domains]) > 0.97  # the rest are slips of the fingers
    assert all(e.endswith(".example") for e in records.contacts.email if e)


def test_names_have_a_long_tail_and_few_namesakes():
    people = simulate_people(60_000, rng=np.random.default_rng(9))
    pair = people.given * 1_000_000 + people.surname
    _, counts = np.unique(pair, return_counts=True)
    assert counts.max() < 60
    assert (counts == 1).sum() / len(counts) > 0.7
    top = np.sort(np.bincount(people.surname))[::-1]
    assert top[:10].sum() / len(people.surname) < 0.12
    assert (top > 0).sum() > 10_000


def test_weights_fall_and_sum_to_one():
    weights = long_tail(50, exponent=0.7)
    assert weights.sum() == pytest.approx(1.0)
    assert (np.diff(weights) < 0).all()


def test_thai_names_come_in_thai_script_and_rival_spellings(records):
    members = records.sources["members"]
    thai = [n for n in members["first_name"] if n and "\u0e00" <= n[0] <= "\u0e7f"]
    assert len(thai) > 300
    table = given_names()
    codes, _ = table.pools["thai", 0]
    many = np.diff(table.other_start)[codes] > 0
    assert many.mean() > 0.5
    assert all(len(s) > 0 for s in surnames().slug)


def test_buddhist_years_swapped_days_and_junk_occur(records):
    births = [b for b in records.sources["members"]["birth_date"] if b]
    assert any(re.fullmatch(r"\d\d/\d\d/25\d\d", b) for b in births)
    assert "1900-01-01" in births
    phones = records.sources["members"]["mobile"].tolist()
    assert "0000000000" in phones
    assert None in phones


def test_without_noise_no_junk_stands_anywhere():
    quiet = simulate_records(1500, seed=2, noise=0.0)
    cells = {str(c) for columns in quiet.sources.values() for column in columns.values() for c in column.tolist()}
    assert not cells & {"0000000000", "test", "N/A", "shop@brand.example", "1900-01-01"}
    assert None not in quiet.sources["members"]["mobile"].tolist()


def test_times_lie_in_the_observed_years(records):
    for columns in records.sources.values():
        time = next(c for k, c in columns.items() if k.endswith("_at"))
        assert time.dtype == "datetime64[us]"
        assert time.min() >= np.datetime64("2023-01-01")
        assert time.max() <= np.datetime64("2025-12-31")


def test_no_day_collects_birthdays_and_namesakes_seldom_share_one():
    people = simulate_people(40_000, rng=np.random.default_rng(12))
    _, per_day = np.unique(people.birth, return_counts=True)
    assert per_day.max() < 30
    single = people.role != TWIN
    same = np.stack([people.given, people.surname, people.birth.astype(np.int64)])[:, single]
    assert (np.unique(same, axis=1, return_counts=True)[1] > 1).sum() < 15


def test_heads_are_adults_and_ages_are_human():
    people = simulate_people(5000, rng=np.random.default_rng(2))
    age = (np.datetime64("2025-12-31") - people.birth).astype(int) / 365.25
    assert age.min() >= 12.9
    assert age.max() <= 97
    assert age[people.role == HEAD].min() >= 17.9


@pytest.mark.parametrize(
    "bad", [{"n_customers": 0}, {"n_customers": 5, "duplicates": -1.0}, {"n_customers": 5, "noise": -0.1}]
)
def test_impossible_numbers_are_refused_by_name(bad):
    with pytest.raises(OutOfRange) as caught:
        simulate_records(bad.pop("n_customers"), seed=1, **bad)
    assert "or more" in str(caught.value)


def test_frames_come_in_the_flavour_that_is_asked_for(records):
    frames = records.sources.to_frames("polars")
    assert frames["members"].shape == (len(records.sources["members"]["record_id"]), 14)
    assert type(records.sources.to_frames("pandas")["line_oa"]).__module__.startswith("pandas")


def test_a_repr_shows_sizes_and_nobody(records):
    assert "@" not in repr(records)
    assert repr(records.people) == f"People(6000 persons, {records.people.household.max() + 1} households)"


def test_one_person_alone_is_possible():
    assert len(simulate_records(1, seed=1, duplicates=0.0).truth) == 1
