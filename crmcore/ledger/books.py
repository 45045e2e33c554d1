"""A ledger over an event store: every posting an event, every account a stream, every call all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from crmcore._base import Progress, check_aware, listed, reporter
from crmcore.errors import BadRow, BadRows, CrmError, OutOfRange, StoreConflict, WrongType
from crmcore.ledger._book import Book
from crmcore.ledger._events import Line, event_of, line_of, posting_of
from crmcore.ledger._lots import Lot, instant_of, micros_of
from crmcore.ledger.accounts import Account, Explanation, balance_of, frozen, thawed
from crmcore.ledger.balances import Balance
from crmcore.ledger.limits import Limit, Usage
from crmcore.ledger.postings import RANK, Kind, Posting
from crmcore.ledger.refusals import ChangedPosting
from crmcore.ledger.units import Unit, unit_of
from crmcore.stores import EventStore

if TYPE_CHECKING:
    from crmcore.ledger.balances import Balances
    from crmcore.ledger.columns import PostingTable
    from crmcore.ledger.statements import Statement

__all__ = ["Ledger"]

RETRIES = 3  # another writer was faster: read again, decide again


class Ledger:
    """Accounts in an event store: refused or written whole, repeated without effect, never written over.

    Each account is one stream (`prefix` + its name), each posting one event whose id is the posting's. What was folded
    is kept in memory and brought up to date from the store before each answer, so several processes may share a store;
    if another one was faster, the call decides again on the new state.

    Parameters
    ----------
    store : EventStore
        Where postings are kept.
    limits : sequence of Limit
        Checked for every posting from now on; they count all postings of an account, older ones too.
    prefix : text
        Before every stream and event id, so that other things may live in the same store.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> from crmcore.ledger import earn, spend
    >>> from crmcore.stores import MemoryStore
    >>> ledger = Ledger(MemoryStore())
    >>> visit = earn("visit-1", "card:7", 10, at=datetime(2026, 5, 1, tzinfo=UTC))
    >>> _ = ledger.post(visit), ledger.post(visit)
    >>> print(ledger.balance("card:7", as_of=datetime(2026, 5, 2, tzinfo=UTC)))
    card:7: 10 point active at 2026-05-02T00:00+00:00
    >>> ledger.post(spend("coffee", "card:7", 25, at=datetime(2026, 5, 2, tzinfo=UTC)))
    Traceback (most recent call last):
        ...
    crmcore.ledger.refusals.Overdraft: 'card:7' cannot spend 25 point at 2026-05-02T00:00+00:00: 10 active, 15 missing.
      hint: ask for at most 10, or earn more first
    """

    def __init__(self, store: EventStore, *, limits: Iterable[Limit] = (), prefix: str = "ledger:") -> None:
        hint = "limits=[Limit(kind='spend', at_most=500, per='day')]"
        self.limits: tuple[Limit, ...] = listed(limits, "limits", Limit, what="limits", hint=hint)
        self.store, self.prefix = store, prefix
        self._books: dict[str, Book] = {}
        self._usage: dict[str, Usage] = {}
        self._values: dict[str, tuple[Book, Account]] = {}

    def __repr__(self) -> str:
        return f"Ledger({self.store!r}, {len(self.limits)} limits)"

    # --- writing ------------------------------------------------------------------------------------------------

    def post(self, posting: Posting) -> Posting:
        """Write one posting; see `post_many`."""
        return self.post_many([posting])[0]

    def post_many(self, postings: Iterable[Posting], *, progress: Progress | bool = False) -> tuple[Posting, ...]:
        """Write postings of any accounts, all or none; returns them in the order given.

        They apply in the order of time, at one instant in the order of `Kind` (credits before debits), then by id:
        shuffling a batch changes nothing. A posting that is in the books already is left as it is.

        Raises
        ------
        Overdraft, LotUsed, AlreadySettled, LateEntry, LimitExceeded, CurrencyMismatch, UnknownName, OutOfRange
            The one posting that was refused.
        BadRows
            Several postings were refused: all of them, by their place in the batch.
        ChangedPosting
            An id that is in the books with other content.
        StoreConflict
            Other writers were faster several times in a row.
        """
        hint = "make them with earn(...), spend(...) and their like; post takes one"
        given: tuple[Posting, ...] = listed(postings, "postings", Posting, what="postings", hint=hint)
        places = sorted(range(len(given)), key=lambda i: (given[i].at, RANK[given[i].kind], given[i].id))
        for attempt in range(RETRIES):
            touched: dict[str, int] = {}
            try:
                return self._write(given, places, touched, reporter(progress))
            except BaseException as error:
                for account in touched:
                    self._forget(account)
                if not isinstance(error, StoreConflict) or attempt == RETRIES - 1:
                    raise
        raise AssertionError("unreachable")  # pragma: no cover

    def _write(
        self, listed: Sequence[Posting], places: list[int], touched: dict[str, int], report: Progress
    ) -> tuple[Posting, ...]:
        fresh: list[Posting] = []
        given: dict[str, Posting] = {}
        refused: dict[int, CrmError] = {}
        lost: set[str] = set()
        for done, i in enumerate(places):
            posting = listed[i]
            account = posting.account
            if account not in touched:
                touched[account] = self._book(account).version
            if account in lost:
                continue  # refused before: whether this one stands cannot be said
            try:
                if posting.id in self._books[account].ids:
                    self._same(posting, given)
                else:
                    fresh += self._decide(posting, touched)
                    given[posting.id] = posting
            except CrmError as error:
                refused[i] = error
                lost.add(account)
            if done % 10_000 == 9_999:
                report("post", done + 1, len(places))
        if len(refused) == 1:
            raise next(iter(refused.values()))
        if refused:
            raise BadRows("the batch", _reasons(listed, refused), "nothing was written: leave these out or repair them")
        expected = {self.prefix + account: version for account, version in touched.items()}
        if fresh:
            self.store.append_many([event_of(p, self.prefix) for p in fresh], expected=expected)
        report("post", len(places), len(places))
        return tuple(listed)

    def _decide(self, posting: Posting, touched: dict[str, int]) -> list[Posting]:
        """Apply a posting to the books in memory; returns what is to be written."""
        if posting.kind is Kind.RECEIVE:
            raise OutOfRange("kind", "receive", "any other kind", "post the transfer: it credits the other account")
        book, usage = self._books[posting.account], self._usage[posting.account]
        amount = _counted(posting, book) if self.limits else 0
        usage.check(posting, amount)
        book.post(posting)
        usage.count(posting, amount)
        if posting.kind is not Kind.TRANSFER:
            return [posting]
        if posting.other not in touched:
            touched[posting.other] = self._book(posting.other).version
        arrivals = [_arrival(posting, n, lot, x) for n, (lot, x) in enumerate(book.payments[posting.id].parts, 1)]
        for arrival in arrivals:
            self._books[posting.other].post(arrival)
        return [posting, *arrivals]

    def _same(self, posting: Posting, given: Mapping[str, Posting]) -> None:
        """Refuse a known id with other content."""
        before = given.get(posting.id)
        if before is None:
            stream, id_ = self.prefix + posting.account, self.prefix + posting.id
            before = next(posting_of(e, prefix=self.prefix) for e in self.store.read(stream) if e.id == id_)
        if before != posting:
            fields = tuple(f.name for f in attrs.fields(Posting) if getattr(before, f.name) != getattr(posting, f.name))
            raise ChangedPosting(posting.id, fields)

    # --- reading ------------------------------------------------------------------------------------------------

    def account(self, account: str, *, as_of: datetime | None = None) -> Account:
        """The account after its last posting, or after its last posting up to an instant (inclusive)."""
        book = self._named(account)
        if as_of is None:
            return self._value(account, book)
        check_aware(as_of, "as_of")
        if micros_of(as_of, 0) >= book.at:
            return self._value(account, book)
        book = Book(account, book.unit)
        for event in self.store.read(self.prefix + account, until=as_of):
            book.post(posting_of(event, prefix=self.prefix))
        return frozen(book)

    def balance(self, account: str, *, as_of: datetime) -> Balance:
        """Where everything is at an instant, past or future; an account without postings has nothing."""
        book = self._named(account)
        check_aware(as_of, "as_of")
        now = micros_of(as_of, 0)
        if now >= book.at and book.quiet(now):
            return balance_of(book, as_of)  # no value of the account is made: it would cost as much as its history
        return self.account(account, as_of=as_of).balance(as_of=as_of)

    def knows(self, account: str, id: str) -> bool:
        """Whether a posting stands in the books of an account; costs the same however long they are.

        Examples
        --------
        >>> from datetime import datetime, UTC
        >>> from crmcore.ledger import earn
        >>> from crmcore.stores import MemoryStore
        >>> ledger = Ledger(MemoryStore())
        >>> _ = ledger.post(earn("visit-1", "card:7", 10, at=datetime(2026, 5, 1, tzinfo=UTC)))
        >>> ledger.knows("card:7", "visit-1"), ledger.knows("card:7", "visit-2")
        (True, False)
        """
        return id in self._named(account).ids

    def last_at(self, account: str) -> datetime | None:
        """Instant of the last posting of an account; None before the first. Later postings must not be older."""
        return instant_of(self._named(account).at)

    def explain(self, account: str, payment: str) -> Explanation:
        """Which lots paid for a spending, a commit or a transfer."""
        return self.account(account).explain(payment)

    def postings(self, account: str, *, after: int = 0) -> tuple[Posting, ...]:
        """Postings of an account in the order in which they were written, without the first `after` of them."""
        read = self.store.read(self.prefix + account, after=after)
        return tuple(posting_of(e, prefix=self.prefix) for e in read)

    def statement(self, account: str, *, as_of: datetime, since: datetime | None = None) -> Statement:
        """What happened on an account between two instants, expiries included."""
        from crmcore.ledger.statements import statement

        return statement(self.postings(account), as_of=as_of, since=since, ordered=True)

    def accounts(self, prefix: str = "") -> tuple[str, ...]:
        """Names of accounts that start with `prefix`, sorted."""
        return tuple(s.removeprefix(self.prefix) for s in self.store.streams(self.prefix + prefix))

    def table(self, *, unit: Unit | str | None = None) -> PostingTable:
        """All postings as columns: those of one unit, or all where they share one (None)."""
        from crmcore.ledger.columns import PostingTable

        only = None if unit is None else unit_of(unit)
        return PostingTable.of((p for p in self._all() if only is None or p.unit == only), ordered=True)

    def balances(self, *, as_of: datetime, unit: Unit | str | None = None) -> Balances:
        """Balances of all accounts at an instant, as arrays: those of one unit, or all where they share one (None)."""
        return self.table(unit=unit).balances(as_of=as_of)

    def _all(self) -> Iterator[Posting | Line]:
        for event in self.store.read_all():
            if event.stream.startswith(self.prefix):
                yield line_of(event, prefix=self.prefix) or posting_of(event, prefix=self.prefix)

    def snapshot(self, account: str) -> Account:
        """Keep the account's state in the store, so that it need not be read from its first posting again.

        With limits it is: they count postings.
        """
        found = self.account(account)
        if found.version:
            self.store.snapshot(self.prefix + account, found.version, found.to_dict())
        return found

    # --- books in memory ----------------------------------------------------------------------------------------

    def _value(self, account: str, book: Book) -> Account:
        """The value of a book, made once for each version of it."""
        kept = self._values.get(account)
        if kept is None or kept[0] is not book or kept[1].version != book.version:
            kept = self._values[account] = (book, frozen(book))
        return kept[1]

    def _named(self, account: str) -> Book:
        """The book of an account that a caller names."""
        if not isinstance(account, str):
            raise WrongType("account", f"a {type(account).__name__}", "text", "name the account: 'card:7'")
        return self._book(account)

    def _forget(self, account: str) -> None:
        self._values.pop(account, None)
        self._books.pop(account, None)
        self._usage.pop(account, None)

    def _book(self, account: str) -> Book:
        """The account up to date with the store."""
        stream = self.prefix + account
        book = self._books.get(account)
        if book is None:
            book = Book(account)
            kept = None if self.limits else self.store.latest_snapshot(stream)
            if kept is not None:
                book = thawed(Account.from_dict(kept.state))
            self._books[account], self._usage[account] = book, Usage(self.limits)
        if self.store.version(stream) != book.version:
            usage = self._usage[account]
            for event in self.store.read(stream, after=book.version):
                posting = posting_of(event, prefix=self.prefix)
                if self.limits:
                    usage.count(posting, _counted(posting, book))
                book.post(posting)
        return book


def _counted(posting: Posting, book: Book) -> int:
    """Amount that limits count."""
    if posting.amount is not None:
        return abs(posting.amount)
    hold = book.holds.get(posting.of)
    return sum(x for _, x in hold.parts) if hold is not None else 0


def _arrival(posting: Posting, n: int, lot: Lot, amount: int) -> Posting:
    """One lot of a transfer as it arrives."""
    return Posting(
        id=f"{posting.id}:in:{n}", kind=Kind.RECEIVE, account=posting.other, at=posting.at, unit=posting.unit,
        amount=amount, of=posting.id, other=posting.account, earned_at=instant_of(lot.earned),
        expires_at=instant_of(lot.expires), actor=posting.actor, reason=posting.reason, reference=posting.reference,
    )  # fmt: skip


def _reasons(listed: Sequence[Posting], refused: Mapping[int, CrmError]) -> tuple[BadRow, ...]:
    return tuple(BadRow(listed[i].id, str(refused[i]).partition("\n")[0], (i,)) for i in sorted(refused))
