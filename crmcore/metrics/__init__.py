"""Estimates with their uncertainty: value, interval, n, rule and method.

Short forms answer one question with one `Estimate`; counts (`Counts`, `Moments`, `Exposure`, `Totals`) add up over
shards, stores and days before anything is estimated, and `compare` takes two of a kind. Depth is one package further
in: `survey` (scores, scales, weights, silence), `durations` (survival, promises kept in time, cohorts), `behaviour`
(web, social, business, roll-ups). Beside them `power` (sample sizes), `sequential` (looking every day), `labelled`
(precision and recall), and the modules `consumption` (rates and dates of running out), `design` (weights, clusters),
`ranks`, `paired`, `skewed` and `intervals`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.metrics import behaviour, durations, power, sequential, survey
    from crmcore.metrics.behaviour.web import conversion
    from crmcore.metrics.comparing import Comparison, compare, compare_many
    from crmcore.metrics.design import proportion_of
    from crmcore.metrics.estimates import Estimate
    from crmcore.metrics.means import Moments, mean, paired_difference, ratio
    from crmcore.metrics.multiplicity import adjust
    from crmcore.metrics.proportions import Counts, proportion
    from crmcore.metrics.quantiles import difference_in_medians, median, quantile
    from crmcore.metrics.rates import Exposure, rate
    from crmcore.metrics.ratios import Totals
    from crmcore.metrics.shares import ShareTable, share_table
    from crmcore.metrics.survey.nps_counts import NpsCounts
    from crmcore.metrics.survey.nps_score import nps
    from crmcore.metrics.survey.satisfaction import ces, csat

__all__ = [
    "Comparison",
    "Counts",
    "Estimate",
    "Exposure",
    "Moments",
    "NpsCounts",
    "ShareTable",
    "Totals",
    "adjust",
    "behaviour",
    "ces",
    "compare",
    "compare_many",
    "conversion",
    "csat",
    "difference_in_medians",
    "durations",
    "mean",
    "median",
    "nps",
    "paired_difference",
    "power",
    "proportion",
    "proportion_of",
    "quantile",
    "rate",
    "ratio",
    "sequential",
    "share_table",
    "survey",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Comparison": ".comparing",
        "Counts": ".proportions",
        "Estimate": ".estimates",
        "Exposure": ".rates",
        "Moments": ".means",
        "NpsCounts": ".survey.nps_counts",
        "ShareTable": ".shares",
        "Totals": ".ratios",
        "adjust": ".multiplicity",
        "behaviour": ".behaviour",
        "ces": ".survey.satisfaction",
        "compare": ".comparing",
        "compare_many": ".comparing",
        "conversion": ".behaviour.web",
        "csat": ".survey.satisfaction",
        "difference_in_medians": ".quantiles",
        "durations": ".durations",
        "mean": ".means",
        "median": ".quantiles",
        "nps": ".survey.nps_score",
        "paired_difference": ".means",
        "power": ".power",
        "proportion": ".proportions",
        "proportion_of": ".design",
        "quantile": ".quantiles",
        "rate": ".rates",
        "ratio": ".means",
        "sequential": ".sequential",
        "share_table": ".shares",
        "survey": ".survey",
    },
)
