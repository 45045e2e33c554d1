"""Normal forms, and the report of what was done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from crmcore.errors import EmptyInput, UnknownName
from crmcore.idic.identify import cleaners, dates
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.phones import normalise_phones
from crmcore.idic.identify.preparation import Preparation
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema
from crmcore.linkage.records import Records


def run(
    sources: object, overrides: dict[str, str | None] | None = None, **options: object
) -> tuple[Records, Preparation]:
    return prepare(read(sources), Schema.infer(overrides=overrides), **options)  # type: ignore[arg-type]


def cells(records: Records) -> dict[str, list[str | None]]:
    return {c.name: c.text.to_list() for c in records.columns}


@pytest.mark.parametrize(
    ("raw", "order", "expected"),
    [
        ("1990-04-03", "dmy", "19900403"),
        ("1990-04-03T00:00:00", "dmy", "19900403"),
        ("03/04/1990", "dmy", "19900403"),
        ("03/04/1990", "mdy", "19900304"),
        ("25.12.1990", "mdy", "19901225"),
        ("3/4/2533", "dmy", "19900403"),
        ("2530-01-31", "dmy", "19870131"),
        ("19900403", "dmy", "19900403"),
        ("03041990", "dmy", "19900403"),
        ("3 April 1990", "dmy", "19900403"),
        ("Apr 3rd, 1990", "dmy", "19900403"),
        ("3. März 1990", "dmy", "19900303"),
        ("๓ เมษายน ๒๕๓๓", "dmy", "19900403"),
        ("3-Apr-90", "dmy", "19900403"),
        ("01/02/26", "dmy", "20260201"),
        ("01/02/27", "dmy", "19270201"),
        ("31/02/1990", "dmy", None),
        ("29/02/1900", "dmy", None),
        ("1990", "dmy", None),
        ("not a day", "dmy", None),
    ],
)
def test_a_birth_date_is_read_as_documented(raw: str, order: dates.Order, expected: str | None) -> None:
    assert dates.parse_dates([raw], order=order) == [expected]


def test_an_impossible_day_may_keep_its_digits_but_never_turns_into_another_day() -> None:
    raw = ["1852-15-41", "1990-00-00", "1912-19-85", "45/13/1990"]
    assert dates.parse_dates(raw, order="dmy", impossible="keep") == ["18521541", None, None, "19901345"]


@pytest.mark.parametrize(
    ("cleaner", "raw", "expected"),
    [
        (cleaners.clean_names, "Dr. Anne-Marie", "anne marie"),
        (cleaners.clean_names, "MÜLLER", "muller"),
        (cleaners.clean_names, "Mr", "mr"),
        (cleaners.clean_names, "unknown", None),
        (cleaners.clean_names, "王", "wang"),
        (cleaners.clean_names, "محمد", "mhmd"),
        (cleaners.clean_names, "Khun Somchai", "somchai"),
        (cleaners.clean_emails, "A.N.N+x@gmail.com", "ann@gmail.com"),
        (cleaners.clean_emails, "a.n.n+x@example.org", "a.n.n+x@example.org"),
        (cleaners.clean_emails, "Ann <ann@example.org>; bo@example.org", "ann@example.org"),
        (cleaners.clean_emails, "ann.lee@gmailcom", "ann.lee@gmailcom"),
        (cleaners.clean_emails, "noreply@example.org", None),
        (cleaners.clean_emails, "nobody", None),
        (cleaners.clean_streets, "12 Melbourne Avenue", "12 melbourne ave"),
        (cleaners.clean_streets, "ถนนสุขุมวิท ซอย 11", cleaners.clean_streets(["rd สุขุมวิท soi 11"])[0]),
        (cleaners.clean_streets, "St James Street", "st james st"),
        (cleaners.clean_postcodes, "sw1a1aa", "sw1a 1aa"),
        (cleaners.clean_postcodes, "12345-6789", "12345"),
        (cleaners.clean_postcodes, "10110.0", "10110"),
        (cleaners.clean_genders, "X", "x"),
        (cleaners.clean_genders, "-", None),
        (cleaners.clean_identifiers, "ab-12/3", "ab123"),
        (cleaners.clean_identifiers, "9999999", None),
        (cleaners.clean_handles, "https://instagram.com/ann.b/", "ann.b"),
        (cleaners.clean_organisations, "ACME, Inc.", "acme"),
        (cleaners.clean_organisations, "Soler S.A.", "soler"),
        (cleaners.clean_organisations, "Ltd", "ltd"),
        (cleaners.clean_text, "Barrow-in-Furness", "barrow in furness"),
        (cleaners.clean_street_numbers, "12 A", "12a"),
    ],
)
def test_a_value_takes_its_normal_form(
    cleaner: Callable[[list[str]], list[str | None]], raw: str, expected: str | None
) -> None:
    assert cleaner([raw]) == [expected]


@pytest.mark.parametrize("word", ["", " ", "n/a", "NA", "null", "None", "NaN", "-", ".", "???", "unknown"])
def test_words_for_nothing_are_missing_in_every_kind(word: str) -> None:
    for name in cleaners.__all__:
        if name.startswith("clean_"):
            assert getattr(cleaners, name)([word]) == [None], name
    assert normalise_phones([word], region="TH") == [None]
    assert dates.parse_dates([word], order="dmy") == [None]


def test_a_spreadsheet_gives_back_the_zero_it_ate() -> None:
    five = ["10110", "10220", "50000", "83000", "20150", "1424"]
    assert cleaners.clean_postcodes(five)[-1] == "01424"
    assert cleaners.clean_postcodes(["2000", "3000", "12345"])[0] == "2000"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("081-234-5678", "+66812345678"),
        ("+66 (0) 81 234 5678", "+66812345678"),
        ("66812345678", "+66812345678"),
        ("812345678", "+66812345678"),
        ("๐๘๑๒๓๔๕๖๗๘", "+66812345678"),
        ("081 234 5678 ext. 9", "+66812345678"),
        ("1669", "1669"),
        ("0000000000", None),
        ("1234567890", None),
        ("test", None),
    ],
)
def test_a_thai_number_takes_one_form(raw: str, expected: str | None) -> None:
    assert normalise_phones([raw], region="TH") == [expected]


def test_without_a_region_digits_are_kept() -> None:
    assert normalise_phones(["081-234-5678", "+66 81 234 5678"], region=None) == ["0812345678", "+66812345678"]


def test_numbers_of_two_sources_meet_because_the_region_is_shared() -> None:
    records, report = run(
        {"desk": [{"phone": "081-234-5678"}, {"phone": "089-765-4321"}], "web": [{"tel": "+66812345678"}]}
    )
    assert cells(records) == {"phone": ["+66812345678", "+66897654321", "+66812345678"]}
    assert report.regions == {
        "desk": "TH (numbers of other sources written with +)",
        "web": "TH (its numbers written with +)",
    }


def test_a_country_column_decides_the_region() -> None:
    records, report = run({"phone": ["030 123456", "089 654321"], "country": ["Germany", "Deutschland"]})
    assert cells(records)["phone"] == ["+4930123456", "+4989654321"]
    assert "country column" in report.regions["records"]


def test_mixed_types_are_read() -> None:
    records, _ = run(
        {
            "phone": [812345678, 897654321.0, "081-234-5679"],
            "dob": [dt.date(1990, 4, 3), dt.datetime(1991, 1, 2, 3, 4, tzinfo=dt.UTC), "3/5/1992"],
        },
        default_region="th",
    )
    assert cells(records) == {
        "birth date": ["19900403", "19910102", "19920503"],
        "phone": ["+66812345678", "+66897654321", "+66812345679"],
    }


def test_full_names_and_split_names_of_two_sources_become_the_same_two_columns() -> None:
    records, _ = run(
        {"a": {"first_name": ["Ann", "Bo"], "surname": ["Lee", "Ray"]}, "b": {"name": ["Lee, Ann", "Mr Cy Ray Jr."]}}
    )
    assert cells(records) == {"given name": ["ann", "bo", "ann", "cy"], "surname": ["lee", "ray", "lee", "ray"]}


def test_a_rare_further_part_is_appended_and_a_common_one_stands_alone() -> None:
    n = 20
    base = {"fname_c1": [f"ann{chr(97 + i)}" for i in range(n)], "surname": [f"lee{chr(97 + i)}" for i in range(n)]}
    rare, _ = run({**base, "fname_c2": ["mary", *[None] * (n - 1)]})
    assert cells(rare)["given name"][0] == "anna mary"
    common, _ = run({**base, "fname_c2": ["mary", "jo"] * (n // 2)})
    assert [c.name for c in common.columns] == ["given name", "surname", "given name 2"]


def test_two_phones_keep_both_and_the_first_place_is_never_left_empty() -> None:
    first = ["0812345678", None, "0812345670", "0812345671"]
    second = ["0897654321", "0897654320", "081 234 5670", "0897654322"]
    records, _ = run({"phone_1": first, "phone_2": second}, default_region="TH")
    assert cells(records) == {
        "phone": ["+66812345678", "+66897654320", "+66812345670", "+66812345671"],
        "phone 2": ["+66897654321", None, None, "+66897654322"],
    }


def test_several_numbers_in_one_cell_are_several_phones() -> None:
    records, _ = run({"tel": ["081-234-5678, 089-765-4321", "02-123-4567 / 02-765-4321"]}, default_region="TH")
    assert cells(records) == {"phone": ["+66812345678", "+6621234567"], "phone 2": ["+66897654321", "+6627654321"]}


def test_a_one_line_address_is_split_unless_the_number_has_its_own_column() -> None:
    records, _ = run({"address": ["12 Long Road", "7a Mill Lane"]})
    assert cells(records) == {"street": ["long rd", "mill ln"], "street number": ["12", "7a"]}
    records, _ = run({"street": ["Long Road 12", "Mill Lane"], "house_no": ["3", "4"]})
    assert cells(records)["street number"] == ["3", "4"]


def test_a_split_birth_date_is_joined() -> None:
    records, _ = run(
        {
            "by": ["1949", "1968", "1930"],
            "bm": ["7", "2", "4"],
            "bd": ["22", "30", "30"],
            "email": ["a@b.org", "c@d.org", None],
        }
    )
    assert cells(records)["birth date"] == ["19490722", None, "19300430"]


def test_a_number_of_too_many_records_is_blocked_with_a_note() -> None:
    n = 200
    phones = ["02-111-2222"] * 60 + [f"081-{i:03d}-{(7 * i) % 10000:04d}" for i in range(100, 100 + n - 60)]
    records, report = run({"phone": phones}, default_region="TH")
    assert cells(records)["phone"][:60] == [None] * 60
    assert report.blocked == {"phone •••22": 60}
    assert "2111" not in str(report)


def test_values_that_the_caller_blocks_are_missing_in_any_spelling() -> None:
    records, report = run(
        {"phone": ["02-111-2222", "0812345678", "0812345679"]},
        default_region="TH",
        blocked_values={"phone": ["02 111 2222"]},
    )
    assert cells(records)["phone"] == [None, "+66812345678", "+66812345679"]
    assert sum(report.blocked.values()) == 1


def test_columns_that_tell_nothing_apart_are_named_and_left_out() -> None:
    mails = [f"{name}@b.org" for name in "abcdefghijklmnopqrstuvwxyz"]
    records, report = run({"email": mails, "city": ["Bath", "bath"] * 13, "fax": [None] * 26})
    assert [c.name for c in records.columns] == ["email"]
    assert report.left_out["city"] == "one value in all records"
    assert "no value" in report.left_out["records.fax"]


def test_no_usable_column_is_refused_with_the_way_out() -> None:
    with pytest.raises(EmptyInput, match="override"):
        run({"foo": ["1", "2"]})


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(UnknownName, match="unknown region 'zz'"):
        run({"phone": ["0812345678", "0812345679"]}, default_region="zz")


def test_the_report_counts_junk_and_never_shows_a_person() -> None:
    _, report = run(
        {
            "email": ["ann.secret@example.org", "bo@example.org", "secretsecret"],
            "dob": ["25/12/1990", "01/02/1991", None],
        }
    )
    assert report.junk == {"records.email": 1}
    assert report.date_orders == {"records.dob": "dmy (1 day first, 0 month first)"}
    for text in (str(report), repr(report), report._repr_html_()):
        assert "secret" not in text
    assert report.to_frame(backend="pandas")["field"].tolist() == ["birth date", "email"]


def test_free_text_is_evidence_only_when_asked_for() -> None:
    table = {"email": ["a@b.org", "c@d.org"], "notes": ["likes tea", "likes milk"]}
    assert "text" not in cells(run(table)[0])
    assert cells(run(table, {"notes": "text"})[0])["text"] == ["likes tea", "likes milk"]


def test_each_source_speaks_for_its_own_country() -> None:
    _, report = run(
        {
            "thai": {"ชื่อ": ["สมชาย", "มาลี"], "เบอร์โทร": ["081-234-5678", "089-111-2222"]},
            "german": {"Telefon": ["030 1234567", "0170 1234567"], "Land": ["DE", "DE"]},
            "british": {"phone": ["+44 20 7946 0958", "07400 123456"]},
        }
    )
    assert {s: r[:2] for s, r in report.regions.items()} == {"thai": "TH", "german": "DE", "british": "GB"}


def test_local_numbers_alone_give_one_guess_for_all_sources() -> None:
    british = ["07400 123456", "020 7946 0958", "0161 496 0000", "07911 123456"]
    _, report = run({"a": {"phone": british[:2]}, "b": {"phone": british[2:]}})
    assert [r.split()[0] for r in report.regions.values()] == ["GB", "GB"]
    _, report = run({"a": {"phone": ["(212) 555-2368", "415-555-0132", "646 253 0134"]}})
    assert report.regions["a"].startswith("US")
