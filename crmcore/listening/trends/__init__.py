"""Trends: which terms burst, whether that is a crisis or praise, the problems of the week, and what a trend moves.

`HourlyCounts` are read from posts, frames or matrices; `TrendDetector` judges each hour by those before it, and a
`TrendWatch` goes on hour by hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.trends.bursts import Burst, Bursts, find_bursts, merge_trends
    from crmcore.listening.trends.counting import ALL_POSTS, HourlyCounts
    from crmcore.listening.trends.detecting import TrendDetector, TrendWatch
    from crmcore.listening.trends.linking import AspectLink, AspectLinks, link_aspects
    from crmcore.listening.trends.moods import Mood, Moods, Verdict, judge_bursts
    from crmcore.listening.trends.phrases import PhraseSpread, phrase_spread
    from crmcore.listening.trends.problems import Change, Problem, WeeklyProblems, weekly_problems
    from crmcore.listening.trends.results import Trend, Trends
    from crmcore.listening.trends.simulating import Noise, SimulatedTrends, simulated_trends

__all__ = [
    "ALL_POSTS",
    "AspectLink",
    "AspectLinks",
    "Burst",
    "Bursts",
    "Change",
    "HourlyCounts",
    "Mood",
    "Moods",
    "Noise",
    "PhraseSpread",
    "Problem",
    "SimulatedTrends",
    "Trend",
    "TrendDetector",
    "TrendWatch",
    "Trends",
    "Verdict",
    "WeeklyProblems",
    "find_bursts",
    "judge_bursts",
    "link_aspects",
    "merge_trends",
    "phrase_spread",
    "simulated_trends",
    "weekly_problems",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ALL_POSTS": ".counting",
        "AspectLink": ".linking",
        "AspectLinks": ".linking",
        "Burst": ".bursts",
        "Bursts": ".bursts",
        "Change": ".problems",
        "HourlyCounts": ".counting",
        "Mood": ".moods",
        "Moods": ".moods",
        "Noise": ".simulating",
        "PhraseSpread": ".phrases",
        "Problem": ".problems",
        "SimulatedTrends": ".simulating",
        "Trend": ".results",
        "TrendDetector": ".detecting",
        "TrendWatch": ".detecting",
        "Trends": ".results",
        "Verdict": ".moods",
        "WeeklyProblems": ".problems",
        "find_bursts": ".bursts",
        "judge_bursts": ".moods",
        "link_aspects": ".linking",
        "merge_trends": ".bursts",
        "phrase_spread": ".phrases",
        "simulated_trends": ".simulating",
        "weekly_problems": ".problems",
    },
)
