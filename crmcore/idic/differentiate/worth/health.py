"""Health of a relationship: individual care, long-term commitment, mutual benefits, interaction."""

from __future__ import annotations

from crmcore.metrics.survey.scorecards import RELATIONSHIP_HEALTH, relationship_health

__all__ = ["RELATIONSHIP_HEALTH", "relationship_health"]
