"""Records to entities: block, compare, weigh, cluster, explain; the same model in batch and one record at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.linkage.agglomerate import Cuts
    from crmcore.linkage.blocking import BlockingKey
    from crmcore.linkage.care import Care
    from crmcore.linkage.clustering import Clustering
    from crmcore.linkage.constraints import Constraints
    from crmcore.linkage.explaining import explain
    from crmcore.linkage.explanation import Explanation
    from crmcore.linkage.fields import Kind
    from crmcore.linkage.labels import Calibration, propose, recalibrate
    from crmcore.linkage.linking import Linkage, link, plan_blocking
    from crmcore.linkage.model import LinkageModel
    from crmcore.linkage.quality import LinkageQuality, evaluate
    from crmcore.linkage.questions import Questions, choose_questions
    from crmcore.linkage.records import Column, Records
    from crmcore.linkage.review import evaluate_pairs, review_sample, threshold_curve
    from crmcore.linkage.unlinkable import Unlinkables, unlinkables

__all__ = [
    "BlockingKey",
    "Calibration",
    "Care",
    "Clustering",
    "Column",
    "Constraints",
    "Cuts",
    "Explanation",
    "Kind",
    "Linkage",
    "LinkageModel",
    "LinkageQuality",
    "Questions",
    "Records",
    "Unlinkables",
    "choose_questions",
    "evaluate",
    "evaluate_pairs",
    "explain",
    "link",
    "plan_blocking",
    "propose",
    "recalibrate",
    "review_sample",
    "threshold_curve",
    "unlinkables",
]

__getattr__ = lazy_names(
    __name__,
    {
        "BlockingKey": ".blocking",
        "Calibration": ".labels",
        "Care": ".care",
        "Clustering": ".clustering",
        "Column": ".records",
        "Constraints": ".constraints",
        "Cuts": ".agglomerate",
        "Explanation": ".explanation",
        "Kind": ".fields",
        "Linkage": ".linking",
        "LinkageModel": ".model",
        "LinkageQuality": ".quality",
        "Questions": ".questions",
        "Records": ".records",
        "Unlinkables": ".unlinkable",
        "choose_questions": ".questions",
        "evaluate": ".quality",
        "evaluate_pairs": ".review",
        "explain": ".explaining",
        "link": ".linking",
        "plan_blocking": ".linking",
        "propose": ".labels",
        "recalibrate": ".labels",
        "review_sample": ".review",
        "threshold_curve": ".review",
        "unlinkables": ".unlinkable",
    },
)
