from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from crmcore.errors import CurrencyMismatch, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.values import (
    Case,
    Consent,
    ConsentRecord,
    ContactPoint,
    Interaction,
    Mention,
    Money,
    Offer,
    Order,
    Record,
    Response,
    Severity,
)

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
NAIVE = datetime(2026, 3, 1, 9)


class TestMoney:
    def test_the_sum_of_amounts_is_an_amount(self) -> None:
        assert sum([Money(100, "THB"), Money(-30, "THB")]) == Money(70, "THB")
        assert Money(100, "THB") - Money(30, "THB") == Money(70, "THB")

    def test_two_currencies_never_meet(self) -> None:
        thb, usd = Money(1, "THB"), Money(1, "USD")
        for meet in (lambda: thb + usd, lambda: thb - usd, lambda: thb < usd, lambda: thb >= usd, lambda: thb <= usd):
            with pytest.raises(CurrencyMismatch, match="cannot combine THB and USD"):
                meet()
        assert thb != usd

    def test_a_float_is_no_money(self) -> None:
        with pytest.raises(WrongType, match=r"Money.of\('12.50', 'THB'\)"):
            Money(1.5, "THB")
        with pytest.raises(WrongType):
            Money(True, "THB")
        with pytest.raises(TypeError):
            Money(100, "THB") * 1.07
        with pytest.raises(TypeError):
            Money(100, "THB") + 1

    def test_major_units_are_read_by_the_digits_of_the_currency(self) -> None:
        assert Money.of("1234.5", "THB").amount_minor == 123450
        assert Money.of(700, "JPY").amount_minor == 700
        assert Money.of("1.234", "KWD").amount_minor == 1234
        with pytest.raises(OutOfRange, match="at most 0 decimals in JPY"):
            Money.of("1.5", "JPY")
        with pytest.raises(OutOfRange, match="without separators"):
            Money.of("1,234", "THB")

    def test_a_currency_is_an_iso_code(self) -> None:
        for wrong in ("thb", "BAHT", "", "TH1", "฿฿฿"):
            with pytest.raises(OutOfRange, match="three capital letters"):
                Money(1, wrong)

    def test_a_share_rounds_half_to_even(self) -> None:
        assert [Money(n, "THB").share(Decimal("0.5")).amount_minor for n in (1, 3, 5)] == [0, 2, 2]

    def test_money_prints_in_major_units(self) -> None:
        assert [str(Money(1250, c)) for c in ("THB", "JPY", "KWD")] == ["12.50 THB", "1250 JPY", "1.250 KWD"]
        assert Money(-5, "THB").amount == Decimal("-0.05")
        assert not Money(0, "THB")


class TestMasks:
    PRIVATE = "somchai.jaidee@example.org"
    TEXT = "my number is 0812345678"

    @pytest.mark.parametrize(
        "value",
        [
            ContactPoint("email", PRIVATE),
            Record("crm:1", "crm", {"email": PRIVATE}),
            Mention("1", TEXT, author=PRIVATE, link=f"https://example.org/{PRIVATE}"),
            Response("c1", "why", text=TEXT),
            Case("1", "c1", "complaint", AT, text=TEXT),
            Interaction("c1", AT, attributes={"email": PRIVATE}),
            Order("c1", AT, Money(1, "THB"), attributes={"email": PRIVATE}),
        ],
        ids=lambda v: type(v).__name__,
    )
    def test_a_repr_never_shows_what_names_a_person(self, value: object) -> None:
        for shown in (repr(value), str(value), f"{value}", repr([value])):
            assert "somchai" not in shown
            assert "0812345678" not in shown


class TestTimes:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: Interaction("c", NAIVE),
            lambda: Order("c", NAIVE, Money(1, "THB")),
            lambda: Mention("1", "x", time=NAIVE),
            lambda: Response("c", "q", time=NAIVE),
            lambda: Offer("o", "t", starts_at=NAIVE),
            lambda: ConsentRecord("c", "marketing", "sms", "granted", NAIVE),
            lambda: Case("1", None, "question", NAIVE),
            lambda: Record("a:1", "a", {}, NAIVE),
        ],
    )
    def test_a_naive_time_is_refused(self, make: object) -> None:
        with pytest.raises(NaiveDatetime, match="ZoneInfo"):
            make()

    def test_an_offer_ends_after_it_starts(self) -> None:
        with pytest.raises(OutOfRange, match="ends_at"):
            Offer("o", "t", starts_at=AT, ends_at=AT)


class TestConsent:
    def test_only_a_grant_that_holds_permits_contact(self) -> None:
        day = timedelta(days=1)
        said = ConsentRecord("c", "marketing", "sms", "granted", AT, expires_at=AT + day)
        assert [said.holds(now=AT + d) for d in (-day, timedelta(), day / 2, day)] == [False, True, True, False]
        for word in ("withdrawn", "never asked"):
            assert not ConsentRecord("c", "marketing", "sms", word, AT).holds(now=AT + day)

    def test_a_wrong_word_proposes_the_right_one(self) -> None:
        with pytest.raises(UnknownName, match="did you mean 'withdrawn'"):
            ConsentRecord("c", "marketing", "sms", "withdraw", AT)
        with pytest.raises(UnknownName, match="did you mean 'email'"):
            ContactPoint("e-mail", "a@b.c")
        with pytest.raises(UnknownName, match="did you mean 'inbound'"):
            Interaction("c", AT, direction="in-bound")
        assert Consent("never asked") is Consent.NEVER_ASKED


def test_a_case_has_a_known_severity() -> None:
    assert Case("1", None, "question", AT, severity=1).severity is Severity.CRITICAL
    with pytest.raises(OutOfRange, match="severity"):
        Case("1", None, "question", AT, severity=9)
