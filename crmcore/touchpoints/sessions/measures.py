"""Engaged, bounce and time on site of sessions, each by the rule that the sessions carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics import Estimate, mean, proportion, proportion_of
from crmcore.metrics.behaviour import web
from crmcore.touchpoints.sessions.columns import has_kind

if TYPE_CHECKING:
    from crmcore.touchpoints.sessions.result import Sessions
    from crmcore.touchpoints.sessions.rule import LastPage

__all__ = [
    "bounce_rate",
    "bounced_sessions",
    "count_of",
    "engaged_sessions",
    "engagement_rate",
    "heartbeat_seconds",
    "rates",
    "time_on_site",
]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def kind_mask(sessions: Sessions, kinds: tuple[str, ...]) -> Bools:
    """(n,) events of one of these kinds that are in a session."""
    return has_kind(sessions.events.kind, kinds) & (sessions.of_event >= 0)


def count_of(sessions: Sessions, kinds: tuple[str, ...]) -> Ints:
    """(m,) events of these kinds that count."""
    counting = tuple(k for k in kinds if k not in sessions.rule.keep_alive)
    return np.bincount(sessions.of_event[kind_mask(sessions, counting)], minlength=len(sessions))


def engaged_sessions(sessions: Sessions) -> Bools | None:
    """(m,) sessions that are engaged by the rule; None where it knows none."""
    rule = sessions.rule.engaged
    if rule is None:
        return None
    found = np.zeros(len(sessions), np.bool_)
    if rule.seconds is not None:
        limit, lasted = round(rule.seconds * 1e6), sessions.codes.duration_us
        found |= lasted > limit if rule.boundary == ">" else lasted >= limit
    if rule.views is not None:
        found |= sessions.views >= rule.views
    if rule.key_event:
        found |= sessions.key_events > 0
    if rule.pings is not None:
        found |= _pings(sessions)[0] >= rule.pings
    return found


def bounced_sessions(sessions: Sessions) -> Bools:
    """(m,) sessions that are bounces by the rule."""
    rule = sessions.rule.bounce
    if rule is None:
        engaged = engaged_sessions(sessions)
        assert engaged is not None  # the rule refuses to know neither
        return ~engaged
    found = np.ones(len(sessions), np.bool_)
    if rule.views is not None:
        found &= sessions.views == rule.views
    if rule.events is not None:
        found &= sessions.event_count <= rule.events
    if rule.shorter_than_s is not None:
        found &= sessions.codes.duration_us < round(rule.shorter_than_s * 1e6)
    return found & _judged(sessions)


def _judged(sessions: Sessions) -> Bools:
    """(m,) sessions that the bounce rate is about."""
    rule = sessions.rule.bounce
    if rule is None or not rule.judged_by:
        return np.ones(len(sessions), np.bool_)
    seen = np.bincount(sessions.of_event[kind_mask(sessions, rule.judged_by)], minlength=len(sessions))
    return seen > 0


def _share(
    sessions: Sessions, held: Bools, among: Bools, *, rule: str, level: float, by_visitor: bool, ok: bool
) -> Estimate:
    if by_visitor and among.any():
        clusters = sessions.visitor[among]
        return proportion_of(held[among], clusters=clusters, level=level, rule=rule, small_sample_ok=ok)
    return proportion(int((held & among).sum()), int(among.sum()), level=level, rule=rule, small_sample_ok=ok)


def bounce_rate(
    sessions: Sessions, *, level: float = 0.95, by_visitor: bool = False, small_sample_ok: bool = False
) -> Estimate:
    """Bounces over sessions; see `Sessions.bounce_rate`."""
    told = f"bounces ({sessions.rule.bounce_words}) / sessions ({sessions.rule.name})"
    return _share(
        sessions, sessions.bounce, _judged(sessions), rule=told, level=level, by_visitor=by_visitor, ok=small_sample_ok
    )


def engagement_rate(
    sessions: Sessions, *, level: float = 0.95, by_visitor: bool = False, small_sample_ok: bool = False
) -> Estimate:
    """Engaged sessions over sessions; see `Sessions.engagement_rate`."""
    engaged = sessions.engaged
    if engaged is None:
        hint = "cut with another rule, or judge with one: sessions.judged_by('ga4').engagement_rate()"
        raise OutOfRange("rule.engaged", None, f"an EngagedRule, which {sessions.rule.name!r} has not", hint)
    told = f"engaged ({sessions.rule.engaged}) / sessions ({sessions.rule.name})"
    everyone = np.ones(len(sessions), np.bool_)
    return _share(sessions, engaged, everyone, rule=told, level=level, by_visitor=by_visitor, ok=small_sample_ok)


def time_on_site(
    sessions: Sessions,
    *,
    last_page: LastPage | None = None,
    horizon_s: float | None = None,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Estimate:
    """Mean seconds of a session; see `Sessions.time_on_site`."""
    how = sessions.rule.last_page if last_page is None else last_page
    name = sessions.rule.name
    if how == "censored":
        return _by_page(sessions, horizon_s, level=level, ok=small_sample_ok)
    if horizon_s is not None:
        raise OutOfRange("horizon_s", horizon_s, "given with 'censored' only", "say last_page='censored', or leave it")
    if how == "heartbeat" and sessions.rule.min_visit_s is not None:
        rule = (
            f"seconds / sessions ({name}), heartbeats of {sessions.rule.heartbeat_s:g} s, "
            f"{sessions.rule.min_visit_s:g} s for the first of a view"
        )
        return mean(heartbeat_seconds(sessions), level=level, rule=rule, small_sample_ok=small_sample_ok)
    more = None
    if how == "heartbeat":
        more = (_alive_until(sessions) - sessions.codes.end_us) / 1e6
    return web.time_on_site(
        sessions.duration_s, session_rule=name, last_page=how, last_page_s=more, level=level,
        small_sample_ok=small_sample_ok,
    )  # fmt: skip


def _alive_until(sessions: Sessions) -> Ints:
    """(m,) microseconds of the last event of each session, counted or not."""
    codes = sessions.codes
    time_us = sessions.events.time.view(np.int64)
    if not len(codes):
        return codes.end_us
    return time_us[codes.order[codes.stop - 1]]


def _sorted_rows(sessions: Sessions) -> tuple[Ints, Ints]:
    """Rows in sessions by session and time, and the session of each."""
    codes = sessions.codes
    sizes = codes.stop - codes.first
    session = np.repeat(np.arange(len(codes)), sizes)
    shift = np.repeat(codes.first - np.cumsum(sizes) + sizes, sizes)
    return codes.order[shift + np.arange(len(shift))], session


def _pings(sessions: Sessions) -> tuple[Ints, Ints]:
    """(m,) distinct buckets of heartbeats, and (m,) views that have one: the last view before each."""
    m = len(sessions)
    rows, session = _sorted_rows(sessions)
    ping = kind_mask(sessions, sessions.rule.ping_kinds)[rows]
    if not ping.any():
        return np.zeros(m, np.int64), np.zeros(m, np.int64)
    bucket = sessions.events.time.view(np.int64)[rows[ping]] // round(sessions.rule.heartbeat_s * 1e6)
    where = session[ping]
    fresh = np.ones(len(bucket), np.bool_)  # times do not fall within a session, so equal buckets are neighbours
    fresh[1:] = (bucket[1:] != bucket[:-1]) | (where[1:] != where[:-1])
    view = np.cumsum(kind_mask(sessions, sessions.rule.view_kinds)[rows])[ping]
    told = np.ones(len(view), np.bool_)
    told[1:] = (view[1:] != view[:-1]) | (where[1:] != where[:-1])
    return np.bincount(where[fresh], minlength=m), np.bincount(where[told], minlength=m)


def heartbeat_seconds(sessions: Sessions) -> Floats:
    """(m,) seconds by heartbeats.

    Length of a bucket x (distinct buckets - pinged views) + first seconds x pinged views.
    Two views that share a bucket can give less than nothing: then 0.
    """
    buckets, views = _pings(sessions)
    first_s = sessions.rule.min_visit_s or 0.0
    return np.maximum(sessions.rule.heartbeat_s * (buckets - views) + first_s * views, 0.0)


def _by_page(sessions: Sessions, horizon_s: float | None, *, level: float, ok: bool) -> Estimate:
    """Pages per session times mean dwell of a page, the last page censored."""
    rows, session = _sorted_rows(sessions)
    view = kind_mask(sessions, sessions.rule.view_kinds)[rows]
    where = session[view]
    if not len(where):
        raise EmptyInput("the views of these sessions", f"a view is one of the kinds {list(sessions.rule.view_kinds)}")
    at = sessions.events.time.view(np.int64)[rows[view]]
    last = np.ones(len(at), np.bool_)
    last[:-1] = where[1:] != where[:-1]
    until = np.append(at[1:], 0)
    until[last] = _alive_until(sessions)[where[last]]
    dwell_s = (until - at) / 1e6
    longest = float(dwell_s.max())
    if longest <= 0:
        raise EmptyInput("the dwell of these pages", "no page was followed by another event: nothing tells how long")
    horizon = min(sessions.rule.timeout_s or longest, longest) if horizon_s is None else horizon_s
    return web.time_on_site_by_page(
        where, dwell_s, last, session_rule=sessions.rule.name, horizon_s=horizon, level=level, small_sample_ok=ok
    )


def rates(sessions: Sessions, *, level: float = 0.95) -> dict[str, Estimate]:
    """What can be said of these sessions, by name; nothing where there are none."""
    if not len(sessions):
        return {}
    found = {"bounce rate": bounce_rate(sessions, level=level, small_sample_ok=True)}
    if sessions.engaged is not None:
        found["engagement rate"] = engagement_rate(sessions, level=level, small_sample_ok=True)
    how: LastPage = "zero" if sessions.rule.last_page == "censored" else sessions.rule.last_page
    found["time on site (s)"] = time_on_site(sessions, last_page=how, level=level, small_sample_ok=True)
    views = sessions.views
    told = f"views / sessions ({sessions.rule.name})"
    found["views a session"] = mean(views, level=level, rule=told, small_sample_ok=True)
    return found
