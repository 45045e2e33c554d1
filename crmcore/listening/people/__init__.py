"""People who talk: conversations and their cascades, experts, best practices, influence, and reach at risk.

`conversations` reads who answers whom; the others start from it. Names of people stand in frames only, never in a repr,
a text or a chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.people.expertise import Expertise, ExpertiseProfile, expertise_profile
    from crmcore.listening.people.experts import Expert, ExpertRanking, rank_experts
    from crmcore.listening.people.influence import Influence, rank_influence
    from crmcore.listening.people.practices import BestPractice, BestPractices, best_practices
    from crmcore.listening.people.reach import ReachAtRisk, reach_at_risk
    from crmcore.listening.people.talking import Cascade, Cascades, Conversations, conversations

__all__ = [
    "BestPractice",
    "BestPractices",
    "Cascade",
    "Cascades",
    "Conversations",
    "Expert",
    "ExpertRanking",
    "Expertise",
    "ExpertiseProfile",
    "Influence",
    "ReachAtRisk",
    "best_practices",
    "conversations",
    "expertise_profile",
    "rank_experts",
    "rank_influence",
    "reach_at_risk",
]

__getattr__ = lazy_names(
    __name__,
    {
        "BestPractice": ".practices",
        "BestPractices": ".practices",
        "Cascade": ".talking",
        "Cascades": ".talking",
        "Conversations": ".talking",
        "Expert": ".experts",
        "ExpertRanking": ".experts",
        "Expertise": ".expertise",
        "ExpertiseProfile": ".expertise",
        "Influence": ".influence",
        "ReachAtRisk": ".reach",
        "best_practices": ".practices",
        "conversations": ".talking",
        "expertise_profile": ".expertise",
        "rank_experts": ".experts",
        "rank_influence": ".influence",
        "reach_at_risk": ".reach",
    },
)
