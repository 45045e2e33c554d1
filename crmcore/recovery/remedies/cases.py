"""Failed cases as remedies see them: what happened, how bad, by whose fault, to a customer of what value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import listed, mask
from crmcore._frames import read_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, CurrencyMismatch, DuplicateIds, OutOfRange, UnknownName, WrongType
from crmcore.metrics.scalars import count_of
from crmcore.recovery.remedies.menu import RULE_FACTS
from crmcore.recovery.remedies.staying import step_of
from crmcore.recovery.remedies.words import PROTECTED, fault_of, refuse_protected
from crmcore.tables import NO_AMOUNT, TextColumn
from crmcore.values import Money, Severity
from crmcore.values.words import Fault

__all__ = ["CaseTable", "FailedCase"]

Ints = NDArray[np.int64]


def _severity(value: Severity | str | int) -> str:
    return Severity(4 - step_of(value)).name.lower()


def _amount(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not isinstance(value, Money):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "Money or None", "Money.of('900', 'USD')")
    if value is not None and value.amount_minor < 0:
        raise OutOfRange(attribute.name, str(value), "0 or more", "None where it is not known")


def _facts(value: Mapping[str, object]) -> dict[str, object]:
    refuse_protected("a case", value, PROTECTED)
    taken = [name for name in value if name in (*RULE_FACTS, "severity", "relationship")]
    if taken:
        raise OutOfRange("facts", taken[0], "facts that are no parameter of the case", "pass it as the parameter")
    return dict(value)


def _counts(value: Mapping[str, int]) -> Mapping[str, int]:
    return dict(value)


@attrs.frozen(kw_only=True)
class FailedCase(Document):
    """One failure that one customer met.

    Parameters
    ----------
    id, customer : text
        Masked in the repr: the customer.
    failure : text
        One of the menu's failures.
    severity : Severity
        `"low"`, `"normal"`, `"high"`, `"critical"`, or 4 to 1.
    fault : Fault
    loss : Money, optional
        What was at stake for the customer: the price of the product, the fare. None is none, or not known.
    value : Money, optional
        What the customer will be worth to the house if he stays, net of service. None is not known.
    relationship : strength from 0 to 1, optional
    earlier_failures : count
        Failures that the same customer met before, in the period that the house looks back.
    received : remedy -> count
        What the customer was given in that period.
    given_before : Money, optional
        Its worth, for the cap per customer.
    facts : name -> JSON value
        Further facts for the rules of the menu; what the person is is refused.
    """

    id: str
    customer: str = attrs.field(repr=mask)
    failure: str
    severity: str = attrs.field(default="normal", converter=_severity)
    fault: Fault = attrs.field(default=Fault.OURS, converter=fault_of)
    loss: Money | None = attrs.field(default=None, validator=_amount)
    value: Money | None = attrs.field(default=None, validator=_amount)
    relationship: float | None = None
    earlier_failures: int = 0
    received: Mapping[str, int] = attrs.field(factory=dict, converter=_counts)
    given_before: Money | None = attrs.field(default=None, validator=_amount)
    facts: Mapping[str, object] = attrs.field(factory=dict, converter=_facts, repr=lambda f: f"{sorted(f)}")

    def __attrs_post_init__(self) -> None:
        count_of("earlier_failures", self.earlier_failures)
        for name, times in self.received.items():
            count_of(f"received[{name!r}]", times)
        if self.relationship is not None and not 0 <= self.relationship <= 1:
            hint = "relationship_strength(tenure_years) makes one"
            raise OutOfRange("relationship", self.relationship, "0 to 1", hint)

    @property
    def step(self) -> int:
        """Steps of the severity above low."""
        return step_of(self.severity)


def minor(money: Money | None, currency: str, /) -> int | None:
    """Minor units of an amount in the menu's currency."""
    if money is None:
        return None
    if money.currency != currency:
        raise CurrencyMismatch(currency, money.currency)
    return money.amount_minor


