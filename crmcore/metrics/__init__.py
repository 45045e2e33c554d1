"""Estimates with their uncertainty: value, interval, n, rule and method.

Short forms answer one question with one `Estimate`; kernels (`wilson_interval` and its kin) take whole columns; counts
(`Counts`, `Confusion`) add up over shards, stores and days before anything is estimated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.metrics.estimates import Estimate
    from crmcore.metrics.intervals import (
        agresti_coull_interval,
        clopper_pearson_interval,
        jeffreys_interval,
        wald_interval,
        wilson_cc_interval,
        wilson_interval,
    )
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
    from crmcore.metrics.proportions import Comparison, Counts, compare, proportion
    from crmcore.metrics.shares import ShareTable, share_table

__all__ = [
    "Comparison",
    "Confusion",
    "Counts",
    "Estimate",
    "ShareTable",
    "Stratum",
    "agresti_coull_interval",
    "clopper_pearson_interval",
    "compare",
    "fbeta",
    "jeffreys_interval",
    "precision",
    "proportion",
    "recall",
    "share_table",
    "stratified_recall",
    "stratified_share",
    "stratified_total",
    "wald_interval",
    "wilson_cc_interval",
    "wilson_interval",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Comparison": ".proportions",
        "Confusion": ".labelled",
        "Counts": ".proportions",
        "Estimate": ".estimates",
        "ShareTable": ".shares",
        "Stratum": ".labelled",
        "agresti_coull_interval": ".intervals",
        "clopper_pearson_interval": ".intervals",
        "compare": ".proportions",
        "fbeta": ".labelled",
        "jeffreys_interval": ".intervals",
        "precision": ".labelled",
        "proportion": ".proportions",
        "recall": ".labelled",
        "share_table": ".shares",
        "stratified_recall": ".labelled",
        "stratified_share": ".labelled",
        "stratified_total": ".labelled",
        "wald_interval": ".intervals",
        "wilson_cc_interval": ".intervals",
        "wilson_interval": ".intervals",
    },
)
