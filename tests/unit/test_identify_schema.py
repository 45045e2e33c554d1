"""What columns mean: headings, values, corrections."""

from __future__ import annotations

import csv
import gzip
import io
import os
from pathlib import Path

import pytest

from crmcore.errors import EmptyInput, MissingColumn, UnknownName
from crmcore.idic.identify.evidence import heading_evidence
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.roles import Meaning
from crmcore.idic.identify.schema import Schema

DATA = Path(os.environ.get("CRMCORE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def kinds(schema: Schema, source: str = "records") -> dict[str, str]:
    return {name: role.kind.value for name, role in schema.roles[source].items()}


def load(name: str) -> dict[str, list[str]]:
    path = DATA / name / "records.csv.gz"
    if not path.exists():
        pytest.skip(f"data set {name} is not there; set CRMCORE_DATA")
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode("utf-8"))))
    return {k: [r[k] for r in rows] for k in rows[0] if k != "cluster"}


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [
        ("given_name", "given name"),
        ("FirstName", "given name"),
        ("Vorname", "given name"),
        ("Prénom", "given name"),
        ("nombre", "given name"),
        ("ชื่อ", "given name"),
        ("fname_c1", "given name"),
        ("customer_first_name", "given name"),
        ("lname_c2", "surname"),
        ("Nachname", "surname"),
        ("นามสกุล", "surname"),
        ("apellidos", "surname"),
        ("FULL NAME", "full name"),
        ("customerName", "full name"),
        ("ชื่อ-นามสกุล", "full name"),
        ("dob", "birth date"),
        ("Geburtsdatum", "birth date"),
        ("date_of_birth", "birth date"),
        ("วันเกิด", "birth date"),
        ("E-Mail", "email"),
        ("correo_electronico", "email"),
        ("emailAddress2", "email"),
        ("อีเมล", "email"),
        ("Telefonnummer", "phone"),
        ("mobile_no", "phone"),
        ("เบอร์โทรศัพท์", "phone"),
        ("tel", "phone"),
        ("street_number", "street number"),
        ("Hausnummer", "street number"),
        ("Straße", "street"),
        ("address_1", "address"),
        ("ที่อยู่", "address"),
        ("PLZ", "postcode"),
        ("postcode_fake", "postcode"),
        ("billing_zip_code", "postcode"),
        ("รหัสไปรษณีย์", "postcode"),
        ("suburb", "city"),
        ("birth_place", "city"),
        ("Ville", "city"),
        ("จังหวัด", "state"),
        ("country_code", "country"),
        ("Beruf", "occupation"),
        ("gender", "gender"),
        ("เพศ", "gender"),
        ("soc_sec_id", "identifier"),
        ("membershipNo", "identifier"),
        ("twitter_handle", "handle"),
        ("Company Name", "organisation"),
        ("Raison sociale", "organisation"),
        ("notes", "text"),
        ("unique_id", "record id"),
        ("customer_id", "record id"),
        ("updatedAt", "updated at"),
        ("phone_type", "ignore"),
        ("email_opt_in", "ignore"),
        ("product_name", "ignore"),
    ],
)
def test_a_common_heading_is_understood(heading: str, meaning: str) -> None:
    found, _ = heading_evidence(heading)
    assert max(found, key=lambda m: found[m].score).value == meaning


def test_a_part_number_is_read_from_the_heading() -> None:
    assert [heading_evidence(h)[1] for h in ("address_1", "address2", "fname_c2", "phone")] == [1, 2, 2, 1]


def test_values_decide_where_the_heading_says_nothing() -> None:
    schema = Schema.infer(
        {
            "a": ["ann@example.org", "bo@example.org", "cy@example.com"],
            "b": ["081-234-5678", "+66 2 123 4567", "089 765 4321"],
            "c": ["Anna", "Peter", "Maria"],
            "d": ["12 Long Road", "7 Mill Lane", "99 High Street"],
            "e": ["LA14 1NW", "BT35 6JG", "S80 2DP"],
            "f": ["Mr John Smith", "Anna Jones", "Peter Brown"],
        }
    )
    expected = ["email", "phone", "given name", "address", "postcode", "full name"]
    assert list(kinds(schema).values()) == expected


def test_a_heading_that_its_values_contradict_is_not_believed() -> None:
    schema = Schema.infer({"phone": ["a@example.org", "b@example.org"], "email": ["yes", "no"]})
    assert kinds(schema) == {"phone": "email", "email": "ignore"}
    assert "do not look like it" in " ".join(schema.roles["records"]["email"].reasons)


def test_a_number_column_without_a_telling_name_is_never_an_identifier() -> None:
    assert kinds(Schema.infer({"cluster": ["34.0", "51.0", "34.0"], "foo": ["123456", "234567", "345678"]})) == {
        "cluster": "ignore",
        "foo": "ignore",
    }


def test_year_month_and_day_columns_are_a_birth_date_together_and_nothing_alone() -> None:
    whole = {"by": ["1949", "1968", "1930"], "bm": ["7", "7", "4"], "bd": ["22", "27", "30"]}
    assert list(kinds(Schema.infer(whole)).values()) == ["birth year", "birth month", "birth day"]
    assert list(kinds(Schema.infer({k: whole[k] for k in ("bm", "bd")})).values()) == ["ignore", "ignore"]
    orders = {"year": ["2024", "2025"], "month": ["1", "2"], "day": ["3", "4"]}
    assert set(kinds(Schema.infer(orders)).values()) == {"ignore"}


