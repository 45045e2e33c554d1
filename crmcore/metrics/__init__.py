"""Estimates with their uncertainty: value, interval, n, rule and method.

Short forms answer one question with one `Estimate`; counts (`Counts`, `Moments`, `Exposure`, `Confusion`) add up over
shards, stores and days before anything is estimated, and `compare` takes two of a kind. Depth is one module further in:
`power` (sample sizes), `design` (weights, clusters), `sequential` (looking every day), `ranks`, `paired`, `labelled`,
and the kernels over whole columns in `intervals`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.metrics import design, intervals, labelled, paired, power, ranks, sequential
    from crmcore.metrics.comparing import Comparison, compare, compare_many
    from crmcore.metrics.design import proportion_of
    from crmcore.metrics.estimates import Estimate
    from crmcore.metrics.intervals import wilson_interval
    from crmcore.metrics.labelled import Confusion, fbeta, precision, recall
    from crmcore.metrics.means import Moments, mean, paired_difference, ratio
    from crmcore.metrics.multiplicity import adjust
    from crmcore.metrics.proportions import Counts, proportion
    from crmcore.metrics.quantiles import difference_in_medians, median, quantile
    from crmcore.metrics.rates import Exposure, rate
    from crmcore.metrics.ratios import Totals
    from crmcore.metrics.shares import ShareTable, share_table

__all__ = [
    "Comparison",
    "Confusion",
    "Counts",
    "Estimate",
    "Exposure",
    "Moments",
    "ShareTable",
    "Totals",
    "adjust",
    "compare",
    "compare_many",
    "design",
    "difference_in_medians",
    "fbeta",
    "intervals",
    "labelled",
    "mean",
    "median",
    "paired",
    "paired_difference",
    "power",
    "precision",
    "proportion",
    "proportion_of",
    "quantile",
    "ranks",
    "rate",
    "ratio",
    "recall",
    "sequential",
    "share_table",
    "wilson_interval",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Comparison": ".comparing",
        "Confusion": ".labelled",
        "Counts": ".proportions",
        "Estimate": ".estimates",
        "Exposure": ".rates",
        "Moments": ".means",
        "ShareTable": ".shares",
        "Totals": ".ratios",
        "adjust": ".multiplicity",
        "compare": ".comparing",
        "compare_many": ".comparing",
        "design": ".design",
        "difference_in_medians": ".quantiles",
        "fbeta": ".labelled",
        "intervals": ".intervals",
        "labelled": ".labelled",
        "mean": ".means",
        "median": ".quantiles",
        "paired": ".paired",
        "paired_difference": ".means",
        "power": ".power",
        "precision": ".labelled",
        "proportion": ".proportions",
        "proportion_of": ".design",
        "quantile": ".quantiles",
        "ranks": ".ranks",
        "rate": ".rates",
        "ratio": ".means",
        "recall": ".labelled",
        "sequential": ".sequential",
        "share_table": ".shares",
        "wilson_interval": ".intervals",
    },
)
