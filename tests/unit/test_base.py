from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import errors
from crmcore._base import html_table, lazy_names, mask, mask_email, mask_phone, reporter
from crmcore._frames import masked_samples


@pytest.mark.parametrize(
    ("private", "shown"),
    [
        ("Somchai", "S•••"),
        ("somchai@example.org", "s•••@example.org"),
        ("+66 81-234-5678", "•••78"),
        ("0812345678", "•••78"),
        ("@somchai.j", "@•••"),
        ("call Ann @ home, room 55", "c•••"),
        ("", "•••"),
        (None, "(none)"),
    ],
)
def test_a_mask_shows_enough_to_recognise_ones_own_data(private: str | None, shown: str) -> None:
    assert mask(private) == shown


@given(st.text(min_size=4, max_size=40))
def test_no_mask_shows_the_whole(private: str) -> None:
    assert mask(private) != private


@given(st.emails())
def test_the_local_part_of_an_address_is_hidden(address: str) -> None:
    local, _, domain = address.rpartition("@")
    assert mask_email(address) == f"{local[:1]}•••@{domain}"


@given(st.from_regex(r"\+[0-9]{8,14}", fullmatch=True))
def test_a_number_shows_two_digits(number: str) -> None:
    assert sum(c.isdigit() for c in mask_phone(number)) == 2


def test_samples_of_an_error_are_masked_distinct_and_at_most_five() -> None:
    assert masked_samples(["ann", "amy", "bo"]) == ("a•••", "b•••")
    assert len(masked_samples("abcdefgh")) == 5


def test_html_is_escaped_and_limited() -> None:
    html = html_table([{"a": "<script>"}] * 30, caption="x & y")
    assert "<script>" not in html
    assert "x &amp; y" in html
    assert "10 more" in html


def test_progress_reports_to_the_callable_that_was_passed() -> None:
    seen: list[tuple[str, int, int]] = []
    reporter(lambda *a: seen.append(a))("read", 1, 2)
    assert seen == [("read", 1, 2)]
    reporter(True)("read", 2, 2)


def test_a_lazy_name_that_does_not_exist_is_an_attribute_error() -> None:
    load = lazy_names("crmcore.values", {"Money": "crmcore.values.money"})
    assert load("Money").__name__ == "Money"
    with pytest.raises(AttributeError, match=r"crmcore\.values.*Mony"):
        load("Mony")


ERRORS = [
    errors.OutOfRange("n", 3, "0 to 1", "divide"),
    errors.WrongType("n", "a str", "an int", "convert"),
    errors.MissingColumn("e_mail", ("email",)),
    errors.UnknownName("kind", "emial", ("email",)),
    errors.BadRows("the frame", (errors.BadRow("a", "odd", (1, 2), ("x•••",)),), "repair"),
    errors.BadDocument("Money", ("odd @ $.a",), "repair"),
    errors.DuplicateIds("records", 1, (3,)),
    errors.EmptyInput("the list", "pass some"),
    errors.NaiveDatetime("at"),
    errors.CurrencyMismatch("THB", "USD"),
    errors.NotConverged("EM", 5, 0.1, "more data"),
    errors.ConflictingConstraints("links", ("a",), "drop one"),
    errors.StoreClosed("the store"),
    errors.StoreConflict("s", 1, 2),
    errors.AccessDenied("service", "margin", ("name",)),
    errors.MissingExtra("charts", "charts"),
    errors.MissingProgram("crmcore.spark", "no Java", "Java 17 or later", "install a Java runtime"),
    errors.BrokenPlugin("metric", "x", ("d",), "it fell"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_every_error_says_the_way_out_and_survives_pickle(error: errors.CrmError) -> None:
    assert str(error).splitlines()[-1].startswith("  hint: ")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)


def test_every_error_of_the_house_is_tried_here() -> None:
    house = {k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.CrmError)}
    assert house - {errors.CrmError} == {type(e) for e in ERRORS}
    assert all(issubclass(k, Exception) and len(k.__mro__) > 4 for k in house - {errors.CrmError})
