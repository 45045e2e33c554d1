"""Session rules as data: what cuts, what counts, what is engaged, what is a bounce, how long the last page lasted."""

from __future__ import annotations

from typing import Any, Literal
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import listed, one_of
from crmcore.documents import Document
from crmcore.errors import OutOfRange, WrongType
from crmcore.metrics.behaviour.web import LAST_PAGES
from crmcore.zones import zone_of

__all__ = ["BounceRule", "EngagedRule", "SessionRule"]

Boundary = Literal[">", ">="]
LastPage = Literal["zero", "heartbeat", "censored"]

_LAST_PAGES: Any = one_of(LAST_PAGES, what="last page")
_BOUNDARIES: Any = one_of((">", ">="), what="boundary")


def _seconds(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Seconds above 0, as a number; None where the rule does without."""
    if value is None:
        return
    inside = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e10
    if not inside:
        raise OutOfRange(attribute.name, value, "seconds above 0, or None", "write 30 minutes as 1800")


def _count(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A whole number from 1, or None."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise OutOfRange(attribute.name, value, "a whole number from 1, or None", "None leaves the condition out")


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _word(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise WrongType(attribute.name, f"a {type(value).__name__}", "text that is not blank", "such as 'campaign'")


def _truth(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, bool):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "True or False", "write it without quotes")


def _zone(value: str | ZoneInfo) -> str:
    return zone_of(value).key


def _kinds(value: object) -> tuple[str, ...]:
    return listed(value, "kinds of events", str, what="texts", hint="write ['page_view']")


@attrs.frozen(kw_only=True)
class EngagedRule:
    """A session is engaged when any of these holds.

    Parameters
    ----------
    views : count, optional
        At least so many views.
    seconds : seconds, optional
        A session that long, by the boundary.
    boundary : ">" or ">="
        Whether exactly `seconds` is enough.
    key_event : truth
        A key event (order, sign-up) is enough.
    pings : count, optional
        At least so many distinct buckets of heartbeats.

    Examples
    --------
    >>> print(EngagedRule())
    longer than 10 s, or 2 views, or a key event
    """

    views: int | None = attrs.field(default=2, validator=_count)
    seconds: float | None = attrs.field(default=10.0, converter=_float, validator=_seconds)
    boundary: Boundary = attrs.field(default=">", validator=_BOUNDARIES)
    key_event: bool = attrs.field(default=True, validator=_truth)
    pings: int | None = attrs.field(default=None, validator=_count)

    def __attrs_post_init__(self) -> None:
        if self.views is None and self.seconds is None and self.pings is None and not self.key_event:
            raise OutOfRange("EngagedRule", "no condition", "at least one condition", "or leave engaged=None")

    def __str__(self) -> str:
        parts: list[str] = []
        if self.seconds is not None:
            parts.append(f"{'longer than' if self.boundary == '>' else 'at least'} {self.seconds:g} s")
        if self.views is not None:
            parts.append(f"{self.views} views")
        if self.key_event:
            parts.append("a key event")
        if self.pings is not None:
            parts.append(f"{self.pings} heartbeats")
        return ", or ".join(parts)


@attrs.frozen(kw_only=True)
class BounceRule:
    """A session is a bounce when all of these hold.

    Parameters
    ----------
    views : count, optional
        Exactly so many views.
    events : count, optional
        At most so many events of any kind that counts.
    shorter_than_s : seconds, optional
        Shorter than this.
    judged_by : kinds of events
        Sessions without an event of these kinds are left out of the rate; empty leaves none out.

    Examples
    --------
    >>> print(BounceRule())
    1 view, no other event
    """

    views: int | None = attrs.field(default=1, validator=_count)
    events: int | None = attrs.field(default=1, validator=_count)
    shorter_than_s: float | None = attrs.field(default=None, converter=_float, validator=_seconds)
    judged_by: tuple[str, ...] = attrs.field(default=(), converter=_kinds)

    def __attrs_post_init__(self) -> None:
        if self.views is None and self.events is None and self.shorter_than_s is None:
            raise OutOfRange("BounceRule", "no condition", "at least one condition", "such as events=1")

    def __str__(self) -> str:
        parts: list[str] = []
        if self.views is not None:
            parts.append(f"{self.views} view" + ("s" if self.views > 1 else ""))
        if self.events is not None and self.events == self.views:
            parts.append("no other event")
        elif self.events is not None:
            parts.append(f"at most {self.events} event" + ("s" if self.events > 1 else ""))
        if self.shorter_than_s is not None:
            parts.append(f"shorter than {self.shorter_than_s:g} s")
        if self.judged_by:
            parts.append(f"of sessions with {' or '.join(self.judged_by)}")
        return ", ".join(parts)


@attrs.frozen(kw_only=True)
class SessionRule(Document):
    """What a session is, completely: two equal rules give equal sessions and equal rates.

    Parameters
    ----------
    name : text
        Every result carries it: numbers under two rules cannot be compared.
    timeout_s : seconds, optional
        Silence that ends a session; None only together with `given_id`.
    boundary : ">" or ">="
        Whether a silence of exactly a timeout ends the session.
    single_event_timeout_s : seconds, optional
        A shorter silence that ends a session of one event.
    max_length_s : seconds, optional
        An event later than the session's start + this opens a new one.
    midnight : truth
        Another local day opens a new session.
    zone : IANA name
        Zone of midnight.
    campaign, referrer : name of an attribute, optional
        A value that differs from the last one known in the session opens a new session, also where none was known; a
        missing value never does. `reference` names the column of the event table. Of referrers give other sites only.
    given_id : name of an attribute, optional
        The tracker numbered the sessions: events of one visitor with one id are one session, whatever the time between
        them, and events without id are in none. Nothing else cuts then.
    keep_alive : kinds of events
        They prolong a session and count for nothing: they open none, and are no event, view, start or end of one.
    view_kinds, key_kinds : kinds of events
        What is a view (page, screen), and what is a key event (conversion).
    ping_kinds : kinds of events
        Heartbeats; usually keep-alive kinds too.
    engaged : EngagedRule, optional
        None: the tool knows no engaged sessions.
    bounce : BounceRule, optional
        None: a session that is not engaged.
    last_page : "zero", "heartbeat" or "censored"
        What the last page adds to the time on site: nothing; what heartbeats show; what Kaplan-Meier over the dwell of
        all pages says.
    heartbeat_s : seconds
        Length of a bucket of heartbeats.
    min_visit_s : seconds, optional
        With heartbeats: seconds of the first bucket of a view; None measures to the last heartbeat instead.
    reading, source, not_modelled : text
        Our reading of the tool, where it is documented, and what happens in the browser and is not modelled.

    Examples
    --------
    >>> rule = SessionRule(name="half an hour")
    >>> print(rule)
    half an hour: silence > 1800 s; bounce: 1 view, no other event
    >>> SessionRule.from_dict(rule.to_dict()) == rule
    True
    """

    name: str = attrs.field(validator=_word)
    timeout_s: float | None = attrs.field(default=1800.0, converter=_float, validator=_seconds)
    boundary: Boundary = attrs.field(default=">", validator=_BOUNDARIES)
    single_event_timeout_s: float | None = attrs.field(default=None, converter=_float, validator=_seconds)
    max_length_s: float | None = attrs.field(default=None, converter=_float, validator=_seconds)
    midnight: bool = attrs.field(default=False, validator=_truth)
    zone: str = attrs.field(default="UTC", converter=_zone)
    campaign: str | None = attrs.field(default=None, validator=attrs.validators.optional(_word))
    referrer: str | None = attrs.field(default=None, validator=attrs.validators.optional(_word))
    given_id: str | None = attrs.field(default=None, validator=attrs.validators.optional(_word))
    keep_alive: tuple[str, ...] = attrs.field(default=(), converter=_kinds)
    view_kinds: tuple[str, ...] = attrs.field(
        default=("view", "page_view", "pageview", "screen_view"), converter=_kinds
    )
    key_kinds: tuple[str, ...] = attrs.field(default=("key", "key_event", "conversion", "purchase"), converter=_kinds)
    ping_kinds: tuple[str, ...] = attrs.field(default=("page_ping", "heartbeat"), converter=_kinds)
    engaged: EngagedRule | None = None
    bounce: BounceRule | None = attrs.field(factory=BounceRule)
    last_page: LastPage = attrs.field(default="zero", validator=_LAST_PAGES)
    heartbeat_s: float = attrs.field(default=10.0, converter=_float, validator=_seconds)
    min_visit_s: float | None = attrs.field(default=None, converter=_float, validator=_seconds)
    reading: str = ""
    source: str = ""
    not_modelled: str = ""

    def __attrs_post_init__(self) -> None:
        if self.timeout_s is None and self.given_id is None:
            raise OutOfRange("timeout_s", None, "seconds, or a given_id", "sessions need something that ends them")
        if self.bounce is None and self.engaged is None:
            raise OutOfRange("bounce", None, "a BounceRule where engaged is None", "None means: not engaged")
        if self.heartbeat_s is None:
            raise OutOfRange("heartbeat_s", None, "seconds above 0", "such as 10")
        if self.given_id is not None:
            self._only_given()
        short, long = self.single_event_timeout_s, self.timeout_s
        if short is not None and long is not None and short >= long:
            raise OutOfRange("single_event_timeout_s", short, f"less than timeout_s = {long:g}", "or leave it None")

    def _only_given(self) -> None:
        others = {
            "single_event_timeout_s": self.single_event_timeout_s, "max_length_s": self.max_length_s,
            "midnight": self.midnight or None, "campaign": self.campaign, "referrer": self.referrer,
            "timeout_s": self.timeout_s,
        }  # fmt: skip
        odd = [name for name, value in others.items() if value is not None]
        if odd:
            hint = f"set {', '.join(odd)} to None: nothing else cuts where ids are given"
            raise OutOfRange("given_id", self.given_id, f"alone, not beside {odd[0]}", hint)

    def __str__(self) -> str:
        bounce = f"bounce: {self.bounce or 'not engaged'}"
        engaged = f"; engaged: {self.engaged}" if self.engaged is not None else ""
        return f"{self.name}: {self.cuts}{engaged}; {bounce}"

    @property
    def cuts(self) -> str:
        """What cuts, as text."""
        if self.given_id is not None:
            return f"given by {self.given_id}"
        parts = [f"silence {self.boundary} {self.timeout_s:g} s"]
        if self.single_event_timeout_s is not None:
            parts.append(f"{self.boundary} {self.single_event_timeout_s:g} s after a single event")
        if self.midnight:
            parts.append(f"midnight in {self.zone}")
        if self.max_length_s is not None:
            parts.append(f"length > {self.max_length_s:g} s")
        parts += [f"new {name}" for name in (self.campaign, self.referrer) if name is not None]
        return ", ".join(parts)

    @property
    def bounce_words(self) -> str:
        """What a bounce is, as text."""
        return str(self.bounce) if self.bounce is not None else f"not engaged: {self.engaged}"

    def _repr_html_(self) -> str:
        from html import escape

        from crmcore._base import html_table

        rows = [{"part": "cuts", "rule": self.cuts}, {"part": "engaged", "rule": str(self.engaged or "not known")}]
        rows += [{"part": "bounce", "rule": self.bounce_words}, {"part": "last page", "rule": self.last_page}]
        told = [t for t in (self.reading, f"Not modelled: {self.not_modelled}" if self.not_modelled else "") if t]
        notes = "".join(f"<p>{escape(t)}</p>" for t in told)
        return html_table(rows, caption=f"session rule {self.name}") + notes
