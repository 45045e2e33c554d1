"""Failure modes and their effects: what can fail, how bad, how often, how well it is seen, and what was done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, listed
from crmcore._frames import read_frame
from crmcore.documents import Document
from crmcore.errors import BadDocument, BadRow, BadRows, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics.estimates import frame_of
from crmcore.recovery.process.registers.priorities import PriorityTable
from crmcore.tables._door import Door

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["FailureMode", "Fmea", "Rating"]


def _points(instance: object, attribute: attrs.Attribute[int], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(attribute.name, type(value).__name__, "a whole number from 1 to 10", "rate 1 (best) to 10")
    if not 1 <= value <= 10:
        raise OutOfRange(attribute.name, value, "1 to 10", "10 is the worst: severe, frequent, unseen")


@attrs.frozen
class Rating(Document):
    """How a failure mode was rated on a day.

    Parameters
    ----------
    severity, occurrence, detection : 1 to 10
        10 is worst: the most severe effect, the most frequent cause, a failure that nobody sees before the customer.
    on : date, optional
    because : text
        What changed: the action, or "first rating".

    Examples
    --------
    >>> Rating(8, 5, 3).rpn
    120
    """

    severity: int = attrs.field(validator=_points)
    occurrence: int = attrs.field(validator=_points)
    detection: int = attrs.field(validator=_points)
    on: date | None = None
    because: str = ""

    @property
    def rpn(self) -> int:
        """Risk priority number, severity x occurrence x detection, 1 to 1000: a rank, not a size."""
        return self.severity * self.occurrence * self.detection

    def __str__(self) -> str:
        return f"S {self.severity} O {self.occurrence} D {self.detection}, RPN {self.rpn}"


def _ratings(value: Rating | Iterable[Rating]) -> tuple[Rating, ...]:
    if isinstance(value, Rating):
        return (value,)
    return listed(value, "ratings", Rating, what="ratings", hint="[Rating(8, 5, 3)]")


@attrs.frozen
class FailureMode(Document):
    """One way in which a step can fail.

    Parameters
    ----------
    name : text
    ratings : tuple of Rating
        First the first one; each later one is the rating after an action.
    step, effect, cause, controls, owner : text

    Examples
    --------
    >>> mode = FailureMode("wrong address on the label", Rating(8, 5, 6), step="pack")
    >>> after = mode.rated_again(occurrence=2, because="address is read from the order")
    >>> mode.rpn, after.rpn, after.gain
    (240, 96, 144)
    """

    name: str
    ratings: tuple[Rating, ...] = attrs.field(converter=_ratings)
    step: str = ""
    effect: str = ""
    cause: str = ""
    controls: str = ""
    owner: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.name.strip():
            raise EmptyInput("the name of the failure mode", "say what fails: 'wrong address on the label'")
        if not self.ratings:
            raise EmptyInput(
                f"the ratings of {self.name!r}", "rate severity, occurrence and detection: Rating(8, 5, 3)"
            )
        days = [r.on for r in self.ratings if r.on is not None]
        if days != sorted(days):
            raise OutOfRange(f"ratings of {self.name!r}", "days that go back", "days in order", "put the oldest first")

    @property
    def now(self) -> Rating:
        """The latest rating."""
        return self.ratings[-1]

    @property
    def first(self) -> Rating:
        """The rating before anything was done."""
        return self.ratings[0]

    @property
    def rpn(self) -> int:
        """Latest risk priority number."""
        return self.now.rpn

    @property
    def gain(self) -> int:
        """How far the risk priority number came down since the first rating."""
        return self.first.rpn - self.now.rpn

    def rated_again(
        self,
        *,
        because: str,
        severity: int | None = None,
        occurrence: int | None = None,
        detection: int | None = None,
        on: date | None = None,
    ) -> FailureMode:
        """The mode with one more rating; what is not stated stays.

        An action rarely changes the severity: it does where the effect itself becomes milder.
        """
        if not because.strip():
            raise EmptyInput("because", "name the action that changed the rating")
        old = self.now
        new = Rating(
            old.severity if severity is None else severity,
            old.occurrence if occurrence is None else occurrence,
            old.detection if detection is None else detection,
            on,
            because,
        )
        return attrs.evolve(self, ratings=(*self.ratings, new))

    def __str__(self) -> str:
        before = f" (was {self.first.rpn})" if len(self.ratings) > 1 else ""
        return f"{self.name}: {self.now}{before}"


def _modes(value: Iterable[FailureMode]) -> tuple[FailureMode, ...]:
    return listed(value, "modes", FailureMode, what="failure modes", hint="[FailureMode('late', Rating(8, 5, 3))]")


@attrs.frozen(repr=False)
class Fmea(Document):
    """A register of failure modes.

    Parameters
    ----------
    name : text
        Process that it is about.
    modes : tuple of FailureMode
        Each name once.
    priorities : PriorityTable, optional
        Your action priorities; crmcore ships none, because the published tables are copyrighted. No cut-off of the
        risk priority number stands in for them: 120 may be a severe failure that is rare, or a mild one that is not.

    Examples
    --------
    >>> fmea = Fmea("dispatch", [
    ...     FailureMode("wrong address", Rating(8, 5, 6)), FailureMode("box damaged", Rating(5, 6, 4))])
    >>> print(fmea)
    dispatch: 2 failure modes
      wrong address: S 8 O 5 D 6, RPN 240
      box damaged: S 5 O 6 D 4, RPN 120
    """

    name: str
    modes: tuple[FailureMode, ...] = attrs.field(converter=_modes)
    priorities: PriorityTable | None = None

    def __attrs_post_init__(self) -> None:
        names = [m.name for m in self.modes]
        again = sorted({n for n in names if names.count(n) > 1})
        if again:
            raise BadDocument(
                "register of failure modes", tuple(f"{n!r} stands twice" for n in again), "name each once"
            )

    def __len__(self) -> int:
        return len(self.modes)

    def __repr__(self) -> str:
        return f"Fmea({self.name!r}, {len(self)} modes)"

    def __getitem__(self, name: str) -> FailureMode:
        found = {m.name: m for m in self.modes}
        if name not in found:
            raise UnknownName("failure mode", str(name), tuple(found))
        return found[name]

    def priority(self, name: str, /) -> str:
        """Action priority of a mode by the register's table.

        Raises
        ------
        EmptyInput
            The register has no table.
        """
        if self.priorities is None:
            raise EmptyInput("the table of action priorities", "pass yours: Fmea(..., priorities=PriorityTable(...))")
        return self.priorities.of(self[name].now)

    def ranked(self, *, by: str = "rpn") -> tuple[FailureMode, ...]:
        """Modes, the worst first.

        Parameters
        ----------
        by : text
            `"rpn"`, `"priority"` (by your table), or `"severity"`. Ties go by severity, then occurrence, then
            detection, then name.
        """
        known = ("rpn", "priority", "severity")
        if by not in known:
            raise UnknownName("order", str(by), known)

        def order(mode: FailureMode) -> tuple[int, int, int, int, int, str]:
            r = mode.now
            level = 0
            if by == "priority":
                level = self.priorities.order.index(self.priority(mode.name)) if self.priorities else 0
                self.priority(mode.name)
            first = {"rpn": -r.rpn, "severity": -r.severity, "priority": level}[by]
            return first, -r.severity, -r.occurrence, -r.detection, -r.rpn, mode.name

        return tuple(sorted(self.modes, key=order))

    def with_mode(self, mode: FailureMode, /) -> Fmea:
        """The register with a mode added, or in place of the one of its name."""
        if mode.name in {m.name for m in self.modes}:
            return attrs.evolve(self, modes=[mode if m.name == mode.name else m for m in self.modes])
        return attrs.evolve(self, modes=[*self.modes, mode])

    def without_action(self) -> tuple[FailureMode, ...]:
        """Modes that were rated once only: nothing was done about them, the worst first."""
        return tuple(m for m in self.ranked() if len(m.ratings) == 1)

    @classmethod
    def from_frame(cls, frame: Any, /, *, name: str = "process", priorities: PriorityTable | None = None) -> Fmea:
        """Read a register: columns name, severity, occurrence, detection, and step, effect, cause, controls, owner.

        Raises
        ------
        MissingColumn, BadRows
        """
        door = Door(read_frame(frame), "failure modes")
        named = door.text("name")
        points = {part: door.numbers(part) for part in ("severity", "occurrence", "detection")}
        for part, column in points.items():
            odd = [i for i, v in enumerate(column) if not (1 <= v <= 10 and v % 1 == 0)]
            door.problem(part, "no whole number from 1 to 10", odd, "rate 1 (best) to 10 (worst)")
        rest = {p: door.optional_text(None if p not in door.frame.columns else p, p) for p in _WORDS}
        door.required("name", named.codes < 0, "name each failure mode")
        door.close()
        names = named.to_list()
        again = tuple(i for i, n in enumerate(names) if n in names[:i])
        if again:
            raise BadRows("failure modes", (BadRow("name", "stands twice", again),), "name each failure mode once")
        modes = [
            FailureMode(
                str(names[i]),
                Rating(*(int(points[part][i]) for part in points)),  # type: ignore[arg-type]
                **{p: column[i] or "" for p, column in rest.items()},
            )
            for i in range(len(names))
        ]
        return cls(name, modes, priorities)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a mode, the worst first: ratings now and at first, RPN, priority where there is a table."""
        if not self.modes:
            raise EmptyInput("the register", "add failure modes first")
        rows: list[dict[str, object]] = []
        for m in self.ranked():
            row: dict[str, object] = {"name": m.name, **{p: getattr(m, p) for p in _WORDS}}
            row |= {p: getattr(m.now, p) for p in ("severity", "occurrence", "detection", "rpn")}
            row |= {"first_rpn": m.first.rpn, "ratings": len(m.ratings)}
            row |= {"priority": self.priority(m.name)} if self.priorities is not None else {}
            rows.append(row)
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Risk priority numbers, before and now."""
        from crmcore.recovery.process.registers.charts import fmea_picture

        return fmea_picture(self)

    def __str__(self) -> str:
        lines = [f"{self.name}: {len(self)} failure modes"]
        for mode in self.ranked():
            level = f", priority {self.priority(mode.name)}" if self.priorities is not None else ""
            lines.append(f"  {mode}{level}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            {"failure mode": m.name, "S": m.now.severity, "O": m.now.occurrence, "D": m.now.detection, "RPN": m.rpn}
            | ({"priority": self.priority(m.name)} if self.priorities is not None else {})
            for m in self.ranked()
        ]
        return html_table(rows, caption=f"Failure modes of {self.name}")


_WORDS = ("step", "effect", "cause", "controls", "owner")
