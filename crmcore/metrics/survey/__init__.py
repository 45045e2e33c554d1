"""What people answer: scores and scales, several answers a question, weights, and those who stay silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.metrics.survey.answers import rescale
    from crmcore.metrics.survey.audience import audience_index, audience_indices
    from crmcore.metrics.survey.indices import IndexItem, SurveyIndex
    from crmcore.metrics.survey.multiple_choice import MultiCounts, multi_answer
    from crmcore.metrics.survey.nonresponse import response_bias
    from crmcore.metrics.survey.nps_counts import NpsCounts
    from crmcore.metrics.survey.nps_over_time import nps_trend
    from crmcore.metrics.survey.nps_score import nps
    from crmcore.metrics.survey.nps_tables import nps_by
    from crmcore.metrics.survey.raking import rake
    from crmcore.metrics.survey.representing import UnrepresentativeSample, representativeness
    from crmcore.metrics.survey.satisfaction import ces, csat, csat_by
    from crmcore.metrics.survey.scales import cronbach_alpha
    from crmcore.metrics.survey.scorecards import Scorecard, SubScore, relationship_health
    from crmcore.metrics.survey.weighting import post_stratified, post_stratify

__all__ = [
    "IndexItem",
    "MultiCounts",
    "NpsCounts",
    "Scorecard",
    "SubScore",
    "SurveyIndex",
    "UnrepresentativeSample",
    "audience_index",
    "audience_indices",
    "ces",
    "cronbach_alpha",
    "csat",
    "csat_by",
    "multi_answer",
    "nps",
    "nps_by",
    "nps_trend",
    "post_stratified",
    "post_stratify",
    "rake",
    "relationship_health",
    "representativeness",
    "rescale",
    "response_bias",
]

__getattr__ = lazy_names(
    __name__,
    {
        "IndexItem": ".indices",
        "MultiCounts": ".multiple_choice",
        "NpsCounts": ".nps_counts",
        "Scorecard": ".scorecards",
        "SubScore": ".scorecards",
        "SurveyIndex": ".indices",
        "UnrepresentativeSample": ".representing",
        "audience_index": ".audience",
        "audience_indices": ".audience",
        "ces": ".satisfaction",
        "cronbach_alpha": ".scales",
        "csat": ".satisfaction",
        "csat_by": ".satisfaction",
        "multi_answer": ".multiple_choice",
        "nps": ".nps_score",
        "nps_by": ".nps_tables",
        "nps_trend": ".nps_over_time",
        "post_stratified": ".weighting",
        "post_stratify": ".weighting",
        "rake": ".raking",
        "relationship_health": ".scorecards",
        "representativeness": ".representing",
        "rescale": ".answers",
        "response_bias": ".nonresponse",
    },
)
