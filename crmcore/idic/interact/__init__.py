"""Interact: conversations with customers, on every channel.

`conversations` makes one talk of many channels, `consents` keeps who said yes or no to what, `contact` decides whether,
when and where a message goes, `triggers` says what calls for one, `pipeline` follows leads and deals, `communities`
hears, helps and moderates members among themselves. The other names are those that are used most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.choice.holding_out import HoldOut
    from crmcore.idic.interact import communities, consents, contact, conversations, pipeline
    from crmcore.idic.interact.consents.ledger import ConsentLedger
    from crmcore.idic.interact.consents.statements import Proof, Statement
    from crmcore.idic.interact.consents.table import ConsentTable
    from crmcore.idic.interact.contact import triggers
    from crmcore.idic.interact.contact.audiences import Audience, SendTable
    from crmcore.idic.interact.contact.deciding import decide
    from crmcore.idic.interact.contact.messages import Contact, Message, Send
    from crmcore.idic.interact.contact.planning import plan
    from crmcore.idic.interact.contact.policy import Cap, ContactPolicy
    from crmcore.idic.interact.contact.templates import Template
    from crmcore.idic.interact.contact.triggers.firing import fire
    from crmcore.idic.interact.contact.triggers.sources import Sources

_WHERE = {
    ".communities": ("communities",),
    ".consents": ("consents",),
    ".consents.ledger": ("ConsentLedger",),
    ".consents.statements": ("Proof", "Statement"),
    ".consents.table": ("ConsentTable",),
    ".contact": ("contact",),
    ".contact.audiences": ("Audience", "SendTable"),
    ".contact.deciding": ("decide",),
    ".contact.messages": ("Contact", "Message", "Send"),
    ".contact.planning": ("plan",),
    "crmcore.choice.holding_out": ("HoldOut",),
    ".contact.policy": ("Cap", "ContactPolicy"),
    ".contact.templates": ("Template",),
    ".contact.triggers": ("triggers",),
    ".contact.triggers.firing": ("fire",),
    ".conversations": ("conversations",),
    ".pipeline": ("pipeline",),
    ".contact.triggers.sources": ("Sources",),
}

__all__ = [
    "Audience",
    "Cap",
    "ConsentLedger",
    "ConsentTable",
    "Contact",
    "ContactPolicy",
    "HoldOut",
    "Message",
    "Proof",
    "Send",
    "SendTable",
    "Sources",
    "Statement",
    "Template",
    "communities",
    "consents",
    "contact",
    "conversations",
    "decide",
    "fire",
    "pipeline",
    "plan",
    "triggers",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
