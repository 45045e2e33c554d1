"""Faults of rules as a set: what never holds, what never gets its turn, what contradicts."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from itertools import combinations, islice

import attrs

from crmcore.rules.needed import Atom, Demand, Limits, branches, demands
from crmcore.rules.nodes import Condition
from crmcore.rules.rule import Rule

__all__ = ["Finding", "FindingKind", "findings", "implies", "impossible"]

MAX_BRANCHES = 500


class FindingKind(enum.StrEnum):
    """What is wrong."""

    DUPLICATE_NAME = "duplicate name"
    CONTRADICTION = "contradiction"  # the rule can never hold
    SHADOWED = "shadowed"  # an earlier rule takes all that it would
    REPEATED = "repeated"  # two rules ask the same and give the same
    CONFLICT = "conflict"  # two rules ask the same and give different outcomes


@attrs.frozen
class Finding:
    """One fault of a rule set.

    Attributes
    ----------
    kind : what is wrong
    rule, other : names of the rules; `other` is None where one alone is at fault
    text : sentence
    """

    kind: FindingKind
    rule: str
    other: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


_Ways = list[list[Demand]]


def _ways(node: Condition) -> _Ways | None:
    """Branches that can hold, as their demands; None where there are too many to look at."""
    found = list(islice(branches(node), MAX_BRANCHES + 1))
    if len(found) > MAX_BRANCHES:
        return None
    read = (demands(branch, lambda _term: (None, None)) for branch in found)
    return [asked for asked in read if asked is not None]


def impossible(node: Condition) -> bool:
    """Whether intervals and lists on one term contradict each other in every branch, so that it never holds.

    False says nothing: other contradictions are not looked for.

    Examples
    --------
    >>> from crmcore.rules import field
    >>> impossible((field("age") >= 18) & (field("age") < 16))
    True
    """
    return _ways(node) == []


def implies(first: Condition, second: Condition) -> bool:
    """Whether `second` holds wherever `first` does, as far as intervals and lists tell; False says nothing.

    Examples
    --------
    >>> from crmcore.rules import field
    >>> implies(field("age") >= 21, field("age") > 18), implies(field("age") > 18, field("age") >= 21)
    (True, False)
    """
    a, b = _ways(first), _ways(second)
    if a is None or b is None:
        return False
    return all(any(_narrower(way, wider) for wider in b) for way in a)


def _narrower(asked: list[Demand], wide_asked: list[Demand]) -> bool:
    """Whether one branch asks at least what another does."""
    by_term = {d.term.key(): d.limits for d in asked}
    nothing = Limits()
    return all(_inside(by_term.get(d.term.key(), nothing), d.limits) for d in wide_asked)


def _atom(atom: Atom) -> object:
    return (atom.condition.key(), atom.holds)


def _inside(narrow: Limits, wide: Limits) -> bool:
    """Whether every value that `narrow` allows is one that `wide` allows."""
    if wide.known is not None and narrow.known is not wide.known:
        return False
    if not {_atom(a) for a in wide.other} <= {_atom(a) for a in narrow.other}:
        return False
    if narrow.allowed is not None:
        return all(wide.inside(v) for v in narrow.allowed if narrow.inside(v))
    if wide.allowed is not None:
        return False
    if not all(v in narrow.forbidden or not narrow.inside(v) for v in wide.forbidden):
        return False
    above = (narrow.low, narrow.low_open) >= (wide.low, wide.low_open)
    below = (-narrow.high, narrow.high_open) >= (-wide.high, wide.high_open)
    return above and below


def findings(rules: Sequence[Rule], *, first_only: bool) -> tuple[Finding, ...]:
    """All faults, rule by rule in their order."""
    return (*_names(rules), *_contradictions(rules), *_pairs(rules, first_only=first_only))


def _names(rules: Sequence[Rule]) -> Iterator[Finding]:
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            yield Finding(
                FindingKind.DUPLICATE_NAME, rule.name, rule.name, f"two rules are called {rule.name!r}: name each once"
            )
        seen.add(rule.name)


def _contradictions(rules: Sequence[Rule]) -> Iterator[Finding]:
    for rule in rules:
        if impossible(rule.when):
            yield Finding(
                FindingKind.CONTRADICTION, rule.name, None, f"{rule.name!r} can never hold: its conditions contradict"
            )


def _pairs(rules: Sequence[Rule], *, first_only: bool) -> Iterator[Finding]:
    for early, late in combinations(rules, 2):
        if impossible(late.when) or impossible(early.when):
            continue
        if first_only and implies(late.when, early.when):
            text = f"{late.name!r} never gets its turn: {early.name!r} before it holds wherever it does"
            yield Finding(FindingKind.SHADOWED, late.name, early.name, text)
        elif not first_only and implies(late.when, early.when) and implies(early.when, late.when):
            same = early.then == late.then
            kind = FindingKind.REPEATED if same else FindingKind.CONFLICT
            text = f"{early.name!r} and {late.name!r} ask the same" + ("" if same else " and give different outcomes")
            yield Finding(kind, late.name, early.name, text)
