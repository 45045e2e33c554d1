"""Rules: typed conditions over facts, three-valued, explained, the same for one subject and for a whole table.

`field("profit_12m") >= 10_000` is a condition, a `Rule` names it and gives it an outcome, `decide` answers about one
subject with reasons, `mask` about all of a `FactTable`; a `RuleSet` joins rules, `Tiers` move subjects between levels
with hysteresis and grace. Unknown facts make unknown answers, never silent ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.rules.decision import Decision
    from crmcore.rules.fact_table import FactTable
    from crmcore.rules.facts import Event, Facts
    from crmcore.rules.making import (
        all_of,
        any_of,
        count,
        days_between,
        days_since,
        days_until,
        field,
        not_,
        now,
        total,
    )
    from crmcore.rules.rule import Rule
    from crmcore.rules.rule_set import RuleSet
    from crmcore.rules.schema import Amount, Date, Flag, Number, Schema, Text
    from crmcore.rules.tiers import Tier, Tiers
    from crmcore.rules.truth import Truth
    from crmcore.rules.vocabulary import Vocabulary

_WHERE = {
    "Amount": ".schema",
    "Date": ".schema",
    "Decision": ".decision",
    "Event": ".facts",
    "FactTable": ".fact_table",
    "Facts": ".facts",
    "Flag": ".schema",
    "Number": ".schema",
    "Rule": ".rule",
    "RuleSet": ".rule_set",
    "Schema": ".schema",
    "Text": ".schema",
    "Tier": ".tiers",
    "Tiers": ".tiers",
    "Truth": ".truth",
    "Vocabulary": ".vocabulary",
    "all_of": ".making",
    "any_of": ".making",
    "count": ".making",
    "days_between": ".making",
    "days_since": ".making",
    "days_until": ".making",
    "field": ".making",
    "not_": ".making",
    "now": ".making",
    "total": ".making",
}

__all__ = [
    "Amount",
    "Date",
    "Decision",
    "Event",
    "FactTable",
    "Facts",
    "Flag",
    "Number",
    "Rule",
    "RuleSet",
    "Schema",
    "Text",
    "Tier",
    "Tiers",
    "Truth",
    "Vocabulary",
    "all_of",
    "any_of",
    "count",
    "days_between",
    "days_since",
    "days_until",
    "field",
    "not_",
    "now",
    "total",
]

__getattr__ = lazy_names(__name__, _WHERE)
