"""Topics: what many short texts are about, with a probability for every text.

`find_topics` makes a `TopicModel`; `assign` sorts texts into its topics, `updated` learns from more of them, and
`topic_stability` tells how well halves of the texts agree on the topics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.listening.topics.modelling import Topic, TopicModel, TopicTable, find_topics
    from crmcore.listening.topics.stability import topic_stability

__all__ = ["Topic", "TopicModel", "TopicTable", "find_topics", "topic_stability"]

__getattr__ = lazy_names(
    __name__,
    {
        "Topic": ".modelling",
        "TopicModel": ".modelling",
        "TopicTable": ".modelling",
        "find_topics": ".modelling",
        "topic_stability": ".stability",
    },
)
