"""Estimates with their uncertainty: value, interval, n, rule and method.

Short forms answer one question with one `Estimate`; counts (`Counts`, `Moments`, `Confusion`) add up over shards,
stores and days before anything is estimated, and `compare` takes two of a kind. Depth is one module further in
(`metrics.design`, `metrics.intervals`); kernels there take whole columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.metrics import design, intervals
    from crmcore.metrics.comparing import Comparison, compare, compare_many
    from crmcore.metrics.design import proportion_of
    from crmcore.metrics.estimates import Estimate
    from crmcore.metrics.intervals import wilson_interval
    from crmcore.metrics.labelled import (
        Confusion,
        Stratum,
        fbeta,
        precision,
        recall,
        stratified_recall,
        stratified_share,
        stratified_total,
    )
    from crmcore.metrics.means import Moments, mean, paired_difference, ratio
    from crmcore.metrics.multiplicity import adjust
    from crmcore.metrics.proportions import Counts, proportion
    from crmcore.metrics.shares import ShareTable, share_table

__all__ = [
    "Comparison",
    "Confusion",
    "Counts",
    "Estimate",
    "Moments",
    "ShareTable",
    "Stratum",
    "adjust",
    "compare",
    "compare_many",
    "design",
    "fbeta",
    "intervals",
    "mean",
    "paired_difference",
    "precision",
    "proportion",
    "proportion_of",
    "ratio",
    "recall",
    "share_table",
    "stratified_recall",
    "stratified_share",
    "stratified_total",
    "wilson_interval",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Comparison": ".comparing",
        "Confusion": ".labelled",
        "Counts": ".proportions",
        "Estimate": ".estimates",
        "Moments": ".means",
        "ShareTable": ".shares",
        "Stratum": ".labelled",
        "adjust": ".multiplicity",
        "compare": ".comparing",
        "compare_many": ".comparing",
        "design": ".design",
        "fbeta": ".labelled",
        "intervals": ".intervals",
        "mean": ".means",
        "paired_difference": ".means",
        "precision": ".labelled",
        "proportion": ".proportions",
        "proportion_of": ".design",
        "ratio": ".means",
        "recall": ".labelled",
        "share_table": ".shares",
        "stratified_recall": ".labelled",
        "stratified_share": ".labelled",
        "stratified_total": ".labelled",
        "wilson_interval": ".intervals",
    },
)
