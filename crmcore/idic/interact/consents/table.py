"""The consents of a population as columns: the same fold as the ledger's, for everybody at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import read_frame, write_frame
from crmcore.errors import OutOfRange
from crmcore.idic.interact.consents.answers import Standing
from crmcore.idic.interact.consents.ledger import ConsentLedger
from crmcore.idic.interact.consents.statements import ANY, NEVER_US, RANK, ConsentRules, Proof, Said, Statement
from crmcore.tables import CustomerIndex, TextColumn
from crmcore.tables._door import Door
from crmcore.zones import NAT, to_us

__all__ = ["ConsentColumn", "ConsentTable", "read_statements"]

Micros = NDArray[np.int64]
STANDINGS = tuple(Standing)
_CODE = {standing: i for i, standing in enumerate(STANDINGS)}
_ALLOWED, _PENDING, _EXPIRED = (_CODE[s] for s in (Standing.ALLOWED, Standing.PENDING, Standing.EXPIRED))
_WITHDRAWN, _NEVER = _CODE[Standing.WITHDRAWN], _CODE[Standing.NEVER_ASKED]
_OPTIONAL = ("scope", "how", "text_version", "reference")


@attrs.frozen(eq=False, repr=False)
class ConsentColumn:
    """Where everybody stands on one purpose on one channel at one instant; row i is customer i."""

    standing_code: NDArray[np.int8]  # (n,) position in `Standing`
    until: NDArray[np.datetime64]  # (n,) end of a yes in UTC; NaT where it has none or there is no yes
    customers: CustomerIndex

    def __len__(self) -> int:
        return len(self.standing_code)

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """(n,) whether the answer is yes."""
        mask: NDArray[np.bool_] = self.standing_code == _ALLOWED
        return mask

    def standings(self) -> list[Standing]:
        """Standing of each customer."""
        return [STANDINGS[code] for code in self.standing_code.tolist()]

    def counts(self) -> dict[str, int]:
        """How many customers stand where."""
        found = np.bincount(self.standing_code, minlength=len(STANDINGS)).tolist()
        return {standing.value: n for standing, n in zip(STANDINGS, found, strict=True)}

    def __repr__(self) -> str:
        return f"ConsentColumn({len(self):,} customers, {int(self.allowed.sum()):,} allowed)"

    def _repr_html_(self) -> str:
        rows = [{"standing": s, "customers": n} for s, n in self.counts().items()]
        return html_table(rows, caption=f"consents of {len(self):,} customers")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: customer, standing, until."""
        return write_frame(
            {"customer": list(self.customers.ids), "standing": self.standings(), "until": self.until}, backend=backend
        )


