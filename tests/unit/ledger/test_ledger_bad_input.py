"""Wrong calls of the ledger end in house errors that say what to do, and nothing is written."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from crmcore.errors import BadRows, CrmError, CurrencyMismatch, NaiveDatetime, WrongType
from crmcore.ledger import Ledger, Limit, PostingTable, earn, spend
from crmcore.ledger.refusals import LimitExceeded
from crmcore.ledger.units import unit_of
from crmcore.stores import MemoryStore

AT = datetime(2026, 6, 1, tzinfo=UTC)
NAIVE = AT.replace(tzinfo=None)
BOOKS: Any = Ledger
TABLE: Any = PostingTable.of([earn("e1", "a", 100, at=AT)])
SPEND: Any = spend


def _books() -> Any:
    books = Ledger(MemoryStore())
    books.post(earn("e1", "a", 100, at=AT))
    return books


WRONG: dict[str, tuple[Callable[[], object], type[CrmError], str]] = {
    "nothing to post": (lambda: _books().post(None), WrongType, "postings is a list with a NoneType"),
    "a text to post": (lambda: _books().post("e2"), WrongType, "postings is a list with a str"),
    "no postings": (lambda: _books().post_many(None), WrongType, "postings is a NoneType: expected a list"),
    "one posting": (lambda: _books().post_many(earn("e2", "a", 1, at=AT)), WrongType, "post takes one"),
    "no limits": (lambda: BOOKS(MemoryStore(), limits=None), WrongType, "limits is a NoneType"),
    "one limit": (lambda: BOOKS(MemoryStore(), limits=Limit(kind="spend", at_most=5, per="day")), WrongType, "a Limit"),
    "texts as limits": (lambda: BOOKS(MemoryStore(), limits=["x"]), WrongType, "limits is a list with a str"),
    "no lots": (lambda: SPEND("s1", "a", 1, at=AT, lots=None), WrongType, "lots is a NoneType"),
    "a naive instant": (lambda: _books().balance("a", as_of=NAIVE), NaiveDatetime, "as_of is a naive datetime"),
    "no instant": (lambda: _books().balance("a", as_of=None), WrongType, "as_of is a NoneType"),
    "no instant for columns": (lambda: TABLE.balances(as_of=None), WrongType, "as_of is a NoneType"),
    "an account of None": (lambda: _books().balance(None, as_of=AT), WrongType, "account is a NoneType"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_call_of_the_ledger_says_what_to_do(what: str) -> None:
    call, error, says = WRONG[what]
    with pytest.raises(error) as caught:
        call()
    assert says in str(caught.value)
    assert "\n  hint: " in str(caught.value)


def test_a_batch_with_something_else_in_it_writes_nothing() -> None:
    books = _books()
    with pytest.raises(WrongType):
        books.post_many([earn("e2", "a", 1, at=AT), None])
    assert books.balance("a", as_of=AT).active == 100


def test_an_approver_is_a_second_person_only_where_the_first_is_known() -> None:
    books = Ledger(MemoryStore(), limits=[Limit(kind="spend", at_most=5, per="day", above="approval")])
    books.post(earn("e1", "a", 100, at=AT))
    with pytest.raises(LimitExceeded, match=r"not the actor, who must be named too: actor='\.\.\.'"):
        books.post(spend("s1", "a", 10, at=AT, approver="lead:1"))
    books.post(spend("s1", "a", 10, at=AT, actor="agent:9", approver="lead:1"))
    assert books.balance("a", as_of=AT).active == 90


def test_a_frame_of_postings_brings_its_unit_and_two_units_are_refused() -> None:
    row = {"id": "e1", "account": "a", "kind": "earn", "at": "2026-05-01T00:00Z", "amount": 1250, "unit": "THB"}
    table = PostingTable.from_frame([row])
    assert table.unit == unit_of("THB")
    assert PostingTable.from_frame(table.to_frame()).unit == table.unit
    with pytest.raises(CurrencyMismatch, match="THB and USD"):
        PostingTable.from_frame([row, {**row, "id": "e2", "unit": "USD"}])
    with pytest.raises(CurrencyMismatch, match="THB and point"):
        PostingTable.from_frame([row], unit="point")
    with pytest.raises(BadRows, match="unit: missing in 1 row"):
        PostingTable.from_frame([row, {**row, "id": "e2", "unit": None}])
    without = {k: v for k, v in row.items() if k != "unit"}
    assert PostingTable.from_frame([without]).unit == unit_of("point")