@attrs.frozen(eq=False, repr=False, kw_only=True)
class CaseTable:
    """Failed cases as columns; row i of every column is the same case.

    `loss`, `value` and `given_before` are minor units of one currency, `NO_AMOUNT` where missing; `step` counts
    severity from 0 (low) to 3 (critical).
    """

    ids: tuple[str, ...]
    customers: tuple[str, ...]
    failure: TextColumn
    step: Ints
    fault: TextColumn
    loss: Ints
    value: Ints
    relationship: NDArray[np.float64]
    earlier_failures: Ints
    given_before: Ints
    currency: str
    received: Mapping[str, Ints] = attrs.field(factory=dict)
    facts: Mapping[str, Sequence[Any]] = attrs.field(factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"CaseTable({len(self)} cases, {len(set(self.customers))} customers, {self.currency})"

    def _money(self, column: Ints, i: int) -> Money | None:
        return None if column[i] == NO_AMOUNT else Money(int(column[i]), self.currency)

    def __getitem__(self, i: int) -> FailedCase:
        return FailedCase(
            id=self.ids[i], customer=self.customers[i], failure=self.failure[i] or "",
            severity=Severity(4 - int(self.step[i])).name.lower(), fault=Fault(self.fault[i] or "ours"),
            loss=self._money(self.loss, i), value=self._money(self.value, i),
            relationship=None if np.isnan(self.relationship[i]) else float(self.relationship[i]),
            earlier_failures=int(self.earlier_failures[i]),
            received={k: int(v[i]) for k, v in self.received.items() if v[i]},
            given_before=self._money(self.given_before, i),
            facts={k: v[i] for k, v in self.facts.items() if v[i] is not None},
        )  # fmt: skip

    @classmethod
    def of(cls, cases: Iterable[FailedCase], *, currency: str) -> CaseTable:
        """Columns of cases.

        Examples
        --------
        >>> CaseTable.of([FailedCase(id="a", customer="c1", failure="delay")], currency="USD")
        CaseTable(1 cases, 1 customers, USD)
        """
        rows = listed(cases, "cases", FailedCase, what="cases", hint="FailedCase(id='c1', customer=..., failure=...)")
        ids = tuple(c.id for c in rows)
        if len(set(ids)) < len(ids):
            again = tuple(i for i, x in enumerate(ids) if x in ids[:i])
            raise DuplicateIds("cases", len(again), again, "give each case its own id")

        def money(name: str) -> Ints:
            found = [minor(getattr(c, name), currency) for c in rows]
            return np.array([NO_AMOUNT if x is None else x for x in found], np.int64)

        remedies = sorted({name for c in rows for name in c.received})
        facts = sorted({name for c in rows for name in c.facts})
        return cls(
            ids=ids, customers=tuple(c.customer for c in rows), failure=TextColumn.of([c.failure for c in rows]),
            step=np.array([c.step for c in rows], np.int64), fault=TextColumn.of([c.fault.value for c in rows]),
            loss=money("loss"), value=money("value"), currency=currency,
            relationship=np.array([np.nan if c.relationship is None else c.relationship for c in rows], np.float64),
            earlier_failures=np.array([c.earlier_failures for c in rows], np.int64), given_before=money("given_before"),
            received={r: np.array([c.received.get(r, 0) for c in rows], np.int64) for r in remedies},
            facts={f: [c.facts.get(f) for c in rows] for f in facts},
        )  # fmt: skip

    @classmethod
    def from_frame(cls, frame: Any, *, currency: str, facts: Iterable[str] = (), **columns: str) -> CaseTable:
        """Read cases from any frame: id, customer, failure, and where there are severity, fault, loss, value,
        relationship, earlier_failures, given_before (amounts in major units), and `received:<remedy>` counts.

        Parameters
        ----------
        frame : frame
        currency : ISO 4217 code
        facts : texts
            Columns that the rules of the menu use.
        **columns : text
            Names of columns that are called otherwise: `failure="what_failed"`.

        Raises
        ------
        BadRows
            Every row that is no case, with its reason.
        """
        read = read_frame(frame)
        known = [f.name for f in attrs.fields(FailedCase) if f.name not in ("received", "facts")]
        for name in columns:
            if name not in known:
                raise UnknownName("column of a case", name, tuple(known))
        cells: dict[str, list[Any]] = {}
        for name in known:
            source = columns.get(name, name)
            if source is not None and (name in ("id", "customer", "failure") or source in read.columns):
                cells[name] = read.column(source)
        extra = {name: read.column(name) for name in facts}
        got = {x.removeprefix("received:"): read.column(x) for x in read.columns if x.startswith("received:")}
        made: list[FailedCase] = []
        bad: dict[tuple[str, str], list[int]] = {}
        for i in range(len(read)):
            row = {name: column[i] for name, column in cells.items() if column[i] is not None}
            missing = [n for n in ("id", "customer", "failure") if n not in row]
            for name in missing:
                bad.setdefault((name, "missing"), []).append(i)
            if missing:
                continue
            try:
                for name in ("loss", "value", "given_before"):
                    if name in row:
                        row[name] = Money.of(str(row[name]), currency)
                row |= {name: str(row[name]) for name in ("id", "customer", "failure")}
                row["received"] = {k: count_of(f"received:{k}", v[i]) for k, v in got.items() if v[i]}
                made.append(FailedCase(**row, facts={k: v[i] for k, v in extra.items() if v[i] is not None}))
            except (OutOfRange, UnknownName, WrongType) as error:
                name = getattr(error, "name", getattr(error, "what", "row"))
                reason = f"expected {getattr(error, 'allowed', None) or list(getattr(error, 'known', ()))}"
                bad.setdefault((name, reason), []).append(i)
        if bad:
            problems = tuple(BadRow(column, reason, tuple(rows)) for (column, reason), rows in bad.items())
            raise BadRows("the table of cases", problems, "amounts in major units, severities and faults as words")
        return cls.of(made, currency=currency)
