"""Contact policy: whether, when and on which channel a message goes, for one contact or for an audience.

`triggers` says what calls for a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.choice.holding_out import HoldOut, hold_out
    from crmcore.idic.interact.contact.audiences import Audience, SendTable
    from crmcore.idic.interact.contact.deciding import Decision, Reason, Verdict, decide
    from crmcore.idic.interact.contact.messages import Contact, Message, MessageClass, Send
    from crmcore.idic.interact.contact.planning import plan
    from crmcore.idic.interact.contact.plans import ContactPlan, Lift
    from crmcore.idic.interact.contact.policy import CHANNELS, GATES, Cap, ContactPolicy, Fallback, Gate, NoZone
    from crmcore.idic.interact.contact.templates import Template

_WHERE = {
    ".audiences": ("Audience", "SendTable"),
    ".deciding": ("Decision", "Reason", "Verdict", "decide"),
    ".messages": ("Contact", "Message", "MessageClass", "Send"),
    ".planning": ("plan",),
    "crmcore.choice.holding_out": ("HoldOut", "hold_out"),
    ".plans": ("ContactPlan", "Lift"),
    ".policy": ("CHANNELS", "GATES", "Cap", "ContactPolicy", "Fallback", "Gate", "NoZone"),
    ".templates": ("Template",),
}

__all__ = [
    "CHANNELS",
    "GATES",
    "Audience",
    "Cap",
    "Contact",
    "ContactPlan",
    "ContactPolicy",
    "Decision",
    "Fallback",
    "Gate",
    "HoldOut",
    "Lift",
    "Message",
    "MessageClass",
    "NoZone",
    "Reason",
    "Send",
    "SendTable",
    "Template",
    "Verdict",
    "decide",
    "hold_out",
    "plan",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
