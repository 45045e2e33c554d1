"""What is said of each aspect: the food, the service, the price; of one item both good and bad.

`Aspects` name what to look for, `find_aspects` finds it, `clause_sentiment` scores the clause around each find without
any training, `AspectClassifier` learns from labels, `aspect_table` counts by aspect, brand and time with intervals,
`item_verdicts` tells which items are mixed and how many people they reached, and `propose_aspects` reads candidates
off texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.aspects.finding import Aspect, AspectMentions, Aspects, find_aspects, mentions_at
    from crmcore.listening.aspects.items import ItemVerdicts, Verdict, item_verdicts
    from crmcore.listening.aspects.opinions import AspectOpinions, clause_sentiment
    from crmcore.listening.aspects.proposing import Proposal, propose_aspects
    from crmcore.listening.aspects.tables import AspectTable, Period, aspect_table
    from crmcore.listening.aspects.training import AspectClassifier, AspectClassifierModel

__all__ = [
    "Aspect",
    "AspectClassifier",
    "AspectClassifierModel",
    "AspectMentions",
    "AspectOpinions",
    "AspectTable",
    "Aspects",
    "ItemVerdicts",
    "Period",
    "Proposal",
    "Verdict",
    "aspect_table",
    "clause_sentiment",
    "find_aspects",
    "item_verdicts",
    "mentions_at",
    "propose_aspects",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Aspect": ".finding",
        "AspectClassifier": ".training",
        "AspectClassifierModel": ".training",
        "AspectMentions": ".finding",
        "AspectOpinions": ".opinions",
        "AspectTable": ".tables",
        "Aspects": ".finding",
        "ItemVerdicts": ".items",
        "Period": ".tables",
        "Proposal": ".proposing",
        "Verdict": ".items",
        "aspect_table": ".tables",
        "clause_sentiment": ".opinions",
        "find_aspects": ".finding",
        "item_verdicts": ".items",
        "mentions_at": ".finding",
        "propose_aspects": ".proposing",
    },
)
