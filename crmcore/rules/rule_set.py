"""Rules that decide together: the first that holds, all that hold, or points that add up."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import listed, named
from crmcore.errors import BadDocument, EmptyInput, UnknownName, WrongType
from crmcore.rules.codec import Reader
from crmcore.rules.facts import Facts
from crmcore.rules.lint import Finding, findings
from crmcore.rules.rule import FORMAT_VERSION, Rule, check_head, outcome_text, plain_outcome, read_rule, rule_name
from crmcore.rules.schema import BadRule, Schema
from crmcore.rules.verdict import Verdict
from crmcore.rules.vocabulary import NO_WORDS, Vocabulary
from crmcore.values.words import word

if TYPE_CHECKING:
    from crmcore.rules.decision_table import DecisionTable
    from crmcore.rules.fact_table import FactTable

__all__ = ["Band", "Policy", "RuleSet", "UnknownMeans"]


class Policy(enum.StrEnum):
    """How rules decide together."""

    FIRST = "first match"  # the first rule that holds, in their order
    ALL = "all matches"  # every rule that holds
    SCORED = "scored"  # weights of the rules that hold add up


class UnknownMeans(enum.StrEnum):
    """What a rule that cannot tell counts as."""

    NO = "no"  # it does not hold
    ASK = "ask"  # the answer is open until the missing facts are found out
    YES = "yes"  # it holds: for rules that protect, such as an allergy


def _policy(value: Policy | str) -> Policy:
    return word(Policy, value, "policy")


def _meaning(value: UnknownMeans | str) -> UnknownMeans:
    return word(UnknownMeans, value, "meaning of unknown")


@attrs.frozen
class Band:
    """Outcome of a scored rule set from a number of points on."""

    at_least: float
    then: Any = attrs.field(validator=plain_outcome)


def _rules(value: Iterable[Rule]) -> tuple[Rule, ...]:
    hint = "wrap conditions: [Rule('name', condition)]"
    made: tuple[Rule, ...] = listed(value, "rules", Rule, what="rules", hint=hint)
    if not made:
        raise EmptyInput("rules", "name at least one rule")
    return made


def _bands(value: list[Band] | tuple[Band, ...] | Mapping[float, Any]) -> tuple[Band, ...]:
    if isinstance(value, Mapping):
        value = [Band(low, then) for low, then in value.items()]
    return tuple(sorted(value, key=lambda b: -b.at_least))


@attrs.frozen(repr=False)
class RuleSet:
    """Rules in their order, with a policy: the configuration of one organisation as one document.

    Parameters
    ----------
    name
        How people call it.
    rules
        In order of precedence.
    policy
        "first match", "all matches" or "scored".
    unknown
        What a rule that cannot tell counts as: "no", "ask" or "yes".
    default
        Outcome where no rule holds (or no band is reached).
    bands
        Scored: outcomes from a number of points on, such as `{80: "hot", 50: "warm"}`.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.rules import Rule, RuleSet, field
    >>> levels = RuleSet("levels", [
    ...     Rule("vip", field("profit") >= 10_000, then="VIP"),
    ...     Rule("regular", field("orders") >= 3, then="regular"),
    ... ], default="guest")
    >>> verdict = levels.decide({"profit": 500, "orders": 4}, now=datetime(2026, 6, 1, tzinfo=UTC))
    >>> verdict.outcome, verdict.fired[0].name
    ('regular', 'regular')
    """

    name: str = attrs.field(validator=rule_name)
    rules: tuple[Rule, ...] = attrs.field(converter=_rules)
    policy: Policy = attrs.field(default=Policy.FIRST, kw_only=True, converter=_policy)
    unknown: UnknownMeans = attrs.field(default=UnknownMeans.NO, kw_only=True, converter=_meaning)
    default: Any = attrs.field(default=None, kw_only=True, validator=plain_outcome)
    bands: tuple[Band, ...] = attrs.field(default=(), kw_only=True, converter=_bands)

    def __attrs_post_init__(self) -> None:
        if self.bands and self.policy is not Policy.SCORED:
            raise WrongType("bands", f"given with policy {self.policy!r}", "policy 'scored'", "add policy='scored'")

    def __repr__(self) -> str:
        return f"RuleSet({self.name!r}, {len(self.rules)} rules, {self.policy})"

    def __str__(self) -> str:
        head = f'Rule set "{self.name}" ({self.policy}; unknown counts as {self.unknown}):'
        lines = [f"{i}. {rule}" for i, rule in enumerate(self.rules, 1)]
        if self.policy is Policy.SCORED:
            lines = [f"{line} [{rule.weight:+g}]" for line, rule in zip(lines, self.rules, strict=True)]
        ends = [f"From {band.at_least:g} points: {outcome_text(band.then)}." for band in self.bands]
        if self.default is not None:
            ends.append(f"Otherwise: {outcome_text(self.default)}.")
        return "\n".join([head, *lines, *ends])

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, name: str) -> Rule:
        return named(self.rules, "name", name, what="rule")

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the facts that the rules ask for."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.fields))

    def check(self, schema: Schema) -> None:
        """Check all rules against a schema; one error names the faults of all.

        Raises
        ------
        BadRule
            Every fault of every rule.
        """
        problems: list[str] = []
        for rule in self.rules:
            try:
                rule.check(schema)
            except BadRule as error:
                problems += [f"{rule.name}: {p}" for p in error.problems]
        if problems:
            raise BadRule(self.name, tuple(problems))

    def with_schema(self, schema: Schema) -> RuleSet:
        """The rule set, checked against a schema that its decisions use to mask personal facts."""
        self.check(schema)
        return attrs.evolve(self, rules=tuple(r.with_schema(schema) for r in self.rules))

    def lint(self) -> tuple[Finding, ...]:
        """Faults of the set: names used twice, rules that never hold, never get their turn, or contradict.

        Found by intervals and lists on one term; () does not prove that there are none.

        Examples
        --------
        >>> from crmcore.rules import Rule, RuleSet, field
        >>> print(RuleSet("r", [Rule("all", field("x") > 1), Rule("some", field("x") > 5)]).lint()[0])
        shadowed: 'some' never gets its turn: 'all' before it holds wherever it does
        """
        return findings(self.rules, first_only=self.policy is Policy.FIRST)

    def decide(self, facts: Facts | Mapping[str, object], *, now: datetime) -> Verdict:
        """Decide about one subject, with the decision of every rule."""
        return Verdict.of(self, tuple(rule.decide(facts, now=now) for rule in self.rules))

    def decide_all(self, table: FactTable, *, now: datetime) -> DecisionTable:
        """Decide about all subjects of a table: the same outcomes as `decide`, as columns."""
        from crmcore.rules.decision_table import DecisionTable

        return DecisionTable.of(self, table, now=now)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        made: dict[str, Any] = {
            "format": "crmcore.rule_set",
            "version": FORMAT_VERSION,
            "name": self.name,
            "policy": str(self.policy),
            "unknown": str(self.unknown),
            "rules": [_inner(rule.to_dict()) for rule in self.rules],
        }
        if self.default is not None:
            made["default"] = self.default
        if self.bands:
            made["bands"] = [{"at_least": b.at_least, "then": b.then} for b in self.bands]
        return made

    @classmethod
    def from_dict(cls, document: object, *, schema: Schema | None = None, vocabulary: Vocabulary = NO_WORDS) -> RuleSet:
        """Read what `to_dict` wrote.

        Raises
        ------
        BadDocument
            Every fault of every rule, by its path.
        BadRule
            Conditions that do not fit the schema.
        """
        reader = Reader()
        made = _read(document, reader, vocabulary)
        if made is None or reader.problems:
            raise BadDocument("rule set", tuple(reader.problems), "repair these places, or write it with to_dict")
        return made if schema is None else made.with_schema(schema)


def _inner(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("format", "version")}


_KEYS = ("format", "version", "name", "policy", "unknown", "rules", "default", "bands")


def _read(document: object, reader: Reader, vocabulary: Vocabulary) -> RuleSet | None:
    if not isinstance(document, Mapping):
        reader.fault("$", f"expected an object, not {type(document).__name__}")
        return None
    check_head(document, "$", reader, name="crmcore.rule_set", keys=_KEYS, needed=("name", "rules"))
    listed = document.get("rules", [])
    if not isinstance(listed, list):
        reader.fault("$.rules", "expected a list")
        return None
    rules = [read_rule(d, f"$.rules[{i}]", reader, schema=None, vocabulary=vocabulary) for i, d in enumerate(listed)]
    bands = _read_bands(document.get("bands", []), reader)
    for key, kind in (("policy", Policy), ("unknown", UnknownMeans)):
        if key in document and document[key] not in list(kind):
            problem = UnknownName(key, str(document[key]), tuple(m.value for m in kind))
            reader.fault(f"$.{key}", " ".join(str(problem).split()))
    if reader.problems:
        return None
    return RuleSet(
        document["name"],
        [r for r in rules if r is not None],
        policy=document.get("policy", Policy.FIRST),
        unknown=document.get("unknown", UnknownMeans.NO),
        default=document.get("default"),
        bands=bands,
    )


def _read_bands(document: object, reader: Reader) -> list[Band]:
    made = []
    for i, band in enumerate(document if isinstance(document, list) else [document]):
        low = band.get("at_least") if isinstance(band, Mapping) else None
        if not isinstance(band, Mapping) or set(band) != {"at_least", "then"} or not isinstance(low, int | float):
            reader.fault(f"$.bands[{i}]", "expected {'at_least': points, 'then': outcome}")
        else:
            made.append(Band(low, band["then"]))
    return made
