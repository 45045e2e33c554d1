"""Queries: which posts speak about us, said in words, with the reason for each match.

`match` puts many queries to posts in one pass, `explain` says which clause held where, `check_query` tries a query on
texts it must know, `propose_terms` finds what customers call it, `alert` finds tags and words that stand together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.queries.alerts import Alert, alert
    from crmcore.listening.queries.expanding import Proposal, propose_terms
    from crmcore.listening.queries.explaining import (
        Clause,
        Explanation,
        QueryTest,
        check_query,
        clause_precision,
        explain,
    )
    from crmcore.listening.queries.matching import Matcher, Matches, Query, match
    from crmcore.listening.queries.parsing import BadQuery

__all__ = [
    "Alert",
    "BadQuery",
    "Clause",
    "Explanation",
    "Matcher",
    "Matches",
    "Proposal",
    "Query",
    "QueryTest",
    "alert",
    "check_query",
    "clause_precision",
    "explain",
    "match",
    "propose_terms",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Alert": ".alerts",
        "BadQuery": ".parsing",
        "Clause": ".explaining",
        "Explanation": ".explaining",
        "Matcher": ".matching",
        "Matches": ".matching",
        "Proposal": ".expanding",
        "Query": ".matching",
        "QueryTest": ".explaining",
        "alert": ".alerts",
        "check_query": ".explaining",
        "clause_precision": ".explaining",
        "explain": ".explaining",
        "match": ".matching",
        "propose_terms": ".expanding",
    },
)
