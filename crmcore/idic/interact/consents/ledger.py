"""The consent ledger: statements are added and never changed; every answer is for an instant, with its reasons."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Self

import attrs

from crmcore._base import check_aware, listed, mask
from crmcore.documents import from_dict, to_dict
from crmcore.errors import BadDocument, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.idic.interact.consents.answers import (
    NOTHING,
    ConsentAnswer,
    Standing,
    State,
    combine,
    combine_latest,
    fold,
    standing_at,
    step,
)
from crmcore.idic.interact.consents.merges import Erasure, LedgerDocument, Merge, MergeRule
from crmcore.idic.interact.consents.statements import ANY, NEVER_US, ConsentRules, Statement
from crmcore.zones import from_us, to_us

__all__ = ["ConsentLedger", "check_ledger"]

FORMAT_VERSION = 1
Question = tuple[str, str, str, str]
Group = tuple[str, str, str, str]


class ConsentLedger:
    """Everything that people said about being written to.

    Parameters
    ----------
    statements : statements
        In any order; the same one twice is one.
    rules : ConsentRules
        How they are read.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.idic.interact.consents import Proof, Statement
    >>> form = Proof("web form", "v3")
    >>> ledger = ConsentLedger([
    ...     Statement("c7", "marketing", "sms", "granted", datetime(2026, 2, 1, tzinfo=UTC), proof=form),
    ...     Statement("c7", "marketing", "sms", "withdrawn", datetime(2026, 3, 10, tzinfo=UTC)),
    ... ])
    >>> print(ledger.ask("c7", "marketing", "sms", at=datetime(2026, 3, 3, tzinfo=UTC)))
    marketing on sms: yes, allowed (granted marketing on sms at 2026-02-01 00:00 UTC (web form, text v3))
    >>> ledger.ask("c7", "marketing", "sms", at=datetime(2026, 4, 1, tzinfo=UTC)).allowed
    False
    """

    def __init__(self, statements: Iterable[Statement] = (), *, rules: ConsentRules | None = None) -> None:
        self.rules = ConsentRules() if rules is None else rules
        self._said: dict[str, list[Statement]] = {}
        self._merges: list[Merge] = []
        self._merged: set[str] = set()
        self._erasures: list[Erasure] = []
        self._gone: Counter[Group] = Counter()
        self._timelines: dict[Question, tuple[list[int], list[State]]] = {}
        self.record(statements)

    def __len__(self) -> int:
        return sum(map(len, self._said.values()))

    def __repr__(self) -> str:
        return f"ConsentLedger({len(self):,} statements of {len(self._said):,} people)"

    def __iter__(self) -> Iterator[Statement]:
        """Statements in order of people and time."""
        for person in sorted(self._said):
            yield from self._said[person]

    def record(self, statements: Statement | Iterable[Statement]) -> int:
        """Add statements and count the new ones; one that is there already changes nothing.

        Raises
        ------
        WrongType
            Something is no statement; then none is added.
        """
        hint = "Statement(person, purpose, channel, 'granted', at)"
        given = [statements] if isinstance(statements, Statement) else statements
        new = 0
        touched: dict[str, None] = {}
        for said in listed(given, "statements", Statement, what="statements", hint=hint):
            own = self._said.setdefault(said.person, [])
            if said not in own:
                own.append(said)
                new += 1
                touched[said.person] = None
        for person in touched:
            self._said[person].sort(key=lambda s: s.key)
            self._forget_timelines(person)
        return new

    def statements(self, person: str) -> tuple[Statement, ...]:
        """What one record said, in order of time."""
        return tuple(self._said.get(person, ()))

    # --- answers -------------------------------------------------------------------------------------------------

    def ask(
        self,
        person: str,
        purpose: str,
        channel: str,
        *,
        at: datetime,
        scope: str = ANY,
        known_at: datetime | None = None,
    ) -> ConsentAnswer:
        """Whether a person may be written to, by what was said up to an instant.

        Parameters
        ----------
        person : id
            Somebody unknown was never asked.
        purpose, channel : text
            One of each.
        at : aware datetime
            The instant in question: "was it allowed on 3 March?"
        scope : text
            Brand, shop or list of the message; `ANY` is a message of none in particular.
        known_at : aware datetime, optional
            Read only what had been recorded by then; None is all that is known today.

        Raises
        ------
        OutOfRange
            `ANY` as purpose or channel: a question is about one of each.
        """
        us = to_us(at)
        for name, value in (("purpose", purpose), ("channel", channel)):
            if value == ANY:
                raise OutOfRange(name, value, "one name", "ask about each purpose and channel by itself")
        known = NEVER_US if known_at is None else to_us(known_at, "known_at")
        root, members = self._group(person, us)
        state = self._state((root, purpose, channel, scope), us, known)
        standing = standing_at(state, us)
        ends = state.standing is Standing.ALLOWED and state.until < NEVER_US
        return ConsentAnswer(
            person=person,
            purpose=purpose,
            channel=channel,
            scope=scope,
            at=at,
            standing=standing,
            until=from_us(state.until, "UTC") if ends else None,
            because=state.because,
            contradicted=state.contradicted,
            records=members,
        )

    def state(self, person: str, purpose: str, channel: str, us: int, *, scope: str = ANY) -> State:
        """What `ask` reads, for an instant in microseconds since 1970: no answer is made of it."""
        question = (person, purpose, channel, scope)
        line = self._timelines.get(question)
        if line is not None:
            return line[1][bisect_right(line[0], us)]
        if person in self._merged:
            question = (self._group(person, us)[0], purpose, channel, scope)
        return self._state(question, us, NEVER_US)

    def _state(self, question: Question, us: int, known: int) -> State:
        person = question[0]
        if person in self._merged or known < NEVER_US:
            return self._joined(question, us, us, known)
        line = self._timelines.get(question)
        if line is None:
            own = [s for s in self._said.get(person, ()) if s.concerns(*question[1:])]
            if not own:
                return NOTHING  # questions about strangers are not kept
            states, state = [NOTHING], NOTHING
            for said in own:
                state = step(state, said, self.rules, question[1])
                states.append(state)
            line = self._timelines[question] = ([s.key[0] for s in own], states)
        return line[1][bisect_right(line[0], us)]

    def _joined(self, question: Question, us: int, until: int, known: int) -> State:
        """State by the statements before `until` (at it, where it is the instant asked about), over merges of then."""
        person = question[0]
        joins = sorted((m for m in self._merges if m.kept == person and m.active(us)), key=lambda m: (m.at, m.other))
        joins = [m for m in joins if to_us(m.at) <= until]
        state, since, own = NOTHING, -NEVER_US, [person]
        for merge in joins:
            at = to_us(merge.at)
            state = fold(state, self._between(own, question, since, at, known), self.rules, question[1])
            other = self._joined((merge.other, *question[1:]), us, at - 1, known)
            latest = merge.rule is MergeRule.LATEST
            state, since = (combine_latest if latest else combine)(state, other, at), at
            own += self._people(merge.other, us)
        return fold(state, self._between(own, question, since, until + 1, known), self.rules, question[1])

    def _between(self, people: list[str], question: Question, since: int, until: int, known: int) -> list[Statement]:
        found = [
            said
            for person in people
            for said in self._said.get(person, ())
            if since <= said.key[0] < until and said.recorded_us <= known and said.concerns(*question[1:])
        ]
        return sorted(found, key=lambda s: s.key)

    def _people(self, person: str, us: int) -> list[str]:
        """A record and those that were joined to it."""
        found = [person]
        for merge in self._merges:
            if merge.kept == person and merge.active(us):
                found += self._people(merge.other, us)
        return found

    def _group(self, person: str, us: int) -> tuple[str, tuple[str, ...]]:
        """Record under which a person is kept at an instant, and all records of the person."""
        if person not in self._merged:
            return person, (person,)
        root: str | None = person
        while root is not None:
            person = root
            root = next((m.kept for m in self._merges if m.other == person and m.active(us)), None)
        return person, tuple(self._people(person, us))

    # --- merging -------------------------------------------------------------------------------------------------

    def merge(self, kept: str, other: str, *, at: datetime, rule: MergeRule | str = MergeRule.STRICTEST) -> Merge:
        """Read two records as one person from an instant on; answers about earlier instants stay what they were.

        Parameters
        ----------
        kept, other : ids
        at : aware datetime
            When it was found out.
        rule : MergeRule
            "strictest" (default): what either record withdrew before the merge is withdrawn, even where the other one
            said yes later; a yes after the merge counts. "latest": the last word of both.

        Raises
        ------
        OutOfRange
            The two are one person already.
        """
        us = to_us(at)
        if self._group(kept, us)[0] == self._group(other, us)[0]:
            raise OutOfRange("other", mask(other), "a record of another person", "the two are one person already")
        made = Merge(kept=self._group(kept, us)[0], other=self._group(other, us)[0], at=at, rule=rule)
        self._merges.append(made)
        self._mark_merges()
        return made

    def unmerge(self, other: str, *, at: datetime) -> Merge:
        """Part a record from the one it was joined to, from an instant on.

        Raises
        ------
        UnknownName
            The record is joined to none.
        """
        us = to_us(at)
        for i, merge in enumerate(self._merges):
            if merge.other == other and merge.active(us):
                self._merges[i] = attrs.evolve(merge, undone_at=at)
                return self._merges[i]
        raise UnknownName("merged record", mask(other), ())

    def _mark_merges(self) -> None:
        self._merged = {name for m in self._merges for name in (m.kept, m.other)}
        for person in self._merged:
            self._forget_timelines(person)

    def _forget_timelines(self, person: str) -> None:
        if self._timelines:
            for question in [q for q in self._timelines if q[0] == person]:
                del self._timelines[question]

    # --- erasing and counting ------------------------------------------------------------------------------------

    def erase(self, person: str, *, at: datetime, by: str, reason: str) -> Erasure:
        """Remove a person with all joined records; counts stay as they were, the audit does not say who it was.

        Whoever is erased was never asked, so that nobody writes to them again.

        Parameters
        ----------
        person : id
        at : aware datetime
        by, reason : text
            Who did it and why; name no customer in them.
        """
        check_aware(at, "at")
        people: set[str] = {person}
        while more := {n for m in self._merges for n in (m.kept, m.other) if people & {m.kept, m.other}} - people:
            people |= more
        count = 0
        for name in sorted(people):
            for said in self._said.pop(name, ()):
                self._gone[_group_of(said)] += 1
                count += 1
            self._forget_timelines(name)
        self._merges = [m for m in self._merges if m.kept not in people]
        self._mark_merges()
        made = Erasure(at=at, by=by, reason=reason, statements=count)
        self._erasures.append(made)
        return made

    @property
    def erasures(self) -> tuple[Erasure, ...]:
        """Audit of what was erased, in order."""
        return tuple(self._erasures)

    @property
    def merges(self) -> tuple[Merge, ...]:
        """Merges, also those undone."""
        return tuple(self._merges)

    def counts(self, *, backend: Any = None) -> Any:
        """How many statements were ever made, by purpose, channel, scope and word: erased people count too."""
        from crmcore._frames import write_frame

        found = Counter(map(_group_of, self)) + self._gone
        rows = sorted(found.items())
        names = ("purpose", "channel", "scope", "said")
        columns: dict[str, Any] = {name: [group[i] for group, _ in rows] for i, name in enumerate(names)}
        return write_frame({**columns, "statements": [n for _, n in rows]}, backend=backend)

    # --- in and out ----------------------------------------------------------------------------------------------

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a statement; `ConsentLedger.from_frame` reads it. Merges and the audit leave by `to_dict`."""
        from crmcore._frames import write_frame

        rows = list(self)
        columns: dict[str, list[Any]] = {
            **{n: [getattr(s, n) for s in rows] for n in ("person", "purpose", "channel", "scope")},
            "said": [s.said.value for s in rows],
            **{n: [getattr(s, n) for s in rows] for n in ("at", "expires_at", "recorded_at")},
            **{n: [s.proof and getattr(s.proof, n) for s in rows] for n in ("how", "text_version", "reference")},
        }
        return write_frame(columns, backend=backend)

    @classmethod
    def from_frame(cls, frame: Any, *, rules: ConsentRules | None = None, zone: str | None = None) -> Self:
        """Read statements from any frame with the columns person, purpose, channel, said and at.

        scope, expires_at, recorded_at, how, text_version and reference may be there; all bad rows are one error.
        """
        from crmcore.idic.interact.consents.table import read_statements

        return cls(read_statements(frame, zone=zone), rules=rules)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values of everything."""
        return {
            "format": "crmcore.consents",
            "version": FORMAT_VERSION,
            "rules": self.rules.to_dict(),
            "statements": [to_dict(s) for s in self],
            "merges": to_dict(self._merges),
            "erasures": to_dict(self._erasures),
            "gone": [[*group, n] for group, n in sorted(self._gone.items())],
        }

    @classmethod
    def from_dict(cls, document: Any, /) -> Self:
        """Read what `to_dict` wrote.

        Raises
        ------
        BadDocument
            Fields that are missing, unknown or of another type.
        """
        given = from_dict(LedgerDocument, document)
        if (given.format, given.version) != ("crmcore.consents", FORMAT_VERSION):
            problem = f"{given.format!r} version {given.version}: expected 'crmcore.consents' version {FORMAT_VERSION}"
            raise BadDocument("ConsentLedger", (problem,), "write it with to_dict of this version of crmcore")
        made = cls(given.statements, rules=given.rules)
        made._merges, made._erasures = list(given.merges), list(given.erasures)
        made._gone.update({row[:4]: row[4] for row in given.gone})
        made._mark_merges()
        return made


def _group_of(said: Statement) -> Group:
    return (said.purpose, said.channel, said.scope, said.said.value)


def check_ledger(value: object) -> None:
    """Refuse what is no ledger."""
    if not isinstance(value, ConsentLedger):
        if value is None:
            raise EmptyInput("consents", "pass ConsentLedger(statements), even an empty one: silence is no yes")
        raise WrongType("consents", f"a {type(value).__name__}", "a ConsentLedger", "ConsentLedger(statements)")
