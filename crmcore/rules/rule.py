"""A rule: a named condition with its outcome."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import between
from crmcore.errors import BadDocument, EmptyInput, UnknownName, WrongType
from crmcore.rules.codec import Reader, node_to_dict
from crmcore.rules.decision import Decision, Part
from crmcore.rules.facts import Facts
from crmcore.rules.kinds import Kind
from crmcore.rules.nodes import Condition, condition
from crmcore.rules.scalar import Ask, ask_of, row_of
from crmcore.rules.schema import BadRule, Schema
from crmcore.rules.sequences import misplaced
from crmcore.rules.truth import Truth
from crmcore.rules.vocabulary import NO_WORDS, Vocabulary
from crmcore.rules.walking import atoms, event_kinds, events_conditions, fields_of
from crmcore.rules.wording import value_text, words

if TYPE_CHECKING:
    from crmcore.rules.columnar import TruthColumn
    from crmcore.rules.fact_table import FactTable

__all__ = ["FORMAT_VERSION", "Rule", "check_head", "outcome_text", "plain_outcome", "read_rule", "rule_name"]

FORMAT_VERSION = 1
_TRUTH = {True: Truth.TRUE, False: Truth.FALSE, None: Truth.UNKNOWN}


def rule_name(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    """Validator of a name."""
    if not isinstance(value, str):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "text", "name the rule first: Rule('vip', ...)")
    if not value.strip():
        raise EmptyInput(attribute.name, "give the rule a name that its reader knows")


def plain_outcome(_instance: object, attribute: attrs.Attribute[object], value: object) -> None:
    """Outcomes are JSON values, so that a rule set is a document."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        hint = "name the outcome, and look up what it stands for where it is used"
        raise WrongType(attribute.name, f"a {type(value).__name__}", "text, a number, a list or a dict", hint) from None