@attrs.frozen(eq=False, repr=False)
class ConsentTable:
    """Statements of a population, in order of customer and time.

    Examples
    --------
    >>> from datetime import UTC
    >>> table = ConsentTable.from_frame({
    ...     "person": ["a", "b", "a"], "purpose": ["marketing"] * 3, "channel": ["sms", "sms", "*"],
    ...     "said": ["granted", "granted", "withdrawn"],
    ...     "at": ["2026-01-05T10:00Z", "2026-01-06T10:00Z", "2026-02-01T10:00Z"],
    ... })
    >>> for month in (1, 3):
    ...     table.ask("marketing", "sms", at=datetime(2026, month, 20, tzinfo=UTC)).allowed
    array([ True,  True])
    array([False,  True])
    """

    customer: NDArray[np.int32]  # (m,)
    purpose: TextColumn
    channel: TextColumn
    scope: TextColumn
    said: NDArray[np.int8]  # (m,) position in `Said`
    at: Micros
    expires: Micros  # (m,) NEVER_US where a statement names no end
    recorded: Micros
    customers: CustomerIndex
    rules: ConsentRules = attrs.field(factory=ConsentRules)
    ledger: ConsentLedger | None = None  # asked about people who have several records

    def __len__(self) -> int:
        return len(self.at)

    def __repr__(self) -> str:
        return f"ConsentTable({len(self):,} statements, {len(self.customers):,} customers)"

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        customers: CustomerIndex | None = None,
        rules: ConsentRules | None = None,
        zone: str | ZoneInfo | None = None,
    ) -> Self:
        """Read statements from any frame with the columns person, purpose, channel, said and at.

        Parameters
        ----------
        frame
            scope, expires_at and recorded_at may be there.
        customers : CustomerIndex, optional
            Population; None makes one of the frame.
        rules : ConsentRules, optional
        zone : IANA name, optional
            Zone of times without offset; without it they are refused.

        Raises
        ------
        MissingColumn, NaiveDatetime, BadRows
            What cannot be read, all bad rows at once.
        """
        return cls._of(_read(frame, zone), customers, rules, None)

    @classmethod
    def of(cls, ledger: ConsentLedger, *, customers: CustomerIndex | None = None) -> Self:
        """Columns of a ledger; who has several records is answered by the ledger itself."""
        return cls._of(_read(ledger.to_frame(), None), customers, ledger.rules, ledger)

    @classmethod
    def _of(
        cls, got: Mapping[str, Any], customers: CustomerIndex | None, rules: ConsentRules | None,
        ledger: ConsentLedger | None,
    ) -> Self:  # fmt: skip
        person: TextColumn = got["person"]
        index = CustomerIndex.of(person.values) if customers is None else customers
        code = np.append(index.codes(person.values), np.int32(-1))[person.codes]
        expires = np.where(got["expires_at"] == NAT, NEVER_US, got["expires_at"])
        recorded = np.where(got["recorded_at"] == NAT, got["at"], got["recorded_at"])
        keep = np.flatnonzero(code >= 0)  # people outside the population
        order = keep[np.lexsort((-expires[keep], got["said"][keep], got["at"][keep], code[keep]))]
        return cls(
            code[order],
            got["purpose"].take(order),
            got["channel"].take(order),
            got["scope"].take(order),
            got["said"][order],
            got["at"][order],
            expires[order],
            recorded[order],
            index,
            ConsentRules() if rules is None else rules,
            ledger,
        )

    def ask(
        self, purpose: str, channel: str, *, at: datetime, scope: str = ANY, known_at: datetime | None = None
    ) -> ConsentColumn:
        """Where every customer stands; arguments as in `ConsentLedger.ask`, whose answers these are."""
        for name, value in (("purpose", purpose), ("channel", channel)):
            if value == ANY:
                raise OutOfRange(name, value, "one name", "ask about each purpose and channel by itself")
        us = to_us(at)
        concerns = self.at <= us
        for column, word, any_missing in ((self.purpose, purpose, False), (self.channel, channel, False),
                                          (self.scope, scope, True)):  # fmt: skip
            fits = np.array([value in (word, ANY) for value in column.values] + [any_missing])
            concerns &= fits[column.codes]
        if known_at is not None:
            concerns &= self.recorded <= to_us(known_at, "known_at")
        standing, until = self._fold(np.flatnonzero(concerns), purpose)
        standing[(standing == _ALLOWED) & (until <= us)] = _EXPIRED
        ends = np.where(np.isin(standing, (_ALLOWED, _EXPIRED)) & (until < NEVER_US), until, NAT)
        self._ask_the_ledger(standing, ends, purpose, channel, at=at, scope=scope, known_at=known_at)
        return ConsentColumn(standing, ends.view("datetime64[us]"), self.customers)

    def _ask_the_ledger(
        self, standing: NDArray[np.int8], ends: Micros, purpose: str, channel: str, **when: Any
    ) -> None:
        """Overwrite the rows of people who have several records."""
        joined = () if self.ledger is None else {n for m in self.ledger.merges for n in (m.kept, m.other)}
        for person in sorted(joined):
            code = self.customers.code(person)
            if code >= 0 and self.ledger is not None:
                answer = self.ledger.ask(person, purpose, channel, **when)
                standing[code] = _CODE[answer.standing]
                ends[code] = NAT if answer.until is None else to_us(answer.until)

    def _fold(self, rows: NDArray[np.intp], purpose: str) -> tuple[NDArray[np.int8], Micros]:
        """Standing of everybody after these statements: first of all first statements, then of all second ones."""
        n = len(self.customers)
        standing = np.full(n, _NEVER, np.int8)
        until = np.full(n, NEVER_US)
        requested = np.full(n, NEVER_US)
        customer = self.customer[rows]
        first = np.flatnonzero(np.diff(customer, prepend=-1))
        depth = np.arange(len(rows)) - np.repeat(first, np.diff(np.append(first, len(rows))))
        by_depth = rows[np.argsort(depth, kind="stable")]
        begin = 0
        for end in np.cumsum(np.bincount(depth)).tolist():
            self._step(by_depth[begin:end], purpose, standing, until, requested)
            begin = end
        return standing, until

    def _step(
        self, rows: NDArray[np.intp], purpose: str, standing: NDArray[np.int8], until: Micros, requested: Micros
    ) -> None:
        """One statement of each of some customers; the rules are those of `answers.step`."""
        who, said, at = self.customer[rows], self.said[rows], self.at[rows]
        was = standing[who]
        holds = (was == _ALLOWED) & (until[who] > at)
        no = said == RANK[Said.WITHDRAWN]
        asks = said == RANK[Said.REQUESTED]
        if self.rules.confirmed_only(purpose):
            asks |= said == RANK[Said.GRANTED]
        waits = asks & ~holds
        yes = ~no & ~asks
        late = (requested[who] < NEVER_US) & (at - requested[who] > self.rules.confirm_us)
        yes &= (said != RANK[Said.CONFIRMED]) | ~(late | (was == _WITHDRAWN))
        standing[who] = np.where(no, _WITHDRAWN, np.where(waits, _PENDING, np.where(yes, _ALLOWED, was)))
        named = self.expires[rows]
        lapse = np.where(named < NEVER_US, named, np.minimum(at + self.rules.valid_us(purpose), NEVER_US))
        until[who] = np.where(yes, lapse, np.where(no | waits, NEVER_US, until[who]))
        requested[who] = np.where(waits, at, np.where(no | yes, NEVER_US, requested[who]))


