"""What was promised: targets, pauses and rules of service-level clocks, as data."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from crmcore.errors import BadDocument, ConflictingConstraints, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.values.words import word
from crmcore.zones import MINUTE

if TYPE_CHECKING:
    from crmcore.calendars.business_time import BusinessTime

__all__ = ["ClockName", "ClockPolicy", "ClockTerms", "OnReopen", "OnResolution", "Standing", "Targets"]


class ClockName(enum.StrEnum):
    """The clocks of a case."""

    ACKNOWLEDGEMENT = "acknowledgement"
    FIRST_RESPONSE = "first response"
    NEXT_RESPONSE = "next response"
    UPDATE = "update"
    FIRST_RESOLUTION = "first resolution"  # creation to first resolution, pauses counted
    TOTAL_RESOLUTION = "total resolution"  # creation to last resolution, everything counted
    ACTIVE_RESOLUTION = "active resolution"  # neither paused nor resolved
    CUSTOMER_WAITING = "customer waiting"
    AGENT_WORK = "agent work"


RESOLUTION = "resolution"
"""Short for the resolution that bears the target, or for all three."""
RESOLUTIONS = (ClockName.FIRST_RESOLUTION, ClockName.TOTAL_RESOLUTION, ClockName.ACTIVE_RESOLUTION)


class OnReopen(enum.StrEnum):
    """What a reopened case does to the resolution clock."""

    RESUME = "resume"  # goes on where it stood
    NEW_CYCLE = "new cycle"  # starts at zero, with the whole target


class OnResolution(enum.StrEnum):
    """What a resolution does to a response clock that still waits for an answer."""

    RUN_ON = "run on"  # only an answer stops it
    FULFIL = "fulfil"  # counts as the answer
    CANCEL = "cancel"  # nothing is owed any more


class Standing(enum.StrEnum):
    """What a status means to the clocks."""

    BEFORE = "not created"
    ACTIVE = "active"
    PAUSED = "paused"
    RESOLVED = "resolved"
    MERGED = "merged"


def _minutes(_instance: Any, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "write 4 hours as 240; None means that nothing is promised"
        raise WrongType(attribute.name, f"a {type(value).__name__}", "a number of minutes or None", hint)
    if not 0 <= value < math.inf:
        hint = "write 4 hours as 240; None means that nothing is promised"
        raise OutOfRange(attribute.name, value, "business minutes from 0, or None", hint)


def _target() -> Any:
    return attrs.field(default=None, validator=_minutes)


@attrs.frozen(kw_only=True)
class Targets:
    """Business minutes within which each clock should stop; None: measured, never breached.

    Examples
    --------
    >>> Targets(first_response_minutes=60, resolution_minutes=480).of(ClockName.FIRST_RESPONSE)
    60
    """

    acknowledgement_minutes: float | None = _target()
    first_response_minutes: float | None = _target()
    next_response_minutes: float | None = _target()
    update_minutes: float | None = _target()
    resolution_minutes: float | None = _target()

    def of(self, clock: ClockName) -> float | None:
        """Target of one clock in minutes; that of any of the three resolutions is `resolution_minutes`."""
        name = _FIELD.get(clock)
        return None if name is None else cast("float | None", getattr(self, name))


_FIELD: Mapping[ClockName, str] = {
    ClockName.ACKNOWLEDGEMENT: "acknowledgement_minutes",
    ClockName.FIRST_RESPONSE: "first_response_minutes",
    ClockName.NEXT_RESPONSE: "next_response_minutes",
    ClockName.UPDATE: "update_minutes",
    **dict.fromkeys(RESOLUTIONS, "resolution_minutes"),
}

Promised = Mapping[str, Targets]


def _by_priority(value: Targets | Mapping[str, Targets]) -> dict[str, Targets]:
    if isinstance(value, Targets):
        return {ANY: value}
    odd = [k for k, v in value.items() if not isinstance(v, Targets)]
    if odd:
        raise WrongType(
            f"targets[{odd[0]!r}]", f"a {type(value[odd[0]]).__name__}", "Targets", "Targets(...) by priority"
        )
    return dict(value)


ANY = "any"
"""Key of the targets of priorities that have none of their own."""


def _calendar(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is None:
        raise EmptyInput(
            f"{type(instance).__name__}.{attribute.name}",
            "pass a BusinessCalendar; around the clock is one with every day from 00:00 to 24:00",
        )
    if not hasattr(value, "elapsed_minutes"):
        raise WrongType(
            attribute.name, f"a {type(value).__name__}", "a BusinessCalendar", "BusinessCalendar(zone, ...)"
        )


def _own_calendars(value: Mapping[str, BusinessTime] | None) -> dict[ClockName, BusinessTime]:
    out: dict[ClockName, BusinessTime] = {}
    for name, calendar in (value or {}).items():
        if calendar is None or not hasattr(calendar, "elapsed_minutes"):
            raise EmptyInput(f"calendars[{str(name)!r}]", "pass a BusinessCalendar, or leave the clock out")
        out.update(dict.fromkeys(clocks_named(name), calendar))
    return out


def clocks_named(name: str) -> tuple[ClockName, ...]:
    """Clocks of a name; "resolution" means all three."""
    return RESOLUTIONS if name == RESOLUTION else (word(ClockName, name, "clock"),)


@attrs.frozen(hash=False)
class ClockTerms:
    """Terms that an event of kind "policy" can switch a case to: other targets and, where given, other calendars.

    Start, minutes so far and pauses of the running clocks stay; from the switch on, the new calendar counts.

    Parameters
    ----------
    targets : Targets, or Targets by priority
    calendar : BusinessCalendar or CalendarHistory, optional
        None: those of the policy go on counting.
    calendars : calendar by clock, optional
        Of the clocks that do not go by `calendar`.
    """

    targets: Promised = attrs.field(converter=_by_priority)
    calendar: BusinessTime | None = None
    calendars: Mapping[ClockName, BusinessTime] = attrs.field(default=None, converter=_own_calendars, kw_only=True)


def _statuses(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise WrongType("statuses", "one text", "a list of texts", f"write [{value!r}]")
    return tuple(dict.fromkeys(value))


ALWAYS_RESOLVED = ("resolved", "closed")
_USUAL_WAITING = ("pending",)


def _waiting(value: Iterable[str] | None) -> tuple[str, ...]:
    return _USUAL_WAITING if value is None else _statuses(value)


def _resolved(value: Iterable[str]) -> tuple[str, ...]:
    return _statuses((*ALWAYS_RESOLVED, *_statuses(value)))


def _terms(value: Mapping[str, ClockTerms]) -> dict[str, ClockTerms]:
    odd = [name for name, terms in value.items() if not isinstance(terms, ClockTerms)]
    if odd:
        got = f"a {type(value[odd[0]]).__name__}"
        raise WrongType(f"terms[{odd[0]!r}]", got, "ClockTerms", "ClockTerms(targets, calendar)")
    return dict(value)


def _on_reopen(value: OnReopen | str) -> OnReopen:
    return word(OnReopen, value, "reopen rule")


def _on_resolution(value: OnResolution | str) -> OnResolution:
    return word(OnResolution, value, "rule of unanswered messages")


def _resolution(value: ClockName | str) -> ClockName:
    names = {r.value.partition(" ")[0]: r for r in RESOLUTIONS}
    found = names.get(value, value)
    if found not in RESOLUTIONS:
        raise UnknownName("resolution", str(value), tuple(names))
    return ClockName(found)


@attrs.frozen(hash=False)
class ClockPolicy:
    """What was promised, and how it is measured.

    Parameters
    ----------
    calendar : BusinessCalendar or CalendarHistory
        Counts the minutes of all clocks that have no calendar of their own.
    targets : Targets, or Targets by priority
        A priority without targets of its own has those of "any"; without these its clocks are measured, never breached.
    calendars : calendar by clock, optional
        Such as around the clock for "acknowledgement".
    terms : ClockTerms by name, optional
        What an event of kind "policy" switches to.
    pause_statuses : texts
        In which the resolution clock stands still.
    waiting_statuses : texts, optional
        Pauses in which it is the customer's turn; None: "pending", where it is a pause. In other pauses (on hold for a
        supplier) the customer waits.
    resolved_statuses : texts
        The statuses "resolved" and "closed" are always among them.
    resolution : text
        Which resolution bears the target: "active", "first" or "total".
    on_reopen : OnReopen
        "resume" or "new cycle".
    unanswered : OnResolution
        What a resolution does to a response clock that still waits: "run on", "fulfil" or "cancel".
    open_status, priority : text
        Of a new case.

    Raises
    ------
    EmptyInput, OutOfRange, UnknownName, ConflictingConstraints
        No calendar; a negative target; a word outside its list; a status that pauses and resolves.

    Examples
    --------
    >>> from crmcore.calendars import BusinessCalendar
    >>> office = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
    >>> hour, quarter = Targets(first_response_minutes=60), Targets(first_response_minutes=15)
    >>> policy = ClockPolicy(office, {"urgent": quarter, "any": hour})
    >>> policy.target("urgent", "", ClockName.FIRST_RESPONSE), policy.target("low", "", ClockName.FIRST_RESPONSE)
    (15, 60)
    """

    calendar: BusinessTime = attrs.field(validator=_calendar)
    targets: Promised = attrs.field(factory=dict, converter=_by_priority)
    calendars: Mapping[ClockName, BusinessTime] = attrs.field(default=None, converter=_own_calendars, kw_only=True)
    terms: Mapping[str, ClockTerms] = attrs.field(factory=dict, converter=_terms, kw_only=True)
    pause_statuses: tuple[str, ...] = attrs.field(default=("pending", "on_hold"), converter=_statuses, kw_only=True)
    waiting_statuses: tuple[str, ...] = attrs.field(default=None, converter=_waiting, kw_only=True)
    resolved_statuses: tuple[str, ...] = attrs.field(default=ALWAYS_RESOLVED, converter=_resolved, kw_only=True)
    resolution: ClockName = attrs.field(default=ClockName.ACTIVE_RESOLUTION, converter=_resolution, kw_only=True)
    on_reopen: OnReopen = attrs.field(default=OnReopen.RESUME, converter=_on_reopen, kw_only=True)
    unanswered: OnResolution = attrs.field(default=OnResolution.RUN_ON, converter=_on_resolution, kw_only=True)
    open_status: str = attrs.field(default="open", kw_only=True)
    priority: str = attrs.field(default="normal", kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.waiting_statuses is _USUAL_WAITING:
            object.__setattr__(self, "waiting_statuses", tuple(p for p in _USUAL_WAITING if p in self.pause_statuses))
        both = sorted(set(self.pause_statuses) & set(self.resolved_statuses))
        if both:
            raise ConflictingConstraints("pause_statuses and resolved_statuses", tuple(both), "let each do one thing")
        loose = sorted(set(self.waiting_statuses) - set(self.pause_statuses))
        if loose:
            raise UnknownName("waiting status", loose[0], self.pause_statuses)
        if self.standing(self.open_status) is not Standing.ACTIVE:
            raise ConflictingConstraints(
                "open_status and the other statuses", (self.open_status,), "a new case is neither paused nor resolved"
            )

    def standing(self, status: str) -> Standing:
        """What a status means to the clocks; one that is not named is active."""
        if status in self.pause_statuses:
            return Standing.PAUSED
        return Standing.RESOLVED if status in self.resolved_statuses else Standing.ACTIVE

    def calendar_of(self, clock: ClockName, terms: str = "") -> BusinessTime:
        """Calendar that counts a clock: its own under the terms, else that of the terms, else the policy's."""
        switched = self.terms.get(terms)
        if switched is not None:
            own = switched.calendars.get(clock, switched.calendar)
            if own is not None:
                return own
        return self.calendars.get(clock, self.calendar)

    def target(self, priority: str, terms: str, clock: ClockName) -> float | None:
        """Target in minutes; None where nothing is promised."""
        if clock in RESOLUTIONS and clock is not self.resolution:
            return None
        targets = self._targets(terms)
        found = targets.get(priority, targets.get(ANY))
        return None if found is None else found.of(clock)

    def target_us(self, priority: str, terms: str, clock: ClockName) -> int | None:
        """Target in whole microseconds."""
        minutes = self.target(priority, terms, clock)
        return None if minutes is None else round(minutes * MINUTE)

    def knows(self, priority: str, terms: str) -> bool:
        """Whether the policy says something about a priority under these terms."""
        targets = self._targets(terms)
        return not targets or priority in targets or ANY in targets

    def priorities(self, terms: str = "") -> tuple[str, ...]:
        """Priorities that have targets under these terms."""
        return tuple(self._targets(terms))

    def _targets(self, terms: str) -> Promised:
        switched = self.terms.get(terms)
        return self.targets if switched is None else switched.targets

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        from crmcore.documents import to_dict

        fields = {f.name: getattr(self, f.name) for f in attrs.fields(ClockPolicy)}
        fields["calendar"] = _calendar_out(self.calendar)
        fields["calendars"] = {name.value: _calendar_out(calendar) for name, calendar in self.calendars.items()}
        fields["targets"] = _targets_out(self.targets)
        fields["terms"] = {
            name: {
                "targets": _targets_out(t.targets),
                "calendar": _calendar_out(t.calendar),
                "calendars": {clock.value: _calendar_out(c) for clock, c in t.calendars.items()},
            }
            for name, t in self.terms.items()
        }
        out: dict[str, Any] = to_dict(fields)
        return out

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ClockPolicy:
        """Read what `to_dict` wrote; fields that stand at their default may be left out.

        Examples
        --------
        >>> from crmcore.calendars import BusinessCalendar
        >>> policy = ClockPolicy(BusinessCalendar("UTC", {"mon-fri": [("09:00", "17:00")]}), on_reopen="new cycle")
        >>> ClockPolicy.from_dict(policy.to_dict()) == policy
        True
        """
        names = [f.name for f in attrs.fields(cls)]
        if not isinstance(document, Mapping) or "calendar" not in document or set(document) - set(names):
            odd = sorted(set(document) - set(names)) if isinstance(document, Mapping) else []
            fault = f"unknown fields {odd}" if odd else "no calendar: expected an object with at least a calendar"
            raise BadDocument("ClockPolicy", (fault,), f"its fields are {names}")
        fields = dict(document)
        fields["calendar"] = _calendar_in(fields["calendar"])
        fields["calendars"] = {name: _calendar_in(c) for name, c in fields.get("calendars", {}).items()}
        fields["targets"] = _targets_in(fields.get("targets", {}))
        fields["terms"] = {
            name: ClockTerms(
                _targets_in(t["targets"]),
                _calendar_in(t.get("calendar")),
                calendars={clock: _calendar_in(c) for clock, c in t.get("calendars", {}).items()},
            )
            for name, t in fields.get("terms", {}).items()
        }
        return cls(**fields)


def _targets_out(targets: Promised) -> dict[str, dict[str, float | None]]:
    return {priority: {k: v for k, v in attrs.asdict(t).items() if v is not None} for priority, t in targets.items()}


def _targets_in(document: Mapping[str, Any]) -> dict[str, Targets]:
    names = tuple(f.name for f in attrs.fields(Targets))
    for fields in document.values():
        for name in fields:
            if name not in names:
                raise UnknownName("target", name, names)
    return {priority: Targets(**fields) for priority, fields in document.items()}


def _calendar_out(calendar: BusinessTime | None) -> Any:
    from crmcore.documents import to_dict

    return None if calendar is None else to_dict(calendar)


def _calendar_in(document: Any) -> Any:
    from crmcore.calendars import BusinessCalendar, CalendarHistory

    if not isinstance(document, Mapping):
        return document
    return (CalendarHistory if "first" in document else BusinessCalendar).from_dict(document)
