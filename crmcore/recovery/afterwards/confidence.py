"""Whether a customer's confidence is to be maintained, regained or rebuilt: rules over what happened."""

from __future__ import annotations

import enum

from crmcore.metrics.scalars import above
from crmcore.rules import Rule, RuleSet, all_of, any_of, count, days_since

__all__ = ["Confidence", "confidence_rules"]


class Confidence(enum.StrEnum):
    """What is to be done about a customer's confidence."""

    MAINTAIN = "maintain"  # it stands: nothing failed, or it was put right and the customer says so
    REGAIN = "regain"  # it is shaken: something is not put right, or more blame than praise since
    REBUILD = "rebuild"  # it is lost: the customer left, or fell silent after a failure


def confidence_rules(*, recent_days: float = 90, silent_days: float = 180) -> RuleSet:
    """Rules over events of the kinds purchase, failure, recovered, positive, negative and left.

    Parameters
    ----------
    recent_days : days
        In which blame and praise are counted.
    silent_days : days
        Without a purchase, after something failed, as good as left.

    Returns
    -------
    RuleSet
        `decide(Facts(events=[...]), now=now).outcome` is a word of `Confidence`; a table gives all at once. The first
        rule that holds counts: rebuild, regain, maintain. Who left and bought again since is back.

    Examples
    --------
    >>> from datetime import UTC, datetime, timedelta
    >>> from crmcore.rules import Event, Facts
    >>> now = datetime(2026, 6, 1, tzinfo=UTC)
    >>> def ago(kind, days): return Event(kind=kind, time=now - timedelta(days=days))
    >>> calm, shaken = [ago("purchase", 5), ago("failure", 40), ago("recovered", 38), ago("positive", 37)], []
    >>> shaken = [ago("purchase", 5), ago("failure", 3), ago("negative", 3)]
    >>> gone = [ago("purchase", 50), ago("failure", 40), ago("left", 30)]
    >>> [confidence_rules().decide(Facts(events=e), now=now).outcome for e in (calm, shaken, gone)]
    ['maintain', 'regain', 'rebuild']
    """
    above("recent_days", recent_days, hint="such as 90")
    above("silent_days", silent_days, hint="such as 180")
    gone = all_of(count("left") >= 1, any_of(count("purchase") < 1, days_since("left") <= days_since("purchase")))
    silent = all_of(count("failure") >= 1, count("purchase") >= 1, days_since("purchase") > silent_days)
    blame, praise = count("negative", within_days=recent_days), count("positive", within_days=recent_days)
    shaken = any_of(count("failure") > count("recovered"), blame > praise)
    return RuleSet(
        "customer confidence",
        [
            Rule("left, or silent since a failure", any_of(gone, silent), then=Confidence.REBUILD.value),
            Rule("failure not put right, or more blame than praise", shaken, then=Confidence.REGAIN.value),
        ],
        default=Confidence.MAINTAIN.value,
    )
