"""What the records of several systems taught: codes per system, countries per row, names in handles and pictures."""

from __future__ import annotations

import random

import pytest

from crmcore.idic.identify.cleaners import clean_names, split_full_names
from crmcore.idic.identify.code_columns import CodeColumn, code_meaning, column_names
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.phone_reading import PhoneReading
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema


def numbers(seed: str, n: int, prefix: str = "m") -> list[str]:
    rng = random.Random(seed)
    return [f"{prefix}{rng.randrange(10**9):09d}" for _ in range(n)]


def test_headings_of_one_meaning_are_one_column_even_without_a_shared_value() -> None:
    columns = [
        CodeColumn("shop", "memberNo", frozenset(numbers("a", 50))),
        CodeColumn("desk", "membership_number", frozenset(numbers("b", 50))),
    ]
    assert set(column_names("identifier", columns).values()) == {"identifier"}


def test_shared_values_make_one_column_of_two_headings() -> None:
    held = numbers("a", 300)
    columns = [
        CodeColumn("shop", "card", frozenset(held)),
        CodeColumn("desk", "ref", frozenset(held[:4] + numbers("c", 296))),
    ]
    assert set(column_names("identifier", columns).values()) == {"identifier"}


def test_counters_that_meet_by_chance_stay_apart() -> None:
    columns = [
        CodeColumn("shop", "account", frozenset(map(str, range(1000, 2000)))),
        CodeColumn("desk", "device", frozenset(map(str, range(1500, 2500)))),
    ]
    assert len(set(column_names("identifier", columns).values())) == 2


def test_names_of_code_columns_do_not_depend_on_the_order_of_sources() -> None:
    columns = [
        CodeColumn("members", "member_no", frozenset(numbers("a", 9))),
        CodeColumn("line", "line_user_id", frozenset(numbers("b", 9, "u"))),
        CodeColumn("calls", "member_no", frozenset(numbers("c", 9))),
    ]
    names = column_names("identifier", columns)
    assert names == column_names("identifier", columns[::-1])
    assert names["line.line_user_id"] == "identifier: line_user_id"
    assert names["members.member_no"] == names["calls.member_no"] == "identifier"


def test_two_columns_of_one_source_stay_two() -> None:
    held = frozenset(numbers("a", 20))
    names = column_names("identifier", [CodeColumn("shop", "member_no", held), CodeColumn("shop", "member_id", held)])
    assert len(set(names.values())) == 2


def test_a_heading_that_any_system_could_use_says_nothing() -> None:
    assert [code_meaning(h) for h in ("user_id", "account no", "id", "UserName")] == ["", "", "", ""]


def test_each_row_reads_its_number_by_its_own_country() -> None:
    rows = [
        {"name": "Ann Lee", "mobile": "081-234-5678", "country": "ประเทศไทย"},
        {"name": "Bo Ray", "mobile": "303-735-9110", "country": "US"},
        {"name": "Cy Orth", "mobile": "0151 23456789", "country": "Deutschland"},
        {"name": "Di Park", "mobile": "0898765432", "country": None},
        {"name": "Em Chai", "mobile": "0831112222", "country": "Thailand"},
    ]
    records, _ = prepare(read(rows), Schema.infer())
    phone = next(c for c in records.columns if c.name == "phone")
    assert phone.text.to_list() == ["+66812345678", "+13037359110", "+4915123456789", "+66898765432", "+66831112222"]


def test_a_region_that_the_caller_names_holds_for_every_row() -> None:
    rows = [
        {"name": "Ann Lee", "tel": "081-234-5678", "country": "US"},
        {"name": "Bo Ray", "tel": "089-876-5432", "country": "TH"},
    ]
    records, _ = prepare(read(rows), Schema.infer(), default_region="TH")
    assert next(c for c in records.columns if c.name == "phone").values == ("+66812345678", "+66898765432")


def test_a_source_without_countries_reads_foreign_numbers_by_the_certain_ones() -> None:
    members = [{"name": f"Ann {chr(97 + i)}x", "mobile": f"08{i}-234-567{i}", "country": "TH"} for i in range(8)]
    members += [
        {"name": "Bo Ray", "mobile": "303-735-9110", "country": "US"},
        {"name": "Cy Lo", "mobile": "212-239-3289", "country": "US"},
    ]
    calls = [{"spoken_name": "Bo", "caller_phone": "3037359110"}, {"spoken_name": "Ann", "caller_phone": "0812345671"}]
    table = read({"members": members, "calls": calls})
    records, report = prepare(table, Schema.infer())
    phone = next(c for c in records.columns if c.name == "phone").text.to_list()
    assert phone[-2:] == ["+13037359110", "+66812345671"]
    assert report.regions["calls"].startswith("TH")


def test_a_known_number_is_preferred_to_a_likely_country() -> None:
    known = frozenset({"+971524392004"})
    shares = (("TH", 0.9), ("DE", 0.08), ("AE", 0.02))
    assert PhoneReading("TH", shares, known).read(["0524392004"]) == ["+971524392004"]


def test_a_thai_number_with_a_digit_missing_stays_thai() -> None:
    assert PhoneReading("TH", (("TH", 0.8), ("US", 0.2))).read(["081-234-567"]) == ["+6681234567"]


@pytest.mark.parametrize(
    "name",
    [
        "\u2728Ann\u2728",
        "Ann \U0001f469\u200d\U0001f4bb",
        "\U0001f1f9\U0001f1ed Ann \u2764\ufe0f",
        "Ann\U0001f44d\U0001f3fd",
    ],
)
def test_pictures_are_no_part_of_a_name(name: str) -> None:
    assert clean_names([name]) == ["ann"]


def test_digits_are_no_part_of_a_name() -> None:
    assert clean_names(["wichaiya_2008", "2008", "Anna84"]) == ["wichaiya", None, "anna"]


@pytest.mark.parametrize(
    ("shown", "given", "surname"),
    [
        ("rosie569", "rosie", None),
        ("silentpanda99", None, None),
        ("ann_lee", "ann", "lee"),
        ("J.Smith", "j", "smith"),
        ("@xkcd84", None, None),
        ("Anna", "anna", None),
    ],
)
def test_a_network_name_gives_a_name_only_where_it_is_plausible(
    shown: str, given: str | None, surname: str | None
) -> None:
    assert split_full_names([shown]) == ([given], [surname])
