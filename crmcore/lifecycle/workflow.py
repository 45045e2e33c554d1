"""Workflows as data: states, transitions and timers under a name and a version, checked as a whole when made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from crmcore._base import html_table, listed
from crmcore.errors import OutOfRange, WrongType

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.lifecycle.checking import Remark
    from crmcore.rules import Rule

__all__ = [
    "ANY",
    "CLOCK",
    "ENTRY",
    "FIRST_ENTRY",
    "OPENED",
    "Timer",
    "Transition",
    "Workflow",
    "instant_of",
    "odd_instants",
]

ANY = "*"
"""As a source: every state that is not terminal."""

CLOCK = "clock"
"""The role (and the actor) of commands that timers send."""

ENTRY, FIRST_ENTRY, OPENED = "entry", "first entry", "opened"
"""Where a timer may start beside a field of the case: this entry into the state, the first one ever, the opening."""


def instant_of(written: object) -> datetime | None:
    """Instant that a field holds as ISO 8601 text with offset, in UTC; None where it holds none.

    Examples
    --------
    >>> instant_of("2026-05-04T17:00:00+07:00").isoformat(), instant_of("tomorrow"), instant_of("2026-05-04T17:00")
    ('2026-05-04T10:00:00+00:00', None, None)
    """
    if not isinstance(written, str):
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return None if found.utcoffset() is None else found.astimezone(UTC)


def odd_instants(flow: Workflow, data: Mapping[str, object]) -> tuple[str, ...]:
    """Fields at whose instant a timer starts, and that hold something else; None holds nothing, which is right."""
    return tuple(
        name for name in sorted(flow.instant_fields) if data.get(name) is not None and instant_of(data[name]) is None
    )


def _words(value: str | Iterable[str]) -> tuple[str, ...]:
    hint = "name one, or list several: ['open', 'closed']"
    return (value,) if isinstance(value, str) else listed(value, "names", str, what="names", hint=hint)


def _transitions(value: Iterable[Transition]) -> tuple[Transition, ...]:
    hint = "[Transition('close', 'open', 'closed')]"
    return listed(value, "transitions", Transition, what="transitions", hint=hint)


def _timers(value: Iterable[Timer]) -> tuple[Timer, ...]:
    hint = "[Timer('lies too long', 'open', 'escalate', after_days=2)]"
    return listed(value, "timers", Timer, what="timers", hint=hint)


def _roles(value: str | Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(sorted(set(_words(value))))


def _values(value: Mapping[str, object]) -> dict[str, object]:
    return dict(value)


def _named(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value:
        raise WrongType(attribute.name, repr(value), "a name: text of at least one character", "name it as staff do")


def _whole(_instance: object, attribute: attrs.Attribute[int], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(attribute.name, type(value).__name__, "a whole number", "minutes and days come whole")


@attrs.frozen(hash=False)
class Transition:
    """What a command does to a case that stands in one of some states.

    Parameters
    ----------
    command : text
        What somebody wants done: `"resolve"`.
    source : state or states
        Where it is possible; `ANY` (`"*"`) is every state that is not terminal.
    target : state, optional
        Where it leads. The same state is a new entry (timers start again); None stays, and timers run on.
    guard : Rule, optional
        Must hold on the facts. Unknown does not hold.
    actors : roles, optional
        Who may; None is everybody, timers (role `CLOCK`) included. With roles named, timers must be among them.
    needs : fields
        What the command must carry; `"reason"` is the command's reason. All others become fields of the case.
    keeps : fields
        What else of the command becomes a field of the case. The rest stays in the event alone.
    sets : field -> JSON value
        What the transition itself writes into the case, None to clear a field.
    emits : text
        Type of the event; by default the command.

    Examples
    --------
    >>> Transition("resolve", ["open", "waiting"], "resolved", actors="agent", needs="cause", emits="case resolved")
    Transition(resolve: open, waiting -> resolved, by agent, needs cause)
    """

    command: str = attrs.field(validator=_named)
    source: tuple[str, ...] = attrs.field(converter=_words)
    target: str | None = None
    guard: Rule | None = attrs.field(default=None, kw_only=True)
    actors: tuple[str, ...] | None = attrs.field(default=None, converter=_roles, kw_only=True)
    needs: tuple[str, ...] = attrs.field(default=(), converter=_words, kw_only=True)
    keeps: tuple[str, ...] = attrs.field(default=(), converter=_words, kw_only=True)
    sets: Mapping[str, object] = attrs.field(factory=dict, converter=_values, kw_only=True)
    emits: str = attrs.field(
        default=attrs.Factory(lambda self: self.command, takes_self=True), validator=_named, kw_only=True
    )

    def __attrs_post_init__(self) -> None:
        if self.guard is not None and not hasattr(self.guard, "decide"):
            raise WrongType("guard", type(self.guard).__name__, "a Rule", "crmcore.rules.Rule(name, condition)")

    def __repr__(self) -> str:
        return f"Transition({self})"

    def __str__(self) -> str:
        where = f"{self.command}: {', '.join(self.source)} -> {self.target or 'same'}"
        by = "" if self.actors is None else f", by {', '.join(self.actors) or 'nobody'}"
        needs = f", needs {', '.join(self.needs)}" if self.needs else ""
        return f"{where}{by}{needs}{', if ' + self.guard.name if self.guard is not None else ''}"

    def permits(self, role: str) -> bool:
        """Whether a role may send the command."""
        return self.actors is None or role in self.actors

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Fields of a command that become fields of the case."""
        return tuple(dict.fromkeys(f for f in (*self.needs, *self.keeps) if f != "reason"))


