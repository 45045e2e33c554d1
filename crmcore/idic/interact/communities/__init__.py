"""Communities: who is there and who answers whom, what is asked, decided and held back, and who helps whom.

`from_chat`, `from_forum` and `Community.from_frame` read posts into one table; `health` measures it. Polls and
decisions count one vote each, ideas and shared content keep their history; `AnswerSearch` lets peers answer first.
Depth is one module further in: `polls.QuestionBox`, `moderation.TRUST`, `ambassadors.AMBASSADOR`, `fans.FanEvent`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.interact.communities.alike import find_alike
    from crmcore.idic.interact.communities.ambassadors import rank_ambassadors, reward, shield
    from crmcore.idic.interact.communities.answers import AnswerSearch, Entry, deflection, find_gaps
    from crmcore.idic.interact.communities.ballots import Ballot, Decision
    from crmcore.idic.interact.communities.community import Community, from_chat, from_forum
    from crmcore.idic.interact.communities.fans import FanPage
    from crmcore.idic.interact.communities.following import Follow, digest
    from crmcore.idic.interact.communities.ideas import IdeaBox
    from crmcore.idic.interact.communities.matching import stable_match
    from crmcore.idic.interact.communities.measures import brand_share, content_mix, health
    from crmcore.idic.interact.communities.moderation import ModerationQueue
    from crmcore.idic.interact.communities.polls import Poll, Vote

_WHERE = {
    ".alike": ("find_alike",),
    ".ambassadors": (
        "rank_ambassadors",
        "reward",
        "shield",
    ),
    ".answers": (
        "AnswerSearch",
        "Entry",
        "deflection",
        "find_gaps",
    ),
    ".ballots": (
        "Ballot",
        "Decision",
    ),
    ".community": (
        "Community",
        "from_chat",
        "from_forum",
    ),
    ".fans": ("FanPage",),
    ".following": (
        "Follow",
        "digest",
    ),
    ".ideas": ("IdeaBox",),
    ".matching": ("stable_match",),
    ".measures": (
        "brand_share",
        "content_mix",
        "health",
    ),
    ".moderation": ("ModerationQueue",),
    ".polls": (
        "Poll",
        "Vote",
    ),
}

__all__ = [
    "AnswerSearch",
    "Ballot",
    "Community",
    "Decision",
    "Entry",
    "FanPage",
    "Follow",
    "IdeaBox",
    "ModerationQueue",
    "Poll",
    "Vote",
    "brand_share",
    "content_mix",
    "deflection",
    "digest",
    "find_alike",
    "find_gaps",
    "from_chat",
    "from_forum",
    "health",
    "rank_ambassadors",
    "reward",
    "shield",
    "stable_match",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
