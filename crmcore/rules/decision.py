"""The answer of a rule for one subject, with its reasons and what would have to change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import MASK, html_table, mask
from crmcore.rules.changes import Change, change_of
from crmcore.rules.kinds import Kind, Scalar, written
from crmcore.rules.needed import fewest
from crmcore.rules.nodes import (
    Arithmetic,
    Condition,
    EventMeasure,
    Field,
    IsKnown,
    Literal,
    Measure,
    Node,
    Not,
    Now,
    Term,
)
from crmcore.rules.scalar import Ask, Row, ask_of, value_of
from crmcore.rules.sequences import Switches
from crmcore.rules.truth import Truth
from crmcore.rules.vocabulary import Vocabulary
from crmcore.rules.walking import fields_of, parts_of
from crmcore.rules.wording import value_text, words

if TYPE_CHECKING:
    from crmcore.rules.rule import Rule

__all__ = ["Decision", "Part", "Reason"]


@attrs.frozen
class Reason:
    """One condition of a rule and what came of it.

    Attributes
    ----------
    condition : sentence
    truth : held, failed or unknown
    values : values of its terms as shown (text masked unless its list is closed), by the sentence of the term
    why_unknown : which facts are missing, and why
    """

    condition: str
    truth: Truth
    values: dict[str, str]
    why_unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.truth is Truth.UNKNOWN:
            return f"{self.condition}: {'; '.join(self.why_unknown)}"
        shown = [v if len(self.values) == 1 else f"{name} = {v}" for name, v in self.values.items()]
        return f"{self.condition} ({', '.join(shown)})" if shown else self.condition


@attrs.frozen(eq=False)
class Part:
    """A condition without parts, with what a reason says about it, prepared once per rule."""

    condition: Condition
    text: str
    ask: Ask
    terms: tuple[tuple[Term, str], ...]

    @classmethod
    def of(cls, node: Condition, vocabulary: Vocabulary) -> Part:
        """Prepare a condition."""
        return cls(node, words(node), ask_of(node, vocabulary), tuple((t, words(t)) for t in _terms(node)))


@attrs.frozen(eq=False, repr=False)
class Decision:
    """What a rule says about one subject at one instant.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.rules import Rule, field
    >>> vip = Rule("vip", field("profit_12m") >= 10_000, then="lounge")
    >>> decision = vip.decide({"profit_12m": 8_000}, now=datetime(2026, 6, 1, tzinfo=UTC))
    >>> print(decision)
    Rule "vip" does not hold. Failed: profit_12m is at least 10,000 (8,000). It would hold if: profit_12m must rise by \
