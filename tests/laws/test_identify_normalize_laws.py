"""Laws of normal forms: idempotent, blind to row order, missing stays missing, fast = library."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.identify import cleaners, dates
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.phones import is_junk_number, normalise_phones
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import export_records
from crmcore.idic.identify.vcards import read_vcards, write_vcards

CLEANERS = [getattr(cleaners, n) for n in cleaners.__all__ if n.startswith("clean_")]
TEXTS = st.lists(
    st.one_of(st.text(max_size=24), st.from_regex(r"[A-Za-z0-9@.+ ,'/#-]{0,24}", fullmatch=True)), max_size=6
)
WORDS = st.sampled_from(
    "dr mr st soi 12 5a road street gmbh co & ltd s a strasse highway no van jr x n/a 00 - '".split()
)
LINES = st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=6)


@pytest.mark.parametrize("cleaner", CLEANERS, ids=lambda f: f.__name__)
@given(values=st.one_of(TEXTS, LINES))
@settings(max_examples=60, deadline=None)
def test_cleaning_twice_is_cleaning_once(cleaner: Callable[[list[str]], list[str | None]], values: list[str]) -> None:
    for value in values:
        once = cleaner([value])[0]
        if once is not None:
            assert cleaner([once]) == [once]


@given(values=LINES)
@settings(max_examples=100, deadline=None)
def test_a_street_without_its_number_has_no_further_number(values: list[str]) -> None:
    streets, _ = cleaners.split_streets(cleaners.clean_streets(values))
    left = [s for s in streets if s]
    assert cleaners.split_streets(left)[0] == left


@given(
    values=st.lists(st.from_regex(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{8}", fullmatch=True), max_size=8),
    order=st.sampled_from(["dmy", "mdy"]),
)
@settings(max_examples=200, deadline=None)
def test_a_read_date_reads_as_itself(values: list[str], order: dates.Order) -> None:
    for keep in ("drop", "keep"):
        once = [d for d in dates.parse_dates(values, order=order, impossible=keep) if d]
        assert dates.parse_dates(once, order=order, impossible=keep) == once
        assert all(len(d) == 8 and d.isdigit() for d in once)


def by_library(value: str, region: str) -> str | None:
    """The slow twin: junk aside, what phonenumbers says where it can parse at least seven digits, else the digits."""
    import phonenumbers

    digits = "".join(c for c in value if c.isdigit())
    if len(digits) < 4 or digits.endswith("0000000") or (value[0] != "+" and is_junk_number(digits)):
        return None
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return digits
    if len(str(number.national_number)) < 7:
        return digits
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@pytest.mark.parametrize("region", ["TH", "GB", "US", "DE", "IT", "AU", "MX", "BR", "JP", "RU"])
def test_fast_phones_equal_the_library_on_random_numbers(region: str) -> None:
    rng = random.Random(f"phones {region}")
    starts = ["", "", "0", "0", "00", "+", "+66", "+44", "+1", "+39", "+49", "+52", "+55", "66", "44", "1"]
    values = [rng.choice(starts) + "".join(rng.choices("0123456789", k=rng.randint(6, 13))) for _ in range(500)]
    assert normalise_phones(values, region=region) == [by_library(v, region) for v in values]


@given(values=TEXTS, region=st.sampled_from(["TH", "US", None]))
@settings(max_examples=100, deadline=None)
def test_a_normal_phone_is_its_own_normal_form(values: list[str], region: str | None) -> None:
    once = [p for p in normalise_phones(values, region=region) if p and p[0] == "+"]
    assert normalise_phones(once, region=region) == once


@given(order=st.permutations(range(12)))
@settings(max_examples=25, deadline=None)
def test_row_order_changes_neither_schema_nor_normal_forms(order: list[int]) -> None:
    rows = [
        {
            "id": str(i),
            "name": ["Ann Lee", "Somchai Jaidee", "Müller, Hans", None][i % 4],
            "tel": [f"081-234-56{i:02d}", None, f"+66 2 123 45{i:02d}"][i % 3],
            "dob": [f"{i + 1}/12/1990", "13/01/1991"][i % 2],
            "address": f"{i} Long Road",
        }
        for i in range(12)
    ]
    plain, shuffled = read(rows), read([rows[i] for i in order])
    assert Schema.infer().bind(plain) == Schema.infer().bind(shuffled)
    first, second = prepare(plain, Schema.infer())[0], prepare(shuffled, Schema.infer())[0]
    for a, b in zip(first.columns, second.columns, strict=True):
        assert dict(zip(first.ids, a.text.to_list(), strict=True)) == dict(
            zip(second.ids, b.text.to_list(), strict=True)
        )


@given(gone=st.sets(st.integers(0, 9), max_size=7), word=st.sampled_from([None, "", "n/a", "-", "null", float("nan")]))
@settings(max_examples=40, deadline=None)
def test_missing_stays_missing(gone: set[int], word: object) -> None:
    table = {
        "email": [word if i in gone else f"ann{i}@example.org" for i in range(10)],
        "surname": [f"lee{chr(97 + i)}" for i in range(10)],
    }
    records, report = prepare(read(table), Schema.infer())
    mails = next(c for c in records.columns if c.name == "email").text.to_list()
    assert [m is None for m in mails] == [i in gone for i in range(10)]
    assert not report.junk


CELLS = st.one_of(st.none(), st.text(max_size=8), st.integers(), st.booleans(), st.floats(allow_nan=False), st.dates())


@given(records=st.lists(st.dictionaries(st.sampled_from("abcd"), CELLS, min_size=1), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_export_gives_back_what_was_read(records: list[dict[str, object]]) -> None:
    assert export_records(read(records, Schema.infer(overrides={}))) == records


SAFE = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=90)
    .map(str.strip)
    .filter(lambda v: v.strip(" ;"))
)
CARDS = st.fixed_dictionaries(
    {"name": SAFE}, optional=dict.fromkeys(("city", "organisation", "note", "id", "street"), SAFE)
)


@given(cards=st.lists(CARDS, min_size=1, max_size=3), version=st.sampled_from(["3.0", "4.0"]))
@settings(max_examples=80, deadline=None)
def test_cards_survive_writing_and_reading(cards: list[dict[str, str]], version: str) -> None:
    assert read_vcards(write_vcards(cards, version=version)) == cards