@attrs.frozen
class Timer:
    """A command that the clock sends when a case has stood somewhere for some time.

    It falls due at a computed instant; nothing needs to run at that instant. Leaving the state cancels it, entering
    again starts it anew. Time is real elapsed time, a day being 24 hours, or the business minutes of a calendar.

    Parameters
    ----------
    name : text
        Unique within the workflow, without "@".
    states : state or states
        In which it runs; moving from one of them to another is a new entry.
    command : text
        What the clock sends, in the role `CLOCK`.
    after_minutes, after_days : count
        How long after the start, added up. Below zero (before the start) only for a field without a calendar.
    calendar : name, optional
        Business calendar in whose minutes `after_minutes` counts.
    start : text
        `"entry"` (of the state as it stands), `"first entry"` (into any of `states`), `"opened"`, or the name of a
        field that holds an ISO 8601 instant with offset (`"promised_at"`): no value, no timer; commands that bring
        something else are refused. The last three starts are kept through other states, and what was due while the
        case stood elsewhere is due on entry.
    repeats : count
        How many more times, each time after the same span again.

    Examples
    --------
    >>> Timer("auto close", "resolved", "close", after_days=3)
    Timer(auto close: close after 3 d in resolved)
    """

    name: str = attrs.field(validator=_named)
    states: tuple[str, ...] = attrs.field(converter=_words)
    command: str = attrs.field(validator=_named)
    after_minutes: int = attrs.field(default=0, validator=_whole, kw_only=True)
    after_days: int = attrs.field(default=0, validator=_whole, kw_only=True)
    calendar: str | None = attrs.field(default=None, kw_only=True)
    start: str = attrs.field(default=ENTRY, validator=_named, kw_only=True)
    repeats: int = attrs.field(default=0, validator=_whole, kw_only=True)

    @property
    def minutes(self) -> int:
        """Span from the start to the first time it is due."""
        return self.after_minutes + 1440 * self.after_days

    def __repr__(self) -> str:
        return f"Timer({self.name}: {self.command} {self.span} in {', '.join(self.states)})"

    @property
    def span(self) -> str:
        """When it is due, in words: "after 3 d"."""
        size = abs(self.minutes)
        units = ((1440, "d"), (60, "h"), (1, "min"))
        shown = next((f"{size // n} {unit}" for n, unit in units if size % n == 0 and size >= n), "0 min")
        side = "before" if self.minutes < 0 else "after"
        origin = "" if self.start == ENTRY else f" {self.start}"
        zone = f" of {self.calendar}" if self.calendar else ""
        return f"{side}{origin} {shown}{zone}" if side == "after" else f"{shown} before{origin}"


