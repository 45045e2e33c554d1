"""Sentences of consents: errors, reprs, reasons and what stays out of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.errors import (
    BadDocument,
    BadRows,
    EmptyInput,
    MissingColumn,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.idic.interact.consents import ConsentLedger, ConsentRules, ConsentTable, Merge, Proof, Statement

DAY = timedelta(days=1)
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def said(word: str, at: datetime = AT, person: str = "ann@example.org", **more: object) -> Statement:
    return Statement(person, "marketing", "sms", word, at, **more)


def test_no_person_stands_in_a_repr_or_a_sentence() -> None:
    ledger = ConsentLedger([said("granted"), said("withdrawn", AT + DAY)])
    ledger.merge("ann@example.org", "+66812345678", at=AT)
    answer = ledger.ask("ann@example.org", "marketing", "sms", at=AT + 2 * DAY)
    shown = [ledger, answer, *ledger, *ledger.merges, ConsentTable.of(ledger), answer._repr_html_()]
    for thing in shown:
        assert "ann@" not in repr(thing) + str(thing), thing
        assert "345678" not in repr(thing) + str(thing), thing


def test_a_contradiction_at_one_instant_is_a_no_and_says_so() -> None:
    ledger = ConsentLedger([said("withdrawn", proof=Proof("call")), said("granted", proof=Proof("web form"))])
    answer = ledger.ask("ann@example.org", "marketing", "sms", at=AT)
    assert str(answer) == (
        "marketing on sms: no, withdrawn (withdrawn marketing on sms at 2026-03-01 09:00 UTC (call); overrules granted "
        "marketing on sms at 2026-03-01 09:00 UTC (web form): of a yes and a no the no stands)"
    )
    assert answer.contradicted[0].said == "granted"


def test_a_request_never_undoes_a_yes_and_an_old_link_opens_nothing_after_a_withdrawal() -> None:
    ledger = ConsentLedger([said("requested"), said("confirmed", AT + DAY), said("requested", AT + 2 * DAY)])
    assert ledger.ask("ann@example.org", "marketing", "sms", at=AT + 3 * DAY).allowed
    ledger.record([said("withdrawn", AT + 4 * DAY), said("confirmed", AT + 5 * DAY)])
    assert ledger.ask("ann@example.org", "marketing", "sms", at=AT + 6 * DAY).standing == "withdrawn"
    late = ConsentLedger(
        [said("requested"), said("confirmed", AT + 9 * DAY)], rules=ConsentRules(confirm_within_days=7)
    )
    assert late.ask("ann@example.org", "marketing", "sms", at=AT + 10 * DAY).standing == "waits for confirmation"


def test_a_yes_ends_at_its_expiry_and_what_was_not_known_does_not_count() -> None:
    ledger = ConsentLedger([said("granted", expires_at=AT + 5 * DAY)])
    ends = [ledger.ask("ann@example.org", "marketing", "sms", at=AT + 5 * DAY - late) for late in (DAY, 0 * DAY)]
    assert [answer.standing for answer in ends] == ["allowed", "expired"]
    assert "which held until 2026-03-06 09:00 UTC" in ends[1].why
    ledger.record(said("withdrawn", AT + DAY, recorded_at=AT + 3 * DAY))
    asked = {"at": AT + 2 * DAY}
    assert not ledger.ask("ann@example.org", "marketing", "sms", **asked).allowed
    assert ledger.ask("ann@example.org", "marketing", "sms", **asked, known_at=AT + 2 * DAY).allowed


def test_a_scope_is_its_own_and_all_scopes_hold_for_each() -> None:
    shop = Statement("a", "marketing", "sms", "granted", AT, scope="shop")
    ledger = ConsentLedger([shop, Statement("b", "marketing", "sms", "granted", AT)])
    answers = [(p, s, ledger.ask(p, "marketing", "sms", at=AT, scope=s).allowed) for p in "ab" for s in ("*", "shop")]
    assert answers == [("a", "*", False), ("a", "shop", True), ("b", "*", True), ("b", "shop", True)]


def test_the_strictest_merge_keeps_a_withdrawal_and_the_latest_does_not() -> None:
    for rule, allowed in (("strictest", False), ("latest", True)):
        ledger = ConsentLedger([said("withdrawn", person="a"), said("granted", AT + DAY, person="b")])
        made = ledger.merge("a", "b", at=AT + 2 * DAY, rule=rule)
        assert isinstance(made, Merge)
        answer = ledger.ask("b", "marketing", "sms", at=AT + 3 * DAY)
        assert answer.allowed is allowed
        assert str(answer).endswith("[2 records read as one person]")
        assert ledger.ask("b", "marketing", "sms", at=AT + DAY).allowed  # before the merge nothing changes
        ledger.record(said("granted", AT + 4 * DAY, person="b"))
        assert ledger.ask("a", "marketing", "sms", at=AT + 5 * DAY).allowed  # a new yes counts for both
        with pytest.raises(OutOfRange, match="the two are one person already"):
            ledger.merge("b", "a", at=AT + 5 * DAY)
    with pytest.raises(UnknownName, match="unknown merged record"):
        ledger.unmerge("z", at=AT)


def test_wrong_calls_say_what_and_how() -> None:
    with pytest.raises(UnknownName, match="did you mean 'granted'"):
        said("grantd")
    with pytest.raises(NaiveDatetime):
        said("granted", datetime(2026, 3, 1))
    with pytest.raises(WrongType, match="at is a NoneType"):
        said("granted", None)
    with pytest.raises(OutOfRange, match="expires_at"):
        said("granted", expires_at=AT)
    with pytest.raises(EmptyInput, match="ANY"):
        Statement("a", " ", "sms", "granted", AT)
    with pytest.raises(WrongType, match="Statement\\(person"):
        ConsentLedger([{"person": "a"}])
    with pytest.raises(OutOfRange, match="ask about each purpose and channel by itself"):
        ConsentLedger().ask("a", "*", "sms", at=AT)
    with pytest.raises(OutOfRange, match="ask about each"):
        ConsentTable.of(ConsentLedger([said("granted")])).ask("marketing", "*", at=AT)
    with pytest.raises(OutOfRange, match="days"):
        ConsentRules(valid_days={"marketing": 0})
    with pytest.raises(BadDocument, match="version 7"):
        ConsentLedger.from_dict({**ConsentLedger().to_dict(), "version": 7})


def test_all_bad_rows_of_a_frame_are_one_error_without_who_it_was() -> None:
    frame = {
        "person": ["ann@example.org", None, "bob@example.org"], "purpose": ["marketing"] * 3, "channel": ["sms"] * 3,
        "said": ["granted", "granted", "maybe"], "at": ["2026-03-01T09:00Z", "2026-03-01T09:00Z", "soon"],
    }  # fmt: skip
    for read in (ConsentLedger.from_frame, ConsentTable.from_frame):
        with pytest.raises(BadRows) as caught:
            read(frame)
        assert {problem.column for problem in caught.value.problems} == {"person", "said", "at"}
        assert "bob@" not in str(caught.value)
    with pytest.raises(MissingColumn, match="said"):
        ConsentTable.from_frame({"person": [], "purpose": [], "channel": []})


def test_an_empty_ledger_and_an_empty_table_answer() -> None:
    empty = ConsentTable.of(ConsentLedger())
    assert len(empty.ask("marketing", "sms", at=AT)) == 0
    assert repr(empty) == "ConsentTable(0 statements, 0 customers)"
    column = ConsentTable.of(ConsentLedger([said("granted")])).ask("marketing", "sms", at=AT)
    assert repr(column) == "ConsentColumn(1 customers, 1 allowed)"
    assert "consents of 1 customers" in column._repr_html_()
    assert column.to_frame()["standing"] == ["allowed"]