def test_name_beside_surname_is_the_given_name() -> None:
    assert kinds(Schema.infer({"name": ["Ann", "Bo"], "surname": ["Lee", "Ray"]}))["name"] == "given name"


def test_a_repeated_customer_id_is_not_the_record_id() -> None:
    assert kinds(Schema.infer({"customer_id": ["1", "1", "2"], "email": ["a@b.org"] * 3}))["customer_id"] != "record id"


def test_an_empty_column_is_ignored_and_says_so() -> None:
    schema = Schema.infer({"email": ["a@b.org", "c@d.org"], "fax": [None, "n/a"], "mobile": ["", None]})
    assert [schema.roles["records"][c].kind for c in ("fax", "mobile")] == [Meaning.IGNORE] * 2
    assert "no value in any row" in str(schema)


def test_override_sets_one_source_or_all_and_none_leaves_a_column_out() -> None:
    table = {"shop": {"ref": ["A1", "A2"]}, "desk": {"ref": ["B1", "B2"]}}
    schema = Schema.infer(table).override({"shop.ref": "identifier"})
    assert (kinds(schema, "shop"), kinds(schema, "desk")) == ({"ref": "identifier"}, {"ref": "ignore"})
    assert kinds(schema.override({"ref": None}), "shop") == {"ref": "ignore"}
    assert schema.roles["shop"]["ref"].chosen


def test_override_proposes_the_nearest_column_and_the_nearest_kind() -> None:
    schema = Schema.infer({"e_mail": ["a@example.org"]})
    with pytest.raises(MissingColumn, match="did you mean 'e_mail'"):
        schema.override({"email": "email"})
    with pytest.raises(UnknownName, match="did you mean 'surname'"):
        schema.override({"e_mail": "surnam"})


def test_a_deferred_schema_checks_its_overrides_when_it_meets_data() -> None:
    deferred = Schema.infer().override({"shop.tell": "phone"})
    assert repr(deferred) == "Schema(deferred, 1 overrides)"
    with pytest.raises(MissingColumn, match=r"did you mean 'shop\.tel'"):
        deferred.bind(read({"shop": [{"tel": "081 234 5678"}]}))


def test_a_schema_survives_json_and_a_frame() -> None:
    schema = Schema.infer({"email": ["a@example.org"], "x": ["q"]}).override({"x": "text"})
    assert Schema.from_dict(schema.to_dict()) == schema
    assert schema.to_frame(backend="polars")["kind"].to_list() == ["email", "text"]


def test_html_escapes_column_names() -> None:
    page = Schema.infer({"<b>email": ["a@example.org"]})._repr_html_()
    assert "&lt;b&gt;email" in page
    assert "a@example.org" not in page


def test_nothing_to_read_is_refused() -> None:
    with pytest.raises(EmptyInput):
        Schema.infer({})


FEBRL = {
    "unique_id": "record id",
    "given_name": "given name",
    "surname": "surname",
    "street_number": "street number",
    "address_1": "address",
    "address_2": "address",
    "suburb": "city",
    "postcode": "postcode",
    "state": "state",
    "date_of_birth": "birth date",
    "soc_sec_id": "identifier",
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("febrl1", FEBRL),
        ("febrl3", FEBRL),
        (
            "fake_1000",
            {"first_name": "given name", "surname": "surname", "dob": "birth date", "city": "city", "email": "email"},
        ),
        (
            "historical_50k_a",
            {
                "first_name": "given name",
                "birth_place": "city",
                "postcode_fake": "postcode",
                "gender": "gender",
                "occupation": "occupation",
            },
        ),
        (
            "rldata500",
            {
                "fname_c1": "given name",
                "fname_c2": "given name",
                "lname_c1": "surname",
                "lname_c2": "surname",
                "by": "birth year",
                "bm": "birth month",
                "bd": "birth day",
            },
        ),
        (
            "households_dev",
            {"phone": "phone", "street": "street", "city": "city", "postcode": "postcode", "email": "email"},
        ),
    ],
)
def test_the_labelled_sets_are_read_sensibly(name: str, expected: dict[str, str]) -> None:
    found = kinds(Schema.infer(load(name)))
    assert {c: found[c] for c in expected} == expected


@pytest.mark.parametrize("name", ["fake_1000", "rldata500"])
def test_values_alone_find_mails_and_never_find_a_wrong_phone(name: str) -> None:
    blind = {f"c{chr(97 + i)}": cells for i, cells in enumerate(load(name).values())}
    found = list(kinds(Schema.infer(blind)).values())
    assert "phone" not in found
    assert ("email" in found) == (name == "fake_1000")


def test_a_country_code_is_no_state_and_a_second_gender_is_left_out() -> None:
    schema = Schema.infer({"Land": ["DE", "AT"], "Anrede": ["Herr", "Frau"], "sex": ["m", "f"]})
    assert kinds(schema) == {"Land": "country", "Anrede": "ignore", "sex": "gender"}
    assert kinds(Schema.infer({"state": ["CA", "DE", "IN", "NY"]})) == {"state": "state"}


def test_a_customer_id_that_repeats_is_evidence() -> None:
    schema = Schema.infer(
        {"customer_id": ["c1", "c1", "c2", "c2"], "email": ["a@b.org", "a@c.org", "d@b.org", "e@b.org"]}
    )
    assert kinds(schema)["customer_id"] == "identifier"
