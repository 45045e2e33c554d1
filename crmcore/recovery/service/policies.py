"""What is promised to whom: scopes, promises, and the policy in which the first promise that fits applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import listed, named
from crmcore._frames import write_frame
from crmcore.calendars.clocks.policy import ClockName, ClockPolicy, ClockTerms, Targets
from crmcore.documents import Document, from_dict
from crmcore.errors import BadDocument, ConflictingConstraints, DuplicateIds, EmptyInput, OutOfRange, WrongType
from crmcore.rules import FactTable, Rule, RuleSet, all_of, field, not_
from crmcore.rules.nodes import Condition
from crmcore.tables import TextColumn

if TYPE_CHECKING:
    from crmcore.calendars.business_time import BusinessTime
    from crmcore.recovery.service.linting import ScopeFinding
    from crmcore.rules.verdict import Verdict

__all__ = ["FIELDS", "NO_PROMISE", "Promise", "Scope", "ServicePolicy"]

FIELDS = ("priority", "segment", "account", "channel")
"""Facts of a case that a scope can ask for."""
NO_PROMISE = "no promise"
"""Name of the terms of cases that no promise covers: their clocks are measured, never breached."""
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # scopes do not look at the time; the engine asks for one


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise WrongType("scope", "one text", "a list of texts", f"write [{value!r}]")
    return tuple(dict.fromkeys(value))


@attrs.frozen(kw_only=True)
class Scope(Document):
    """Cases that a promise is for: all that is listed must fit, and what is left empty fits everything.

    Parameters
    ----------
    priorities, segments, accounts, channels : texts
        A case of which such a fact is not known fits only where the list is empty.

    Examples
    --------
    >>> print(Scope(priorities=["urgent"], channels=["phone", "chat"]))
    priority urgent and channel phone or chat
    >>> print(Scope.everything())
    everything
    """

    priorities: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    segments: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    accounts: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    channels: tuple[str, ...] = attrs.field(default=(), converter=_texts)

    @classmethod
    def everything(cls) -> Scope:
        """All cases: said, not left out."""
        return cls()

    @property
    def asked(self) -> dict[str, tuple[str, ...]]:
        """Facts that are asked for, each with the words that fit."""
        lists = (self.priorities, self.segments, self.accounts, self.channels)
        return {name: words for name, words in zip(FIELDS, lists, strict=True) if words}

    @property
    def condition(self) -> Condition:
        """The scope in the words of `crmcore.rules`."""
        parts = [field(name).isin(words) for name, words in self.asked.items()]
        return all_of(*parts) if parts else not_(field("priority").is_unknown())  # a policy knows one of every case

    def __str__(self) -> str:
        said = [f"{name} {' or '.join(words)}" for name, words in self.asked.items()]
        return " and ".join(said) or "everything"


def _scope(_instance: object, _attribute: object, value: Any) -> None:
    if not isinstance(value, Scope):
        hint = "name the cases that it is for, or write Scope.everything()"
        raise WrongType("scope", f"a {type(value).__name__}", "a Scope", hint)


def _targets(value: Targets | Mapping[str, float]) -> Targets:
    return value if isinstance(value, Targets) else Targets(**value)


@attrs.frozen(hash=False)
class Promise:
    """Targets for the cases of a scope, and the calendars that count them.

    Parameters
    ----------
    name : text
    scope : Scope
    targets : Targets
        Business minutes for acknowledgement, first, next response, update and resolution; None promises nothing.
    calendar : BusinessCalendar or CalendarHistory, optional
        None: that of the policy.
    calendars : calendar by clock, optional
        Of the clocks that do not go by `calendar`, such as an acknowledgement around the clock.

    Examples
    --------
    >>> vip = Promise("vip", Scope(segments=["vip"]), Targets(first_response_minutes=15))
    >>> print(vip)
    vip: segment vip; first response 15 min
    """

    name: str
    scope: Scope = attrs.field(validator=_scope)
    targets: Targets = attrs.field(converter=_targets)
    calendar: BusinessTime | None = attrs.field(default=None, kw_only=True)
    calendars: Mapping[str, BusinessTime] = attrs.field(factory=dict, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not self.name or self.name == NO_PROMISE:
            raise OutOfRange("name", self.name, f"a text other than {NO_PROMISE!r}", "say whom the promise is for")
        self.terms  # noqa: B018 (refuses what is no calendar)

    @property
    def terms(self) -> ClockTerms:
        """The promise in the words of the clocks."""
        return ClockTerms(self.targets, self.calendar, calendars=self.calendars)

    def __str__(self) -> str:
        said = [f"{k.removesuffix('_minutes').replace('_', ' ')} {v:g} min" for k, v in _promised(self.targets)]
        return f"{self.name}: {self.scope}; {', '.join(said) or 'measured only'}"


def _promised(targets: Targets) -> list[tuple[str, float]]:
    return [(k, v) for k, v in attrs.asdict(targets).items() if v is not None]


def _base(value: ClockPolicy | BusinessTime) -> ClockPolicy:
    made = value if isinstance(value, ClockPolicy) else ClockPolicy(value)
    if made.targets or made.terms:
        hint = "write them as promises, the last with Scope.everything()"
        raise ConflictingConstraints("base", ("targets or terms beside the promises",), hint)
    return made


def _promises(value: Iterable[Promise]) -> tuple[Promise, ...]:
    made: tuple[Promise, ...] = listed(value, "promises", Promise, what="promises", hint="[Promise(name, scope, ...)]")
    if not made:
        raise EmptyInput("promises", "promise something, or use a ClockPolicy alone: it measures without targets")
    names = [p.name for p in made]
    again = tuple(i for i, name in enumerate(names) if name in names[:i])
    if again:
        raise DuplicateIds("promises", len(again), again, "give each promise a name of its own")
    return made


@attrs.frozen(hash=False, repr=False, slots=False)
class ServicePolicy:
    """Promises in order of precedence: the first whose scope fits a case applies.

    A change of priority looks again. It replaces targets (and what calendar counts from then on); starts, minutes so
    far and pauses stay.

    Parameters
    ----------
    base : BusinessCalendar, CalendarHistory or ClockPolicy
        The calendar of promises that have none; as a ClockPolicy with statuses and reopening rules, without targets.
    promises : several Promise

    Raises
    ------
    EmptyInput, DuplicateIds, ConflictingConstraints
        No calendar, no promise, a name twice, targets in the base.

    Examples
    --------
    >>> from crmcore.calendars import BusinessCalendar
    >>> office = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "17:00")]})
    >>> policy = ServicePolicy(office, [
    ...     Promise("urgent", Scope(priorities=["urgent"]), Targets(first_response_minutes=30),
    ...             calendar=BusinessCalendar.always("Europe/Berlin")),
    ...     Promise("all", Scope.everything(), Targets(first_response_minutes=120))])
    >>> policy.promise_of(priority="urgent").name, policy.promise_of(channel="mail").name
    ('urgent', 'all')
    >>> policy.lint()
    ()
    """

    base: ClockPolicy = attrs.field(converter=_base)
    promises: tuple[Promise, ...] = attrs.field(converter=_promises)

    def __repr__(self) -> str:
        return f"ServicePolicy({len(self.promises)} promises: {', '.join(p.name for p in self.promises)})"

    def __str__(self) -> str:
        return "\n".join(f"{i}. {p}" for i, p in enumerate(self.promises, 1))

    def __getitem__(self, name: str) -> Promise:
        return named(self.promises, "name", name, what="promise")

    @cached_property
    def clock_policy(self) -> ClockPolicy:
        """What the clocks read: the promises as terms, which events of kind "policy" switch to."""
        terms = {p.name: p.terms for p in self.promises}
        return attrs.evolve(self.base, terms={**terms, NO_PROMISE: ClockTerms({})})

    @cached_property
    def rule_set(self) -> RuleSet:
        """The scopes as rules; unknown facts fit no list."""
        return RuleSet("service levels", [Rule(p.name, p.scope.condition, then=p.name) for p in self.promises])

    def why(
        self, *, priority: str | None = None, segment: str | None = None, account: str | None = None,
        channel: str | None = None,
    ) -> Verdict:  # fmt: skip
        """Which promise applies to such a case, with the reasons of every scope."""
        facts = dict(zip(FIELDS, (priority or self.base.priority, segment, account, channel), strict=True))
        return self.rule_set.decide({k: v for k, v in facts.items() if v is not None}, now=_ANY_TIME)

    def promise_of(
        self, *, priority: str | None = None, segment: str | None = None, account: str | None = None,
        channel: str | None = None,
    ) -> Promise | None:  # fmt: skip
        """Promise that applies to such a case; None where none does. No priority is that of a new case."""
        name = self.why(priority=priority, segment=segment, account=account, channel=channel).outcome
        return None if name is None else self[name]

    def promises_of(self, facts: Mapping[str, TextColumn], n: int, /) -> NDArray[np.int32]:
        """(n,) place of the promise of each case, -1 where none applies: the columnar twin of `promise_of`.

        Parameters
        ----------
        facts : mapping of the names in `FIELDS` to (n,) text
            One that is not there is not known of any case.
        n : count
        """
        key = np.zeros(n, np.int64)
        codes = {name: facts[name].codes for name in FIELDS if name in facts}
        for name, code in codes.items():
            _, key = np.unique(key * (len(facts[name].values) + 1) + code + 1, return_inverse=True)
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        rows = [{name: facts[name][i] for name in codes} for i in first.tolist()]
        rows = [{**row, "priority": row.get("priority") or self.base.priority} for row in rows]
        known = [{k: v for k, v in row.items() if v is not None} for row in rows]
        if not known:
            return np.zeros(0, np.int32)
        chosen: NDArray[np.int32] = self.rule_set.decide_all(FactTable.of_facts(known), now=_ANY_TIME).chosen
        return chosen[inverse]

    def lint(self, known: Mapping[str, Iterable[str]] | None = None) -> tuple[ScopeFinding, ...]:
        """Cases that no promise covers, and promises that never get their turn.

        Parameters
        ----------
        known : words by fact, optional
            Such as `{"priority": ["urgent", "normal"]}`: nothing else occurs. Without it any word may.
        """
        from crmcore.recovery.service.linting import lint_scopes

        return lint_scopes(self.promises, known or {})

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a promise and target: promise, scope, clock, target_minutes, zone."""
        rows = [
            (p.name, str(p.scope), clock, minutes, self.clock_policy.calendar_of(clock, p.name).zone)
            for p in self.promises
            for clock in ClockName
            if (minutes := self.clock_policy.target("any", p.name, clock)) is not None
        ]
        names = ("promise", "scope", "clock", "target_minutes", "zone")
        cells = [[str(r[i]) if i in (2, 4) else r[i] for r in rows] for i in range(len(names))]
        return write_frame(dict(zip(names, cells, strict=True)), backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: the clocks, and the scope of each of their terms."""
        document = self.clock_policy.to_dict()
        document["terms"].pop(NO_PROMISE)
        return {"clocks": document, "scopes": [{"name": p.name, "scope": p.scope.to_dict()} for p in self.promises]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ServicePolicy:
        """Read what `to_dict` wrote."""
        if not isinstance(document, Mapping) or set(document) != {"clocks", "scopes"}:
            raise BadDocument("ServicePolicy", ("expected the fields 'clocks' and 'scopes'",), "write it with to_dict")
        clocks = ClockPolicy.from_dict(document["clocks"])
        scopes = {entry["name"]: from_dict(Scope, entry["scope"]) for entry in document["scopes"]}
        if sorted(scopes) != sorted(clocks.terms):
            fault = f"scopes are of {sorted(scopes)}, terms of {sorted(clocks.terms)}"
            raise BadDocument("ServicePolicy", (fault,), "give every promise one scope and one entry in terms")
        made = [
            Promise(name, scope, *_only(t.targets, name), calendar=t.calendar, calendars=_named(t))
            for name, scope in scopes.items()
            for t in (clocks.terms[name],)
        ]
        return cls(attrs.evolve(clocks, terms={}), made)


def _named(terms: ClockTerms) -> dict[str, BusinessTime]:
    return {clock.value: calendar for clock, calendar in terms.calendars.items()}


def _only(targets: Mapping[str, Targets], name: str) -> tuple[Targets]:
    if set(targets) != {"any"}:
        fault = f"terms {name!r} have targets of {sorted(targets)}"
        raise BadDocument("ServicePolicy", (fault,), "a promise has targets of 'any': its scope names the priorities")
    return (targets["any"],)