@attrs.frozen(eq=False, repr=False, slots=False)
class Rule:
    """A condition with a name and what follows from it.

    Parameters
    ----------
    name
        How people call it.
    when
        Condition; a flag field alone is one too.
    then
        Outcome where it holds: a JSON value; None where the answer yes is the outcome.
    weight
        Points that it adds in a scored `RuleSet`.
    because
        Why the rule exists, for its readers.
    schema
        Checks the condition now: unknown names, kinds, units and closed lists, all faults at once.
    vocabulary
        Functions that the condition calls.

    Raises
    ------
    BadRule
        The condition does not fit the schema.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.rules import Rule, count, field
    >>> rule = Rule("regular", field("active") & (count("order", within_days=90) >= 3), then="thank you card")
    >>> print(rule)
    Rule "regular": when active is yes and number of order events within 90 days is at least 3, then thank you card.
    >>> rule.decide({"active": False}, now=datetime(2026, 6, 1, tzinfo=UTC)).truth
    <Truth.FALSE: 'false'>
    """

    name: str = attrs.field(validator=rule_name)
    when: Condition = attrs.field(converter=condition)
    then: Any = attrs.field(default=None, kw_only=True, validator=plain_outcome)
    weight: float = attrs.field(
        default=1.0,
        kw_only=True,
        validator=between(-1e12, 1e12, hint="weights are points; negative ones count against"),
    )
    because: str = attrs.field(default="", kw_only=True)
    schema: Schema | None = attrs.field(default=None, kw_only=True)
    vocabulary: Vocabulary = attrs.field(default=NO_WORDS, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for odd in events_conditions(self.when):
            misplaced(odd)
        given: object = self.schema
        if given is not None and not isinstance(given, Schema):
            hint = "describe the facts: Schema({'age': Number('years')})"
            raise WrongType("schema", f"a {type(given).__name__}", "a Schema or None", hint)
        if self.schema is not None:
            self.check(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self._key == other._key

    def __hash__(self) -> int:
        return hash((self.name, self.when))

    @property
    def _key(self) -> tuple[object, ...]:
        return (self.name, self.when.key(), self.then, self.weight, self.because)

    def __getstate__(self) -> dict[str, Any]:
        return {a.name: getattr(self, a.name) for a in attrs.fields(type(self))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"Rule({self.name!r}, {words(self.when)})"

    def __str__(self) -> str:
        then = "" if self.then is None else f", then {outcome_text(self.then)}"
        because = f" ({self.because})" if self.because else ""
        return f'Rule "{self.name}": when {words(self.when)}{then}{because}.'

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the facts that it asks for."""
        return fields_of(self.when)

    @property
    def event_kinds(self) -> tuple[str, ...]:
        """Kinds of the events that it counts."""
        return event_kinds(self.when)

    @cached_property
    def _ask(self) -> Ask:
        return ask_of(self.when, self.vocabulary)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Its conditions without parts, each once, in reading order: what reasons are about."""
        return tuple(Part.of(atom, self.vocabulary) for atom in atoms(self.when))

    def check(self, schema: Schema) -> None:
        """Check the condition against a schema.

        Raises
        ------
        BadRule
            Every fault: unknown names with the nearest, kinds, units, currencies and words of closed lists.
        """
        kinds: dict[str, Kind] = {name: f.kind for name, f in self.vocabulary.functions.items()}
        problems = schema.problems(self.when, functions=kinds)
        if problems:
            raise BadRule(self.name, problems)

    def with_schema(self, schema: Schema) -> Rule:
        """The rule, checked against a schema that its decisions use to mask personal facts."""
        return attrs.evolve(self, schema=schema)

    def decide(self, facts: Facts | Mapping[str, object], *, now: datetime) -> Decision:
        """Decide about one subject.

        Parameters
        ----------
        facts
            `Facts`, or a plain mapping of fields whose events nobody knows.
        now
            Instant of the question; aware.

        Raises
        ------
        NaiveDatetime, WrongType, CurrencyMismatch
            Facts that the condition cannot compare, such as text with a number.
        """
        row = row_of(facts, now)
        subject = facts.subject if isinstance(facts, Facts) else None
        return Decision(self, _TRUTH[self._ask(row)], now, subject, row)

    def mask(self, table: FactTable, *, now: datetime) -> TruthColumn:
        """Decide about all subjects of a table: the same answers as `decide`, as columns."""
        from crmcore.rules.columnar import Evaluation
        from crmcore.rules.fact_table import check_table

        check_table(table)
        return Evaluation(table, now, self.vocabulary).truth(self.when)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `schema` and `vocabulary` stay with the application.

        Examples
        --------
        >>> from crmcore.rules import field
        >>> Rule("adult", field("age") >= 18).to_dict()
        {'format': 'crmcore.rule', 'version': 1, 'name': 'adult', 'when': {'op': '>=', 'args': [{'field': 'age'}, 18]}}
        """
        made: dict[str, Any] = {"format": "crmcore.rule", "version": FORMAT_VERSION, "name": self.name}
        made["when"] = node_to_dict(self.when)
        if self.then is not None:
            made["then"] = self.then
        if self.weight != 1:
            made["weight"] = int(self.weight) if self.weight % 1 == 0 else self.weight
        if self.because:
            made["because"] = self.because
        return made

    @classmethod
    def from_dict(cls, document: object, *, schema: Schema | None = None, vocabulary: Vocabulary = NO_WORDS) -> Rule:
        """Read what `to_dict` wrote.

        Raises
        ------
        BadDocument
            Every fault by its path; unknown operators with the nearest.
        BadRule
            The condition does not fit the schema.
        """
        reader = Reader()
        made = read_rule(document, "$", reader, schema=None, vocabulary=vocabulary)
        if made is None or reader.problems:
            raise BadDocument("rule", tuple(reader.problems), "repair these places, or write it with Rule.to_dict")
        return made if schema is None else made.with_schema(schema)


def outcome_text(value: object) -> str:
    """An outcome for eyes.

    Examples
    --------
    >>> outcome_text("lounge"), outcome_text(["card", 5]), outcome_text(None)
    ('lounge', 'card, 5', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, list | tuple):
        return ", ".join(outcome_text(v) for v in value) or "nothing"
    return value_text(value) if isinstance(value, int | float) else str(value)


_KEYS = ("format", "version", "name", "when", "then", "weight", "because")


def read_rule(
    document: object, path: str, reader: Reader, *, schema: Schema | None, vocabulary: Vocabulary
) -> Rule | None:
    """Rule of a document, None where the reader found faults."""
    if not isinstance(document, Mapping):
        reader.fault(path, f"expected an object, not {type(document).__name__}")
        return None
    here = len(reader.problems)
    check_head(document, path, reader, name="crmcore.rule", keys=_KEYS, needed=("name", "when"))
    when = reader.condition(document["when"], f"{path}.when") if "when" in document else None
    weight = document.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        reader.fault(f"{path}.weight", "expected a number")
    for key in ("name", "because"):
        if not isinstance(document.get(key, ""), str):
            reader.fault(f"{path}.{key}", "expected text")
    if len(reader.problems) > here or when is None:
        return None
    because = document.get("because", "")
    return Rule(
        document["name"],
        when,
        then=document.get("then"),
        weight=float(weight),
        because=because,
        schema=schema,
        vocabulary=vocabulary,
    )


def check_head(
    document: Mapping[str, Any], path: str, reader: Reader, *, name: str, keys: Iterable[str], needed: Iterable[str]
) -> None:
    """Check format, version and keys of a document."""
    known = tuple(keys)
    for key in document:
        if key not in known:
            reader.fault(path, " ".join(str(UnknownName("key", str(key), known)).split()))
    for key in needed:
        if key not in document:
            reader.fault(path, f"{key!r} is missing")
    if document.get("format", name) != name:
        reader.fault(f"{path}.format", f"expected {name!r}")
    version = document.get("version", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        reader.fault(f"{path}.version", f"this release reads version {FORMAT_VERSION}, not {version!r}")
