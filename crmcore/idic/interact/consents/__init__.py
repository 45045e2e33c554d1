"""Consents: who said yes or no to which purpose on which channel, with proof, for any instant in the past.

A `ConsentLedger` holds `Statement`s and answers about one person; `ConsentTable` answers about a population.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.interact.consents.answers import ConsentAnswer, Standing
    from crmcore.idic.interact.consents.ledger import ConsentLedger
    from crmcore.idic.interact.consents.merges import Erasure, Merge, MergeRule
    from crmcore.idic.interact.consents.statements import ANY, ConsentRules, Proof, Said, Statement
    from crmcore.idic.interact.consents.table import ConsentColumn, ConsentTable

_WHERE = {
    ".answers": ("ConsentAnswer", "Standing"),
    ".ledger": ("ConsentLedger",),
    ".merges": ("Erasure", "Merge", "MergeRule"),
    ".statements": ("ANY", "ConsentRules", "Proof", "Said", "Statement"),
    ".table": ("ConsentColumn", "ConsentTable"),
}

__all__ = [
    "ANY",
    "ConsentAnswer",
    "ConsentColumn",
    "ConsentLedger",
    "ConsentRules",
    "ConsentTable",
    "Erasure",
    "Merge",
    "MergeRule",
    "Proof",
    "Said",
    "Standing",
    "Statement",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