2,000 to at least 10,000.
    >>> decision.holds, decision.outcome
    (False, None)
    """

    rule: Rule
    truth: Truth
    now: datetime
    subject: str | None
    _row: Row

    @property
    def holds(self) -> bool:
        """Whether the rule is TRUE; unknown is no."""
        return self.truth is Truth.TRUE

    @property
    def outcome(self) -> Any:
        """`then` of the rule where it holds, else None."""
        return self.rule.then if self.truth is Truth.TRUE else None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every condition of the rule, in its order, each once."""
        return tuple(self._reason(part) for part in self.rule.parts)

    def _of(self, truth: Truth) -> tuple[Reason, ...]:
        return tuple(r for r in self.reasons if r.truth is truth)

    @property
    def held(self) -> tuple[Reason, ...]:
        """Conditions that are true."""
        return self._of(Truth.TRUE)

    @property
    def failed(self) -> tuple[Reason, ...]:
        """Conditions that are false."""
        return self._of(Truth.FALSE)

    @property
    def unknown(self) -> tuple[Reason, ...]:
        """Conditions that nobody can tell."""
        return self._of(Truth.UNKNOWN)

    @property
    def asks(self) -> tuple[str, ...]:
        """Unknown facts that the rule asks for, each once: what to find out; events as "events: order"."""
        if self.truth is not Truth.UNKNOWN:
            return ()
        return tuple(
            dict.fromkeys(a for p in self.rule.parts if p.ask(self._row) is None for a in _asks(p.condition, self))
        )

    @property
    def needed(self) -> tuple[Change, ...] | None:
        """Smallest set of changes that would make the rule hold: () where it does, None where nothing could.

        Terms are taken one by one: a comparison of two terms moves its left side towards the present right side, and
        two terms over one field are two changes.
        """
        if self.holds:
            return ()
        found = fewest(self.rule.when, value=self._value, answer=self._ask)
        if found is None:
            return None
        return tuple(
            change_of(d, self._value(d.term), shown=self._shown(d.term), personal=self._personal(d.term)) for d in found
        )

    def _ask(self, node: Condition) -> bool | None:
        return ask_of(node, self.rule.vocabulary)(self._row)

    def _value(self, node: Term) -> tuple[Scalar | None, Kind | None]:
        return value_of(node, self.rule.vocabulary)(self._row)

    def _personal(self, node: Term) -> bool:
        schema = self.rule.schema
        return schema is not None and any(schema.personal(name) for name in fields_of(node))

    def _shown(self, node: Term) -> str | None:
        """Value for eyes; text of open lists and personal facts are masked."""
        held, kind = self._value(node)
        if held is None:
            return None
        personal = self._personal(node)
        if isinstance(held, float):
            return MASK if personal else value_text(written(held, kind))
        schema, names = self.rule.schema, fields_of(node)
        if schema is not None and names and all(schema.personal(n) is False for n in names):
            return value_text(held)
        if isinstance(held, frozenset):
            return "{" + ", ".join(mask(v) for v in sorted(held)) + "}"
        return mask(held)

    def _reason(self, part: Part) -> Reason:
        truth = Truth.of(part.ask(self._row))
        values = {text: shown for term, text in part.terms if (shown := self._shown(term)) is not None}
        why = tuple(dict.fromkeys(_why(part.condition, self))) if truth is Truth.UNKNOWN else ()
        return Reason(part.text, truth, values, why)

    def __repr__(self) -> str:
        return f"Decision({self.rule.name!r}, {self.truth})"

    def __str__(self) -> str:
        from crmcore.rules.rule import outcome_text

        says = {Truth.TRUE: "holds", Truth.FALSE: "does not hold", Truth.UNKNOWN: "cannot tell"}[self.truth]
        gives = f": {outcome_text(self.outcome)}" if self.holds and self.outcome is not None else ""
        lines = [f'Rule "{self.rule.name}" {says}{gives}.']
        titles = {Truth.TRUE: "Held"} if self.holds else {Truth.FALSE: "Failed", Truth.UNKNOWN: "Unknown"}
        reasons = self.reasons
        for truth, title in titles.items():
            found = [str(r) for r in reasons if r.truth is truth]
            lines += [f"{title}: {'; '.join(found)}."] if found else []
        if not self.holds:
            needed = self.needed
            lines.append(
                "No change of facts would make it hold."
                if needed is None
                else f"It would hold if: {'; '.join(map(str, needed))}."
            )
        return " ".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            {
                "condition": r.condition,
                "answer": str(r.truth),
                "values": ", ".join(r.values.values()) or "; ".join(r.why_unknown),
            }
            for r in self.reasons
        ]
        return html_table(rows, caption=f"{self.rule.name}: {self.truth}", limit=50)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: truth, outcome, reasons (masked), what is needed, and the sentence."""
        needed = self.needed
        return {
            "rule": self.rule.name,
            "truth": str(self.truth),
            "holds": self.holds,
            "outcome": self.outcome,
            "now": self.now.astimezone(UTC).isoformat(),
            "subject": self.subject,
            "reasons": [
                {
                    "condition": r.condition,
                    "truth": str(r.truth),
                    "values": r.values,
                    **({"why_unknown": list(r.why_unknown)} if r.why_unknown else {}),
                }
                for r in self.reasons
            ],
            "asks": list(self.asks),
            "needed": None if needed is None else [c.to_dict() for c in needed],
            "text": str(self),
        }


def _terms(atom: Node) -> Iterator[Term]:
    """Terms of an atom whose value says something: no constants, nothing behind `is known`."""
    if isinstance(atom, Not):
        yield from _terms(atom.part)
    elif isinstance(atom, Condition) and not isinstance(atom, IsKnown):
        for part in parts_of(atom):
            if isinstance(part, Term) and not isinstance(part, Literal | Now):
                yield part
            elif isinstance(part, Condition):
                yield from _terms(part)


def _why(node: Node, of: Decision) -> Iterator[str]:
    """Facts because of which a node is unknown."""
    if isinstance(node, Field):
        if of._value(node)[0] is None:
            yield f"{node.name} is not known"
    elif isinstance(node, EventMeasure):
        if of._value(node)[0] is None:
            yield _why_events(node, of)
    elif isinstance(node, Switches):
        if of._value(node)[0] is None:
            yield f"no events are known, so none of kind {' or '.join(node.events)}"
    elif isinstance(node, Term) and (isinstance(node, Literal) or of._value(node)[0] is not None):
        return
    else:
        found = [w for part in parts_of(node) for w in _why(part, of)]
        yield from found
        if not found and isinstance(node, Arithmetic) and node.op == "/":
            yield f"{words(node)} divides by zero"
        elif not found and isinstance(node, Term):
            yield f"{words(node)} has no value"


def _why_events(node: EventMeasure, of: Decision) -> str:
    if of._row.events is None:
        return f"no events are known, so none of kind {node.event}"
    counted = of._value(attrs.evolve(node, measure=Measure.COUNT))[0]
    if not counted:
        return f"there is no {node.event} event"
    return f"a {node.event} event lacks its {node.of}"


def _asks(node: Node, of: Decision) -> Iterator[str]:
    """Names of facts to find out."""
    if isinstance(node, Field):
        if of._value(node)[0] is None:
            yield node.name
    elif isinstance(node, EventMeasure):
        if of._value(node)[0] is None:
            yield f"events: {node.event}"
    elif isinstance(node, Switches):
        if of._value(node)[0] is None:
            yield from (f"events: {kind}" for kind in node.events)
    else:
        for part in parts_of(node):
            yield from _asks(part, of)
