"""Named session rules: our reading of what each tool documents, as data; and whatever plug-ins add.

What happens in the browser (cookies, consent, blocked scripts, background tabs) is not modelled: a profile says how a
tool would cut the events that reached it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from crmcore.errors import UnknownName
from crmcore.touchpoints.sessions.rule import BounceRule, EngagedRule, SessionRule

__all__ = ["PROFILES", "session_rule", "session_rules"]

_SINGLE_EVENT = BounceRule(views=None, events=1)
_COOKIES = "cookies, consent and identity in the browser"

_ALL = (
    SessionRule(
        name="plain",
        reading="Half an hour of silence, strictly more; the usual rule of books and of SQL.",
        source="Catledge & Pitkow 1995, doi:10.1016/0169-7552(95)00043-7, found 25.5 minutes",
    ),
    SessionRule(
        name="ga4",
        boundary=">=",
        engaged=EngagedRule(),
        bounce=None,
        reading="Half an hour of inactivity; neither midnight nor a campaign cuts. Engaged: longer than 10 s, a key "
        "event, or two views; a bounce is a session that is not engaged.",
        source="support.google.com/analytics/answer/9191807 and /12195621",
        not_modelled=f"{_COOKIES}; foreground time of tabs; sessions of consent mode that are estimated",
    ),
    SessionRule(
        name="universal_analytics",
        boundary=">=",
        midnight=True,
        campaign="campaign",
        bounce=_SINGLE_EVENT,
        reading="Half an hour of inactivity, midnight of the view's zone, or another campaign. A bounce has a single "
        "interaction; the last page counts 0.",
        source="support.google.com/analytics/answer/2731565 and /1009409 (the product ended in 2023)",
        not_modelled=f"{_COOKIES}; events marked as no interaction (name them in keep_alive)",
    ),
    SessionRule(
        name="matomo",
        midnight=True,
        campaign="campaign",
        bounce=_SINGLE_EVENT,
        last_page="heartbeat",
        keep_alive=("ping", "heartbeat"),
        ping_kinds=("ping", "heartbeat"),
        reading="More than half an hour since the last action, midnight of the site's zone, or another campaign; "
        "another referrer only by option (referrer='referrer'). A bounce has one action. Heartbeats prolong.",
        source="visit_standard_length in Matomo's configuration; matomo-org/matomo #7014, #6217, #9156, #12218",
        not_modelled="fingerprints that stand for a visitor without cookies",
    ),
    SessionRule(
        name="posthog",
        max_length_s=86_400.0,
        engaged=EngagedRule(boundary=">="),
        bounce=BounceRule(shorter_than_s=10.0),
        reading="More than half an hour without any event, or 24 hours in all. A bounce is one view and no other "
        "event, shorter than 10 s.",
        source="PostHog/posthog.com #10106",
        not_modelled=f"{_COOKIES}; the choice of events that its autocapture records",
    ),
    SessionRule(
        name="snowplow",
        timeout_s=None,
        given_id="session_id",
        keep_alive=("page_ping",),
        ping_kinds=("page_ping",),
        engaged=EngagedRule(seconds=None, pings=2),
        bounce=None,
        last_page="heartbeat",
        heartbeat_s=10.0,
        min_visit_s=5.0,
        reading="The tracker numbers the sessions (half an hour by its default). Engaged: two views, a conversion, or "
        "two buckets of page pings; time is heartbeat x (buckets of pings - pinged views) + 5 s x pinged views.",
        source="snowplow/dbt-snowplow-unified, model of sessions",
        not_modelled="how the tracker numbers sessions; pings belong to the last view before them, not to a view's id",
    ),
    SessionRule(
        name="tealium",
        single_event_timeout_s=600.0,
        max_length_s=86_400.0,
        bounce=_SINGLE_EVENT,
        reading="Half an hour of inactivity, ten minutes where there was a single event, 24 hours in all.",
        source="Tealium's documentation of visits (docs.tealium.com)",
        not_modelled=_COOKIES,
    ),
    SessionRule(
        name="heap_web",
        bounce=BounceRule(),
        reading="Half an hour without a page view or interaction.",
        source="Heap's documentation of sessions (help.heap.io)",
        not_modelled=_COOKIES,
    ),
    SessionRule(
        name="heap_mobile",
        timeout_s=300.0,
        bounce=BounceRule(),
        reading="Five minutes in the background on mobile devices.",
        source="Heap's documentation of sessions (help.heap.io)",
        not_modelled="whether the application is in the foreground: silence stands for the background",
    ),
    SessionRule(
        name="plausible",
        bounce=BounceRule(),
        reading="Half an hour of inactivity; a bounce is one view and no other event. We could not check this reading.",
        source="Plausible's documentation of metrics (plausible.io/docs)",
        not_modelled="its visitor id, which changes every day",
    ),
    SessionRule(
        name="medama",
        bounce=BounceRule(events=None, shorter_than_s=5.0, judged_by=("unload",)),
        keep_alive=(),
        reading="A bounce is a view shorter than 5 s; views without an unload event are left out of the rate. The "
        "documents name no timeout: half an hour is ours.",
        source="medama-io/medama, documentation",
        not_modelled="when browsers send the unload event",
    ),
    SessionRule(
        name="yandex",
        bounce=BounceRule(events=None, shorter_than_s=15.0),
        reading="Half an hour of inactivity; a bounce is one view and less than 15 s.",
        source="Yandex Metrica's documentation of bounces (yandex.com/support/metrica)",
        not_modelled=f"{_COOKIES}; the event 'not a bounce' that a page may send",
    ),
)
PROFILES: Mapping[str, SessionRule] = MappingProxyType({rule.name: rule for rule in _ALL})
"""Built-in session rules by name."""


def session_rules() -> tuple[str, ...]:
    """Names that `session_rule` knows: the built-in profiles, then those of installed plug-ins.

    Examples
    --------
    >>> session_rules()[:4]
    ('plain', 'ga4', 'universal_analytics', 'matomo')
    """
    from crmcore.plugins import PluginKind, names

    return tuple(dict.fromkeys((*PROFILES, *names(PluginKind.SESSION_RULE))))


def session_rule(rule: str | SessionRule) -> SessionRule:
    """Session rule behind a name; a rule is returned as it is.

    Parameters
    ----------
    rule : name or SessionRule
        Built-in profile, or a plug-in of the group `crmcore.session_rule`. Change one with `attrs.evolve`.

    Raises
    ------
    UnknownName, BrokenPlugin, WrongType
        Nobody offers the name; it cannot be loaded; it is no `SessionRule`.

    Examples
    --------
    >>> print(session_rule("matomo").cuts)
    silence > 1800 s, midnight in UTC, new campaign
    """
    from crmcore.plugins import PluginKind, names, resolve

    if isinstance(rule, str):
        if rule in PROFILES:
            return PROFILES[rule]
        if rule not in names(PluginKind.SESSION_RULE):
            raise UnknownName("session rule", rule, session_rules())
    found: SessionRule = resolve(PluginKind.SESSION_RULE, rule, contract=SessionRule)
    return found
