"""The five criteria of a good touchpoint, as a scorecard."""

from __future__ import annotations

from collections.abc import Mapping

from crmcore.errors import UnknownName
from crmcore.metrics.survey.indices import IndexItem
from crmcore.metrics.survey.scorecards import Scorecard, SubScore

__all__ = ["CRITERIA", "touchpoint_scorecard"]

CRITERIA = ("simple", "appropriate", "connected to needs", "valuable", "attractive")
"""Simple to use, appropriate for the context, connected to what the customer needs, valuable to them, attractive."""


def touchpoint_scorecard(
    *, scale: tuple[float, float] = (1, 5), weights: Mapping[str, float] | None = None, at_least: float = 0.5
) -> Scorecard:
    """Scorecard of a touchpoint by five criteria, each answered on one scale.

    Parameters
    ----------
    scale : (lowest, highest)
        Of the answers.
    weights : mapping, optional
        Weight of each criterion; those that are not named weigh 1.
    at_least : share
        Of the criteria, by weight, that an overall score needs; a criterion without an answer is missing, never 0.

    Returns
    -------
    Scorecard
        `score({...})` for one touchpoint, `scores(columns)` for many raters or touchpoints; the result names the
        weakest criterion and draws a radar.

    Raises
    ------
    UnknownName
        A weight for something else.

    Examples
    --------
    >>> answers = {"simple": 5, "appropriate": 4, "connected to needs": 4, "valuable": 2}
    >>> print(touchpoint_scorecard().score(answers))
    touchpoint 0.688, weakest: valuable
    simple              1
    appropriate         0.75
    connected to needs  0.75
    valuable            0.25
    attractive          missing
    missing: attractive: attractive
    """
    given = dict(weights or {})
    for name in given:
        if name not in CRITERIA:
            raise UnknownName("criterion", name, CRITERIA)
    parts = tuple(SubScore(name, (IndexItem(name, scale),), weight=given.get(name, 1.0)) for name in CRITERIA)
    return Scorecard(name="touchpoint", parts=parts, at_least=at_least)