@attrs.frozen(hash=False, repr=False)
class Workflow:
    """A state machine as data: what can happen to a case, to whom it is allowed, and what time alone brings about.

    Parameters
    ----------
    name : text
        What runs on it: `"complaint"`.
    version : count
        From 1. A running case stays on the version that it was opened with until `migrate` moves it.
    states : names
        All of them, in the order in which they should be shown.
    initial : state
        Where a case begins.
    transitions : sequence of Transition
        For one command in one state they are tried in this order; the first that is permitted and whose guard holds
        is taken.
    timers : sequence of Timer
        What falls due while nobody acts.
    terminal : states
        Where a case ends; nothing leads out of these.

    Raises
    ------
    BadWorkflow
        Unknown names (with the nearest), states that nothing reaches, transitions that can never be taken because an
        unguarded one stands before them, timers that can do nothing, ways out of terminal states: all faults at once.

    Examples
    --------
    >>> flow = Workflow("review", 1, ["draft", "published", "refused"], "draft", [
    ...     Transition("publish", "draft", "published", actors="moderator"),
    ...     Transition("refuse", "draft", "refused", actors="moderator", needs="reason"),
    ... ], terminal=["published", "refused"])
    >>> flow
    Workflow(review 1: 3 states, 2 transitions, 0 timers)
    >>> flow.commands("draft", role="moderator"), flow.commands("draft", role="customer")
    (('publish', 'refuse'), ())
    """

    name: str = attrs.field(validator=_named)
    version: int = attrs.field(validator=_whole)
    states: tuple[str, ...] = attrs.field(converter=_words)
    initial: str
    transitions: tuple[Transition, ...] = attrs.field(converter=_transitions)
    timers: tuple[Timer, ...] = attrs.field(default=(), converter=_timers)
    terminal: tuple[str, ...] = attrs.field(default=(), converter=_words)

    def __attrs_post_init__(self) -> None:
        if self.version < 1:
            raise OutOfRange("version", self.version, "a whole number from 1", "count versions 1, 2, 3")
        from crmcore.lifecycle.checking import check

        check(self)

    @property
    def title(self) -> str:
        """Name and version: "complaint 2"."""
        return f"{self.name} {self.version}"

    def __repr__(self) -> str:
        counts = f"{len(self.states)} states, {len(self.transitions)} transitions, {len(self.timers)} timers"
        return f"Workflow({self.title}: {counts})"

    def __str__(self) -> str:
        lines = [f"{self.title}: {', '.join(self._marked(s) for s in self.states)}"]
        lines += [f"  {t}" for t in self.transitions]
        lines += [f"  {t.name}: {t.command} {t.span} in {', '.join(t.states)}" for t in self.timers]
        return "\n".join(lines)

    def _marked(self, state: str) -> str:
        return f"{state} (first)" if state == self.initial else f"{state} (last)" if state in self.terminal else state

    def _repr_html_(self) -> str:
        rows = [
            {"command": t.command, "from": ", ".join(t.source), "to": t.target, "by": ", ".join(t.actors or ("all",))}
            for t in self.transitions
        ]
        return html_table(rows, caption=repr(self), limit=40)

    @cached_property
    def _table(self) -> dict[tuple[str, str], tuple[Transition, ...]]:
        found: dict[tuple[str, str], list[Transition]] = {}
        for t in self.transitions:
            for state in self.sources(t):
                found.setdefault((state, t.command), []).append(t)
        return {key: tuple(ways) for key, ways in found.items()}

    @cached_property
    def _timers(self) -> dict[str, tuple[Timer, ...]]:
        return {s: tuple(sorted((t for t in self.timers if s in t.states), key=lambda t: t.name)) for s in self.states}

    @cached_property
    def instant_fields(self) -> frozenset[str]:
        """Fields of a case at whose instant a timer starts."""
        return frozenset(t.start for t in self.timers).difference((ENTRY, FIRST_ENTRY, OPENED))

    @cached_property
    def known_commands(self) -> tuple[str, ...]:
        """Every command of the workflow, in the order of their first transition."""
        return tuple(dict.fromkeys(t.command for t in self.transitions))

    def sources(self, transition: Transition) -> tuple[str, ...]:
        """States in which a transition is possible, `ANY` spelled out."""
        if transition.source == (ANY,):
            return tuple(s for s in self.states if s not in self.terminal)
        return transition.source

    def transitions_of(self, state: str, command: str) -> tuple[Transition, ...]:
        """Transitions of one command in one state, in the order in which they are tried."""
        return self._table.get((state, command), ())

    def timers_of(self, state: str) -> tuple[Timer, ...]:
        """Timers that run in a state, by name."""
        return self._timers.get(state, ())

    def commands(self, state: str, *, role: str | None = None) -> tuple[str, ...]:
        """What can be done in a state: by a role, or by anybody."""
        return tuple(
            c
            for c in self.known_commands
            if any(role is None or t.permits(role) for t in self._table.get((state, c), ()))
        )

    def paths(self, *, limit: int = 1000) -> tuple[tuple[str, ...], ...]:
        """Ways from the first state to a last one that visit no state twice, shortest first; see `checking.paths`."""
        from crmcore.lifecycle.checking import paths

        return paths(self, limit=limit)

    def lint(self) -> tuple[Remark, ...]:
        """What is legal but looks like an oversight: dead ends, states that never end; see `checking.lint`."""
        from crmcore.lifecycle.checking import lint

        return lint(self)

    def diagram(self) -> str:
        """Mermaid `stateDiagram-v2` text: many Markdown pages and tools draw it; see `picture.mermaid`."""
        from crmcore.lifecycle.picture import mermaid

        return mermaid(self)

    def chart(self) -> Chart:
        """States as points from left to right in the order in which they can be reached."""
        from crmcore.lifecycle.picture import state_chart

        return state_chart(self)

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values; what stands at its default is left out."""
        from crmcore.lifecycle.codec import workflow_out

        return workflow_out(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Workflow:
        """Read what `to_dict` wrote.

        Raises
        ------
        BadDocument
            Fields that are missing, unknown or of a wrong type, each by its path.
        BadWorkflow
            The document is one, but contradicts itself.
        """
        from crmcore.lifecycle.codec import workflow_in

        return workflow_in(document)
