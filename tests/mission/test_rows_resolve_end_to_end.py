"""Rows 1, 2 and 5 from raw records to customers, with nothing but the public names."""

from __future__ import annotations

from pathlib import Path

from crmcore.idic import identify

STOREFRONT = [{"receipt": "R-1", "name": "Somchai Jaidee", "phone": "081-234-5678", "bought": "umbrella"}]
PAGE_ADMIN = [{"handle": "@somchai.j", "name": "Somchai Jaidee", "phone": "+66 81 234 5678", "asked": "open today?"}]
CALL_CENTRE = [{"call": "C-9", "name": "Somchai Jaidee", "phone": "0812345678", "complained": "it leaks"}]


def test_row_001_three_dicts_resolve_to_three_customers_and_come_back_the_same() -> None:
    given = [
        {"name": "Ann Lee", "phone": "081-234-5678", "email": "ann@example.org"},
        {"name": "Bo Ray", "phone": "089-765-4321", "email": "bo@example.org"},
        {"name": "Cy Ek", "phone": "02-111-2222", "email": "cy@example.org"},
    ]
    people = identify.resolve(given)
    assert len(people.profiles) == 3
    assert people.profiles.export() == given


def test_row_002_a_card_and_an_order_share_one_telephone_in_one_form(tmp_path: Path) -> None:
    cards = "".join(
        f"BEGIN:VCARD\nVERSION:{version}\nFN:{name}\n" + "".join(f"TEL:{n}\n" for n in numbers) + "END:VCARD\n"
        for version, name, numbers in (
            ("4.0", "Ann Lee", ("+66 81 234 5678", "02-123-4567")),
            ("3.0", "Bo Ray", ("089 765 4321",)),
        )
    )
    path = tmp_path / "cards.vcf"
    path.write_text(cards, encoding="utf-8")
    people = identify.resolve(path, default_region="TH")
    assert len(people) == 2
    ann = people.profiles.of_record("cards:0")
    phone = next(c for c in people.linkage.records.columns if c.name == "phone")
    assert len(ann.values()["phone"]) == 2
    assert {v for v in phone.values if v.startswith("+66")} == set(phone.values)


def test_row_005_purchase_inquiry_and_complaint_of_one_person_are_one_customer() -> None:
    sources = {"storefront": STOREFRONT, "page admin": PAGE_ADMIN, "call center": CALL_CENTRE}
    others = [{"receipt": "R-2", "name": "Ann Lee", "phone": "089-765-4321", "bought": "boots"}]
    people = identify.resolve({**sources, "storefront": [*STOREFRONT, *others]})
    assert len(people) == 2
    one = people.profiles.of_record("call center:0")
    assert one.sources == ("storefront", "page admin", "call center")
    told = {
        (r.source, key): r.fields[key]
        for r in one.records
        for key in ("bought", "asked", "complained")
        if key in r.fields
    }
    assert told == {
        ("storefront", "bought"): "umbrella",
        ("page admin", "asked"): "open today?",
        ("call center", "complained"): "it leaks",
    }
