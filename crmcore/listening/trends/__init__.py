"""Trends: which terms burst, whether that is a crisis or praise, the problems of the week, and what a trend moves.

`HourlyCounts` are read from posts, frames or matrices; `TrendDetector` judges each hour by those before it, and a
`TrendWatch` goes on hour by hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.trends.counting import ALL_POSTS, HourlyCounts
    from crmcore.listening.trends.detecting import TrendDetector, TrendWatch
    from crmcore.listening.trends.results import Trend, Trends
    from crmcore.listening.trends.simulating import Noise, SimulatedTrends, simulated_trends

__all__ = [
    "ALL_POSTS",
    "HourlyCounts",
    "Noise",
    "SimulatedTrends",
    "Trend",
    "TrendDetector",
    "TrendWatch",
    "Trends",
    "simulated_trends",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ALL_POSTS": ".counting",
        "HourlyCounts": ".counting",
        "Noise": ".simulating",
        "SimulatedTrends": ".simulating",
        "Trend": ".results",
        "TrendDetector": ".detecting",
        "TrendWatch": ".detecting",
        "Trends": ".results",
        "simulated_trends": ".simulating",
    },
)