def _read(frame: Any, zone: str | ZoneInfo | None) -> dict[str, Any]:
    """Columns of a frame: text as codes, times in microseconds with NaT as missing."""
    door = Door(read_frame(frame), "consents", zone=zone)
    got: dict[str, Any] = {name: door.text(name) for name in ("person", "purpose", "channel")}
    for name, column in got.items():
        door.required(name, column.codes < 0, "drop the rows, or write '*' where all are meant")
    words = door.words("said", "", [said.value for said in Said])  # no default: the column must be there
    door.required("said", words.codes < 0, f"one of {[said.value for said in Said]}")
    got["at"] = door.times("at", required=True).view(np.int64)
    for name in ("expires_at", "recorded_at"):
        there = door.has(name, name)
        got[name] = door.times(name, required=False).view(np.int64) if there else np.full(len(door), NAT)
    for name in _OPTIONAL:
        got[name] = door.optional_text(name, name)
    early = (got["expires_at"] != NAT) & (got["expires_at"] <= got["at"])
    door.problem("expires_at", "not later than at", np.flatnonzero(early), "a yes ends after it was said")
    door.close()
    to = np.array([*(RANK[Said(value)] for value in words.values), -1], np.int8)
    got["said"] = to[words.codes]
    return got


def read_statements(frame: Any, *, zone: str | ZoneInfo | None) -> list[Statement]:
    """Statements of a frame, one a row."""
    got = _read(frame, zone)
    cells: dict[str, list[Any]] = {}
    for name, column in got.items():
        if isinstance(column, TextColumn):
            cells[name] = column.to_list()
        elif name != "said":
            cells[name] = write_frame({name: column.view("datetime64[us]")})[name]
    said = tuple(Said)
    proofs = zip(*(cells[name] for name in ("how", "text_version", "reference")), strict=True)
    return [
        Statement(
            cells["person"][i],
            cells["purpose"][i],
            cells["channel"][i],
            said[got["said"][i]],
            cells["at"][i],
            scope=cells["scope"][i] or ANY,
            expires_at=cells["expires_at"][i],
            proof=Proof(how or "not said", version or "", where) if how or version or where else None,
            recorded_at=cells["recorded_at"][i],
        )
        for i, (how, version, where) in enumerate(proofs)
    ]
