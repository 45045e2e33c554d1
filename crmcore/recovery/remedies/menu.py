"""The menu of remedies as data: what each restores, costs, fits, and may not pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, cast

import attrs

from crmcore._base import between, html_table, listed, named
from crmcore._frames import write_frame
from crmcore.documents import from_dict, to_dict
from crmcore.errors import BadDocument, CurrencyMismatch, DuplicateIds, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics.scalars import count_of
from crmcore.recovery.remedies.staying import step_of
from crmcore.recovery.remedies.words import (
    PROTECTED,
    FailureKind,
    Justice,
    Part,
    faults_of,
    justice_of,
    kinds_of,
    part_of,
    refuse_protected,
)
from crmcore.rules import Rule
from crmcore.values import Money
from crmcore.values.words import Fault, word

__all__ = ["MATCH", "RULE_FACTS", "Menu", "Remedy"]

RULE_FACTS = ("failure", "failure_kind", "fault", "loss", "value", "earlier_failures")
"""Facts that every rule of a menu may use, beside those that a case brings."""

MATCH: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "outcome": MappingProxyType({"distributive": 1.0, "procedural": 0.5, "interactional": 0.5}),
        "process": MappingProxyType({"distributive": 0.25, "procedural": 0.75, "interactional": 1.0}),
    }
)
"""How well each kind of justice answers each kind of failure. The order is Smith, Bolton & Wagner's (1999); the numbers
are a choice: studies differ widely, so replace them by what your own cases show."""


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(listed(value, "failures", str, what="texts", hint="such as ['defective product']"))))


def _money(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, Money):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "Money", "Money.of('20', 'USD')")
    if value.amount_minor < 0:
        raise OutOfRange(attribute.name, str(value), "0 or more", "what is given, not what is taken back")


def _usual_faults(part: Part) -> tuple[Fault, ...]:
    return tuple(Fault) if part is Part.ANSWER else (Fault.OURS, Fault.PARTNER)


@attrs.frozen(kw_only=True)
class Remedy:
    """One thing that may be given after a failure.

    Parameters
    ----------
    id : text
        `"discount 20 %"`; also the action that empowerment limits name.
    part : Part
        `"answer"`, `"repair"` (owed where they fit) or `"extra"` (given where it pays).
    justice : Justice
        What it restores.
    effect : share
        How much of the way from "not satisfied" to "satisfied quickly" it covers where it matches the failure fully.
        A belief of the house until its own cases say better.
    cost : Money, optional
        To the house, each time; None is nothing.
    percent_of_loss : percent
        Further cost in proportion to what the customer lost. A case without a loss does not get such a remedy.
    at_most : Money, optional
        Cap per case: where the cost is above, the remedy is refused, not cut.
    times : count, optional
        Cap per customer: how often within the period whose gifts the case counts in `received`.
    failures : texts
        Failures that it fits, by name; none is all.
    kinds, faults : words
        Kinds of failure and of fault that it fits. By default answers fit every fault, others ours and a partner's.
    from_severity : Severity
        The mildest case that gets it. There is no upper end: what a mild case may get, a worse one may too.
    when : Rule, optional
        A further condition; what it cannot tell, it refuses. Protected facts, the severity and the relationship are not
        among its facts.
    """

    id: str = attrs.field()
    part: Part = attrs.field(converter=part_of)
    justice: Justice = attrs.field(converter=justice_of)
    effect: float = attrs.field(validator=between(0.0, 1.0, hint="a share of the way to a satisfied customer: 0.3"))
    cost: Money | None = attrs.field(default=None, validator=_money)
    percent_of_loss: float = attrs.field(default=0.0, validator=between(0.0, 1000.0, hint="write 20 % as 20"))
    at_most: Money | None = attrs.field(default=None, validator=_money)
    times: int | None = None
    failures: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    kinds: tuple[FailureKind, ...] = attrs.field(default=tuple(FailureKind), converter=kinds_of)
    faults: tuple[Fault, ...] = attrs.field(
        default=attrs.Factory(lambda self: _usual_faults(self.part), takes_self=True), converter=faults_of
    )
    from_severity: str = "low"
    when: Rule | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id.strip():
            raise EmptyInput("id of a remedy", "name it as staff call it")
        step_of(self.from_severity)
        if self.times is not None:
            count_of("times", self.times, hint="0 gives it to nobody; None has no cap")
        given: object = self.when
        if given is not None and not isinstance(given, Rule):
            raise WrongType("when", f"a {type(given).__name__}", "a Rule", "Rule('late by an hour', field(...) >= 60)")

    @property
    def step(self) -> int:
        """Steps of `from_severity` above low."""
        return step_of(self.from_severity)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        found = {f.name: to_dict(getattr(self, f.name)) for f in attrs.fields(Remedy) if f.name != "when"}
        return found | {"when": None if self.when is None else self.when.to_dict()}

    @classmethod
    def from_dict(cls, document: object, /) -> Remedy:
        """Read what `to_dict` wrote."""
        if not isinstance(document, Mapping):
            raise BadDocument("remedy", ("$: not an object",), "write it with Remedy.to_dict")
        fields = dict(document)
        rule = fields.pop("when", None)
        try:
            for name in ("cost", "at_most"):
                fields[name] = None if fields.get(name) is None else from_dict(Money, fields[name])
            return cls(**fields, when=None if rule is None else Rule.from_dict(rule))
        except TypeError as error:
            problem = str(error).partition(") ")[2] or str(error)
            raise BadDocument("remedy", (f"$: {problem}",), "write it with Remedy.to_dict") from None


def _failures(value: Mapping[str, str]) -> Mapping[str, FailureKind]:
    given: object = value
    if not isinstance(given, Mapping):
        hint = "{'defective product': 'outcome', 'rude staff': 'process'}"
        raise WrongType("failures", f"a {type(value).__name__}", "a mapping of names to kinds", hint)
    return MappingProxyType({name: word(FailureKind, value[name], "kind of failure") for name in sorted(value)})


def _match(value: Mapping[str, Mapping[str, float]]) -> Mapping[FailureKind, Mapping[Justice, float]]:
    made: dict[FailureKind, Mapping[Justice, float]] = {}
    for kind in FailureKind:
        row = {word(Justice, j, "kind of justice"): w for j, w in dict(value.get(kind, {})).items()}
        missing = [j.value for j in Justice if j not in row]
        if missing:
            raise UnknownName(f"justice without a weight for {kind.value!r}", missing[0], tuple(map(str, row)))
        odd = [w for w in row.values() if not 0 <= w <= 1]
        if odd:
            raise OutOfRange("match", odd[0], "0 to 1", "1 matches fully, 0 is no answer to this kind of failure")
        made[kind] = MappingProxyType(row)
    return MappingProxyType(made)


def _remedies(value: Iterable[Remedy]) -> tuple[Remedy, ...]:
    found: tuple[Remedy, ...] = listed(value, "remedies", Remedy, what="remedies", hint="Remedy(id='apology', ...)")
    return found


@attrs.frozen(kw_only=True, repr=False)
class Menu:
    """Remedies of one house in one currency, and the failures that they answer.

    Parameters
    ----------
    name, currency : text
    remedies : remedies
        Distinct ids.
    failures : name -> kind
        `{"defective product": "outcome", "rude staff": "process"}`; a case of another failure is refused.
    match : kind -> justice -> weight from 0 to 1
        By default `MATCH`.
    protected : texts
        Facts that no rule and no case may bring, beside `PROTECTED`.

    Raises
    ------
    ProtectedField
        A rule asks what the customer is.
    OutOfRange
        A rule asks for the severity or the relationship, which would undo that worse cases never get less.

    Examples
    --------
    >>> from crmcore.values import Money
    >>> menu = Menu(
    ...     name="shop", currency="USD", failures={"defective product": "outcome", "rude staff": "process"},
    ...     remedies=[
    ...         Remedy(id="apology", part="answer", justice="interactional", effect=0.3),
    ...         Remedy(id="voucher", part="extra", justice="distributive", effect=0.2, cost=Money.of(10, "USD")),
    ...     ],
    ... )
    >>> menu, menu.weight("voucher", "process")
    (Menu('shop', 2 remedies, 2 failures, USD), 0.05)
    """

    name: str
    currency: str
    remedies: tuple[Remedy, ...] = attrs.field(converter=_remedies)
    failures: Mapping[str, FailureKind] = attrs.field(converter=_failures)
    match: Mapping[FailureKind, Mapping[Justice, float]] = attrs.field(
        default=cast("Mapping[FailureKind, Mapping[Justice, float]]", MATCH), converter=_match
    )
    protected: tuple[str, ...] = attrs.field(default=(), converter=tuple)

    def __attrs_post_init__(self) -> None:
        Money(0, self.currency)
        if not self.remedies:
            raise EmptyInput("remedies", "a menu has at least an apology")
        ids = [r.id for r in self.remedies]
        again = tuple(i for i, x in enumerate(ids) if x in ids[:i])
        if again:
            raise DuplicateIds("remedies", len(again), again, "give each remedy its own id")
        for remedy in self.remedies:
            self._check(remedy)

    def _check(self, remedy: Remedy) -> None:
        for money in (remedy.cost, remedy.at_most):
            if money is not None and money.currency != self.currency:
                raise CurrencyMismatch(self.currency, money.currency)
        for failure in remedy.failures:
            if failure not in self.failures:
                raise UnknownName(f"failure of remedy {remedy.id!r}", failure, tuple(self.failures))
        if remedy.when is None:
            return
        where = f"rule {remedy.when.name!r} of remedy {remedy.id!r}"
        refuse_protected(where, remedy.when.fields, self.closed)
        for field in ("severity", "relationship"):
            if field in remedy.when.fields:
                hint = "use from_severity; a relationship explains, it never decides"
                raise OutOfRange(where, field, "other facts: worse cases and long relationships never get less", hint)
        if remedy.when.event_kinds:
            hint = "count the events before, and pass the count as a fact of the case"
            raise OutOfRange(where, "events", "facts of the case", hint)

    @property
    def closed(self) -> tuple[str, ...]:
        """All protected fields."""
        return (*PROTECTED, *self.protected)

    def __len__(self) -> int:
        return len(self.remedies)

    def __getitem__(self, id: str) -> Remedy:
        return named(self.remedies, "id", id, what="remedy")

    def of_part(self, part: Part | str) -> tuple[Remedy, ...]:
        """Remedies of one part of a plan, by id."""
        wanted = part_of(part)
        return tuple(sorted((r for r in self.remedies if r.part is wanted), key=lambda r: r.id))

    def kind_of(self, failure: str) -> FailureKind:
        """Whether a failure is one of outcome or of process."""
        if failure not in self.failures:
            raise UnknownName("failure", failure, tuple(self.failures))
        return self.failures[failure]

    def weight(self, remedy: Remedy | str, kind: FailureKind | str) -> float:
        """Effect of a remedy after the match of its justice with the kind of failure."""
        found = remedy if isinstance(remedy, Remedy) else self[remedy]
        return found.effect * self.match[word(FailureKind, kind, "kind of failure")][found.justice]

    def __repr__(self) -> str:
        return f"Menu({self.name!r}, {len(self)} remedies, {len(self.failures)} failures, {self.currency})"

    def __str__(self) -> str:
        lines = [f"{self.name}, in {self.currency}"]
        for row in self._rows():
            cap = f", at most {row['at_most']}" if row["at_most"] else ""
            cost = row["cost"] or (None if row["percent_of_loss"] else "free")
            share = f"{row['percent_of_loss']:g} % of the loss" if row["percent_of_loss"] else None
            price = " and ".join(x for x in (cost, share) if x)
            lines.append(f"  {row['part']:6}  {row['remedy']}: {row['justice']}, {price}{cap}")
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "remedy": r.id, "part": r.part.value, "justice": r.justice.value, "effect": r.effect,
                "cost": None if r.cost is None else str(r.cost), "percent_of_loss": r.percent_of_loss,
                "at_most": None if r.at_most is None else str(r.at_most), "times": r.times,
                "failures": ", ".join(r.failures) or None, "faults": ", ".join(r.faults),
                "from_severity": r.from_severity,
            }
            for part in Part for r in self.of_part(part)
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a remedy."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        shown = ("remedy", "part", "justice", "effect", "cost", "percent_of_loss", "at_most")
        return html_table([{n: row[n] for n in shown} for row in self._rows()], caption=repr(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name, "currency": self.currency, "remedies": [r.to_dict() for r in self.remedies],
            "failures": {k: v.value for k, v in self.failures.items()},
            "match": {k.value: {j.value: w for j, w in row.items()} for k, row in self.match.items()},
            "protected": list(self.protected),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, document: object, /) -> Menu:
        """Read what `to_dict` wrote."""
        known = {f.name for f in attrs.fields(cls)}
        if not isinstance(document, Mapping) or set(document) - known or not {"name", "remedies"} <= set(document):
            odd = sorted(set(document) - known) if isinstance(document, Mapping) else []
            problem = f"$: unknown fields {odd}" if odd else "$: no menu"
            raise BadDocument("menu", (problem,), "write it with Menu.to_dict")
        fields = dict(document)
        remedies = [Remedy.from_dict(r) for r in fields.pop("remedies")]
        return cls(**fields, remedies=remedies)
