"""Tiers: enter at one line, leave below another, with a shortest stay and days of grace; changes only, no flapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import numpy as np

from crmcore._base import html_table, listed
from crmcore.errors import BadDocument, ConflictingConstraints, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.rules.codec import Reader, node_to_dict
from crmcore.rules.fact_table import FactTable
from crmcore.rules.facts import Facts
from crmcore.rules.kinds import instant_us
from crmcore.rules.lint import implies
from crmcore.rules.nodes import Condition, condition
from crmcore.rules.rule import FORMAT_VERSION, Rule, check_head, rule_name
from crmcore.rules.schema import BadRule, Schema
from crmcore.rules.standings import (
    AssignmentTable,
    Move,
    MoveKind,
    Standing,
    StandingTable,
    assign_columns,
    next_standing,
)
from crmcore.rules.truth import Truth
from crmcore.rules.vocabulary import NO_WORDS, Vocabulary
from crmcore.rules.wording import plural, words

__all__ = ["Assignment", "Tier", "Tiers"]


def _length(_instance: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e5:
        raise OutOfRange(attribute.name, value, "0 or more days", "count days; 0 means none")


def _maybe(value: object) -> Condition | None:
    return None if value is None else condition(value)


def _gives(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "gives", str, what="texts", hint="name each entitlement: gives=['lounge']")


@attrs.frozen
class Tier:
    """One level.

    Attributes
    ----------
    name : how people call it
    enter : who enters; unknown does not
    leave : who loses it; None = whoever is known not to meet `enter`. Leave room between both lines, and nobody flaps
    grace_days : how long who loses it still keeps it
    min_stay_days : how long it is kept in any case
    gives : entitlements, such as "lounge"
    """

    name: str = attrs.field(validator=rule_name)
    enter: Condition = attrs.field(converter=condition)
    leave: Condition | None = attrs.field(default=None, converter=_maybe, kw_only=True)
    grace_days: float = attrs.field(default=0, validator=_length, kw_only=True)
    min_stay_days: float = attrs.field(default=0, validator=_length, kw_only=True)
    gives: tuple[str, ...] = attrs.field(default=(), converter=_gives, kw_only=True)

    @property
    def leaves(self) -> Condition:
        """Who loses the tier."""
        return ~self.enter if self.leave is None else self.leave

    def __str__(self) -> str:
        parts = [f"{self.name}: enter when {words(self.enter)}"]
        if self.leave is not None:
            parts.append(f"leave when {words(self.leave)}")
        if self.grace_days:
            parts.append(f"{plural(self.grace_days, 'day')} of grace")
        if self.min_stay_days:
            parts.append(f"kept {plural(self.min_stay_days, 'day')} in any case")
        if self.gives:
            parts.append(f"gives {', '.join(self.gives)}")
        return "; ".join(parts)


@attrs.frozen
class Assignment:
    """Where one subject stands now, and what changed.

    Attributes
    ----------
    standing : tier, since when, until when grace lasts
    move : what changed; None where nothing did
    reason : sentence
    gives : entitlements of the tier and those below it
    """

    standing: Standing
    move: Move | None
    reason: str
    gives: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.standing}: {self.reason}"


def _tiers(value: Iterable[Tier]) -> tuple[Tier, ...]:
    hint = "from the lowest to the highest: [Tier('gold', condition)]"
    return listed(value, "tiers", Tier, what="tiers", hint=hint)


@attrs.frozen(repr=False)
class Tiers:
    """Levels from the lowest to the highest.

    A subject goes up at once to the highest tier that it enters. It loses its tier when `leave` is true, not before its
    shortest stay is over, and after the days of grace; it then falls to the highest lower tier whose `leave` is not
    true. Unknown facts move nobody.

    Parameters
    ----------
    name
        How people call the programme.
    tiers
        From the lowest to the highest.
    base
        Name of having none.
    vocabulary
        Functions that the conditions call.

    Examples
    --------
    >>> from datetime import UTC, datetime, timedelta
    >>> from crmcore.rules import Tier, Tiers, field
    >>> banking = Tiers("banking", [Tier("VIP", field("profit_12m") >= 10_000, grace_days=90, gives=["lounge"])])
    >>> start = datetime(2026, 1, 1, tzinfo=UTC)
    >>> first = banking.assign(None, {"profit_12m": 12_000}, now=start)
    >>> later = banking.assign(first.standing, {"profit_12m": 8_000}, now=start + timedelta(days=365))
    >>> last = banking.assign(later.standing, {"profit_12m": 8_000}, now=start + timedelta(days=365 + 90))
    >>> first.standing.tier, later.standing.tier, str(later.standing.grace_until.date()), last.standing.tier
    ('VIP', 'VIP', '2027-04-01', 'none')
    """

    name: str = attrs.field(validator=rule_name)
    tiers: tuple[Tier, ...] = attrs.field(converter=_tiers)
    base: str = attrs.field(default="none", validator=rule_name, kw_only=True)
    vocabulary: Vocabulary = attrs.field(default=NO_WORDS, kw_only=True, eq=False)

    def __attrs_post_init__(self) -> None:
        if not self.tiers:
            raise EmptyInput("tiers", "name at least one tier")
        again = tuple(n for i, n in enumerate(self.names) if n in self.names[:i])
        if again:
            raise ConflictingConstraints("tiers of one name", again, "name each tier once, and none like the base")
        for tier in self.tiers:
            if tier.leave is not None and implies(tier.enter, tier.leave):
                hint = "leave below the line at which one enters"
                raise ConflictingConstraints(f"enter and leave of {tier.name!r}", (str(tier),), hint)

    @property
    def names(self) -> tuple[str, ...]:
        """Base and tiers, from the lowest to the highest."""
        return (self.base, *(t.name for t in self.tiers))

    def __repr__(self) -> str:
        return f"Tiers({self.name!r}, {' < '.join(self.names)})"

    def __str__(self) -> str:
        head = f'Tiers "{self.name}", lowest first, below them {self.base}:'
        return "\n".join([head, *(f"- {t}" for t in self.tiers)])

    def _repr_html_(self) -> str:
        rows = [{"tier": t.name, "rule": str(t).partition(": ")[2]} for t in reversed(self.tiers)]
        return html_table(rows, caption=self.name, limit=50)

    def check(self, schema: Schema) -> None:
        """Check all conditions against a schema; one error names every fault."""
        kinds = {name: f.kind for name, f in self.vocabulary.functions.items()}
        problems = [
            f"{tier.name}: {p}"
            for tier in self.tiers
            for node in (tier.enter, tier.leave)
            if node is not None
            for p in schema.problems(node, functions=kinds)
        ]
        if problems:
            raise BadRule(self.name, tuple(problems))

    def code(self, tier: str) -> int:
        """Position of a tier: 0 is the base.

        Raises
        ------
        UnknownName
            No tier has this name; the nearest is proposed.
        """
        if tier not in self.names:
            raise UnknownName("tier", tier, self.names)
        return self.names.index(tier)

    def gives(self, tier: str) -> tuple[str, ...]:
        """Entitlements of a tier and of those below it."""
        return tuple(dict.fromkeys(g for t in self.tiers[: self.code(tier)] for g in t.gives))

    def assign(self, previous: Standing | None, facts: Facts | Mapping[str, object], *, now: datetime) -> Assignment:
        """Tier of one subject now, from where it stood.

        Parameters
        ----------
        previous
            Where it stood; None = it is new, and stands on the base.
        facts
            What is known now.
        now
            Not before `previous.since`.
        """
        instant_us(now, "now")
        given: object = previous
        if given is not None and not isinstance(given, Standing):
            hint = "pass the .standing of the last assignment, or None for somebody new"
            raise WrongType("previous", f"a {type(given).__name__}", "a Standing or None", hint)
        before = Standing(self.base, now) if previous is None else previous
        if before.since > now:
            raise OutOfRange("now", now.isoformat(), f"{before.since.isoformat()} or later", "tiers move forward")
        enter = [self._rule(t, t.enter).decide(facts, now=now).truth for t in self.tiers]
        leave = [self._rule(t, t.leaves).decide(facts, now=now).truth for t in self.tiers]
        code = self.code(before.tier)
        to, since, grace, kind = next_standing(
            np.array([code]),
            np.array([_naive(before.since)], "datetime64[us]"),
            np.array([None if before.grace_until is None else _naive(before.grace_until)], "datetime64[us]"),
            np.array([[t is Truth.TRUE] for t in enter]),
            np.array([[t is Truth.TRUE] for t in leave]),
            min_stay_days=np.array([0, *(t.min_stay_days for t in self.tiers)]),
            grace_days=np.array([0, *(t.grace_days for t in self.tiers)]),
            now=np.datetime64(_naive(now), "us"),
        )
        after = Standing.read(self.names[to[0]], since[0], grace[0])
        reason = self._reason(before, after, facts, leave[code - 1] if code else Truth.FALSE, now)
        what = list(MoveKind)[kind[0] - 1] if kind[0] else None
        move = None if what is None else Move(what, before.tier, after.tier, now, reason)
        return Assignment(after, move, reason, self.gives(after.tier))

    def _rule(self, tier: Tier, when: Condition) -> Rule:
        return Rule(tier.name, when, vocabulary=self.vocabulary)

    def _reason(
        self, before: Standing, after: Standing, facts: Facts | Mapping[str, object], lost: Truth, now: datetime
    ) -> str:
        """Why a subject stands where it does."""
        if self.code(after.tier) > self.code(before.tier):
            return f"enters {after.tier}: {self._held(self.tiers[self.code(after.tier) - 1].enter, facts, now)}"
        if before.tier == self.base:
            return "enters no tier"
        tier = self.tiers[self.code(before.tier) - 1]
        if lost is not Truth.TRUE:
            back = " again, and its grace ends" if before.grace_until is not None else ""
            doubt = " (unknown facts move nobody)" if lost is Truth.UNKNOWN else ""
            return f"keeps {tier.name}{back}{doubt}"
        why = self._held(tier.leaves, facts, now)
        if after.tier != before.tier:
            over = " after its grace" if before.grace_until is not None else ""
            return f"falls from {before.tier} to {after.tier}{over}: {why}"
        if after.grace_until is not None:
            return f"keeps {tier.name} in grace until {after.grace_until:%Y-%m-%d}, then falls: {why}"
        until = before.since + timedelta(days=tier.min_stay_days)
        return f"keeps {tier.name} at least until {until:%Y-%m-%d}, though {why}"

    def _held(self, node: Condition, facts: Facts | Mapping[str, object], now: datetime) -> str:
        held = Rule("reason", node, vocabulary=self.vocabulary).decide(facts, now=now).held
        return "; ".join(map(str, held)) or words(node)

    def history(self, facts: Facts, *, until: datetime, also_at: Iterable[datetime] = ()) -> tuple[Move, ...]:
        """Dated moves of one subject: its facts are asked again at every event up to `until`.

        Fields are taken as they are now, events as of each moment. A tier that is lost because a window passed is seen
        at the next event, at `until`, or at an instant of `also_at`.
        """
        moments = {e.time.astimezone(UTC) for e in facts.events or ()} | {t.astimezone(UTC) for t in also_at} | {until}
        return tuple(self._moves(facts, sorted(m for m in moments if m <= until)))

    def _moves(self, facts: Facts, moments: list[datetime]) -> Iterator[Move]:
        standing: Standing | None = None
        for moment in moments:
            assigned = self.assign(standing, facts, now=moment)
            standing = assigned.standing
            if assigned.move is not None:
                yield assigned.move

    def assign_all(self, previous: StandingTable | None, table: FactTable, *, now: datetime) -> AssignmentTable:
        """Tiers of all subjects of a table: the same as `assign` of each."""
        return assign_columns(self, previous, table, now=now)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format": "crmcore.tiers",
            "version": FORMAT_VERSION,
            "name": self.name,
            "base": self.base,
            "tiers": [_tier_out(t) for t in self.tiers],
        }

    @classmethod
    def from_dict(cls, document: object, *, schema: Schema | None = None, vocabulary: Vocabulary = NO_WORDS) -> Tiers:
        """Read what `to_dict` wrote.

        Raises
        ------
        BadDocument, BadRule
            Every fault by its path; conditions that do not fit the schema.
        """
        reader = Reader()
        tiers = _read(document, reader)
        if reader.problems or not isinstance(document, Mapping):
            raise BadDocument("tiers", tuple(reader.problems), "repair these places, or write it with to_dict")
        made = cls(document["name"], tiers, base=document.get("base", "none"), vocabulary=vocabulary)
        if schema is not None:
            made.check(schema)
        return made


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _tier_out(tier: Tier) -> dict[str, Any]:
    made: dict[str, Any] = {"name": tier.name, "enter": node_to_dict(tier.enter)}
    if tier.leave is not None:
        made["leave"] = node_to_dict(tier.leave)
    for key in ("grace_days", "min_stay_days"):
        if getattr(tier, key):
            made[key] = getattr(tier, key)
    return made | ({"gives": list(tier.gives)} if tier.gives else {})


_TIER_KEYS = ("name", "enter", "leave", "grace_days", "min_stay_days", "gives")


def _read(document: object, reader: Reader) -> list[Tier]:
    if not isinstance(document, Mapping):
        reader.fault("$", f"expected an object, not {type(document).__name__}")
        return []
    keys = ("format", "version", "name", "base", "tiers")
    check_head(document, "$", reader, name="crmcore.tiers", keys=keys, needed=("name", "tiers"))
    listed = document.get("tiers", [])
    if not isinstance(listed, list):
        reader.fault("$.tiers", "expected a list")
        return []
    made = [_read_tier(d, f"$.tiers[{i}]", reader) for i, d in enumerate(listed)]
    return [t for t in made if t is not None]


def _read_tier(document: object, path: str, reader: Reader) -> Tier | None:
    if not isinstance(document, Mapping):
        reader.fault(path, f"expected an object, not {type(document).__name__}")
        return None
    here = len(reader.problems)
    check_head(document, path, reader, name="", keys=_TIER_KEYS, needed=("name", "enter"))
    enter = reader.condition(document["enter"], f"{path}.enter") if "enter" in document else None
    leave = reader.condition(document["leave"], f"{path}.leave") if "leave" in document else None
    if len(reader.problems) > here or enter is None:
        return None
    try:
        return Tier(
            document["name"],
            enter,
            leave=leave,
            grace_days=document.get("grace_days", 0),
            min_stay_days=document.get("min_stay_days", 0),
            gives=document.get("gives", ()),
        )
    except (OutOfRange, EmptyInput, TypeError) as error:
        reader.fault(path, str(error).splitlines()[0])
        return None
