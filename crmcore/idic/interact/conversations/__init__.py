"""Conversations over channels: threads and their time line, hand-over, redundant questions, preferences, profiling.

`thread` puts messages of all channels into conversations by contact and topic and says why; `hand_over`
briefs the next colleague.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.interact.conversations.asking import (
        FIELDS,
        AskedField,
        OnFile,
        RedundantQuestion,
        redundant_questions,
    )
    from crmcore.idic.interact.conversations.attaching import Attachments, Subject, attach
    from crmcore.idic.interact.conversations.briefing import HandOver, hand_over
    from crmcore.idic.interact.conversations.measures import Continuity, continuity, dialogue_ratio
    from crmcore.idic.interact.conversations.messages import Message, references_in
    from crmcore.idic.interact.conversations.preferences import Preference, Preferences, Statement, hear_preferences
    from crmcore.idic.interact.conversations.profiling import NextQuestion, next_question
    from crmcore.idic.interact.conversations.results import Conversation, Conversations
    from crmcore.idic.interact.conversations.threads import Threader, ThreadRules, thread

__all__ = [
    "AskedField",
    "Attachments",
    "Continuity",
    "Conversation",
    "Conversations",
    "FIELDS",
    "HandOver",
    "Message",
    "NextQuestion",
    "OnFile",
    "Preference",
    "Preferences",
    "RedundantQuestion",
    "Statement",
    "Subject",
    "ThreadRules",
    "Threader",
    "attach",
    "continuity",
    "dialogue_ratio",
    "hand_over",
    "hear_preferences",
    "next_question",
    "redundant_questions",
    "references_in",
    "thread",
]

__getattr__ = lazy_names(
    __name__,
    {
        "AskedField": ".asking",
        "Attachments": ".attaching",
        "Continuity": ".measures",
        "Conversation": ".results",
        "Conversations": ".results",
        "FIELDS": ".asking",
        "HandOver": ".briefing",
        "Message": ".messages",
        "NextQuestion": ".profiling",
        "OnFile": ".asking",
        "Preference": ".preferences",
        "Preferences": ".preferences",
        "RedundantQuestion": ".asking",
        "Statement": ".preferences",
        "Subject": ".attaching",
        "ThreadRules": ".threads",
        "Threader": ".threads",
        "attach": ".attaching",
        "continuity": ".measures",
        "dialogue_ratio": ".measures",
        "hand_over": ".briefing",
        "hear_preferences": ".preferences",
        "next_question": ".profiling",
        "redundant_questions": ".asking",
        "references_in": ".messages",
        "thread": ".threads",
    },
)
